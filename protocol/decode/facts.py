"""What a datagram says, fact by fact: for comparing one with another.

A fact is the smallest thing that has a name: a field, a value, a flag that is odd. Two datagrams with the same facts
are the same, but for lengths in headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nlemu.protocol.decode.message import Message
from nlemu.protocol.decode.printer import PLAIN, messages, text, title
from nlemu.protocol.decode.tree import Node
from nlemu.protocol.frame import HEADER_SIZE, split
from nlemu.protocol.names.known import ROUTE, Families
from nlemu.protocol.names.words import header_flags
from nlemu.protocol.uapi.netlink import NlmsgType


@dataclass(frozen=True)
class Fact:
    """One fact of a datagram: where it stands (a path of names), what it says, and the bytes that say so.

    ``start`` and ``end`` count from the beginning of the datagram.
    """

    path: str
    text: str
    start: int
    end: int


def facts(datagram: bytes, protocol: int, families: Families | None = None) -> list[Fact]:
    """Everything a datagram says, one fact after the other in the order of its bytes.

    A path begins with the message, counted from 1 where there are several.
    """
    found: list[Fact] = []
    at = 0
    several = sum(1 for _ in split(datagram)) > 1
    for number, (message, rest) in enumerate(messages(datagram, protocol, families), 1):
        prefix = f"message {number}: " if several else ""
        if message is None:
            found.append(Fact("rest", rest.hex(), at, len(datagram)))
            continue
        found += [
            Fact(prefix + path, one, at + start, at + end) for path, one, start, end in of_message(message)
        ]
        at += message.header.length + 3 & ~3
    return found


def of_message(message: Message) -> Iterator[tuple[str, str, int, int]]:
    """What one message says: path, text, start and end in the message."""
    header, size = message.header, len(message.data)
    flags = header_flags(header.type, header.flags, route=message.protocol == ROUTE)
    yield "message", title(message), 4, 6
    yield "flags", text(flags), 6, 8
    yield "seq", str(header.seq), 8, 12
    yield "port", str(header.portid), 12, HEADER_SIZE
    if message.version is not None:
        yield "version", str(message.version), HEADER_SIZE + 1, HEADER_SIZE + 2
    if message.fixed is not None:
        yield from of_node(message.fixed, "header")
    if message.request is not None and message.header.type == NlmsgType.ERROR:
        for path, one, start, end in of_message(message.request):
            yield f"request.{path}", one, HEADER_SIZE + 4 + start, HEADER_SIZE + 4 + end
    for node in message.attributes:
        yield from of_node(node, "")
    if message.rest:
        yield "rest", message.rest.hex(), size - len(message.rest), size


def of_node(node: Node, path: str) -> Iterator[tuple[str, str, int, int]]:
    """The facts of a node and of all inside: a path, a value, where it begins and ends."""
    notes = f"  ({', '.join(node.notes)})" if node.notes else ""
    if node.name or node.form == "unknown" or node.attr is not None or not path:
        path = f"{path}.{node.name}" if node.name else f"{path}[{node.number}]"
    if node.form in ("nest", "array", "struct"):
        if notes or not node.children:
            yield path, f"{'' if node.children else 'empty'}{notes}".strip(), node.start, node.end
        for child in node.children:
            inner = path if child.name else f"{path}[{child.number}]"
            yield from of_node(child, inner)
        return
    value = node.value.hex() if node.form == "unknown" else PLAIN.value(node)
    yield path, ("there" if value is True else text(value)) + notes, node.start, node.end
