"""Messages for people and programs: the tree of a message (protocol/decode/tree.py) as Python values and as lines
of text.

Names are those of the specifications. As values: enums by name, flags as a list of names, addresses as people write
them, other bytes in hex, structures and nests as dicts, what may stand several times as a list, and what nobody
declared under its number, in hex. As text: the message in one line, then its attributes, one a line; what is inside
an attribute stands behind it where it fits, and below it where it does not.

Nothing here ever fails, whatever the bytes.
"""

from __future__ import annotations

import errno as errnos
import os
from collections.abc import Iterator, Mapping, Sequence
from enum import IntFlag
from typing import Any

from nlemu.protocol.decode.message import Message, at_offset, read
from nlemu.protocol.decode.tree import Node
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import ROUTE, Families
from nlemu.protocol.names.words import address, dashed, flag_names, header_flags, number_name
from nlemu.protocol.uapi.netlink import NLM_F, NlmsgType

WIDTH = 100
"""Columns that a line may have before what is inside an attribute moves below it."""

MANY = 8
"""Fields that a structure, or attributes that a message in one line, may have and still show those that are zero."""

Requests = Mapping[int, bytes]
"""Requests by sequence number: with them, an error can tell what it is about even where it does not repeat that."""


class Style:
    """How nodes become values. This one is for people; who wants other values derives from it."""

    def number(self, node: Node, value: int) -> Any:
        """A number, by its name if it has one."""
        if node.shown is None:
            return value
        if issubclass(node.shown, IntFlag):
            return self.flags(*flag_names(node.shown, value))
        return self.enum(number_name(node.shown, value), value)

    def enum(self, name: str | None, value: int) -> Any:
        """A value of an enumeration, by its name if it has one."""
        return value if name is None else name

    def flags(self, names: list[str], unknown: int) -> Any:
        """A value of flags: the names of its bits, and the bits that have none."""
        return [*names, hex(unknown)] if unknown else names

    def bytes(self, node: Node, value: bytes) -> Any:
        """A value that is bytes."""
        return address(value) if node.address else value.hex()

    def unknown(self, node: Node) -> tuple[Any, Any]:
        """Key and value of an attribute that nobody declared."""
        return node.number, node.value.hex()

    def array(self, node: Node) -> Any:
        """A list; by number where the members are not simply counted."""
        numbers = [child.number for child in node.children]
        first = numbers[0] if numbers else 0
        counted = numbers == list(range(first, first + len(numbers))) and first in (0, 1)
        if node.attr is None or counted:
            return [self.value(child) for child in node.children]
        return {child.number: self.value(child) for child in node.children}

    def value(self, node: Node) -> Any:
        """Of any node."""
        if node.form == "array":
            return self.array(node)
        if node.form in ("nest", "struct"):
            return self.members(node.children)
        if isinstance(node.value, bytes):
            return self.bytes(node, node.value)
        if isinstance(node.value, int) and node.value is not True:
            return self.number(node, node.value)
        return node.value

    def members(self, nodes: Sequence[Node]) -> dict[Any, Any]:
        """Of attributes or fields, by name; what stands several times is a list."""
        values: dict[Any, Any] = {}
        listed: set[Any] = set()
        for node in nodes:
            key, value = self.unknown(node) if node.form == "unknown" else (node.name, self.value(node))
            multi = node.attr is not None and node.attr.multi
            if key not in values:
                values[key] = [value] if multi else value
                if multi:
                    listed.add(key)
            elif key in listed:
                values[key].append(value)
            else:
                values[key] = [values[key], value]
                listed.add(key)
        return values


PLAIN = Style()


# -- as values --------------------------------------------------------------------------------------------


