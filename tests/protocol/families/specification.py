"""A specification of the kernel's (Documentation/netlink/specs), read into records with every number filled in.

The files leave most numbers out: attributes count on from 1, values of an enum from 0, flags are bits, commands count
on in one row for both directions or in a row for each. That is done here, as by the kernel's own client
(tools/net/ynl/pyynl/lib/nlspec.py, with which a test compares). A key that this module does not know is an error, for
what is not read is not compared.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SIZES = {"u8": 1, "s8": 1, "u16": 2, "s16": 2, "u32": 4, "s32": 4, "u64": 8, "s64": 8}
"""In bytes, of the types that a member of a structure may have."""
LIMITS = {
    f"{sign}{bits}-{end}": value
    for bits in (8, 16, 32, 64)
    for sign, end, value in (
        ("u", "min", 0), ("u", "max", (1 << bits) - 1), ("s", "min", -1 << bits - 1), ("s", "max", (1 << bits - 1) - 1)
    )
}
"""Words for numbers in checks."""

PROSE = {"doc", "enum-name", "enum-cnt-name", "name-prefix", "attr-cnt-name", "attr-max-name", "header", "render-max",
         "c-define-name", "scope", "cmd-max-name", "cmd-cnt-name", "async-prefix", "async-enum"}
"""Keys that say something to people, or to a generator of C, and nothing of what is on the wire."""
TOP = {
    "name", "protocol", "protonum", "uapi-header", "doc", "c-family-name", "c-version-name", "kernel-family",
    "definitions", "attribute-sets", "operations", "mcast-groups", "sub-messages", "version", "max-by-define",
    "kernel-policy",
}
DEFINITION = {"name", "type", "entries", "members", "value-start", "value"} | PROSE
MEMBER = {"name", "type", "len", "byte-order", "enum", "enum-as-flags", "display-hint", "struct"} | PROSE
ATTRIBUTE = {
    "name", "type", "value", "sub-type", "type-value", "nested-attributes", "enum", "enum-as-flags", "byte-order",
    "struct", "multi-attr", "checks", "display-hint", "sub-message", "selector",
} | PROSE
OPERATION = {
    "name", "value", "attribute-set", "fixed-header", "do", "dump", "notify", "event", "mcgrp", "flags", "config-cond",
    "dont-validate",
} | PROSE
MODE = {"request", "reply", "pre", "post"}
MESSAGE = {"value", "attributes"}


@dataclass(frozen=True)
class Attribute:
    """An attribute as the file has it; ``checks`` with numbers for words."""

    name: str
    number: int
    type: str
    facts: Mapping[str, Any]
    checks: Mapping[str, int | str] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        """Any other fact, None where nothing is said."""
        return self.facts.get(key)

    @property
    def idle(self) -> bool:
        """A number that no message holds."""
        return self.type in ("pad", "unused")


@dataclass(frozen=True)
class Definition:
    """An enum or flags: ``values`` by name, flags as bits. A structure: ``members`` as name, offset and type."""

    name: str
    type: str
    values: Mapping[str, int]
    members: tuple[tuple[str, int, str], ...]
    facts: Mapping[str, Mapping[str, Any]]
    size: int


@dataclass(frozen=True)
class Operation:
    """A message: what a request and a reply of each mode hold, None where there is no such thing.

    ``request`` and ``reply`` are command numbers; a notification has only the latter.
    """

    name: str
    set: str
    fixed: str | None
    request: int | None
    reply: int | None
    lists: Mapping[str, tuple[str, ...]]
    modes: frozenset[str]
    notify: str | None
    group: str | None
    flags: frozenset[str]


@dataclass(frozen=True)
class Specification:
    """One file."""

    name: str
    raw: bool
    version: int
    generated: bool
    """Whether the kernel's policies are made from it: then it says every limit."""
    definitions: Mapping[str, Definition]
    sets: Mapping[str, Mapping[int, Attribute]]
    operations: Mapping[str, Operation]
    groups: Mapping[str, int]
    sub_messages: Mapping[str, Mapping[str, str]]

    def bits(self, name: str, as_flags: bool) -> dict[str, int]:
        """The values of an enum where it is used, perhaps as flags."""
        told = self.definitions[name]
        if as_flags and told.type == "enum":
            return {one: 1 << value for one, value in told.values.items()}
        return dict(told.values)


def known(told: Mapping[str, Any], keys: set[str], where: str) -> Mapping[str, Any]:
    assert not told.keys() - keys, f"{where}: nothing is known of {sorted(told.keys() - keys)}"
    return told


def load(path: pathlib.Path) -> Specification:
    """Reads the file; an AssertionError names what in it is not understood."""
    import yaml

    return specification(yaml.safe_load(path.read_text(encoding="utf-8")))


