"""The validator against the rules of lib/nlattr.c, a rule at a time. Whole errors, byte for byte, are in the traces."""

import errno
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs, AttrSet, pack
from nlemu.protocol.schema.kinds import (
    array,
    binary,
    bitfield32,
    flag,
    nest,
    nul_string,
    s32,
    string,
    u8,
    u16,
    u32,
    uint,
    unspec,
)
from nlemu.protocol.schema.policy import DEPRECATED_STRICT, LIBERAL, MAXTYPE, STRICT, TRAILING, Policy
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

NESTED = 0x8000


class Inner(AttrSet):
    small = Attr(1, u8, max=3)
    again = Attr(2, nest(Policy()))


class Outer(AttrSet):
    number = Attr(1, u32, min=1, max=10)
    name = Attr(2, nul_string, length=3)
    label = Attr(3, string, length=3)
    blob = Attr(4, binary, length=4)
    exact = Attr(5, binary, min=6, max=6)
    present = Attr(6, flag)
    bits = Attr(7, u16, mask=0x0F)
    field = Attr(8, bitfield32, mask=0x3)
    inner = Attr(9, nest(Inner))
    members = Attr(10, array(nest(Inner)))
    wide = Attr(11, uint)
    signed = Attr(12, s32, min=-2)
    forbidden = Attr(13, u32, reject="not for you")
    silent = Attr(14, u32, reject="")
    opaque = Attr(15, unspec, length=8)


ALL = Outer.spec.policy


def check(data: bytes, level: int = STRICT, policy: Policy = ALL) -> Attrs:
    return Attrs(data, validate(policy, data, 0, len(data), level, Extack()), 0, len(data))


def refused(data: bytes, level: int = STRICT, policy: Policy = ALL) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check(data, level, policy)
    return caught.value


def attr(number: int, payload: bytes, flags: int = 0) -> bytes:
    return pack(number | flags, payload)


GOOD: dict[Attr[Any], Any] = {
    Outer.number: 7,
    Outer.name: "abc",
    Outer.label: "abc",
    Outer.blob: b"1234",
    Outer.exact: b"123456",
    Outer.present: True,
    Outer.bits: 0x0A,
    Outer.inner: {Inner.small: 3},
    Outer.wide: 1 << 40,
    Outer.signed: -2,
}


def test_what_is_written_is_let_in_and_read_back() -> None:
    read = check(Outer.spec.layout.encode(GOOD))
    for one, value in GOOD.items():
        if one is Outer.inner:
            assert read[Outer.inner][Inner.small] == 3
        else:
            assert read[one] == value


BAD: list[tuple[str, bytes, int, str | None, int | None, Attr[Any] | None]] = [
    ("below the range", attr(1, b"\0\0\0\0"), errno.ERANGE, "integer out of range", 0, Outer.number),
    ("above the range", attr(1, b"\x0b\0\0\0"), errno.ERANGE, "integer out of range", 0, Outer.number),
    ("below a signed minimum", attr(12, b"\xfd\xff\xff\xff"), errno.ERANGE, "integer out of range", 0, Outer.signed),
    ("too short an integer", attr(1, b"\1"), errno.EINVAL, "invalid attribute length", 0, Outer.number),
    ("too long an integer", attr(1, b"\1\0\0\0\0"), errno.EINVAL, "invalid attribute length", 0, Outer.number),
    ("a uint of three bytes", attr(11, b"123"), errno.EINVAL, "invalid attribute length", 0, Outer.wide),
    ("a reserved bit", attr(7, b"\x10\0"), errno.EINVAL, "reserved bit set", 0, None),
    ("no NUL", attr(2, b"abc"), errno.EINVAL, "Attribute failed policy validation", 0, Outer.name),
    ("a NUL too late", attr(2, b"abcd\0"), errno.EINVAL, "Attribute failed policy validation", 0, Outer.name),
    ("an empty string", attr(3, b""), errno.ERANGE, "Attribute failed policy validation", 0, Outer.label),
    ("too long a string", attr(3, b"abcd"), errno.ERANGE, "Attribute failed policy validation", 0, Outer.label),
    ("too many bytes", attr(4, b"12345"), errno.ERANGE, "Attribute failed policy validation", 0, Outer.blob),
    ("not six bytes", attr(5, b"12345"), errno.ERANGE, "binary attribute size out of range", 0, Outer.exact),
    ("a flag with a payload", attr(6, b"\0"), errno.ERANGE, "Attribute failed policy validation", 0, Outer.present),
    ("a value that is not selected", attr(8, struct.pack("<II", 1, 2)), errno.EINVAL,
     "Attribute failed policy validation", 0, Outer.field),
    ("a selector that does not exist", attr(8, struct.pack("<II", 0, 4)), errno.EINVAL,
     "Attribute failed policy validation", 0, Outer.field),
    ("rejected with a text", attr(13, b"\0\0\0\0"), errno.EINVAL, "not for you", 0, None),
    ("rejected without one", attr(14, b"\0\0\0\0"),
     errno.EINVAL, "Attribute failed policy validation", 0, Outer.silent),
    ("without a type", attr(15, bytes(8)), errno.EINVAL, "Unsupported attribute", 0, None),
    ("unknown", attr(16, b""), errno.EINVAL, "Unknown attribute type", 0, None),
    ("number 0", attr(0, b""), errno.EINVAL, "Unknown attribute type", 0, None),
    ("a nest without the flag", attr(9, attr(1, b"\0")), errno.EINVAL, "NLA_F_NESTED is missing", 0, Outer.inner),
    ("the flag without a nest", attr(1, b"\1\0\0\0", NESTED),
     errno.EINVAL, "NLA_F_NESTED not expected", 0, Outer.number),
    ("a nest of three bytes", attr(9, b"123", NESTED),
     errno.ERANGE, "Attribute failed policy validation", 0, Outer.inner),
    ("inside a nest", attr(9, attr(1, b"\4"), NESTED), errno.ERANGE, "integer out of range", 4, Inner.small),
    ("inside a member", attr(10, attr(1, attr(1, b"\4")), NESTED),
     errno.ERANGE, "integer out of range", 8, Inner.small),
    ("a member of three bytes", attr(10, attr(1, b"123"), NESTED), errno.ERANGE, "Array element too short", 4, None),
    ("leftover bytes", attr(6, b"") + b"12", errno.EINVAL, "bytes leftover after parsing attributes", None, None),
]


