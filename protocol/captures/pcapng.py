"""pcapng: what Wireshark writes. https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html

A file is blocks: type, length, body, length again. A section header block begins a section and tells its byte order;
an interface description block each tells a type of link, a unit of time, and a name; an enhanced packet block holds a
packet of one of the interfaces. What else there is (statistics, names, secrets) is passed over.

Namespaces are interfaces here, by name. A comment on a packet says what it is; those that this module writes begin with
the sender's port id where the message's header does not tell it, and are read again so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

import construct as c

from nlemu.protocol.captures.cooked import LINKTYPE, cook, uncook
from nlemu.protocol.captures.events import CaptureError, Datagram, Way
from nlemu.protocol.captures.source import Source
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.schema.interpret import Codec

Order = Literal["little", "big"]

SECTION, INTERFACE, PACKET, SIMPLE = 0x0A0D0D0A, 1, 6, 3
MAGIC = SECTION.to_bytes(4, "little")
"""The first four bytes of a file, in either byte order."""
ORDER = 0x1A2B3C4D
END, COMMENT, NAME, RESOLUTION, OFFSET, APPLICATION, FLAGS, LOST = 0, 1, 2, 9, 14, 4, 2, 4
"""Codes of options: each kind of block numbers its own."""
INBOUND, OUTBOUND = 1, 2
MICROSECONDS, SECOND = 6, 1_000_000_000
PORT = re.compile(r"from port (\d{1,10}): ")


def codecs(u16: c.Construct, u32: c.Construct, u64: c.Construct) -> dict[str, Codec]:
    """The fixed parts of blocks, in one byte order."""
    described = (
        "block" / c.Struct("type" / u32, "length" / u32),
        "section" / c.Struct("order" / u32, "major" / u16, "minor" / u16, "length" / u64),
        "interface" / c.Struct("linktype" / u16, "reserved" / u16, "snaplen" / u32),
        "packet"
        / c.Struct("interface" / u32, "high" / u32, "low" / u32, "captured" / u32, "length" / u32),
        "option" / c.Struct("code" / u16, "length" / u16),
    )
    return {one.name: prepare(one) for one in described}


CODECS: dict[Order, dict[str, Codec]] = {
    "little": codecs(c.Int16ul, c.Int32ul, c.Int64ul),
    "big": codecs(c.Int16ub, c.Int32ub, c.Int64ub),
}


Remarks = tuple[str | None, int | None, int]
"""Of a packet its comment, the port id of its sender where that says it, and how many packets before it were lost."""
NO_REMARKS: Remarks = None, None, 0
REMEMBERED = 1024
"""Options of packets that are remembered with what they say."""


@dataclass(frozen=True)
class Interface:
    """What packets came by: type of link, ticks a second, seconds to add, the name if it has one."""

    linktype: int
    ticks: int
    offset: int
    name: str | None


def read(source: Source) -> Iterator[Datagram]:
    """The datagrams of a file; packets of other links than netlink are passed over, unless there are no others. Raises
    CaptureError where it cannot be read on."""
    return Reader(source).datagrams()


class Reader:
    """A file that is being read: the byte order and the interfaces of the section that it is in."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.order: Order = "little"
        self.interfaces: list[Interface] = []
        self.number = 0
        self.others: set[int] = set()
        self.said: dict[tuple[Order, bytes], Remarks] = {}
        """What options say that were met."""

    def datagrams(self) -> Iterator[Datagram]:
        """All there are."""
        source, found = self.source, False
        while head := source.ahead(8):
            at = source.at
            if head[:4] == MAGIC:
                self.begin_section()
            codec = CODECS[self.order]["block"]
            block = codec.unpack(source.read(codec.size, "the header of a block"))
            if block.length < codec.size + 4 or block.length % 4:
                raise CaptureError(f"{source.name}: byte {at}: a block of {block.length} bytes")
            body = source.read(block.length - codec.size - 4, f"the block at byte {at}")
            again = int.from_bytes(source.read(4, f"the block at byte {at}"), self.order)
            if again != block.length:
                raise CaptureError(
                    f"{source.name}: byte {at}: a block that begins with {block.length} bytes and ends with {again}"
                )
            try:
                datagram = self.block(block.type, body)
            except ValueError as error:
                raise CaptureError(f"{source.name}: byte {at}: {error}") from None
            if datagram is not None:
                found = True
                yield datagram
        if self.others and not found:
            kinds = ", ".join(map(str, sorted(self.others)))
            raise CaptureError(
                f"{source.name}: packets of link type {kinds}, and netlink's is {LINKTYPE} (what nlmon devices have)"
            )

    def begin_section(self) -> None:
        """Looks at the byte order that the section header block tells, which its own length is in already."""
        head = self.source.ahead(12)
        orders: dict[bytes, Order] = {ORDER.to_bytes(4, order): order for order in CODECS}
        if head[8:12] not in orders:
            raise self.source.error(f"a section whose byte order is {head[8:12].hex() or 'not there'}")
        self.order = orders[head[8:12]]
        self.interfaces = []

    def block(self, kind: int, body: bytes) -> Datagram | None:
        """The datagram in a block; None if there is none. Raises ValueError."""
        if kind == INTERFACE:
            self.interfaces.append(self.interface(body))
        elif kind in (PACKET, SIMPLE):
            return self.packet(kind, body)
        return None

    def interface(self, body: bytes) -> Interface:
        """An interface description block."""
        codec = CODECS[self.order]["interface"]
        if len(body) < codec.size:
            raise ValueError(f"an interface in {len(body)} bytes")
        options = dict(self.options(body, codec.size))
        unit = (options.get(RESOLUTION) or bytes([MICROSECONDS]))[0]
        if unit & 0x7F > 40:
            raise ValueError(f"a unit of time of {'2' if unit & 0x80 else '10'}^-{unit & 0x7F} seconds")
        ticks = 2 ** (unit & 0x7F) if unit & 0x80 else 10**unit
        offset = int.from_bytes(options.get(OFFSET, b""), self.order, signed=True)
        name = options[NAME].decode(errors="replace") if NAME in options else None
        return Interface(codec.unpack(body).linktype, ticks, offset, name)

    def packet(self, kind: int, body: bytes) -> Datagram | None:
        """An enhanced packet block, or a simple one, which has no time and is of the first interface."""
        self.number += 1
        if kind == SIMPLE:
            if len(body) < 4:
                raise ValueError(f"a packet in {len(body)} bytes")
            length = int.from_bytes(body[:4], self.order)
            index, captured, start, ticks = 0, min(length, len(body) - 4), 4, None
        else:
            codec = CODECS[self.order]["packet"]
            if len(body) < codec.size:
                raise ValueError(f"a packet in {len(body)} bytes")
            head = codec.unpack(body)
            index, captured, length, start = head.interface, head.captured, head.length, codec.size
            ticks = head.high << 32 | head.low
            if captured > len(body) - start:
                raise ValueError(f"a packet of {captured} bytes in a block with room for {len(body) - start}")
        if index >= len(self.interfaces):
            raise ValueError(f"a packet of interface {index}, and {len(self.interfaces)} are described")
        interface = self.interfaces[index]
        if interface.linktype != LINKTYPE:
            self.others.add(interface.linktype)
            return None
        protocol, way, datagram = uncook(body[start : start + captured])
        comment, port, lost = self.remarks(body[start + (captured + 3 & ~3) :]) if kind == PACKET else NO_REMARKS
        return Datagram(
            datagram, protocol, f"frame {self.number}",
            None if ticks is None else ticks * SECOND // interface.ticks + interface.offset * SECOND,
            way, length=len(datagram) + max(length - captured, 0), network=interface.name, comment=comment,
            port=port, lost=lost,
        )

    def remarks(self, options: bytes) -> Remarks:
        """What the options of a packet say of it, which is mostly what they said of another. Raises ValueError."""
        found = self.said.get((self.order, options))
        if found is None:
            comment, lost = None, 0
            for code, value in self.options(options, 0):
                if code == COMMENT:
                    comment = value.decode(errors="replace")
                elif code == LOST:
                    lost = int.from_bytes(value, self.order)
            port = PORT.match(comment or "")
            found = comment, None if port is None else int(port[1]), lost
            if len(self.said) < REMEMBERED:
                self.said[self.order, options] = found
        return found

    def options(self, body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        """The options of a block that begin there. Raises ValueError for one that does not fit."""
        codec = CODECS[self.order]["option"]
        while len(body) - at >= codec.size:
            option = codec.unpack(body, at)
            at += codec.size
            if option.code == END:
                return
            if option.length > len(body) - at:
                raise ValueError(f"an option of {option.length} bytes in a block with room for {len(body) - at}")
            yield option.code, body[at : at + option.length]
            at += option.length + 3 & ~3


class Writer:
    """Writes a file, in the order of little-endian machines; flushed after every packet, so that it can be followed
    while it grows."""

    def __init__(self, stream: BinaryIO, application: str = "nlemu") -> None:
        self.stream = stream
        self.codecs = CODECS["little"]
        self.interfaces: dict[str | None, int] = {}
        head = self.codecs["section"].pack(order=ORDER, major=1, length=0xFFFFFFFFFFFFFFFF)
        self._block(SECTION, head + self._options((APPLICATION, application.encode())))

    def write(self, datagram: Datagram) -> None:
        """Adds a datagram of a known protocol, with its comment, and before it the interface if that is new."""
        assert datagram.protocol is not None
        index = self.interfaces.get(datagram.network)
        if index is None:
            index = self.interfaces[datagram.network] = len(self.interfaces)
            options = [(RESOLUTION, bytes([9]))]
            if datagram.network is not None:
                options.insert(0, (NAME, datagram.network.encode()))
            self._block(INTERFACE, self.codecs["interface"].pack(linktype=LINKTYPE) + self._options(*options))
        packet = cook(datagram.data, datagram.protocol, datagram.way)
        high, low = divmod(datagram.time or 0, 1 << 32)
        head = self.codecs["packet"].pack(
            interface=index, high=high, low=low, captured=len(packet),
            length=len(packet) + max(datagram.length - len(datagram.data), 0),
        )
        comment = datagram.comment or ""
        if datagram.port is not None:
            comment = f"from port {datagram.port}: {PORT.sub('', comment)}"
        way = OUTBOUND if datagram.way is Way.TO_KERNEL else INBOUND
        options = [(COMMENT, comment.encode())] if comment else []
        options.append((FLAGS, way.to_bytes(4, "little")))
        if datagram.lost:
            options.append((LOST, datagram.lost.to_bytes(8, "little")))
        self._block(PACKET, head + packet.ljust(len(packet) + 3 & ~3, b"\0") + self._options(*options))
        self.stream.flush()

    def _options(self, *options: tuple[int, bytes]) -> bytes:
        parts = [
            self.codecs["option"].pack(code=code, length=len(value)) + value.ljust(len(value) + 3 & ~3, b"\0")
            for code, value in options
        ]
        return b"".join(parts) + bytes(4)

    def _block(self, kind: int, body: bytes) -> None:
        length = len(body) + 12
        self.stream.write(self.codecs["block"].pack(type=kind, length=length) + body + length.to_bytes(4, "little"))
