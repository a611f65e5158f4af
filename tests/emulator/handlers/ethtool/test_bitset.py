"""Bit sets: what is put on the wire is what is read from it, in either form; and what a request makes of a set."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlemu.emulator.handlers.ethtool.bitset import parse_bitset, put_bitset, update_bitset
from nlemu.emulator.handlers.ethtool.common import Request
from nlemu.protocol.families.ethtool.common import Bitset, BitsetBit, BitsetBits
from nlemu.protocol.families.ethtool.device import Features
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, Values
from nlemu.protocol.wire.extack import Extack

NAMES = tuple(f"bit-{number}" for number in range(40))
SET = Features.wanted


def request(values: Values) -> Request:
    """A request that holds the bit set, behind a header's worth of bytes."""
    data = bytes(20) + SET.encode(values)
    return Request(Attrs(data, {SET.number: (24, len(data))}, 20, len(data)), Extack())


def verbose(*members: Values, is_list: bool = False) -> Values:
    return {Bitset.nomask: True if is_list else None, Bitset.bits: {BitsetBits.bit: members}}


@given(st.integers(0, (1 << 40) - 1), st.integers(0, (1 << 40) - 1), st.booleans())
def test_a_masked_set_survives(value: int, mask: int, compact: bool) -> None:
    parsed = parse_bitset(request(put_bitset(value, mask, NAMES, compact)), SET, NAMES)
    assert parsed[1] == mask
    assert parsed[0] & mask == value & mask


@given(st.integers(0, (1 << 40) - 1), st.booleans())
def test_a_list_means_every_bit(value: int, compact: bool) -> None:
    assert parse_bitset(request(put_bitset(value, None, NAMES, compact)), SET, NAMES) == (value, (1 << 40) - 1)


@given(st.integers(0, (1 << 40) - 1), st.integers(0, (1 << 40) - 1), st.integers(0, (1 << 40) - 1), st.booleans())
def test_both_forms_update_alike(bits: int, value: int, mask: int, compact: bool) -> None:
    new = bits & ~mask | value & mask
    updated = update_bitset(bits, request(put_bitset(value, mask, NAMES, compact)), SET, NAMES)
    assert updated == (new, new != bits)


def bit(index: int | None = None, name: str | None = None, *, on: bool = False) -> Values:
    return {BitsetBit.index: index, BitsetBit.name: name, BitsetBit.value: True if on else None}


def test_no_set_is_no_change() -> None:
    nothing = Request(Attrs(b"", {}, 0, 0), Extack())
    assert update_bitset(5, nothing, SET, NAMES) == (5, False)


def test_a_bit_may_be_named_or_numbered() -> None:
    members = bit(name="bit-7", on=True), bit(9, "bit-9")
    assert update_bitset(1 << 9, request(verbose(*members)), SET, NAMES) == (1 << 7, True)


def test_switching_twice_is_a_change_unless_it_is_a_list() -> None:
    on, off = bit(3, on=True), bit(3)
    assert update_bitset(0, request(verbose(on, off)), SET, NAMES) == (0, True)
    assert update_bitset(1 << 3, request(verbose(on, on, is_list=True)), SET, NAMES) == (1 << 3, False)


@pytest.mark.parametrize(
    ("values", "errno", "text"),
    [
        (verbose(bit(40)), 95, "bit index too high"),
        (verbose(bit(name="nothing")), 95, "bit name not found"),
        (verbose(bit(1, "bit-2")), 22, "bit index and name mismatch"),
        (verbose(bit(on=True)), 22, "neither bit index nor name specified"),
        ({Bitset.size: 40, Bitset.value: bytes(8)}, 22, "missing mask in compact nonlist bitset"),
        ({Bitset.value: bytes(8), Bitset.mask: bytes(8)}, 22, "missing size in compact bitset"),
        (
            {Bitset.size: 40, Bitset.value: bytes(4), Bitset.mask: bytes(8)},
            22,
            "bitset value length does not match size",
        ),
        (
            {Bitset.size: 41, Bitset.value: bytes(8), Bitset.mask: (1 << 40).to_bytes(8, "little")},
            22,
            "cannot modify bits past kernel bitset size",
        ),
    ],
)
def test_what_is_refused(values: Values, errno: int, text: str) -> None:
    with pytest.raises(Refusal) as parsed:
        parse_bitset(request(values), SET, NAMES)
    with pytest.raises(Refusal) as updated:
        update_bitset(0, request(values), SET, NAMES)
    for refused in (parsed.value, updated.value):
        assert (refused.errno, refused.text) == (errno, text)


@given(st.lists(st.integers(0, 39), max_size=6))
def test_the_order_of_bits_does_not_matter_to_a_mask(numbers: Sequence[int]) -> None:
    members = [bit(number, on=True) for number in numbers]
    one = parse_bitset(request(verbose(*members)), SET, NAMES)
    assert one == parse_bitset(request(verbose(*reversed(members))), SET, NAMES)
    assert one[0] == one[1] == sum(1 << number for number in set(numbers))