def decode(
    data: bytes, protocol: int, families: Families | None = None, request: bytes | None = None
) -> dict[str, Any]:
    """The first message of ``data`` as a dict.

    Always there: "type" (the family, the message, or the number), "flags", "seq", "port". Where it is known: "op" (the
    operation), "version", "header" (the structure a message begins with), "attributes". Of errors, acks and
    ends of dumps: "errno" (its name, or None for success), "extack", and "request", what was asked. "rest" holds bytes
    that mean nothing, in hex. What is shorter than a header is only that.
    """
    for _, one in split(data):
        return values_of(read(one, protocol, families, request))
    return {"rest": data.hex()}


def values_of(message: Message, style: Style = PLAIN) -> dict[str, Any]:
    """A message that was read, as decode() returns it."""
    header = message.header
    route = message.protocol == ROUTE
    values: dict[str, Any] = {
        "type": type_name(message),
        "flags": header_flags(header.type, header.flags, route=route),
        "seq": header.seq,
        "port": header.portid,
    }
    if message.command is not None:
        values["op"] = message.command if message.op is None else message.op.name
        if message.version is not None:
            values["version"] = message.version
    if message.fixed is not None:
        values["header"] = style.value(message.fixed)
    if message.errno is not None:
        values["errno"] = errno_name(message.errno)
        values["extack"] = extack(message, style)
        if message.request is not None:
            values["request"] = values_of(message.request, style)
    elif message.family is not None or message.attributes:
        values["attributes"] = style.members(message.attributes)
    if message.rest:
        values["rest"] = message.rest.hex()
    return values


def extack(message: Message, style: Style = PLAIN) -> dict[Any, Any]:
    """What an error says of itself, its offsets and numbers turned into the names of attributes where they are known.

    "bad-attr" takes the place of "offs", and "missing" that of "miss-type" and "miss-nest": a path of names.
    """
    values = style.members(message.attributes)
    asked = message.request
    if asked is None:
        return values
    offset = values.get("offs")
    if isinstance(offset, int) and (path := at_offset(asked, offset)):
        values = {("bad-attr" if key == "offs" else key): one for key, one in values.items()}
        values["bad-attr"] = path_text(path)
    missing, nest = values.get("miss-type"), values.get("miss-nest")
    if isinstance(missing, int) and (name := missing_name(asked, missing, nest)):
        values = {("missing" if key == "miss-type" else key): one for key, one in values.items()}
        values["missing"] = name
        values.pop("miss-nest", None)
    return values


def missing_name(asked: Message, number: int, nest: Any) -> str | None:
    """The path of an attribute that is not there, from its number and the offset of the nest that lacks it."""
    if nest is None:
        attr = None if asked.op is None else asked.op.set.spec.by_number.get(number)
        return None if attr is None else f".{attr.name}"
    path = at_offset(asked, nest) if isinstance(nest, int) else None
    if not path or path[-1].attr is None:
        return None
    inside = getattr(path[-1].attr.kind, "set", None)
    attr = None if inside is None else inside.spec.by_number.get(number)
    return None if attr is None else f"{path_text(path)}.{attr.name}"


def path_text(path: Sequence[Node]) -> str:
    """A path of names; of a nest whose inside depends on another attribute, with that one's value."""
    parts = []
    for node in path:
        parts.append(f".{node.name}" if node.name else f"[{node.number}]")
        if node.form == "nest" and node.value is not None:
            parts.append(f"({node.value})")
    return "".join(parts)


def type_name(message: Message) -> Any:
    """The family or the kind of message that a type means; the number where nobody knows."""
    kind = message.header.type
    if kind in NlmsgType.__members__.values():
        return dashed(NlmsgType(kind).name)
    if message.protocol == ROUTE:
        return message.name or kind
    return kind if message.family is None else message.family.name


def errno_name(number: int) -> Any:
    """EINVAL for 22; None for 0; the number where it has no name."""
    if number == errnos.EOPNOTSUPP:
        return "EOPNOTSUPP"  # the kernel's name, of the two
    return errnos.errorcode.get(number, number) if number else None


# -- as text ----------------------------------------------------------------------------------------------


