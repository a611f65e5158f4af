"""A dissector for Wireshark, written from the declarations: the tables of families, attributes and names in Lua, and
the code beside this module (wireshark.lua) that walks them.

Of generic netlink, families whose operations are declared are in it, those that Wireshark knows (nlctrl) are not.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from enum import IntFlag
from pathlib import Path
from typing import Any

from nlemu.protocol.families.registered import REGISTERED
from nlemu.protocol.names.words import Shown, number_name, set_name, value_name
from nlemu.protocol.schema.attributes import AttrSet
from nlemu.protocol.schema.family import Family, Operation
from nlemu.protocol.schema.kinds import (
    Flag,
    Integer,
    Nest,
    NestArray,
    PayloadKind,
    Text,
    Variable,
)
from nlemu.protocol.wire.acks import Error

CODE = Path(__file__).with_suffix(".lua")
PLACE = "--@TABLES"
"""Where the tables belong in the code."""
KNOWN = ("nlctrl",)
"""Families that Wireshark has a dissector for."""
EXTACK = "extack"


def dissector() -> str:
    """The whole script."""
    return CODE.read_text(encoding="utf-8").replace(PLACE, "\n".join(Tables().lines()))


class Tables:
    """The tables, as they are being made: sets of attributes by key, names of numbers by key."""

    def __init__(self) -> None:
        self.sets: dict[str, type[AttrSet]] = {}
        self.names: dict[str, Shown] = {}

    def lines(self) -> Iterator[str]:
        """Everything in Lua: FAMILIES, SETS, ENUMS, ERRNOS."""
        yield "local FAMILIES = {"
        for family in REGISTERED:
            if family.name not in KNOWN and family.operations:
                yield f"  [{quoted(family.name)}] = {{"
                yield from (f"    [{cmd}] = {lua(row)}," for cmd, row in self.commands(family).items())
                yield "  },"
        yield "}"
        self.key(EXTACK, Error)
        yield "local SETS = {"
        written: set[str] = set()
        while left := [key for key in self.sets if key not in written]:
            for key in left:  # what is inside of them comes on the way
                written.add(key)
                prefix = key.partition(".")[0]
                yield f"  [{quoted(key)}] = {{"
                for number, attr in sorted(self.sets[key].spec.by_number.items()):
                    row = {"name": attr.name, **self.kind(attr.kind, prefix), **self.shown(attr.shown)}
                    yield f"    [{number}] = {lua(row)},"
                yield "  },"
        yield "}"
        yield "local ENUMS = {"
        for key, shown in self.names.items():
            yield f"  [{quoted(key)}] = {lua(list(flags(shown)) if issubclass(shown, IntFlag) else enum(shown))},"
        yield "}"
        numbers = {number: name for number, name in errno.errorcode.items() if number != errno.EOPNOTSUPP}
        yield f"local ERRNOS = {lua(numbers | {errno.EOPNOTSUPP: 'EOPNOTSUPP'})}"

    def commands(self, family: Family) -> dict[int, dict[str, Any]]:
        """What each command means: asked, and told."""
        found: dict[int, dict[str, Any]] = {}
        for op in family.operations.values():
            found.setdefault(op.cmd, {})["asked"] = self.operation(family, op)
        for op in family.operations.values():
            if op.replies is not None:
                found.setdefault(op.reply_cmd, {}).setdefault("told", self.operation(family, op))
        for op in family.events.values():
            found.setdefault(op.cmd, {})["told"] = self.operation(family, op) | {"news": op.group is not None}
        return dict(sorted(found.items()))

    def operation(self, family: Family, op: Operation) -> dict[str, Any]:
        """Its name, and the key of its attributes."""
        return {"name": op.name, "set": self.key(f"{family.name}.{set_name(op.set)}", op.set)}

    def key(self, key: str, attributes: type[AttrSet]) -> str:
        """The key of a set, which is remembered under it."""
        while self.sets.setdefault(key, attributes) is not attributes:
            key += "-"
        return key

    def kind(self, kind: PayloadKind[Any], prefix: str) -> dict[str, Any]:
        """What a payload is: a word, and what is inside."""
        if isinstance(kind, NestArray):
            return {"kind": "array", "member": self.kind(kind.member, prefix)}
        if isinstance(kind, Nest):
            inside = kind.set or (kind.told if isinstance(kind.told, type) else None)
            if inside is None:
                return {"kind": "nest"}
            return {"kind": "nest", "set": self.key(f"{prefix}.{set_name(inside)}", inside)}
        if isinstance(kind, Integer | Variable):
            return {"kind": kind.name}
        if isinstance(kind, Text | Flag):
            return {"kind": "string" if isinstance(kind, Text) else "flag"}
        return {"kind": "binary"}  # structures too: a bitfield is a value and which bits of it are meant

    def shown(self, shown: Shown | None) -> dict[str, str]:
        """The names of a number."""
        if shown is None:
            return {}
        self.names.setdefault(shown.__name__, shown)
        return {"flags" if issubclass(shown, IntFlag) else "enum": shown.__name__}


def enum(shown: Any) -> dict[int, str]:
    """The names of an enumeration."""
    return {int(one): number_name(shown, int(one)) or one.name for one in shown}


def flags(shown: Any) -> Iterator[list[Any]]:
    """The names of bits, the lowest first."""
    for one in sorted(shown, key=int):
        yield [int(one), value_name(shown, one.name or "")]


def lua(value: Any) -> str:
    """A value as Lua writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key_of(key)} = {lua(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(lua, value)) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)


def key_of(key: int | str) -> str:
    """A key of a table."""
    return f"[{key}]" if isinstance(key, int) else key


def quoted(text: str) -> str:
    """A string. Names hold nothing that needs more."""
    assert text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text}"'
