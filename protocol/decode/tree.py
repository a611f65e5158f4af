"""Attributes as a tree: what the declarations say of their bytes, one node for everything that has a name.

Validation asks whether a request may stand; here nothing is refused. Every byte ends up in some node, whatever they
are: an attribute that nobody declared is a node without a name, a payload of the wrong length keeps its bytes, and
what the value of a node does not tell (a nest without its flag, padding that is not zero) stands in its notes. So the
tree of what Linux sent and the tree of what is nearly the same differ wherever the bytes do.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import construct as c

from nlemu.protocol.names.known import message_inside
from nlemu.protocol.names.words import ADDRESS_FIELDS, ADDRESSES, FIELD_VALUES, Shown, field_name
from nlemu.protocol.schema.attributes import NLATTR, Attr, AttrSet
from nlemu.protocol.schema.interpret import bare
from nlemu.protocol.schema.kinds import (
    Bitfield32,
    ByNumber,
    Bytes,
    Chosen,
    Flag,
    Headed,
    Integer,
    Nest,
    NestArray,
    PayloadKind,
    Records,
    Structure,
    Text,
    Variable,
)
from nlemu.protocol.uapi.netlink import NLA_F_NESTED, NLA_F_NET_BYTEORDER, NLA_TYPE_MASK

DEPTH = 16
"""How deep nests are followed. No declaration is that deep; a message can be."""
FLAGGED = "flagged as nested"

LEAVES = frozenset({Integer, Variable, Text, Bytes, Flag})
"""Kinds that have nothing inside: most attributes."""

Rules = Mapping[int, Attr[Any]]


@dataclass(slots=True)
class Node:
    """Something with a name in a message.

    ``name`` is the specification's, or "" where there is none; ``number`` the attribute's type, or the index in an
    array. ``form`` tells what it is: "leaf", "nest", "array", "struct", or "unknown" where nobody declared it.
    ``value`` is what the payload of a leaf decodes to (an int, a str, bytes, True), and what the inside of a nest
    depends on where it does; what is inside is in ``children``. ``shown`` names the numbers, ``address`` says that the
    bytes are one. ``start`` and ``end`` are
    the payload's offsets in the message; a header of four bytes stands before it if it is an attribute. ``notes``: what
    is odd about it.
    """

    name: str
    number: int
    start: int
    end: int
    value: Any = None
    form: str = "leaf"
    attr: Attr[Any] | None = None
    shown: Shown | None = None
    address: bool = False
    children: list[Node] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def child(self, name: str) -> Node | None:
        """The last child of that name, as the kernel reads it."""
        return next((node for node in reversed(self.children) if node.name == name), None)


def read_attributes(
    rules: Rules, data: bytes, start: int, end: int, depth: int = 0
) -> tuple[list[Node], bytes]:
    """The attributes between start and end; and the bytes behind them that make no attribute."""
    nodes: list[Node] = []
    chosen: list[tuple[Node, Chosen | ByNumber]] = []
    while end - start >= 4:
        length, wire_type = NLATTR.unpack_from(data, start)
        if length < 4 or length > end - start:
            break
        number = wire_type & NLA_TYPE_MASK
        attr = rules.get(number)
        node = Node("" if attr is None else attr.name, number, start + 4, start + length, attr=attr)
        nodes.append(node)
        if attr is None:
            node.form, node.value = "unknown", data[start + 4 : start + length]
        else:
            node.shown, node.address = attr.shown, attr.name in ADDRESSES
            kind = attr.kind
            if isinstance(kind, Chosen):
                chosen.append((node, kind))
            elif isinstance(kind, Nest) and isinstance(kind.told, ByNumber):
                chosen.append((node, kind.told))
            else:
                read_payload(node, kind, data, depth)
        note_header(node, wire_type)
        start += length + 3 & ~3
        if length & 3:
            padding = data[node.end : min(start, end)]
            if padding.strip(b"\0"):
                node.notes.append(f"padding {padding.hex()}")
    for node, known in chosen:
        choice = next((other.value for other in nodes if other.name == known.selector), None)
        choices: Mapping[Any, type[AttrSet]] = known.choices
        inside = choices.get(choice) if isinstance(choice, str | int) else None
        node.form, node.value = "nest", choice
        read_inside(node, {} if inside is None else inside.spec.by_number, data, depth)
    return nodes, data[start:end] if start < end else b""


def note_header(node: Node, wire_type: int) -> None:
    """What is odd about the flags of an attribute's type."""
    flags = wire_type & ~NLA_TYPE_MASK
    if not flags and (node.attr is None or not node.attr.kind.flag):
        return
    usual = 0 if node.attr is None else node.attr.kind.flag
    if node.form == "unknown":
        usual = flags & NLA_F_NESTED  # nobody knows what is usual
    if flags & NLA_F_NESTED > usual:
        node.notes.append(FLAGGED)
    elif flags & NLA_F_NESTED < usual:
        node.notes.append("not flagged as nested")
    if flags & NLA_F_NET_BYTEORDER:
        node.notes.append("flagged as big-endian")


