"""Netlink messages as strace decodes them, turned back into bytes by the declarations.

strace knows rtnetlink and the header of everything, and writes names where there were numbers. A value goes back by
what the declaration says of its place: an attribute by the end of its name in the set that belongs there
(IFLA_INFO_KIND is `kind` of link-info), a structure field by field, a name by the numbers of protocol/uapi. What comes
out has to have the lengths that strace tells: if it does not, or a name is not known, ValueError says which.

Two things that strace writes do not tell the bytes. Of an interface's index it writes the name that this index has at
that moment on the traced machine; such names get numbers here (Names.indices), which are told to whoever reads. And
"..." stands for what was left out (strace -s tells how much is written, -v that structures are whole).
"""

from __future__ import annotations

import enum
import ipaddress
import pkgutil
import re
import socket
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import construct as c

from nlemu.protocol import uapi
from nlemu.protocol.captures import strace_diag as diag
from nlemu.protocol.captures.strace_values import CUT, Bytes, Called, Symbols, Text
from nlemu.protocol.frame import NLMSGHDR
from nlemu.protocol.names.known import ROUTE, read_as, recorded_machine
from nlemu.protocol.schema.attributes import NLATTR, Attr
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.schema.interpret import bare, is_padding
from nlemu.protocol.schema.kinds import Bitfield32, Chosen, Nest, NestArray, PayloadKind, Structure
from nlemu.protocol.uapi.netlink import NLA_F_NESTED, NLM_F, NetlinkProtocol, NlmsgType

LONGEST_ATTRIBUTE = 0xFFFF
OF_SOCKETS = re.compile(r"(AF|SOCK|IPPROTO)_[A-Z0-9_]+$")
"""Names of Python's module socket that mean numbers of address families, types and protocols."""
WIDEST = 64
"""Bits that a number may have."""

FIRST_INDEX = 1001
"""The number of the first interface of which only a name is known; lo is 1 on every machine."""

ALIASES = {"NLMSG": NlmsgType, **diag.ALIASES}
"""Enumerations that have another name here than their members' prefix."""


class Names:
    """What names stand for: numbers of interfaces and of generic netlink families, as the trace tells them."""

    def __init__(self) -> None:
        self.indices: dict[str, int] = {"lo": 1}
        self.families: dict[str, int] = {family.name: number for number, family in recorded_machine().items()}
        self.guesses: list[str] = []
        """What was made up since the last look, and why: numbers of interfaces, fields of requests."""

    def index(self, name: str) -> int:
        """The index of an interface."""
        if name not in self.indices:
            self.indices[name] = FIRST_INDEX + len(self.indices) - 1
            self.guesses.append(f"strace wrote the name {name} for an index; {self.indices[name]} stands for it here")
        return self.indices[name]


@cache
def symbols() -> Mapping[str, int]:
    """The numbers of all names that protocol/uapi has, under the names that C gives them."""
    known: dict[str, int] = {}
    for module in pkgutil.iter_modules(uapi.__path__):
        for name, one in vars(import_module(f"{uapi.__name__}.{module.name}")).items():
            if isinstance(one, int) and name.isupper():
                known.setdefault(name, int(one))
            elif isinstance(one, type) and issubclass(one, enum.IntEnum | enum.IntFlag):
                known.update({f"{name}_{member}": int(value) for member, value in one.__members__.items()})
    for prefix, kind in ALIASES.items():
        known.update({f"{prefix}_{member}": int(value) for member, value in kind.__members__.items()})
    return {**{name: int(one) for name, one in vars(socket).items() if OF_SOCKETS.match(name)}, **known, **diag.NAMES}


def number(value: Any, shown: Any = None) -> int:
    """The number that a value stands for; ``shown`` names the numbers of its place. Raises ValueError."""
    if not isinstance(value, Symbols):
        raise ValueError(f"a number belongs where {value!r} stands")
    total = 0
    for part in value.parts:
        base, _, shift = part.partition("<<")
        name, _, less = shift.partition("-")
        places = one_number(name or "0", None) - int(less or "0")
        if not 0 <= places <= WIDEST:
            raise ValueError(f"no number is {part}")
        total |= one_number(base, shown) << places
    return total


