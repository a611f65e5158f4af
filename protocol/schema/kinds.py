"""Kinds: what the payload of an attribute is.

The kernel's NLA_* types. A kind says how a value becomes payload and back, which lengths a validator accepts, and
what CTRL_CMD_GETPOLICY tells of it. An attribute (protocol/schema/attributes.py) is a number, a kind and limits.

Every payload of a fixed shape is described by a construct; the construct is read once, here, into a codec (see
protocol/schema/codec.py for why). Where that module is missing, construct itself interprets: slower, with the same
bytes.

Lengths are checked as validate_nla() of lib/nlattr.c checks them: ``exact`` is demanded only by strict validation
(nla_attr_len), ``least`` by every one (nla_attr_minlen), and strings, nests and variable integers have rules of
their own, in ``check``.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import construct as c

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLA_F_NESTED, AttrType

try:
    from nlemu.protocol.schema.codec import prepare
except ImportError:
    from nlemu.protocol.schema.interpret import interpret as prepare

if TYPE_CHECKING:
    from nlemu.protocol.release import Release
    from nlemu.protocol.schema.attributes import Attr, Attrs, AttrSet
    from nlemu.protocol.schema.policy import Policy

T = TypeVar("T")

FAILED = "Attribute failed policy validation"
WRONG_LENGTH = "invalid attribute length"

class PayloadKind(Generic[T]):
    """One kind of payload. Instances are shared and never change."""

    advertised: AttrType | None = None  # as GETPOLICY calls it; None: it does not tell of this kind
    exact = 0  # the one right length, in bytes, under strict validation; 0: no such rule
    least = 0  # the least length, in bytes, under every validation
    nested = False  # NLA_F_NESTED is demanded under strict validation
    flag = 0  # NLA_F_NESTED where the kernel writes it
    size: int | None = None  # the payload's length in bytes when it is always the same
    bounds: tuple[int, int] | None = None  # of the integers it can hold
    free = False  # NLA_UNSPEC: the nested flag is nobody's business
    either = False  # the kernel writes one value in this way or another

    @property
    def dated(self) -> bool:
        """Whether releases differ in what may be inside."""
        return False

    def on(self, release: Release) -> PayloadKind[T]:
        """The kind that it was on that release."""
        return self

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def encode(self, value: T) -> bytes:
        """The payload of a value."""
        raise NotImplementedError

    def decode(self, data: bytes, start: int, end: int) -> T:
        """The value of the payload between start and end."""
        raise NotImplementedError

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        """The kind's own part of validate_nla(): raises Refusal, with the attribute's offset and limits."""
        if end - start < (attr.length or self.least):
            raise Refusal(errno.ERANGE, FAILED, at=start - 4, policy=attr)


class Fixed(PayloadKind[T]):
    """A payload of one shape, described by a construct: an integer, or a structure as a named tuple."""

    def __init__(self, name: str, described: c.Construct) -> None:
        super().__init__(name)
        self.construct = described
        self.codec = prepare(described)
        self.size = self.codec.size
        self.encode = self.codec.pack  # type: ignore[method-assign]
        unpack = self.codec.unpack
        self.decode = lambda data, start, end: unpack(data, start)  # type: ignore[method-assign]


class Integer(Fixed[int]):
    """NLA_U8 .. NLA_S64, NLA_BE16, NLA_BE32, NLA_MSECS."""

    def __init__(self, name: str, described: c.Construct, advertised: AttrType | None, *, signed: bool = False) -> None:
        super().__init__(name, described)
        assert self.size is not None
        self.advertised = advertised
        self.exact = self.least = self.size
        bits = 8 * self.size
        self.bounds = (-1 << bits - 1, (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


class Sparse(Integer):
    """An integer that is one of an enum with gaps, which the attribute shows (NLA_VALIDATE_FUNCTION). Without a text,
    the function does not say what is wrong, nor where."""

    def __init__(self, name: str, described: c.Construct, advertised: AttrType | None, text: str | None = None) -> None:
        super().__init__(name, described, advertised)
        self.text = text

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        super().check(attr, data, start, end)
        assert attr.shown is not None
        if self.decode(data, start, end) not in {int(one) for one in attr.shown}:
            raise Refusal(errno.EINVAL, self.text, at=None if self.text is None else start - 4)


class Variable(PayloadKind[int]):
    """NLA_UINT, NLA_SINT: four bytes where the value fits, else eight (nla_put_uint()). either: or what else says."""

    def __init__(
        self, name: str, narrow: Integer, wide: Integer, advertised: AttrType, *, either: bool = False
    ) -> None:
        super().__init__(name)
        self.either = either
        self.narrow, self.wide, self.advertised = narrow, wide, advertised
        assert narrow.bounds and wide.bounds
        self.bounds = wide.bounds
        self.low, self.high = narrow.bounds

    def encode(self, value: int) -> bytes:
        return self.narrow.encode(value) if self.low <= value <= self.high else self.wide.encode(value)

    def decode(self, data: bytes, start: int, end: int) -> int:
        return (self.wide if end - start >= 8 else self.narrow).decode(data, start, end)

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        if end - start not in (4, 8):
            raise Refusal(errno.EINVAL, WRONG_LENGTH, at=start - 4, policy=attr)


class Text(PayloadKind[str]):
    """NLA_STRING and NLA_NUL_STRING; written with its NUL, read up to the first one."""

    def __init__(self, name: str, advertised: AttrType, *, terminated: bool) -> None:
        super().__init__(name)
        self.advertised, self.terminated = advertised, terminated

    def encode(self, value: str) -> bytes:
        return value.encode("utf-8", "surrogateescape") + b"\0"

    def decode(self, data: bytes, start: int, end: int) -> str:
        return data[start:end].split(b"\0", 1)[0].decode("utf-8", "surrogateescape")

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        room = end - start
        if self.terminated and data.find(0, start, start + min(room, attr.length + 1) if attr.length else end) < 0:
            raise Refusal(errno.EINVAL, FAILED, at=start - 4, policy=attr)
        if room < 1:
            raise Refusal(errno.ERANGE, FAILED, at=start - 4, policy=attr)
        if attr.length and room - (data[end - 1] == 0) > attr.length:
            raise Refusal(errno.ERANGE, FAILED, at=start - 4, policy=attr)


class Bytes(PayloadKind[bytes]):
    """NLA_BINARY: any bytes, at most ``length`` of them; min and max of an attribute bound the length."""

    advertised: AttrType | None = AttrType.BINARY

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, data: bytes, start: int, end: int) -> bytes:
        return data[start:end]

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        if attr.length and end - start > attr.length:
            raise Refusal(errno.ERANGE, FAILED, at=start - 4, policy=attr)


class Flag(PayloadKind[bool]):
    """NLA_FLAG: there or not there, without a payload."""

    advertised = AttrType.FLAG

    def encode(self, value: bool) -> bytes:
        return b""

    def decode(self, data: bytes, start: int, end: int) -> bool:
        return True

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        if end > start:
            raise Refusal(errno.ERANGE, FAILED, at=start - 4, policy=attr)


class Unspec(Bytes):
    """NLA_UNSPEC: at least ``length`` bytes; refused by the validator where it is strict."""

    advertised = None
    free = True

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        if end - start < attr.length:
            raise Refusal(errno.ERANGE, FAILED, at=start - 4, policy=attr)


class Structure(Fixed[Any]):
    """A C structure, written whole. In a policy it is bytes of at least its size (``{ .len = sizeof() }``)."""

    free = True

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        if end - start < (self.size or 0):
            raise Refusal(errno.ERANGE, FAILED, at=start - 4, policy=attr)


class Records(Bytes):
    """Bytes that are structures one after the other, each of which begins with its own length and has attributes behind
    it (struct rtnexthop of RTA_MULTIPATH): whoever only reads may look inside. ``within`` gives the attributes' set."""

    def __init__(self, described: c.Construct, within: Callable[[], type[AttrSet]]) -> None:
        super().__init__("binary")
        self.head, self.within = Structure("structure", described), within


