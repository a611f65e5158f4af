"""pcap: what tcpdump writes. https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html

A header of 24 bytes tells byte order and the unit of time by its magic number, then the type of link; packet follows
packet, each with its time, the length that was captured and the length that it had.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal

import construct as c

from nlemu.protocol.captures.cooked import LINKTYPE, cook, uncook
from nlemu.protocol.captures.events import CaptureError, Datagram
from nlemu.protocol.captures.source import Source
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.schema.interpret import Codec

Order = Literal["little", "big"]

MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
UNITS = {MICROSECONDS: 1000, NANOSECONDS: 1}
SNAPLEN = 262144
SECOND = 1_000_000_000


def file_header(u16: c.Construct, u32: c.Construct) -> Codec:
    """The header of a file, in that byte order."""
    return prepare(
        "pcap_file_header"
        / c.Struct(
            "magic" / u32, "major" / u16, "minor" / u16, "zone" / u32, "accuracy" / u32, "snaplen" / u32,
            "linktype" / u32,
        )
    )


def packet_header(u32: c.Construct) -> Codec:
    """The header of a packet, in that byte order."""
    return prepare(
        "pcap_packet_header" / c.Struct("seconds" / u32, "fraction" / u32, "captured" / u32, "length" / u32)
    )


FILE: dict[Order, Codec] = {"little": file_header(c.Int16ul, c.Int32ul), "big": file_header(c.Int16ub, c.Int32ub)}
PACKET: dict[Order, Codec] = {"little": packet_header(c.Int32ul), "big": packet_header(c.Int32ub)}
MAGICS = {magic.to_bytes(4, order): (order, magic) for magic in UNITS for order in FILE}
"""The first four bytes of a file: its byte order and magic number."""


def read(source: Source) -> Iterator[Datagram]:
    """The datagrams of a file. Raises CaptureError where it cannot be read on."""
    order, magic = MAGICS[source.peek(4)]
    header = FILE[order].unpack(source.read(FILE[order].size, "the header of a pcap file"))
    linktype = header.linktype & 0x0FFFFFFF  # above it stands how long the frame check sequences are
    if linktype != LINKTYPE:
        raise CaptureError(
            f"{source.name}: packets of link type {linktype}, and netlink's is {LINKTYPE} (what nlmon devices have)"
        )
    unit, codec, number = UNITS[magic], PACKET[order], 0
    while not source.ended():
        number += 1
        start = source.at
        packet = codec.unpack(source.read(codec.size, f"the header of frame {number}"))
        data = source.read(packet.captured, f"frame {number}")
        try:
            protocol, way, datagram = uncook(data)
        except ValueError as error:
            raise CaptureError(f"{source.name}: byte {start}: frame {number}: {error}") from None
        yield Datagram(
            datagram, protocol, f"frame {number}", packet.seconds * SECOND + packet.fraction * unit, way,
            length=len(datagram) + max(packet.length - packet.captured, 0),
        )


class Writer:
    """Writes a file of nanoseconds, in the order of little-endian machines; flushed after every packet, so that it can
    be followed while it grows."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        stream.write(FILE["little"].pack(magic=NANOSECONDS, major=2, minor=4, snaplen=SNAPLEN, linktype=LINKTYPE))
        stream.flush()

    def write(self, datagram: Datagram) -> None:
        """Adds a datagram of a known protocol."""
        assert datagram.protocol is not None
        packet = cook(datagram.data, datagram.protocol, datagram.way)
        seconds, fraction = divmod(datagram.time or 0, SECOND)
        length = len(packet) + max(datagram.length - len(datagram.data), 0)
        self.stream.write(
            PACKET["little"].pack(seconds=seconds, fraction=fraction, captured=len(packet), length=length) + packet
        )
        self.stream.flush()