def describe(
    datagram: bytes, protocol: int, families: Families | None = None, requests: Requests | None = None
) -> list[str]:
    """Every message of a datagram in lines. ``protocol`` is NETLINK_ROUTE (0) or NETLINK_GENERIC (16)."""
    lines: list[str] = []
    for message, rest in messages(datagram, protocol, families, requests):
        if message is None:
            lines.append(f"{len(rest)} bytes that are no message: {rest.hex()}")
        else:
            lines += lines_of(message)
    return lines


def messages(
    datagram: bytes, protocol: int, families: Families | None = None, requests: Requests | None = None
) -> Iterator[tuple[Message | None, bytes]]:
    """The messages of a datagram; at last (None, what is left of it) if that is no message."""
    end = 0
    for header, one in split(datagram):
        request = (requests or {}).get(header.seq)
        yield read(one, protocol, families, request), b""
        end += header.length + 3 & ~3
    if end < len(datagram):
        yield None, datagram[end:]


def lines_of(message: Message, width: int = WIDTH) -> list[str]:
    """A message in lines: what it is, then what it holds."""
    lines = [f"{title(message)}   {small_print(message)}"]
    if message.fixed is not None:
        told = not_zero(message.fixed)
        if told or message.fixed.notes:
            lines += node_lines("header", told, message.fixed.notes, 1, width)
    if message.errno is None:
        for node in message.attributes:
            lines += tree_lines(node, 1, width)
    else:
        for key, value in extack(message).items():
            lines += node_lines(str(key), value, [], 1, width)
        lines += [f"    {label(node)}: {', '.join(node.notes)}" for node in message.attributes if node.notes]
        if message.request is not None:
            lines.append(f"    to {title(message.request)}   {small_print(message.request)}")
            if not message.header.flags & NLM_F.CAPPED and message.errno:
                lines += [line for node in message.request.attributes for line in tree_lines(node, 2, width)]
    if message.rest:
        lines.append(f"    then {message.rest.hex()}")
    return lines


def title(message: Message) -> str:
    """What a message is, in a few words."""
    if message.errno is not None:
        text = "done" if message.header.type == NlmsgType.DONE else "ack"
        if message.errno:
            name = errno_name(message.errno)
            text = f"{'end of dump' if text == 'done' else 'error'} {name}: {strerror(message.errno)}"
        return text
    name = type_name(message)
    words = [name if isinstance(name, str) else f"type {name}"]
    if message.command is not None:
        words.append(f"command {message.command}" if message.op is None else message.op.name)
    if message.is_request:
        words.append("request")
    elif message.answers is False or (
        message.answers is None and message.op is not None and message.op.group is not None
    ):
        words.append("notification")
    elif message.answers or message.command is not None:
        words.append("reply")
    return " ".join(words)


def one_line(message: Message) -> str:
    """A message in one line: what it is, what it answers, and what it says that is not empty; of its header, and of
    many attributes, what is not zero."""
    values = values_of(message)
    attributes = values.get("attributes", {})
    nothing: tuple[Any, ...] = ([], {}) if len(attributes) <= MANY else (0, [], {})
    shown = {} if message.fixed is None else not_zero(message.fixed)
    shown |= {key: value for key, value in attributes.items() if value not in nothing}
    shown |= values.get("extack", {})
    line = title(message)
    if not message.is_request and message.header.flags & NLM_F.DUMP_INTR:
        line += " dump-intr"
    if message.errno is not None and message.request is not None:
        line += f" to {title(message.request)}"
    return line + (f"  {text(shown)[1:-1]}" if shown else "")


def not_zero(structure: Node) -> dict[Any, Any]:
    """The fields of a structure that say anything."""
    return {child.name: PLAIN.value(child) for child in structure.children if child.value or child.children}