def one_number(text: str, shown: Any) -> int:
    """The number of one name."""
    text = text.split("<")[0]
    if text.lstrip("-")[:1].isdigit():
        return int(text, 0)
    if text == "NULL":
        return 0
    known = symbols().get(text)
    if known is None and shown is not None:
        fits = [name for name in getattr(shown, "__members__", {}) if text.endswith(f"_{name}")]
        known = int(shown[max(fits, key=len)]) if fits else None
    if known is None:
        raise ValueError(f"the name {text} is not known")
    return known


def encode(value: Any, protocol: int, names: Names) -> bytes:
    """The datagram of what stands as iov_base: a string, a message, or several. Raises ValueError."""
    if isinstance(value, Text):
        if value.cut:
            raise ValueError("strace wrote only the beginning of a string (-s 100000 makes it write all)")
        return value.data
    if isinstance(value, dict):
        value = [value]
    if value is CUT or not isinstance(value, list) or not value:
        raise ValueError(f"no message: {value!r}")
    messages = [one if isinstance(one, list) else [one] for one in value] if isinstance(value[0], list) else [value]
    if len(messages) > 1 and isinstance(messages[-1][0], dict) and is_nothing(messages[-1][0]):
        return encode(messages[:-1], protocol, names) + bytes(NLMSGHDR.size)
    return b"".join(padded(message(one, protocol, names)) for one in messages[:-1]) + message(
        messages[-1], protocol, names
    )


def is_nothing(header: Mapping[str, Any]) -> bool:
    """Whether a header is zeros: iproute2 sends more of its buffer than its message says."""
    return "nlmsg_len" in header and number(header["nlmsg_len"]) == 0


def padded(data: bytes) -> bytes:
    """With zeros up to the next multiple of four."""
    return data.ljust(len(data) + 3 & ~3, b"\0")


def message(parts: Sequence[Any], protocol: int, names: Names) -> bytes:
    """One message: its header, and what follows."""
    if parts and isinstance(parts[0], Text):  # what strace could not take apart
        return encode(parts[0], protocol, names)
    header = parts[0] if parts and isinstance(parts[0], dict) else {}
    length, data = header_of(header, protocol, names)
    kind, flags = NLMSGHDR.unpack(data)[1:3]
    if kind == NlmsgType.ERROR:
        data += error(parts, protocol, names, flags)
    elif kind == NlmsgType.DONE:
        data += number_or_bytes(parts[1], 4) if len(parts) > 1 else b""
        data += attributes(parts[2], {}, names) if len(parts) > 2 else b""
    elif len(parts) > 1 and isinstance(parts[1], Text):
        data += encode(parts[1], protocol, names)
    elif len(parts) > 1:
        data += body(parts[1:], (length, kind, flags), protocol, names)
    if (len(data) < length and len(padded(data)) >= length) or length - len(data) in (1, 2, 3):
        data = data.ljust(length, b"\0")
    if len(data) != length:
        raise ValueError(f"{len(data)} bytes came of a message of {length}")
    return data


def header_of(fields: Mapping[str, Any], protocol: int, names: Names) -> tuple[int, bytes]:
    """The header of a message: its length, and its bytes."""
    wanted = ("nlmsg_len", "nlmsg_type", "nlmsg_flags", "nlmsg_seq", "nlmsg_pid")
    if any(key not in fields for key in wanted):
        raise ValueError(f"no header of a message: {fields!r}")
    kind = fields["nlmsg_type"]
    if isinstance(kind, Symbols) and kind.text in names.families and protocol != ROUTE:
        type_number = names.families[kind.text]
    else:
        type_number = number(kind)
    length = number(fields["nlmsg_len"])
    rest = [number(fields["nlmsg_flags"], NLM_F), number(fields["nlmsg_seq"]), number(fields["nlmsg_pid"])]
    return length, NLMSGHDR.pack(length, type_number & 0xFFFF, *(one & 0xFFFFFFFF for one in rest))


