"""Requests from names and values.

Values are what the kernel's own tool takes as JSON: numbers or the names of enums, lists of names for flags, a dict
for a nest or a structure, a list for what may stand several times, hex or an address for bytes. Attributes are written
in the order in which they are given, as that tool does, and nests are flagged: what the kernel thinks of an order, a
limit or something missing is for it to say. Only what cannot be written at all is refused here, in one line that names
the attribute and what it takes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import IntFlag
from typing import Any

import construct as c

from nlemu.protocol.families.route.bridge import BridgeLink
from nlemu.protocol.families.route.link import Link
from nlemu.protocol.frame import GENERIC, message
from nlemu.protocol.names.known import message_inside, route
from nlemu.protocol.names.words import ADDRESSES, FIELD_VALUES, Shown, address_bytes, field_name, numbers
from nlemu.protocol.schema.attributes import Attr, AttrSet, pack
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.schema.interpret import bare
from nlemu.protocol.schema.kinds import (
    Bitfield32,
    ByNumber,
    Bytes,
    Chosen,
    Fixed,
    Flag,
    Headed,
    Integer,
    Nest,
    NestArray,
    PayloadKind,
    Records,
    Text,
    Variable,
)
from nlemu.protocol.uapi.netlink import NLA_F_NESTED, NLM_F
from nlemu.protocol.uapi.socket import AF_BRIDGE

ANY_NUMBER = (-(1 << 63), (1 << 64) - 1)
U8_MAX = 0xFF
ARRAY_INDEX = (0, 0x3FFF)


class BadValue(ValueError):
    """A request that cannot be built from what was given: one line, which names the attribute and what it takes."""


def encode(
    op: Operation,
    values: Mapping[str, Any],
    *,
    number: int,
    seq: int,
    flags: int = int(NLM_F.REQUEST | NLM_F.ACK),
) -> bytes:
    """A request for ``op``. ``number`` is that of a generic netlink family. Raises BadValue."""
    values = dict(values)
    if op.family is route():
        number, body = op.cmd, b""
        if op.fixed is not None:
            size = op.fixed.size or 0
            body = encode_structure(op.fixed, take_fields(op.fixed, values), op.name).ljust(
                size + 3 & ~3, b"\0"
            )
    else:
        body = GENERIC.pack(op.cmd, op.family.version, 0)
    return message(number, flags, seq, 0, body + encode_attributes(set_of(op, body), values, op.name))


def take_fields(kind: Fixed[Any], values: dict[str, Any]) -> dict[str, Any]:
    """Takes the fields of a structure out of values that hold attributes too.

    The number of a table is a field and an attribute of one name (rt-rule); one that does not fit the field is left to
    the attribute.
    """
    return {
        name: values.pop(name)
        for name in fields_of(kind)
        if name in values and not (name == "table" and isinstance(values[name], int) and values[name] > U8_MAX)
    }


def set_of(op: Operation, body: bytes) -> type[AttrSet]:
    """What the message holds: links have other nests for bridges, which their header names."""
    return BridgeLink if op.set is Link and body[:1] == bytes([AF_BRIDGE]) else op.set


def fields_of(kind: Fixed[Any]) -> dict[str, str]:
    """The fields of a structure: by the specification's name, the structure's own."""
    record = kind.codec.record
    names: Sequence[str] = getattr(record, "_fields", ())
    return {field_name(getattr(record, "__name__", ""), name): name for name in names}


def encode_attributes(attributes: type[AttrSet], values: Any, where: str) -> bytes:
    """What a message or a nest holds, in the order given."""
    if not isinstance(values, Mapping):
        raise BadValue(f"{where}: takes an object, and not {shown(values)}")
    known = attributes.spec.by_name
    parts = []
    for name, value in values.items():
        attr = known.get(name)
        if attr is None:
            raise BadValue(f"{where} has no attribute {name!r}; it has {', '.join(known)}")
        inside = f"{where}: {name}" if " " not in where else f"{where}.{name}"
        for one in value if attr.multi and isinstance(value, list) else [value]:
            parts.append(encode_attribute(attr, one, values, inside))
    return b"".join(parts)


def encode_attribute(attr: Attr[Any], value: Any, siblings: Mapping[str, Any], where: str) -> bytes:
    """An attribute from what JSON has for it. siblings: what stands beside it; where: its path, for errors. Raises
    BadValue."""
    kind = attr.kind
    if isinstance(kind, Flag):
        return pack(attr.wire_type, b"") if value else b""
    nested = NLA_F_NESTED if isinstance(kind, Nest) else 0
    if isinstance(kind, Chosen):
        choice = siblings.get(kind.selector)
        inside = kind.choices.get(choice) if isinstance(choice, str) else None
        if inside is None:
            known = ", ".join(kind.choices)
            raise BadValue(f"{where}: what it takes depends on {kind.selector}, which is one of {known}")
        return pack(attr.wire_type | nested, encode_attributes(inside, value, where))
    if isinstance(kind, Nest) and isinstance(kind.told, ByNumber) and isinstance(value, Mapping):
        if not value:  # whatever it would be
            return pack(attr.wire_type | nested, b"")
        told = kind.told.choices.get(number(siblings.get(kind.told.selector), kind.told.names, ANY_NUMBER, where))
        if told is not None:
            return pack(attr.wire_type | nested, encode_attributes(told, value, where))
    return pack(attr.wire_type | nested, encode_payload(kind, attr.shown, attr.name, value, where))


def encode_payload(kind: PayloadKind[Any], names: Shown | None, name: str, value: Any, where: str) -> bytes:
    """The payload of an attribute of that kind. Raises BadValue, which says where."""
    if isinstance(kind, NestArray):
        return encode_array(kind, value, where)
    if isinstance(kind, Nest):
        if kind.set is not None:
            return encode_attributes(kind.set, value, where)
        if isinstance(kind.told, type) and isinstance(value, Mapping):
            return encode_attributes(kind.told, value, where)
        return octets(value, "", where)
    if isinstance(kind, Integer | Variable):
        assert kind.bounds is not None
        return kind.encode(number(value, names, kind.bounds, where))
    if isinstance(kind, Text):
        if not isinstance(value, str | int | float):
            raise BadValue(f"{where}: takes a text, and not {shown(value)}")
        return kind.encode(str(value))
    if isinstance(kind, Records) and isinstance(value, list):
        return encode_records(kind, value, where)
    if isinstance(kind, Headed) and isinstance(value, Mapping):
        values = dict(value)
        head = encode_structure(kind.head, take_fields(kind.head, values), where)
        return head + octets(values.get(kind.rest, ""), "dst", where)
    if isinstance(kind, Bytes):
        return octets(value, name, where)
    assert isinstance(kind, Fixed)
    if isinstance(value, str):
        return octets(value, name, where)
    inside = message_inside(kind)
    if inside is not None and isinstance(value, Mapping):
        values = dict(value)
        head = encode_structure(kind, take_fields(kind, values), where)
        return head + encode_attributes(inside, values, where)
    return encode_structure(kind, value, where, names if isinstance(kind, Bitfield32) else None)


def encode_array(kind: NestArray, value: Any, where: str) -> bytes:
    """Members that differ by number: a list, or an object by number."""
    if isinstance(value, Mapping):
        pairs = [(number(key, None, ARRAY_INDEX, where), one) for key, one in value.items()]
    elif isinstance(value, list):
        pairs = list(enumerate(value, kind.first))
    else:
        raise BadValue(f"{where}: takes a list, and not {shown(value)}")
    member = kind.member
    nested = NLA_F_NESTED if isinstance(member, Nest) else 0
    return b"".join(
        pack(index | member.flag | nested, encode_payload(member, None, "", one, f"{where}[{index}]"))
        for index, one in pairs
    )


def encode_records(kind: Records, value: list[Any], where: str) -> bytes:
    """Structures with attributes behind each: objects, whose lengths are counted here."""
    parts = []
    for index, one in enumerate(value):
        if not isinstance(one, Mapping):
            raise BadValue(f"{where}[{index}]: takes an object, and not {shown(one)}")
        values = dict(one)
        head = encode_structure(kind.head, take_fields(kind.head, values), where)
        body = encode_attributes(kind.within(), values, f"{where}[{index}]")
        parts.append((len(head) + len(body)).to_bytes(2, "little") + head[2:] + body)
    return b"".join(parts)


def encode_structure(kind: Fixed[Any], value: Any, where: str, names: Shown | None = None) -> bytes:
    """A structure from an object; fields that are not given are zero."""
    record = kind.codec.record
    if record is None:
        raise BadValue(f"{where}: takes hexadecimal digits, and not {shown(value)}")
    if not isinstance(value, Mapping):
        raise BadValue(f"{where}: takes an object, and not {shown(value)}")
    known = fields_of(kind)
    structure = getattr(record, "__name__", "")
    octets = octet_fields(kind)
    fields: dict[str, Any] = dict(octets)
    for name, one in value.items():
        if name not in known:
            raise BadValue(f"{where} has no field {name!r}; it has {', '.join(known)}")
        own = known[name]
        if own in octets:
            fields[own] = octets_of(one, len(octets[own]), f"{where}.{name}")
            continue
        fields[own] = number(one, names or FIELD_VALUES.get((structure, own)), ANY_NUMBER, f"{where}.{name}")
    try:
        return kind.encode(fields)
    except struct.error:  # it says which format, and not which field
        raise BadValue(f"{where}: a number is too large for its field in {shown(dict(value))}") from None


def octet_fields(kind: Fixed[Any]) -> dict[str, bytes]:
    """The fields of a structure that are bytes, each with as many zeros as it takes."""
    inner = bare(kind.construct)
    parts = inner.subcons if isinstance(inner, c.Struct) else ()
    return {part.name: bytes(part.sizeof()) for part in parts if part.name and isinstance(bare(part), c.Bytes)}


def octets_of(value: Any, size: int, where: str) -> bytes:
    """Bytes, from bytes or hexadecimal digits."""
    with suppress(ValueError):
        octets = bytes.fromhex(value.replace(":", "")) if isinstance(value, str) else value
        if isinstance(octets, bytes) and len(octets) == size:
            return octets
    raise BadValue(f"{where}: takes {size} bytes in hexadecimal digits, and not {shown(value)}")


def number(value: Any, names: Shown | None, bounds: tuple[int, int], where: str) -> int:
    """A number, from a number, digits, the name of an enum, or names of flags."""
    known = {} if names is None else numbers(names)
    several = names is not None and issubclass(names, IntFlag)
    result: int | None = None
    if isinstance(value, list | tuple | set | frozenset) and several:
        parts = [number(one, names, bounds, where) for one in value]
        result = 0
        for part in parts:
            result |= part
    elif isinstance(value, str) and value in known:
        result = known[value]
    elif isinstance(value, int | str):
        with suppress(ValueError):
            result = int(value, 0) if isinstance(value, str) else int(value)
    if result is None or not bounds[0] <= result <= bounds[1]:
        wanted = f"a number from {bounds[0]} to {bounds[1]}"
        if known:
            wanted += f", or {'some' if several else 'one'} of {', '.join(known)}"
        raise BadValue(f"{where}: takes {wanted}, and not {shown(value)}")
    return result


def octets(value: Any, name: str, where: str) -> bytes:
    """Bytes, from hex or, where an address belongs, from an address."""
    if isinstance(value, bytes):
        return value
    wanted = "an address or hexadecimal digits" if name in ADDRESSES else "hexadecimal digits"
    if isinstance(value, str):
        attempts: tuple[Callable[[str], bytes], ...] = (bytes.fromhex,)
        if name in ADDRESSES:
            attempts = (address_bytes, bytes.fromhex)
        for attempt in attempts:
            try:
                return attempt(value)
            except ValueError:
                continue
    raise BadValue(f"{where}: takes {wanted}, and not {shown(value)}")


def shown(value: Any) -> str:
    """A value as an error shows it, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
