"""How a TCP connection got on: what was sent again, what the sender waited for, and how fast it was when.

Frames in, numbers out; nothing of this runs unless it is asked for (``Capture(..., metered=True)``).
"""