def error(parts: Sequence[Any], protocol: int, names: Names, flags: int) -> bytes:
    """NLMSG_ERROR: an errno, the request or its header, an extended ack."""
    if len(parts) > 1 and isinstance(parts[1], list):  # with what follows, if something does
        parts = [parts[0], *parts[1]]
    told = parts[1] if len(parts) > 1 and isinstance(parts[1], dict) else {}
    if "error" not in told or "msg" not in told:
        raise ValueError(f"no error: {told!r}")
    asked = told["msg"]
    data = number_or_bytes(told["error"], 4)
    if isinstance(asked, dict):
        data += header_of(asked, protocol, names)[1]
    elif not flags & NLM_F.CAPPED:
        data += padded(message(asked, protocol, names))
    else:
        data += header_of(asked[0], protocol, names)[1]
    for extra in parts[2:]:
        data += attributes(extra, {}, names)
    return data


def number_or_bytes(value: Any, size: int, shown: Any = None) -> bytes:
    """A number in that many bytes. Errors are told as -EINVAL."""
    if isinstance(value, Symbols) and len(value.parts) == 1 and value.text.startswith("-E"):
        import errno

        found = getattr(errno, value.text[1:], None)
        if found is None:
            raise ValueError(f"the name {value.text} is not known")
        return int(-found).to_bytes(size, "little", signed=True)
    return (number(value, shown) & (1 << 8 * size) - 1).to_bytes(size, "little")


def body(parts: Sequence[Any], header: tuple[int, int, int], protocol: int, names: Names) -> bytes:
    """What follows the header of a message of a family: its structure, and its attributes. header: its length, type and
    flags."""
    length, kind, flags = header
    if protocol not in TOGETHER:
        raise ValueError(f"strace took apart a message of protocol {protocol}, and only {KNOWN} are put together")
    if (unknown := diag.unknown_sockets(parts[0])) is not None:
        return unknown
    first = b"\0" if protocol == ROUTE else family_of(parts[0])
    op = read_as(protocol, kind, first, request=bool(flags & NLM_F.REQUEST))
    if op is None:
        raise ValueError(f"a message of type {kind} is not declared")
    data, rest = fixed(parts, op, names, length - NLMSGHDR.size if flags & NLM_F.DUMP == NLM_F.DUMP else 0)
    for one in rest:
        data = padded(data)
        data += encode(one, protocol, names) if isinstance(one, Text) else attributes(one, op.set.spec.by_number, names)
    return data


TOGETHER = (ROUTE, int(NetlinkProtocol.SOCK_DIAG))
KNOWN = "those of rtnetlink and of sock_diag"
"""Protocols whose messages are put together."""


def family_of(fields: Any) -> bytes:
    """The byte with which a message of sock_diag begins, the address family of the sockets that it is about."""
    value = next(iter(fields.values())) if isinstance(fields, dict) and fields else None
    return number_or_bytes(value, 1)


def fixed(parts: Sequence[Any], op: Operation, names: Names, room: int) -> tuple[bytes, Sequence[Any]]:
    """The structure that a message begins with, and what is left. room: bytes behind the header of a dump's request,
    of which strace knows not every structure; 0 of other messages."""
    first = parts[0]
    if not isinstance(first, dict):
        return b"", parts
    if op.fixed is None:
        raise ValueError(f"{op.name} begins with no structure, and strace wrote {first!r}")
    if op.fixed.size and room == op.fixed.size and list(first.values())[1:] == [CUT]:
        names.guesses.append("strace wrote the family of a request and nothing else; zeros stand for the rest here")
        return number_or_bytes(next(iter(first.values())), 1).ljust(room, b"\0"), parts[1:]
    if list(first) != ["family"] and len(first) == 1 and op.fixed.size and op.fixed.size > 4:
        (name,) = first  # struct rtgenmsg, and nothing behind it
        return number_or_bytes(first[name], 1).ljust(4, b"\0"), parts[1:]
    return structure(first, op.fixed.construct, names), parts[1:]