def read_payload(node: Node, kind: PayloadKind[Any], data: bytes, depth: int) -> None:
    """Decodes a payload by its kind; one that does not fit stays bytes."""
    if kind.__class__ in LEAVES:
        read_leaf(node, kind, data)
    elif isinstance(kind, NestArray):
        read_array(node, kind, data, depth)
    elif isinstance(kind, Nest):
        rules: Rules = {}
        if kind.set is not None:
            rules = kind.set.spec.by_number
        elif kind.policy is not None:
            rules = kind.policy.rules
        elif isinstance(kind.told, type):
            rules = kind.told.spec.by_number
        node.form = "nest"
        read_inside(node, rules, data, depth)
    elif isinstance(kind, Records):
        read_records(node, kind, data, depth)
    elif isinstance(kind, Headed):
        read_headed(node, kind, data)
    elif isinstance(kind, Structure | Bitfield32):
        node.form = "struct"
        inside = None if node.end - node.start <= (kind.size or 0) else message_inside(kind)
        if inside is None:
            read_structure(node, kind, data)
            return
        rest = node.start + (kind.size or 0)
        read_structure(node, kind, data[:rest])
        node.notes.clear()
        read_inside(node, inside.spec.by_number, data, depth, rest)
    else:
        read_leaf(node, kind, data)


def read_leaf(node: Node, kind: PayloadKind[Any], data: bytes) -> None:
    """Decodes a payload that has nothing inside."""
    payload = data[node.start : node.end]
    try:
        if kind.size is not None and len(payload) < kind.size:
            raise ValueError
        node.value = kind.decode(payload, 0, len(payload))
        usual = kind.encode(node.value)
    except (ValueError, struct.error):
        node.value, node.shown = payload, None
        node.notes.append(f"{len(payload)} bytes where {kind} belongs")
        return
    if payload != usual and not kind.either:
        note_payload(node, kind, payload)


def note_payload(node: Node, kind: PayloadKind[Any], payload: bytes) -> None:
    """The value is written differently from how the kernel would write it."""
    if isinstance(kind, Text) and payload == kind.encode(node.value)[:-1]:
        node.notes.append("not terminated")
    else:
        node.notes.append(f"written as {payload.hex()}" if payload else "empty")


def read_inside(node: Node, rules: Rules, data: bytes, depth: int, start: int = 0) -> None:
    """The attributes inside a node, from ``start`` or else from its beginning."""
    if depth >= DEPTH:
        node.form, node.value = "leaf", data[node.start : node.end]
        return
    nodes, rest = read_attributes(rules, data, start or node.start, node.end, depth + 1)
    node.children += nodes
    if rest:
        node.notes.append(f"then {rest.hex()}")


def read_array(node: Node, kind: NestArray, data: bytes, depth: int) -> None:
    """Members that differ by number only."""
    node.form = "array"
    member: Attr[Any] = Attr(0, kind.member)
    read_inside(node, Anything(member), data, depth)
    for child in node.children:
        child.attr = None


class Anything(dict[int, Attr[Any]]):
    """Rules under which every number is the same attribute."""

    def __init__(self, attr: Attr[Any]) -> None:
        super().__init__()
        self.attr = attr

    def get(self, number: int, default: Any = None) -> Attr[Any]:
        return self.attr


