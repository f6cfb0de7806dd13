"""Scapy packet classes for Xen migration streams. Needs Scapy: ``pip install xenmig[scapy]``."""