def structure(fields: Mapping[str, Any], described: c.Construct, names: Names) -> bytes:
    """The bytes of a structure, from fields that have the names of C."""
    inner = bare(described)
    left = diag.joined(fields, number)
    data = b""
    for part in inner.subcons:
        size = part.sizeof()
        key = None if is_padding(bare(part)) else next((key for key in left if fits(key, part.name or "")), None)
        if key is None:
            data += bytes(size)
            continue
        order = getattr(bare(part), "fmtstr", "<")[0]
        one = left.pop(key)
        turned = order == ">" and isinstance(one, Symbols)  # htons() says its order itself
        if isinstance(one, dict):
            data += structure(one, part, names)
        else:
            data += value_bytes(one, size, names)[::-1] if turned else value_bytes(one, size, names)
    if left:
        key, value = next(iter(left.items()))
        if value is CUT:
            raise ValueError("strace left fields of a structure out (-v makes it write all)")
        raise ValueError(f"a field {key} is not known in {described.name or 'a structure'}")
    return data


def fits(name: str, declared: str) -> bool:
    """Whether a name of C is that of a declared field: `ifi_index` is `index`."""
    bare_name = declared.rstrip("_")  # `if_`, which is a word of Python's
    return name == bare_name or name.endswith(f"_{bare_name}")


def value_bytes(value: Any, size: int, names: Names, shown: Any = None) -> bytes:
    """Any value that has a size of its own or is a number."""
    if isinstance(value, Called):
        return called(value, size, names)
    if isinstance(value, Text):
        return encode(value, 0, names).ljust(size, b"\0")
    if isinstance(value, Bytes):
        return value.data
    if isinstance(value, list):
        each = size // len(value) if value else 0
        return b"".join(value_bytes(one, each, names, shown) for one in value)
    return number_or_bytes(value, size, shown)


def called(value: Called, size: int, names: Names) -> bytes:
    """What is written as a call."""
    texts = [one.data for one in value.arguments if isinstance(one, Text)]
    if value.name in ("if_nametoindex", "if_indextoname") and texts:
        return names.index(texts[0].rstrip(b"\0").decode(errors="replace")).to_bytes(size, "little")
    if value.name in ("inet_addr", "inet_pton") and texts:
        return ipaddress.ip_address(texts[0].rstrip(b"\0").decode()).packed
    if value.name in ("htons", "htonl") and len(value.arguments) == 1:
        return number_or_bytes(value.arguments[0], size)[::-1]
    if value.name == "makedev" and len(value.arguments) == 2:
        major, minor = (number(one) for one in value.arguments)
        return (minor & 0xFF | major << 8 | (minor & ~0xFF) << 12).to_bytes(size, "little")
    raise ValueError(f"what {value.name}() stands for is not known")


def attributes(value: Any, rules: Mapping[int, Attr[Any]], names: Names) -> bytes:
    """Attributes: one, or a list of them."""
    chosen: dict[str, Any] = {}
    return b"".join(padded(attribute(one, rules, names, chosen)) for one in separate(value))


def separate(value: Any) -> list[Sequence[Any]]:
    """Attributes one by one, header and payload. Of several strace makes a list; one stands alone; and an attribute
    without payload is only its header, also among several."""
    if not looks_like_attributes(value):
        raise ValueError(f"no attributes: {value!r}")
    if isinstance(value, dict):
        return [[value]]
    first = value[0]
    if isinstance(first, dict) and number(first["nla_len"]) > NLATTR.size:
        return [value]
    return [one if isinstance(one, list) else [one] for one in value]


