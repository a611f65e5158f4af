"""Attributes: the facts of a specification, said once.

    class Lease(AttrSet):
        ifindex = Attr(1, u32, min=1)
        queue = Attr(2, nest(QueueId))
        netns_id = Attr(3, s32, min=0)
        order = (queue, ifindex, netns_id)

From such a declaration come the validator's rules, the answer to CTRL_CMD_GETPOLICY, the encoder, the decoder and
the names a printer shows. An attribute knows its number, its kind and its limits; a set knows the attributes, and the
``order`` in which the kernel writes them where that differs from the order of their numbers.

Values to be written travel as a mapping from attribute to value (``{Lease.ifindex: 2}``): no name is spelled twice,
and a misspelt one is an error of the type checker. A value that is None is not written. What was read is ``Attrs``: a
view of the message that decodes on demand, and knows each attribute's offset for the sake of errors.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, Generic, TypeVar, overload

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.release import Release
from nlemu.protocol.schema.kinds import PayloadKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.netlink import NLA_TYPE_MASK

T = TypeVar("T")
D = TypeVar("D")

# struct nlattr: length, type. protocol/schema/structs.py describes it; a test holds them equal.
NLATTR = struct.Struct("<HH")
PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


def pack(wire_type: int, payload: bytes) -> bytes:
    """One attribute, padded to four bytes (nla_put())."""
    size = len(payload)
    return NLATTR.pack(4 + size, wire_type) + payload + PADDING[size & 3]


def walk(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Each attribute between start and end: number, start and end of its payload (nla_for_each_attr())."""
    while end - start >= 4:
        length, wire_type = NLATTR.unpack_from(data, start)
        if length < 4 or length > end - start:
            return
        yield wire_type & NLA_TYPE_MASK, start + 4, start + length
        start += length + 3 & ~3


