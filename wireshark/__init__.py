"""The Wireshark dissector for Xen migration streams, its generator and its installer."""
