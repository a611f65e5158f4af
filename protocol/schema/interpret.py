"""Constructs made usable: what a construct describes, and a codec in which construct itself does the work.

The project describes fixed payloads in one schema language, construct, and uses a small part of it: integers, bytes
of a fixed length, arrays of a fixed count, padding, and structures of these. What such a description means for the
rest of the project is said here: a structure is a named tuple of its named fields, an array a tuple, and a field that
is not given is zero.

``interpret`` is the slow codec, and the reference for the fast one (protocol/schema/codec.py), which may be missing.
"""

import struct
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import construct as c


@dataclass(frozen=True, slots=True)
class Codec:
    """Bytes to value and back, for one construct.

    ``size`` is in bytes. ``pack(value)`` takes an int for an integer; for a structure its ``record``, a plain tuple of
    all fields, a mapping, or keywords, where a field not given is zero. ``unpack(data, offset)`` returns the int or
    the record that starts at the offset. Both raise struct.error where a value does not fit, or the data end too
    early; a field that the structure lacks is a TypeError.
    """

    size: int
    pack: Callable[..., bytes]
    unpack: Callable[..., Any]
    record: Callable[..., Any] | None = None
    """The structure's named tuple, all fields optional; None for anything else."""


def bare(described: c.Construct) -> c.Construct:
    """The construct without its name."""
    while isinstance(described, c.Renamed):
        described = described.subcon
    return described


def is_padding(described: c.Construct) -> bool:
    """Whether the construct is bytes that mean nothing."""
    return isinstance(described, c.Padded) and described.subcon is c.Pass


def record(described: c.Construct) -> Any:
    """The named tuple class of a structure: the same one wherever the structure stands."""
    name = "record"
    while isinstance(described, c.Renamed):
        described, name = described.subcon, described.name
    return named(described, name)


@cache
def named(inner: c.Construct, name: str) -> Any:
    fields = [field for field in inner.subcons if not is_padding(bare(field))]
    return namedtuple(name, [field.name for field in fields], defaults=[nothing(field) for field in fields])


def nothing(described: c.Construct) -> Any:
    """The value that is written when none is given."""
    inner = bare(described)
    if isinstance(inner, c.Struct):
        return record(described)()
    if isinstance(inner, c.Array):
        return (nothing(inner.subcon),) * inner.count
    if isinstance(inner, c.Bytes):
        return bytes(inner.length)
    if isinstance(inner, c.FormatField):
        return 0
    raise TypeError(f"{inner!r} is not part of the schema language")


def as_record(kind: Any, value: Any, fields: Mapping[str, Any]) -> Any:
    """What pack() was given for a structure, as its record (``kind``)."""
    if isinstance(value, kind):
        return value._replace(**fields) if fields else value
    if value is None:
        return kind(**fields)
    if isinstance(value, tuple):
        return kind._make(value)
    return kind(**{**value, **fields})


def interpret(described: c.Construct) -> Codec:
    """A codec in which construct does the work, some tens of times slower than codec.prepare()."""
    nothing(described)  # refuses what the schema language lacks
    size = described.sizeof()

    def pack(value: Any = None, /, **fields: Any) -> bytes:
        try:
            return bytes(described.build(to_construct(described, value, fields)))
        except c.ConstructError as error:
            raise struct.error(str(error)) from error

    def unpack(data: bytes, offset: int = 0, /) -> Any:
        try:
            return from_construct(described, described.parse(data[offset : offset + size]))
        except c.ConstructError as error:
            raise struct.error(str(error)) from error

    return Codec(size, pack, unpack, record(described) if isinstance(bare(described), c.Struct) else None)


def to_construct(described: c.Construct, value: Any, fields: Mapping[str, Any]) -> Any:
    """What construct builds from, from a value of ours."""
    inner = bare(described)
    if isinstance(inner, c.Struct):
        given = as_record(record(described), value, fields)
        named = {field.name: field for field in inner.subcons if field.name}
        return {name: to_construct(named[name], part, {}) for name, part in given._asdict().items()}
    if isinstance(inner, c.Array):
        return [to_construct(inner.subcon, part, {}) for part in value]
    return value


def from_construct(described: c.Construct, parsed: Any) -> Any:
    """A value of ours, from what construct has parsed."""
    inner = bare(described)
    if isinstance(inner, c.Struct):
        named = {field.name: field for field in inner.subcons if field.name}
        kind = record(described)
        return kind(*(from_construct(named[name], parsed[name]) for name in kind._fields))
    if isinstance(inner, c.Array):
        return tuple(from_construct(inner.subcon, part) for part in parsed)
    return parsed