class Headed(Bytes):
    """Bytes that are a structure and something of any length behind it, which ``rest`` names (struct rtvia)."""

    def __init__(self, described: c.Construct, rest: str) -> None:
        super().__init__("binary")
        self.head, self.rest = Structure("structure", described), rest


class Bitfield32(Fixed[Any]):
    """NLA_BITFIELD32: a value and the bits of it that are meant; ``mask`` of the attribute are those that exist."""

    advertised = AttrType.BITFIELD32

    def __init__(self) -> None:
        super().__init__("bitfield32", c.Struct("value" / c.Int32ul, "selector" / c.Int32ul))

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        if end - start != self.size:
            raise Refusal(errno.ERANGE, FAILED, at=start - 4, policy=attr)
        field, valid = self.decode(data, start, end), attr.mask or 0
        if not valid or field.selector & ~valid or field.value & ~valid or field.value & ~field.selector:
            raise Refusal(errno.EINVAL, FAILED, at=start - 4, policy=attr)


@dataclass(frozen=True)
class ByNumber:
    """What is inside a nest depends on the number in a sibling, which ``names`` names: ``choices`` by its value
    (RTA_ENCAP on RTA_ENCAP_TYPE)."""

    selector: str
    names: type[IntEnum]
    choices: Mapping[int, type[AttrSet]]