def specification(told: Mapping[str, Any]) -> Specification:
    known(told, TOP, "the file")
    protocol = told.get("protocol", "genetlink")
    raw = protocol == "netlink-raw"
    definitions: dict[str, Definition] = {}
    for one in told.get("definitions", ()):
        definitions[one["name"]] = definition(one, definitions)
    sets: dict[str, dict[int, Attribute]] = {}
    for one in told["attribute-sets"]:
        known(one, {"name", "attributes", "subset-of"} | PROSE, one["name"])
        sets[one["name"]] = {attr.number: attr for attr in attributes(one, sets)}
    return Specification(
        told["name"], raw, told.get("version", 1), protocol == "genetlink", definitions, sets,
        {op.name: op for op in operations(told)},
        {one["name"]: known(one, {"name", "value"} | PROSE, "group").get("value", 0)
         for one in told.get("mcast-groups", {}).get("list", ())},
        {one["name"]: {form["value"]: form["attribute-set"] for form in one["formats"]}
         for one in told.get("sub-messages", ())},
    )


def definition(told: Mapping[str, Any], before: Mapping[str, Definition]) -> Definition:
    name, kind = told["name"], told["type"]
    known(told, DEFINITION, name)
    values: dict[str, int] = {}
    following = told.get("value-start", 0)
    for entry in told.get("entries", ()):
        entry = {"name": entry} if isinstance(entry, str) else known(entry, {"name", "value"} | PROSE, name)
        following = entry.get("value", following)
        values[entry["name"]] = 1 << following if kind == "flags" else following
        following += 1
    members, facts, at = [], {}, 0
    for member in told.get("members", ()):
        known(member, MEMBER, name)
        inner = before[member["struct"]].size if "struct" in member else member.get("len", 0)
        if member["type"] != "pad":
            order = "be-" if member.get("byte-order") == "big-endian" else ""
            members.append((member["name"], at, order + member["type"]))
            facts[member["name"]] = member
        at += SIZES.get(member["type"], inner)
    return Definition(name, kind, values, tuple(members), facts, at)


def attributes(told: Mapping[str, Any], sets: Mapping[str, Mapping[int, Attribute]]) -> Iterator[Attribute]:
    whole = {attr.name: attr for attr in sets[told["subset-of"]].values()} if "subset-of" in told else None
    number = 1
    for one in told["attributes"]:
        known(one, ATTRIBUTE, f"{told['name']}.{one['name']}")
        if whole is not None:
            real = whole[one["name"]]
            one, number = {**real.facts, **one}, real.number
        number = one.get("value", number)
        checks = {
            check: LIMITS.get(limit, limit) if isinstance(limit, str) else limit
            for check, limit in one.get("checks", {}).items()
        }
        yield Attribute(one["name"], number, one["type"], one, checks)
        number += 1


def operations(told: Mapping[str, Any]) -> Iterator[Operation]:
    """Every message, numbered as in a unified row or in one each way (operations' enum-model)."""
    listed = told["operations"]
    known(listed, {"list", "fixed-header", "enum-model"} | PROSE, "operations")
    directional = listed.get("enum-model", "unified") == "directional"
    request = reply = 1
    sets = {one["name"]: one["attribute-set"] for one in listed["list"] if "attribute-set" in one}
    for one in listed["list"]:
        known(one, OPERATION, one["name"])
        notice = "notify" in one or "event" in one
        lists, modes = {}, frozenset(one.keys() & {"do", "dump"})
        said: dict[str, int] = {}
        for mode in sorted(modes):
            known(one[mode], MODE, one["name"])
            for way, message in one[mode].items():
                if way not in ("request", "reply"):  # functions of the kernel
                    continue
                known(message, MESSAGE, f"{one['name']} {mode} {way}")
                lists[f"{mode} {way}"] = tuple(message.get("attributes", ()))
                if "value" in message:
                    said.setdefault(way, message["value"])  # of devlink's port-get, dumps say another: do decides
        if "event" in one:
            lists["event"] = tuple(known(one["event"], {"attributes"}, one["name"])["attributes"])
        if not directional:
            request = reply = one.get("value", reply)
        elif notice:
            reply = one.get("value", reply)
        else:
            request, reply = said.get("request", request), said.get("reply", reply)
        answered = any(way.endswith("reply") for way in lists)
        fixed = one.get("fixed-header", listed.get("fixed-header"))
        yield Operation(
            one["name"], sets[one.get("notify", one["name"])], fixed, None if notice else request,
            reply if notice or answered or not directional else None, lists, modes, one.get("notify"),
            one.get("mcgrp"), frozenset(one.get("flags", ())),
        )
        if not directional:
            reply += 1
        else:
            request += not notice
            reply += notice or answered