def read_records(node: Node, kind: Records, data: bytes, depth: int) -> None:
    """Structures that begin with their lengths, one after the other, with attributes behind each; what makes none stays
    bytes."""
    node.form, node.value = "array", data[node.start : node.end]
    at, size = node.start, kind.head.codec.size
    while depth < DEPTH and node.end - at >= size:
        length = int.from_bytes(data[at : at + 2], "little")
        if not size <= length <= node.end - at:
            break
        one = Node("", len(node.children), at, at + length, form="struct")
        read_fields(one, kind.head.construct, kind.head.codec.unpack(data, at), at)
        read_inside(one, kind.within().spec.by_number, data, depth, at + size)
        node.children.append(one)
        at += length + 3 & ~3
    if at < node.end:
        if not node.children:
            node.form = "leaf"
        node.notes.append(f"then {data[at : node.end].hex()}")


def read_headed(node: Node, kind: Headed, data: bytes) -> None:
    """A structure, and what is behind it."""
    node.value = data[node.start : node.end]
    head = kind.head
    start, name = node.start + head.codec.size, head.construct.name or ""
    if node.end < start:
        node.notes.append(f"{node.end - node.start} bytes where {head.codec.size} belong")
        return
    node.form = "struct"
    read_fields(node, head.construct, head.codec.unpack(data, node.start), node.start)
    rest = Node(kind.rest, len(node.children), start, node.end, data[start : node.end])
    rest.address = (name, kind.rest) in ADDRESS_FIELDS
    node.children.append(rest)


def read_structure(node: Node, kind: Structure | Bitfield32, data: bytes) -> None:
    """The fields of a structure; of one that is cut short, zeros are read for what is missing."""
    assert kind.size is not None
    payload = data[node.start : node.end]
    record = kind.codec.unpack(payload[: kind.size].ljust(kind.size, b"\0"), 0)
    read_fields(node, kind.construct, record, node.start, node.shown)
    if len(payload) < kind.size:
        node.notes.append(f"{len(payload)} bytes where {kind.size} belong")
    elif len(payload) > kind.size:
        node.notes.append(f"then {payload[kind.size :].hex()}")
    elif kind.encode(record) != payload:
        node.notes.append(f"written as {payload.hex()}")  # something in the padding


def read_fields(
    node: Node, described: c.Construct, record: Any, start: int, shown: Shown | None = None
) -> None:
    """What a construct describes, from what was read of it: fields by name, elements of an array by index."""
    parts = fields_of(described, type(record).__name__)
    if parts is None:
        node.form, node.value = "leaf", record
        return
    if isinstance(parts, Field):
        node.form = "array"
        values: list[tuple[Field, Any]] = [(parts, one) for one in record]
    else:
        values = [(part, getattr(record, part.key) if part.key else None) for part in parts]
    children = node.children
    for index, (part, value) in enumerate(values):
        if value is not None:
            child = Node(
                part.name, index, start, start + part.size, form="struct", shown=part.shown or shown,
                address=part.address,
            )
            children.append(child)
            if part.leaf:
                child.form, child.value = "leaf", value
            else:
                read_fields(child, part.described, value, start)
        start += part.size


@dataclass(frozen=True, slots=True)
class Field:
    """A part of a structure, or any element of an array: its name in C and the specification's, its size and construct,
    what names its values, whether it is an address, and whether nothing is inside."""

    key: str
    name: str
    size: int
    described: c.Construct
    shown: Shown | None
    address: bool
    leaf: bool


@cache
def fields_of(described: c.Construct, name: str) -> tuple[Field, ...] | Field | None:
    """The parts of a structure of which a record of that name is read, in their order; the element of an array; None
    for what has no parts. Worked out once: a structure may have fifty fields."""
    inner = bare(described)
    if isinstance(inner, c.Struct):
        return tuple(field_of(part, name) for part in inner.subcons)
    return field_of(inner.subcon, "") if isinstance(inner, c.Array) else None


def field_of(part: c.Construct, name: str) -> Field:
    """A part of a structure that is called so."""
    key = part.name or ""
    leaf = not isinstance(bare(part), c.Struct | c.Array)
    shown = FIELD_VALUES.get((name, key))
    return Field(key, field_name(name, key), part.sizeof(), part, shown, (name, key) in ADDRESS_FIELDS, leaf)