def attribute(
    parts: Sequence[Any], rules: Mapping[int, Attr[Any]], names: Names, chosen: dict[str, Any]
) -> bytes:
    """One attribute: its header, and its payload by what is declared of it, or else by what it looks like."""
    header = parts[0]
    if not isinstance(header, dict) or "nla_len" not in header or "nla_type" not in header:
        raise ValueError(f"no attribute: {parts!r}")
    length = number(header["nla_len"])
    if not NLATTR.size <= length <= LONGEST_ATTRIBUTE:
        raise ValueError(f"an attribute of {length} bytes")
    flags, type_number = 0, 0
    for part in header["nla_type"].parts:
        if part in ("NLA_F_NESTED", "NLA_F_NET_BYTEORDER"):
            flags |= one_number(part, None)
        else:
            type_number |= attribute_number(part, rules)
    attr = rules.get(type_number)
    data = payload(parts[1], length - 4, attr, names, chosen) if len(parts) > 1 else b""
    if len(data) != length - 4:
        raise ValueError(f"{len(data)} bytes came of the {length - 4} of {header['nla_type'].text}")
    if attr is not None and isinstance(parts[1] if len(parts) > 1 else None, Text):
        chosen[attr.name] = parts[1].data.rstrip(b"\0").decode(errors="replace")
    return NLATTR.pack(length, flags | type_number) + data


def attribute_number(text: str, rules: Mapping[int, Attr[Any]]) -> int:
    """The number of an attribute by its name in C: the declared one whose name is the longest end of it."""
    if text[:1].isdigit():
        return int(text, 0) & ~NLA_F_NESTED
    ends = {attr.name.upper().replace("-", "_"): at for at, attr in rules.items()}
    matching = [end for end in ends if text.endswith(f"_{end}")]
    if matching:
        return ends[max(matching, key=len)]
    return one_number(text, None)


def payload(value: Any, size: int, attr: Attr[Any] | None, names: Names, chosen: Mapping[str, Any]) -> bytes:
    """The payload of an attribute."""
    kind: PayloadKind[Any] | None = None if attr is None else attr.kind
    if isinstance(value, Text):
        # strace writes "..." behind a string that it cut off at its NUL as well; if the length is right, it is whole.
        data = value.data if len(value.data) in (size - 1, size) else encode(value, 0, names)
        return data.ljust(size, b"\0") if len(data) == size - 1 else data
    if looks_like_attributes(value):
        return attributes(value, inside(kind, chosen), names)
    if isinstance(value, dict):
        shown = None if attr is None else attr.shown
        if isinstance(shown, type) and issubclass(shown, enum.IntFlag):
            return diag.flags(value, shown, number).to_bytes(size, "little")
        if isinstance(kind, Structure | Bitfield32):
            data = structure(value, kind.construct, names)
            return data[:size] if len(data) > size else data
        raise ValueError(f"a structure where {'nothing is declared' if attr is None else attr.name} belongs")
    order = getattr(getattr(kind, "construct", None), "fmtstr", "<")
    data = value_bytes(value, size, names, None if attr is None else attr.shown)
    return data[::-1] if str(order).startswith(">") and isinstance(value, Symbols) else data


def looks_like_attributes(value: Any) -> bool:
    """Whether a value is an attribute or a list of attributes: the first header is found by going in."""
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, dict) and "nla_len" in value


def inside(kind: PayloadKind[Any] | None, chosen: Mapping[str, Any]) -> Mapping[int, Attr[Any]]:
    """What is declared of the attributes inside an attribute of that kind."""
    if isinstance(kind, Chosen):
        choice = kind.choices.get(chosen.get(kind.selector, ""))
        return {} if choice is None else choice.spec.by_number
    if isinstance(kind, NestArray):
        member: Attr[Any] = Attr(0, kind.member)
        return Members(member)
    if isinstance(kind, Nest):
        if kind.set is not None:
            return kind.set.spec.by_number
        if kind.policy is not None:
            return kind.policy.rules
    return {}


class Members(dict[int, Attr[Any]]):
    """What is declared of the members of an array: whatever their number, the same."""

    def __init__(self, member: Attr[Any]) -> None:
        super().__init__()
        self.member = member

    def get(self, key: int, default: Any = None) -> Any:
        return self.member