class Attr(Generic[T]):
    """One attribute: its number, its kind and its limits (struct nla_policy).

    ``min``, ``max`` bound an integer, or the length of bytes; ``mask`` are the bits that may be set; ``length`` is the
    greatest length of a string or of bytes (without a NUL), the least of an unspecified payload; ``enum`` and
    ``flags`` name the values and thereby bound them; ``shown`` only names them; ``reject`` refuses the attribute with
    that text ("" without one); ``multi``: it may stand several times, its value is a sequence; ``since``: the first
    release that knows it, where an older one can be chosen.
    """

    __slots__ = (
        "attribute", "bounded", "encode", "flag_names", "kind", "length", "mask", "max", "min", "multi", "name",
        "number", "owner", "reject", "shown", "since", "wire_type",
    )

    def __init__(
        self,
        number: int,
        kind: PayloadKind[T],
        *,
        min: int | None = None,
        max: int | None = None,
        mask: int | None = None,
        length: int = 0,
        enum: type[IntEnum] | None = None,
        flags: type[IntFlag] | None = None,
        shown: type[IntEnum] | type[IntFlag] | None = None,
        reject: str | None = None,
        multi: bool = False,
        name: str = "",
        since: Release | None = None,
    ) -> None:
        self.since = since
        self.number, self.kind, self.length, self.multi, self.reject = number, kind, length, multi, reject
        self.shown = enum or flags or shown
        self.flag_names = self.shown is not None and issubclass(self.shown, IntFlag)
        if enum is not None and max is None:
            max = int(builtin_max(enum))
        if flags is not None and mask is None:
            mask = sum(int(one) for one in flags)  # a plain integer: ~ of a flag knows only the bits it has names for
        self.min, self.max, self.mask = min, max, mask
        self.bounded = min is not None or max is not None
        self.wire_type = number | kind.flag
        self.name, self.owner, self.attribute = name, "", ""
        self.encode: Callable[[Any], bytes] = self._encoder()

    def __set_name__(self, owner: type, name: str) -> None:
        if not self.owner:
            self.owner, self.name = owner.__name__, self.name or name.rstrip("_").replace("_", "-")
            self.attribute = name.rstrip("_") if self.name[0].isdigit() else ""

    @property
    def field(self) -> str:
        """Its name as Python has it, where none begins with a digit: the key in `Spec.fields`, and of a model's
        parameters."""
        return self.attribute or self.name.replace("-", "_")

    def __repr__(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else f"Attr({self.number}, {self.kind})"

    def _encoder(self) -> Callable[[Any], bytes]:
        payload, wire_type, size = self.kind.encode, self.wire_type, self.kind.size
        if size is not None:  # the header and the padding are known before any value is
            head, tail = NLATTR.pack(4 + size, wire_type), PADDING[size & 3]

            def encode(value: Any) -> bytes:
                return head + payload(value) + tail
        else:

            def encode(value: Any) -> bytes:
                return pack(wire_type, payload(value))

        if self.multi:
            return lambda values: b"".join(map(encode, values))
        return encode

    def but(self, **changed: Any) -> Attr[T]:
        """The same attribute under other limits: where two policies bound it differently."""
        facts: dict[str, Any] = {
            "min": self.min, "max": self.max, "mask": self.mask, "length": self.length, "shown": self.shown,
            "reject": self.reject, "multi": self.multi, "name": self.name, "since": self.since,
        }
        kind = changed.pop("kind", self.kind)
        other: Attr[T] = Attr(self.number, kind, **(facts | changed))
        other.owner, other.attribute = self.owner, self.attribute
        return other


builtin_max = max


class Stretch:
    """Attributes that follow each other in a layout and are alike in many messages.

    It stands in a layout for its attributes; its value is the tuple of theirs, None for all of them. The bytes are kept
    by the values: of a thousand links, few differ in their sizes.
    """

    __slots__ = ("_kept", "_layout", "attrs")

    def __init__(self, *attrs: Attr[Any]) -> None:
        self.attrs = attrs
        self._layout = Layout(*attrs)
        self._kept: dict[tuple[Any, ...], bytes] = {}

    def encode(self, values: tuple[Any, ...]) -> bytes:
        """The attributes, one after the other."""
        found = self._kept.get(values)
        if found is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            found = self._kept[values] = self._layout.encode(dict(zip(self.attrs, values, strict=True)))
        return found


KEPT = 1024  # how many different ones a stretch remembers

Values = Mapping[Any, Any]
"""What is to be written: by attribute, or by stretch."""


class Layout:
    """What a message holds, in the order in which the kernel writes it.

    An optional absence is told by the values: what is None, or not there, is not written.
    """

    def __init__(self, *attrs: Attr[Any], stretches: Sequence[Stretch] = ()) -> None:
        self.attrs = attrs
        items: list[Attr[Any] | Stretch] = list(attrs)
        for stretch in stretches:
            at = items.index(stretch.attrs[0])
            assert tuple(items[at : at + len(stretch.attrs)]) == stretch.attrs
            items[at : at + len(stretch.attrs)] = [stretch]
        self.known = frozenset(items)
        self._steps = tuple((item, item.encode) for item in items)

    def encode(self, values: Values) -> bytes:
        """The attributes of one message or nest. A value that the layout has no place for is a KeyError: ours."""
        get = values.get
        parts = []
        for attr, encode in self._steps:
            value = get(attr)
            if value is not None:
                parts.append(encode(value))
        if len(parts) != len(values):
            for attr, value in values.items():
                if value is not None and attr not in self.known:
                    raise KeyError(f"{attr!r} has no place in this layout")
        return b"".join(parts)


class Spec:
    """What an attribute set knows of itself: its attributes by number, by name and as fields of a dataclass would be
    named, in the order in which they are written, the layout of that order, and the policy that lets all of them in."""

    def __init__(self, attr_set: type[AttrSet], attrs: Sequence[Attr[Any]], order: Sequence[Attr[Any]]) -> None:
        self.name = attr_set.__name__
        self.by_number = {attr.number: attr for attr in attrs}
        self.by_name = {attr.name: attr for attr in attrs}
        self.fields = {attr.field: attr for attr in attrs}
        self.order = tuple(order)
        self.layout = Layout(*order, stretches=attr_set.stretches)
        self.policy = Policy(*attrs, chosen_from=attr_set)


class AttrSet:
    """A space of attribute numbers. Subclasses declare ``Attr`` members and, where it matters, their ``order``."""

    spec: ClassVar[Spec]
    order: ClassVar[tuple[Attr[Any], ...]]
    stretches: ClassVar[tuple[Stretch, ...]] = ()

    def __init_subclass__(cls) -> None:
        attrs = [value for base in reversed(cls.__mro__) for value in vars(base).values() if isinstance(value, Attr)]
        if "order" not in vars(cls):
            cls.order = tuple(sorted(attrs, key=lambda attr: attr.number))
        cls.spec = Spec(cls, attrs, cls.order)


class Attrs:
    """The attributes of a message that was read, decoded on demand.

    ``spans`` maps a number to start and end of the payload: the last one where an attribute stands several times, as
    the kernel's tb[] has it. ``nest`` is the offset of the attribute that holds these, None at the top.
    """

    __slots__ = ("_values", "end", "message", "nest", "spans", "start")

    def __init__(
        self, message: bytes, spans: dict[int, tuple[int, int]], start: int, end: int, nest: int | None = None
    ) -> None:
        self.message, self.spans, self.start, self.end, self.nest = message, spans, start, end, nest
        self._values: dict[int, Any] = {}

    @classmethod
    def index(cls, message: bytes, start: int, end: int) -> Attrs:
        """What stands between start and end, found without validation; ``start`` follows a nest's header."""
        spans = {number: (first, last) for number, first, last in walk(message, start, end)}
        return cls(message, spans, start, end, start - 4)

    def __contains__(self, attr: Attr[Any]) -> bool:
        return attr.number in self.spans

    def __getitem__(self, attr: Attr[T]) -> T:
        number = attr.number
        value: T
        if number in self._values:
            value = self._values[number]
        else:
            start, end = self.spans[number]
            value = self._values[number] = attr.kind.decode(self.message, start, end)
        return value

    @overload
    def get(self, attr: Attr[T]) -> T | None: ...
    @overload
    def get(self, attr: Attr[T], default: D) -> T | D: ...
    def get(self, attr: Attr[Any], default: Any = None) -> Any:
        """The value of an attribute, or the default where it is not there."""
        return self[attr] if attr.number in self.spans else default

    def all(self, attr: Attr[T]) -> list[tuple[int, T]]:
        """Every occurrence, in order: its offset and its value (nla_for_each_attr_type())."""
        decode = attr.kind.decode
        return [
            (first - 4, decode(self.message, first, last))
            for number, first, last in walk(self.message, self.start, self.end)
            if number == attr.number
        ]

    def offset(self, attr: Attr[Any]) -> int | None:
        """Where the attribute's header stands in the message; None when it is not there."""
        span = self.spans.get(attr.number)
        return None if span is None else span[0] - 4

    def payload(self, attr: Attr[Any]) -> bytes:
        """The raw payload, for what has no one kind."""
        start, end = self.spans[attr.number]
        return self.message[start:end]

    def require(self, attrs: Sequence[Attr[Any]]) -> None:
        """Refuses with EINVAL the first attribute that is missing (GENL_REQ_ATTR_CHECK(), NL_REQ_ATTR_CHECK())."""
        for attr in attrs:
            if attr.number not in self.spans:
                raise Refusal(errno.EINVAL, missing=attr.number, nest=self.nest)

