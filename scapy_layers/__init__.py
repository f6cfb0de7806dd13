"""Scapy packet classes for Xen migration streams. Needs Scapy: ``pip install xenmig[scapy]``.

``from xenmig.scapy_layers.all import *`` has everything. Nothing is imported here, so that the generator of the packet
classes runs whatever state they are in.
"""