@pytest.mark.parametrize(("data", "code", "text", "at", "policy"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_strict(data: bytes, code: int, text: str | None, at: int | None, policy: Attr[Any] | None) -> None:
    refusal = refused(data)
    assert (refusal.errno, refusal.text, refusal.at, refusal.policy) == (code, text, at, policy)


def test_the_first_fault_in_wire_order_counts() -> None:
    assert refused(attr(7, b"\x10\0") + attr(1, b"\1")).text == "reserved bit set"
    assert refused(attr(1, b"\1") + attr(7, b"\x10\0")).text == "invalid attribute length"


def test_an_empty_nest_is_good() -> None:
    assert Outer.inner in check(attr(9, b"", NESTED))


def test_the_last_of_several_counts() -> None:
    read = check(attr(1, b"\1\0\0\0") + attr(1, b"\2\0\0\0"))
    assert read[Outer.number] == 2
    assert [(at, value) for at, value in read.all(Outer.number)] == [(0, 1), (8, 2)]


LIBERAL_LETS_IN = [
    attr(1, b"\1\0\0\0\0"), attr(9, attr(1, b"\0")), attr(1, b"\1\0\0\0", NESTED), attr(15, bytes(8)), attr(16, b""),
    attr(0, b""), attr(6, b"") + b"12",
]


@pytest.mark.parametrize("data", LIBERAL_LETS_IN, ids=range(len(LIBERAL_LETS_IN)))
def test_liberal_lets_in_what_strict_does_not(data: bytes) -> None:
    check(data, LIBERAL)
    refused(data, STRICT)


def test_liberal_still_wants_room_for_the_value() -> None:
    refusal = refused(attr(1, b"\1"), LIBERAL)
    assert (refusal.errno, refusal.text) == (errno.ERANGE, "Attribute failed policy validation")
    assert refused(attr(15, bytes(7)), LIBERAL).errno == errno.ERANGE


def test_leftover_bytes_are_told_even_where_they_are_let_in() -> None:
    extack = Extack()
    data = attr(6, b"") + b"12"
    validate(ALL, data, 0, len(data), LIBERAL, extack)
    assert extack.text == "bytes leftover after parsing attributes"


def test_the_levels_in_between() -> None:
    unknown, leftover = attr(16, b""), attr(6, b"") + b"1"
    assert DEPRECATED_STRICT == TRAILING | MAXTYPE
    refused(unknown, MAXTYPE)
    check(unknown, TRAILING)
    refused(leftover, TRAILING)
    check(leftover, MAXTYPE)


def test_strict_from_a_number_on() -> None:
    policy = Policy(Outer.number, Outer.bits, top=16, strict_from=7)
    check(attr(1, b"\1\0\0\0\0"), LIBERAL, policy)
    check(attr(2, b""), LIBERAL, policy)
    assert refused(attr(7, b"\1\0\0"), LIBERAL, policy).text == "invalid attribute length"
    assert refused(attr(8, b""), LIBERAL, policy).text == "Unsupported attribute"


def test_without_a_policy_attributes_are_only_found() -> None:
    data = attr(500, b"x")
    assert validate(None, data, 0, len(data), STRICT, Extack()) == {500: (4, 5)}


def test_nests_have_a_depth() -> None:
    loop = Policy(Attr(1, nest(Policy())), top=1)
    loop.rules[1].kind.policy = loop  # type: ignore[attr-defined]
    data = b""
    for _ in range(12):
        data = attr(1, data, NESTED)
    assert refused(data, STRICT, loop).text == "allowed policy recursion depth exceeded"


@given(st.binary(max_size=80), st.sampled_from([LIBERAL, DEPRECATED_STRICT, STRICT]))
def test_garbage_is_let_in_or_refused_and_nothing_else(data: bytes, level: int) -> None:
    try:
        read = check(data, level)
    except Refusal as refusal:
        assert refusal.errno in (errno.EINVAL, errno.ERANGE)
        return
    for number, (start, end) in read.spans.items():
        assert 0 <= number < 0x4000 and 4 <= start <= end <= len(data)
        if number in Outer.spec.by_number and level == STRICT:
            read[Outer.spec.by_number[number]]


@given(st.binary(max_size=60))
def test_strict_lets_in_no_more_than_liberal(data: bytes) -> None:
    try:
        check(data, STRICT)
    except Refusal:
        return
    check(data, LIBERAL)
