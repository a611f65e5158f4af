"""A message taken apart: header, family and operation, structure, attributes; of an error, what it is about.

A generic netlink message says by its type which family it belongs to, and by its command which attributes it holds;
some families number requests and replies apart, and NLM_F_REQUEST tells the one from the other. Nothing here fails,
whatever the bytes: what cannot be understood is kept as it is (see protocol/decode/tree.py for attributes).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from nlemu.protocol.decode.tree import DEPTH, FLAGGED, Node, Rules, read_attributes, read_structure
from nlemu.protocol.families.route.bridge import AF_SPEC, PROTINFO
from nlemu.protocol.families.route.link import Link
from nlemu.protocol.families.route.mdb import Mdba, MdbTold
from nlemu.protocol.frame import GENERIC, HEADER_SIZE, NLMSGHDR, Header
from nlemu.protocol.names.known import (
    GENERIC_NETLINK,
    ROUTE,
    Families,
    by_protocol,
    operation,
    read_as,
    recorded_machine,
)
from nlemu.protocol.names.words import dashed
from nlemu.protocol.schema.family import Family, Operation
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_MIN_TYPE, NlmsgType
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE
from nlemu.protocol.wire.acks import Error

BRIDGES = bytes([AF_BRIDGE])
OF_BRIDGES = {**Link.spec.by_number, PROTINFO.number: PROTINFO, AF_SPEC.number: AF_SPEC}
"""What a link message of AF_BRIDGE holds: two of its nests are others."""


@dataclass(slots=True)
class Message:
    """One netlink message, taken apart.

    ``family`` and ``op`` are None where nobody declared them; ``command`` and ``version`` are those of a generic
    netlink message; of other protocols than rtnetlink, ``command`` is the type and ``version`` None. ``fixed`` is the
    structure that a message begins with, but for generic netlink. Of an error, an
    ack or the end of a dump, ``errno`` is the positive errno number (0: all is well, None: too short to say) and
    ``request`` the message that it answers, as far as that is repeated in it or was known to the reader.
    ``answers``: whether it answers a request, where the reader knows.
    ``rest`` are the bytes behind the last attribute, which make no attribute, or those of an unknown body.
    """

    data: bytes
    header: Header
    protocol: int
    family: Family | None = None
    op: Operation | None = None
    command: int | None = None
    version: int | None = None
    fixed: Node | None = None
    attributes: list[Node] = field(default_factory=list)
    errno: int | None = None
    request: Message | None = None
    answers: bool | None = None
    rest: bytes = b""

    @property
    def is_request(self) -> bool:
        """Whether it asks (NLM_F_REQUEST)."""
        return bool(self.header.flags & NLM_F.REQUEST)

    @property
    def name(self) -> str | None:
        """The operation's, or of rtnetlink the message type's; None where nobody knows."""
        if self.protocol == ROUTE and self.header.type in RTM.__members__.values():
            return dashed(RTM(self.header.type).name)
        return None if self.op is None else self.op.name


def read(
    data: bytes, protocol: int, families: Families | None = None, request: bytes | None = None, depth: int = 0
) -> Message:
    """One message. ``data`` has at least a header; ``request`` is the message it answers, where that is known."""
    header = Header(*NLMSGHDR.unpack_from(data))
    message = Message(data, header, protocol)
    kind, end = header.type, len(data)
    if kind in (NlmsgType.ERROR, NlmsgType.DONE):
        read_end(message, families, request, depth)
    elif kind < NLMSG_MIN_TYPE or (protocol != GENERIC_NETLINK and by_protocol(protocol) is None):
        message.rest = data[HEADER_SIZE:]
    elif protocol == GENERIC_NETLINK:
        message.family = (recorded_machine() if families is None else families).get(kind)
        if end < HEADER_SIZE + GENERIC.size:
            message.rest = data[HEADER_SIZE:]
            return message
        message.command, message.version, reserved = GENERIC.unpack_from(data, HEADER_SIZE)
        if message.family is not None:
            message.op = operation(message.family, message.command, request=message.is_request)
        if reserved:
            message.fixed = struct_of_reserved(reserved)
        read_body(message, HEADER_SIZE + GENERIC.size)
    else:
        message.family = by_protocol(protocol)
        message.op = read_as(protocol, kind, data[HEADER_SIZE : HEADER_SIZE + 4], request=message.is_request)
        message.command = None if protocol == ROUTE else kind
        start = HEADER_SIZE
        if message.op is not None and message.op.fixed is not None:
            size = message.op.fixed.size or 0
            message.fixed = Node("", 0, start, min(start + size, end), form="struct")
            read_structure(message.fixed, message.op.fixed, data)
            start += size + 3 & ~3
        read_body(message, start)
    return message


def struct_of_reserved(reserved: int) -> Node:
    """The reserved field of struct genlmsghdr, when it is not zero as it should be."""
    node = Node("", 0, HEADER_SIZE, HEADER_SIZE + GENERIC.size, form="struct")
    node.children.append(Node("reserved", 0, HEADER_SIZE + 2, HEADER_SIZE + 4, reserved))
    return node


def read_body(message: Message, start: int) -> None:
    """Reads the attributes of a message that begin there, and what is left behind them."""
    if message.op is None:
        message.rest = message.data[start:] if message.family is None else b""
        rules: Rules = {}
        if message.family is None:
            return
    else:
        rules = message.op.set.spec.by_number
        if message.op.set is Link and message.data[HEADER_SIZE : HEADER_SIZE + 1] == BRIDGES:
            rules = OF_BRIDGES
        elif message.op.set is Mdba and not message.is_request:
            rules = MdbTold.spec.by_number
    message.attributes, message.rest = read_attributes(rules, message.data, start, len(message.data))
    if message.is_request:
        for node in message.attributes:
            tolerate(node)


def tolerate(node: Node) -> None:
    """In a request every nest may be flagged, also where the kernel itself does not do it: that is not odd."""
    if node.form in ("nest", "array") and FLAGGED in node.notes:
        node.notes.remove(FLAGGED)
    for child in node.children:
        tolerate(child)


def read_end(message: Message, families: Families | None, request: bytes | None, depth: int) -> None:
    """NLMSG_ERROR and NLMSG_DONE: an errno, of an error the request or its header, and the extended ack."""
    data, flags, start = message.data, message.header.flags, HEADER_SIZE
    if len(data) < start + 4:
        message.rest = data[start:]
        return
    message.errno = -struct.unpack_from("<i", data, start)[0]
    start += 4
    repeated = b""
    if message.header.type == NlmsgType.ERROR and len(data) >= start + HEADER_SIZE:
        asked = Header(*NLMSGHDR.unpack_from(data, start))
        length = HEADER_SIZE
        if not flags & NLM_F.CAPPED and message.errno and HEADER_SIZE <= asked.length <= len(data) - start:
            length = asked.length
        repeated = data[start : start + length]
        start += length + 3 & ~3
        if request is not None and request[:HEADER_SIZE] == repeated[:HEADER_SIZE]:
            repeated = request  # the whole of what is perhaps only hinted at
    elif request is not None and message.header.type == NlmsgType.DONE:
        repeated = request
    if len(repeated) >= HEADER_SIZE and depth < DEPTH:
        message.request = read(repeated, message.protocol, families, depth=depth + 1)
    message.attributes, message.rest = read_attributes(Error.spec.by_number, data, start, len(data))


def at_offset(message: Message, offset: int) -> list[Node] | None:
    """The path to the attribute whose header stands at an offset of the message; None where none does."""

    def search(nodes: list[Node]) -> list[Node] | None:
        for node in nodes:
            if node.start - 4 == offset:
                return [node]
            if node.start <= offset < node.end and node.form in ("nest", "array"):
                path = search(node.children)
                return None if path is None else [node, *path]
        return None

    return search(message.attributes)
