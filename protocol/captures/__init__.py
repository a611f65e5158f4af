"""Captures: files in which somebody's netlink traffic is kept, read and written. Bytes of files, nothing of a kernel.

A reader turns a file into events (protocol/captures/events.py), one after the other, and holds no more of it in memory
than one packet. It promises three things whatever the file holds: what could be read before a fault is given, the
fault is one CaptureError with the place where it stands, and a length that lies is refused before memory is taken for
it. What a message means is not decided here; a datagram leaves as it was captured.

Formats are told apart by their first bytes, never by their names (protocol/captures/formats.py).
"""
