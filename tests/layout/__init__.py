"""The layouts that a C compiler gives to Xen's public headers."""