def small_print(message: Message) -> str:
    """The header's numbers."""
    header = message.header
    parts = [f"seq {header.seq}", f"port {header.portid}"]
    flags = header_flags(header.type, header.flags, route=message.protocol == ROUTE)
    if flags:
        parts.append(" ".join(flags))
    if (
        message.version is not None
        and message.family is not None
        and message.version != message.family.version
    ):
        parts.append(f"version {message.version}")
    return "(" + ", ".join(parts) + ")"


def strerror(number: int) -> str:
    """What the C library calls an errno."""
    try:
        return os.strerror(number)
    except (ValueError, OverflowError):
        return "no known errno"


def label(node: Node) -> str:
    """What a node is called: its name, or its number."""
    return node.name or f"[{node.number}]"


def tree_lines(node: Node, level: int, width: int) -> list[str]:
    """A node and what is inside: in one line where that fits."""
    notes = [*node.notes, *([] if node.form != "unknown" else ["unknown"])]
    inside = [note for child in node.children for note in all_notes(child)]
    value = node.value.hex() if node.form == "unknown" else PLAIN.value(node)
    if node.form not in ("nest", "array") or not node.children:
        return node_lines(label(node), value, notes, level, width)
    one = written(label(node), value, notes, level)
    if len(one) <= width and not inside:
        return [one]
    lines = [written(label(node), None, notes, level)]
    for child in node.children:
        lines += tree_lines(child, level + 1, width)
    return lines


def all_notes(node: Node) -> Iterator[str]:
    """What there is to note about a node, and all inside."""
    yield from node.notes
    for child in node.children:
        yield from all_notes(child)


def node_lines(name: str, value: Any, notes: Sequence[str], level: int, width: int) -> list[str]:
    """A name and a value, in as few lines as fit the width."""
    if isinstance(value, Mapping) and len(value) > MANY:
        kept = {key: one for key, one in value.items() if one != 0}
        if len(kept) < len(value):  # counters or settings, of which most are zero
            notes = [*notes, f"{len(value) - len(kept)} are 0" if kept else "all are 0"]
            value = kept or None
    one = written(name, value, notes, level)
    if len(one) <= width or not isinstance(value, Mapping | list) or not value:
        return [one]
    members: list[tuple[str, Any]] = (
        [(str(key), member) for key, member in value.items()]
        if isinstance(value, Mapping)
        else [(f"[{index}]", member) for index, member in enumerate(value)]
    )
    if any(isinstance(member, Mapping) or member == [] for _, member in members):
        lines = [written(name, None, notes, level)]
        for key, member in members:
            lines += node_lines(key, member, [], level + 1, width)
        return lines
    indent = "    " * (level + 1)
    return [
        written(name, None, notes, level),
        *(indent + line for line in filled(value, width - len(indent))),
    ]


def filled(value: Mapping[Any, Any] | list[Any], width: int) -> list[str]:
    """The members of a dict or a list, as many in a line as fit the width; one that is longer has it to itself."""
    lines: list[str] = []
    if isinstance(value, Mapping):
        members = [f"{key}: {text(one)}" for key, one in value.items()]
    else:
        members = [text(one) for one in value]
    for member in members:
        if lines and len(lines[-1]) + len(member) + 3 <= width:
            lines[-1] += f", {member}"
        else:
            if lines:
                lines[-1] += ","
            lines.append(member)
    return lines


def written(name: str, value: Any, notes: Sequence[str], level: int) -> str:
    """One line of a tree: name, value and notes, at that depth."""
    line = "    " * level + name
    if value is not None and value is not True:
        line += ": " + text(value)
    return line + (f"  ({', '.join(notes)})" if notes else "")


def text(value: Any) -> str:
    """A value of decode() in one line."""
    if isinstance(value, Mapping):
        parts = [str(key) if one is True else f"{key}: {text(one)}" for key, one in value.items()]
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text, value)) + "]"
    if isinstance(value, str):
        plain = value.isprintable() and value == value.strip() and value
        return value if plain else repr(value)
    return str(value)