class Nest(PayloadKind[Any]):
    """NLA_NESTED: attributes inside, of one attribute set.

    ``inner`` is the policy for what comes in (an attribute set stands for all of it; None: the kernel looks inside
    only later, with a policy of its own). What is read is ``Attrs``, what is written a mapping from attribute to value,
    or bytes that are attributes already. ``told``: what is inside for whoever only reads, where ``inner`` does not say.
    """

    advertised = AttrType.NESTED
    nested = True
    least = 4

    def __init__(
        self, inner: Policy | type[AttrSet] | None, *, flagged: bool = True, name: str = "nest",
        told: type[AttrSet] | ByNumber | None = None,
    ) -> None:
        super().__init__(name)
        self.told = told
        self.flag = NLA_F_NESTED if flagged else 0
        self.policy: Policy | None = None
        self.set: type[AttrSet] | None = None
        if isinstance(inner, type):
            self.policy, self.set = inner.spec.policy, inner
        elif inner is not None:
            self.policy, self.set = inner, inner.chosen_from

    @property
    def dated(self) -> bool:
        return self.policy is not None and self.policy.dated

    def on(self, release: Release) -> Nest:
        other = copy(self)
        other.policy = None if self.policy is None else self.policy.on(release)
        return other

    def encode(self, value: Any) -> bytes:
        if value.__class__ is bytes:
            return value
        assert self.set is not None
        return self.set.spec.layout.encode(value)

    def decode(self, data: bytes, start: int, end: int) -> Attrs:
        from nlemu.protocol.schema.attributes import Attrs

        return Attrs.index(data, start, end)

    def check(self, attr: Attr[Any], data: bytes, start: int, end: int) -> None:
        if 0 < end - start < 4:
            raise Refusal(errno.ERANGE, FAILED, at=start - 4, policy=attr)


class Members(Nest):
    """NLA_NESTED whose attributes are gone through one by one, whatever their numbers: a value is a sequence of pairs,
    number and payload. ``told`` is the set that a reader may know them by."""

    def __init__(self, told: type[AttrSet], *, flagged: bool = True) -> None:
        super().__init__(None, flagged=flagged, told=told)

    def encode(self, value: Any) -> bytes:
        if value.__class__ is bytes:
            return value
        from nlemu.protocol.schema.attributes import pack

        return b"".join(pack(number, payload) for number, payload in value)

    def decode(self, data: bytes, start: int, end: int) -> Any:
        from nlemu.protocol.schema.attributes import walk

        return [(number, data[first:last]) for number, first, last in walk(data, start, end)]


class NestArray(Nest):
    """NLA_NESTED_ARRAY, and every nest whose members differ only by number: indexed by ``first``, first + 1 ...

    A value written is a sequence of members, or a mapping from number to member where the numbers mean something
    (an operation, a policy). ``alike``: they all bear the number ``first``.
    """

    advertised = AttrType.NESTED_ARRAY

    def __init__(
        self, member: PayloadKind[Any], *, first: int = 1, flagged: bool = True, alike: bool = False
    ) -> None:
        super().__init__(None, flagged=flagged, name=f"array of {member.name}")
        self.member, self.first, self.alike = member, first, alike

    @property
    def dated(self) -> bool:
        return self.member.dated

    def on(self, release: Release) -> NestArray:
        other = copy(self)
        other.member = self.member.on(release)
        return other

    def encode(self, value: Any) -> bytes:
        from nlemu.protocol.schema.attributes import pack

        pairs: Iterable[tuple[int, Any]]
        if isinstance(value, Mapping):
            pairs = value.items()
        else:
            pairs = ((self.first, one) for one in value) if self.alike else enumerate(value, self.first)
        return b"".join(pack(number | self.member.flag, self.member.encode(one)) for number, one in pairs)


class Chosen(Nest):
    """A nest whose inside depends on a sibling (IFLA_INFO_DATA on IFLA_INFO_KIND): ``choices`` by its value.

    A value written is a pair of attribute set and values.
    """

    def __init__(self, selector: str, choices: Mapping[str, type[AttrSet]], *, flagged: bool = False) -> None:
        super().__init__(None, flagged=flagged, name=f"depends on {selector}")
        self.selector, self.choices = selector, choices

    def encode(self, value: Any) -> bytes:
        attr_set: type[AttrSet]
        attr_set, values = value
        return attr_set.spec.layout.encode(values)


u8 = Integer("u8", c.Int8ul, AttrType.U8)
sparse_u8 = Sparse("u8", c.Int8ul, AttrType.U8, "invalid enum value")
u16 = Integer("u16", c.Int16ul, AttrType.U16)
u32 = Integer("u32", c.Int32ul, AttrType.U32)
u64 = Integer("u64", c.Int64ul, AttrType.U64)
sparse_u64 = Sparse("u64", c.Int64ul, AttrType.U64)
msecs = Integer("msecs", c.Int64ul, AttrType.UINT)  # which is how GETPOLICY calls it
s16 = Integer("s16", c.Int16sl, AttrType.S16, signed=True)
s32 = Integer("s32", c.Int32sl, AttrType.S32, signed=True)
s64 = Integer("s64", c.Int64sl, AttrType.S64, signed=True)
be16 = Integer("be16", c.Int16ub, None)
be32 = Integer("be32", c.Int32ub, None)
be64 = Integer("be64", c.Int64ub, None)
uint = Variable("uint", u32, u64, AttrType.UINT)
either_uint = Variable("uint", u32, u64, AttrType.UINT, either=True)
string = Text("string", AttrType.STRING, terminated=False)
nul_string = Text("string", AttrType.NUL_STRING, terminated=True)
binary = Bytes("binary")
unspec = Unspec("unspec")
flag = Flag("flag")
bitfield32 = Bitfield32()
nest = Nest
members = Members
array = NestArray
chosen = Chosen


def structure(described: c.Construct, name: str = "structure") -> Structure:
    """The kind of a C structure, from its construct."""
    return Structure(name, described)
