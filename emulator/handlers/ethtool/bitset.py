"""Bit sets on the wire, and what a request wants done to one (net/ethtool/bitset.c).

In the machine a set of bits is an integer. A request names bits to switch: with a mask, those and no others; as a
list, all bits, and those that it does not mention are off.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any

from nlemu.emulator.handlers.ethtool.common import Request, inside, parse_nest
from nlemu.protocol.families.ethtool.common import Bitset, BitsetBit, BitsetBits
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs, Values, walk
from nlemu.protocol.wire.extack import Extack

WORD = 32
BIT = BitsetBits.bit.number


def put_bitset(value: int, mask: int | None, names: Sequence[str], compact: bool, size: int | None = None) -> Values:
    """ethnl_put_bitset32(): a set of as many bits as there are names; without a mask, a list."""
    size = len(names) if size is None else size
    values: dict[Attr[Any], Any] = {Bitset.nomask: True if mask is None else None, Bitset.size: size}
    if compact:
        values[Bitset.value] = words(value, size)
        if mask is not None:
            values[Bitset.mask] = words(mask, size)
        return values
    told = value if mask is None else mask
    values[Bitset.bits] = {
        BitsetBits.bit: [
            {
                BitsetBit.index: index,
                BitsetBit.name: names[index],
                BitsetBit.value: True if mask is not None and value >> index & 1 else None,
            }
            for index in range(size)
            if told >> index & 1
        ]
    }
    return values


def words(bits: int, size: int) -> bytes:
    """The first ``size`` bits, in whole words."""
    return (bits & (1 << size) - 1).to_bytes((size + WORD - 1) // WORD * 4, "little")


def parse_bitset(request: Request, attr: Attr[Any], names: Sequence[str]) -> tuple[int, int]:
    """ethnl_parse_bitset(): the values, and the mask of the bits that are meant. Refusal EINVAL, EOPNOTSUPP."""
    size = len(names)
    everything = (1 << size) - 1
    attrs = inside(request, attr, Bitset.spec.policy)
    is_list = Bitset.nomask in attrs
    if Bitset.bits not in attrs:
        value, mask = compact_bits(attrs, size)
        return value & everything, everything if is_list else mask
    value = mask = 0
    for index, on in named_bits(request.extack, attrs, names, strict=False):
        value |= on << index
        mask |= 1 << index
    return value, everything if is_list else mask


def update_bitset(bits: int, request: Request, attr: Attr[Any], names: Sequence[str]) -> tuple[int, bool]:
    """ethnl_update_bitset(): the set as the request wants it, and whether that is a change. A bit that is switched
    twice is one, though the set may be what it was. Refusal EINVAL, EOPNOTSUPP."""
    if attr not in request.attrs:
        return bits, False
    size = len(names)
    attrs = inside(request, attr, Bitset.spec.policy)
    is_list = Bitset.nomask in attrs
    if Bitset.bits not in attrs:
        value, mask = compact_bits(attrs, size)
        if is_list:
            mask = (1 << size) - 1
        new = bits & ~mask | value & mask
        return new, new != bits
    new, switched = 0 if is_list else bits, False
    for index, on in named_bits(request.extack, attrs, names):
        if new >> index & 1 != on:
            new ^= 1 << index
            switched = True
    return new, new != bits if is_list else switched


def named_bits(
    extack: Extack, attrs: Attrs, names: Sequence[str], *, strict: bool = True
) -> list[tuple[int, int]]:
    """The bits of a verbose set, as they are mentioned: number, and 1 or 0 (ethnl_parse_bit()). Only where it is
    ``strict`` does the kernel look whether what stands there is a bit at all."""
    for attr, what in ((Bitset.value, "value"), (Bitset.mask, "mask")):
        if attr in attrs:
            raise Refusal(errno.EINVAL, f"{what} only allowed in compact bitset", at=attrs.offset(attr))
    is_list = Bitset.nomask in attrs
    found = []
    for kind, at, end in children(attrs, Bitset.bits):
        if strict and kind != BIT:
            text = "only ETHTOOL_A_BITSET_BITS_BIT allowed in ETHTOOL_A_BITSET_BITS"
            raise Refusal(errno.EINVAL, text, at=at)
        bit = parse_nest(extack, attrs.message, at, end, BitsetBit.spec.policy)
        found.append((bit_number(bit, at, names), int(is_list or BitsetBit.value in bit)))
    return found


def children(attrs: Attrs, attr: Attr[Any]) -> list[tuple[int, int, int]]:
    """The attributes in a nest: number, where the header stands, where the payload ends (nla_for_each_nested())."""
    start, end = attrs.spans[attr.number]
    return [(number, first - 4, last) for number, first, last in walk(attrs.message, start, end)]


def bit_number(bit: Attrs, at: int, names: Sequence[str]) -> int:
    """Which bit is meant, by its number, its name, or both."""
    index, name = bit.get(BitsetBit.index), bit.get(BitsetBit.name)
    if index is not None:
        if index >= len(names):
            raise Refusal(errno.EOPNOTSUPP, "bit index too high", at=bit.offset(BitsetBit.index))
        if name is not None and name != names[index]:
            raise Refusal(errno.EINVAL, "bit index and name mismatch", at=at)
        return index
    if name is None:
        raise Refusal(errno.EINVAL, "neither bit index nor name specified", at=at)
    if name not in names:
        raise Refusal(errno.EOPNOTSUPP, "bit name not found", at=bit.offset(BitsetBit.name))
    return list(names).index(name)


def compact_bits(attrs: Attrs, size: int) -> tuple[int, int]:
    """Value and mask of a compact set, as far as there are bits (ethnl_compact_sanity_checks())."""
    is_list = Bitset.nomask in attrs
    if is_list and Bitset.mask in attrs:
        raise Refusal(errno.EINVAL, "mask not allowed in list bitset", at=attrs.offset(Bitset.mask))
    for attr, text in (
        (Bitset.size, "missing size in compact bitset"),
        (Bitset.value, "missing value in compact bitset"),
        (Bitset.mask, "missing mask in compact nonlist bitset"),
    ):
        if attr not in attrs and not (is_list and attr is Bitset.mask):
            raise Refusal(errno.EINVAL, text, at=attrs.nest)
    said = attrs[Bitset.size]
    length = (said + WORD - 1) // WORD * 4
    if len(attrs[Bitset.value]) != length:
        text = "bitset value length does not match size"
        raise Refusal(errno.EINVAL, text, at=attrs.offset(Bitset.value))
    if Bitset.mask in attrs and len(attrs[Bitset.mask]) != length:
        text = "bitset mask length does not match size"
        raise Refusal(errno.EINVAL, text, at=attrs.offset(Bitset.mask))
    value = int.from_bytes(attrs[Bitset.value], "little")
    mask = int.from_bytes(attrs.get(Bitset.mask, b""), "little")
    meant, attr = (value, Bitset.value) if is_list else (mask, Bitset.mask)
    if said > size and (meant & (1 << said) - 1) >> size:
        raise Refusal(errno.EINVAL, "cannot modify bits past kernel bitset size", at=attrs.offset(attr))
    known = (1 << min(said, size)) - 1
    return value & known, mask & known
