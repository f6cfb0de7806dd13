"""Bytes in, events out: no files, no sockets, no printing."""
