"""Headers with segments: struct ipv6_sr_hdr, and what is wrong with one, seg6_validate_srh() of net/ipv6/seg6.c.

Eight bytes come first; then the segments, from the last to the first; then what else is to be said, each with its type
and its length. The header's own length is in units of eight bytes, of which the first is not counted.
"""

from __future__ import annotations

import errno
import struct

from nlemu.emulator.kernel.inet.lwtunnel import Segments
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.seg6 import IPV6_SRCRT_TYPE_4

HEADER = struct.Struct(">BBBBBBH")
SEGMENT = 16
LEAST = HEADER.size + SEGMENT


def read(payload: bytes) -> Segments:
    """A header with at least one segment; EINVAL."""
    if len(payload) < LEAST:
        raise Refusal(errno.EINVAL)
    following, units, kind, left, last, flags, tag = HEADER.unpack_from(payload)
    if kind != IPV6_SRCRT_TYPE_4 or units + 1 << 3 != len(payload) or left > last or last > units // 2 - 1:
        raise Refusal(errno.EINVAL)
    end = HEADER.size + (last + 1) * SEGMENT
    segments = tuple(
        int.from_bytes(payload[at : at + SEGMENT], "big") for at in range(HEADER.size, end, SEGMENT)
    )
    return Segments(following, left, flags, tag, segments, _behind(payload[end:]))


def _behind(rest: bytes) -> tuple[tuple[int, bytes], ...]:
    found: list[tuple[int, bytes]] = []
    while rest:
        if len(rest) < 2 or len(rest) < 2 + rest[1]:
            raise Refusal(errno.EINVAL)
        size = 2 + rest[1]
        found.append((rest[0], rest[2:size]))
        rest = rest[size:]
    return tuple(found)


def told(header: Segments) -> bytes:
    """The header as it stands in a message."""
    behind = b"".join(bytes((kind, len(value))) + value for kind, value in header.tlvs)
    body = b"".join(segment.to_bytes(SEGMENT, "big") for segment in header.segments) + behind
    return HEADER.pack(
        header.next_header, len(body) >> 3, IPV6_SRCRT_TYPE_4, header.left, len(header.segments) - 1, header.flags,
        header.tag,
    ) + body
