"""Fast codecs: constructs are read once and turned into ``struct`` formats.

construct describes; interpreting the description anew for every message costs tens of microseconds, and its own
``compile()`` is documented as unfit for untrusted input. So the description is walked once, when a codec is
prepared, and flattened into one format of the standard library's struct module. Nothing here knows more than the
construct says: without this module, protocol/schema/interpret.py gives the same bytes and the same values, and the
tests hold the two together.

The flat format is little endian. Integers of the other order travel in it as bytes and are turned on the way.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import construct as c

from nlemu.protocol.schema.interpret import Codec, as_record, bare, is_padding, record


class Part(NamedTuple):
    """One construct in the flat format: its characters, and how many items of the flat tuple it takes.

    ``spread`` makes those items of a value, ``gather`` the value of the items; None where value and item are one.
    """

    format: str
    width: int
    spread: Callable[[Any], Sequence[Any]] | None = None
    gather: Callable[[Sequence[Any]], Any] | None = None


def prepare(described: c.Construct) -> Codec:
    """The fast codec of an integer, a structure, bytes of fixed length, or an array of fixed count.

    Raises TypeError for a construct that is none of these.
    """
    inner = bare(described)
    if isinstance(inner, c.FormatField):
        plain = struct.Struct(inner.fmtstr)
        unpack_plain = plain.unpack_from
        return Codec(plain.size, plain.pack, lambda data, offset=0, /: unpack_plain(data, offset)[0])
    part = part_of(described)
    flat = struct.Struct("<" + part.format)
    pack_flat, unpack_flat = flat.pack, flat.unpack_from
    gather = part.gather or first
    spread = part.spread or single

    def unpack(data: bytes, offset: int = 0, /) -> Any:
        return gather(unpack_flat(data, offset))

    if not isinstance(inner, c.Struct):
        return Codec(flat.size, lambda value, /: pack_flat(*spread(value)), unpack)

    kind = record(described)
    simple = gather == kind._make

    def pack(value: Any = None, /, **fields: Any) -> bytes:
        if fields or (value.__class__ is not kind and not (simple and value.__class__ is tuple)):
            value = as_record(kind, value, fields)
        return pack_flat(*(value if simple else spread(value)))

    return Codec(flat.size, pack, unpack, kind)


def part_of(described: c.Construct) -> Part:
    """The part of a codec that a construct makes."""
    inner = bare(described)
    if is_padding(inner):
        return Part(f"{inner.length}x", 0)
    if isinstance(inner, c.FormatField):
        order, letter = inner.fmtstr[0], inner.fmtstr[1:]
        if order == "<" or inner.length == 1:
            return Part(letter, 1)
        return turned(inner.fmtstr, inner.length)
    if isinstance(inner, c.Bytes):
        return exact_bytes(inner.length)
    if isinstance(inner, c.Array):
        return array(part_of(inner.subcon), inner.count)
    if isinstance(inner, c.Struct):
        return structure(described, inner)
    raise TypeError(f"{inner!r} is not part of the schema language")


def first(items: Sequence[Any]) -> Any:
    """The one value of a part of one item."""
    return items[0]


def single(value: Any) -> Sequence[Any]:
    """One value as the items of its part."""
    return (value,)


def turned(form: str, size: int) -> Part:
    """An integer in network order, as bytes of the flat format."""
    one = struct.Struct(form)
    return Part(f"{size}s", 1, lambda value: (one.pack(value),), lambda items: one.unpack(items[0])[0])


def exact_bytes(size: int) -> Part:
    """Bytes: struct would cut or fill them, construct refuses."""

    def spread(value: bytes) -> Sequence[bytes]:
        if len(value) != size:
            raise struct.error(f"{len(value)} bytes where {size} belong")
        return (value,)

    return Part(f"{size}s", 1, spread, first)


def array(part: Part, count: int) -> Part:
    """The part of as many elements of a kind."""
    def spread(value: Sequence[Any]) -> Sequence[Any]:
        if len(value) != count:
            raise struct.error(f"{len(value)} elements where {count} belong")
        return join(part, value)

    def gather(items: Sequence[Any]) -> Any:
        width, one = part.width, part.gather
        if one is None:
            return tuple(items)
        return tuple(one(items[at : at + width]) for at in range(0, width * count, width))

    return Part(part.format * count, part.width * count, spread, gather)


def join(part: Part, values: Sequence[Any]) -> Sequence[Any]:
    """The items of several values of one part."""
    spread = part.spread
    return values if spread is None else [item for value in values for item in spread(value)]


def structure(described: c.Construct, inner: c.Construct) -> Part:
    """The part of a structure, whose value is a named tuple."""
    kind = record(described)
    parts = [part_of(field) for field in inner.subcons]
    form = "".join(part.format for part in parts)
    held = [part for part in parts if part.width]
    width = sum(part.width for part in held)
    if all(part.gather is None for part in held):
        return Part(form, width, lambda value: as_record(kind, value, {}), kind._make)

    def spread(value: Any) -> Sequence[Any]:
        items: list[Any] = []
        for part, field in zip(held, as_record(kind, value, {}), strict=True):
            items += part.spread(field) if part.spread else (field,)
        return items

    def gather(items: Sequence[Any]) -> Any:
        fields = []
        at = 0
        for part in held:
            fields.append(part.gather(items[at : at + part.width]) if part.gather else items[at])
            at += part.width
        return kind(*fields)

    return Part(form, width, spread, gather)
