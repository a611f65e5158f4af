"""Messages: the header in front, and several of them in a datagram.

struct nlmsghdr is described in protocol/schema/structs.py with every other structure; it is read and written here
through `struct`, because this happens for every message. A test holds the two equal.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

NLMSGHDR = struct.Struct("<IHHII")  # length, type, flags, sequence number, port id
HEADER_SIZE = 16
GENERIC = struct.Struct("<BBH")  # struct genlmsghdr: command, version, reserved


class Header(NamedTuple):
    """struct nlmsghdr."""

    length: int
    type: int
    flags: int
    seq: int
    portid: int


def message(kind: int, flags: int, seq: int, portid: int, body: bytes) -> bytes:
    """One message; the body is aligned already, as every body made of attributes is (nlmsg_put(), nlmsg_end())."""
    return NLMSGHDR.pack(HEADER_SIZE + len(body), kind, flags, seq, portid) + body


def split(datagram: bytes) -> Iterator[tuple[Header, bytes]]:
    """The messages of a datagram, each with its header, as long as they are whole (nlmsg_ok())."""
    at, end = 0, len(datagram)
    while end - at >= HEADER_SIZE:
        header = Header._make(NLMSGHDR.unpack_from(datagram, at))
        if header.length < HEADER_SIZE or header.length > end - at:
            return
        yield header, datagram[at : at + header.length]
        at += header.length + 3 & ~3
