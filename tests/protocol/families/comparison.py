"""What is declared, beside what a specification says: every difference, by name.

The walk begins with the operations and follows attributes into their nests, so it needs no table of which set is which.
What it never reached is a difference too: of the file (a set, a definition), and of what is declared (an operation).
How values are written counts as declared: which fields and attributes have names for their values, which are shown in
hexadecimal or as addresses (emulator/cli/ynl_values.py speaks as the kernel's client does, which reads it from here).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import construct as c

from nlemu.emulator.cli.ynl_values import HEX, NAMED_FIELDS, NUMBERS, TYPE_VALUE, UNSAID, WORDS
from nlemu.protocol.encode.conversation import Specification as Declared
from nlemu.protocol.names.known import operation as operation_of
from nlemu.protocol.names.known import route
from nlemu.protocol.names.words import (
    ADDRESSES,
    FIELD_VALUES,
    Shown,
    dashed,
    field_name,
    set_name,
    value_name,
)
from nlemu.protocol.release import V7_2_13
from nlemu.protocol.schema import family as schema
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.interpret import bare, is_padding
from nlemu.protocol.schema.kinds import (
    Bitfield32,
    Bytes,
    Chosen,
    Nest,
    NestArray,
    PayloadKind,
    Structure,
    Text,
)
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from tests.protocol.families.specification import Attribute, Operation, Specification

ABSENT, EXTRA = "not declared", "only declared"
PERMISSIONS = {GenlFlag.ADMIN_PERM: "admin-perm", GenlFlag.UNS_ADMIN_PERM: "uns-admin-perm"}
FORMATS = {"B": "u8", "H": "u16", "L": "u32", "I": "u32", "Q": "u64", "b": "s8", "h": "s16", "l": "s32", "i": "s32",
           "q": "s64"}


@dataclass(frozen=True, order=True)
class Difference:
    """``where``: a set and attribute, an operation, a definition and value; ``what`` of it; ``detail``: how."""

    family: str
    where: str
    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.family}: {self.where}: {self.what}: {self.detail}"


RELEASE = V7_2_13
"""Of the tree that is read."""


def known(attr: Attr[Any]) -> bool:
    """Whether that release has an attribute."""
    return attr.since is None or attr.since <= RELEASE


class Comparison:
    """Every difference between a file and a family. ``counted`` is how much of the file was compared.

    ``layouts`` and ``policies``: what an operation answers and takes beside what its declaration names, by operation.
    ``words``: definitions that no attribute of the file names, and what we have for them.
    """

    def __init__(
        self, spec: Specification, declared: Declared, layouts: Mapping[str, Iterable[Layout]],
        policies: Mapping[str, Iterable[Policy]], words: Mapping[str, Mapping[str, int]],
    ) -> None:
        self.spec, self.declared, self.layouts, self.policies = spec, declared, layouts, policies
        self.differences: set[Difference] = set()
        self.counted: Counter[str] = Counter()
        self.pairs: set[tuple[str, type[AttrSet]]] = set()
        self.used: set[str] = set()
        self.family()
        for op in spec.operations.values():
            self.operation(op)
        for name in words.keys() & spec.definitions.keys():
            self.numbers(name, spec.definitions[name].values, words[name])
        for name in declared.messages.keys() - spec.operations.keys():
            self.differ(name, "operation", EXTRA)
        for name in spec.sets.keys() - {paired for paired, _ in self.pairs}:
            self.differ(name, "attribute set", ABSENT)
        for name in spec.definitions.keys() - self.used:
            self.differ(name, "definition", ABSENT)

    def differ(self, where: str, what: str, detail: str) -> None:
        self.differences.add(Difference(self.spec.name, where, what, detail))

    def equal(self, where: str, what: str, said: Any, declared: Any) -> None:
        if said != declared:
            self.differ(where, what, f"{said} in the specification, declared {declared}")

    def names(self, where: str, what: str, said: Iterable[str], declared: Iterable[str]) -> None:
        for name in set(said) - set(declared):
            self.differ(where, f"{what} {ABSENT}", name)
        for name in set(declared) - set(said):
            self.differ(where, f"{what} {EXTRA}", name)

    def family(self) -> None:
        if not self.spec.raw:
            self.equal("family", "version", self.spec.version, self.declared.family.version)
            self.names("family", "group", self.spec.groups, self.declared.groups)
        for name, number in self.spec.groups.items() if self.spec.raw else ():
            self.equal(name, "group", number, self.declared.groups.get(name))

    # -- operations ---------------------------------------------------------------------------------------

    def operation(self, op: Operation) -> None:
        notice = not op.modes
        ours = self.declared.messages.get(op.name)
        if self.spec.raw and notice and op.reply is not None:
            ours = operation_of(route(), op.reply, request=False)
        if ours is None:
            self.differ(op.name, "operation", ABSENT)
            return
        self.attributes(op.name, op.set, ours.set)
        if op.fixed is not None:
            self.structure(op.name, op.fixed, ours.fixed)
        if notice:
            self.counted["notifications"] += 1
            self.notification(op, ours)
            return
        self.counted["operations"] += 1
        self.equal(op.name, "request number", op.request, ours.cmd)
        if op.reply is not None and ours.replies is not None:
            self.equal(op.name, "reply number", op.reply, ours.reply_cmd)
        for mode, half in (("do", ours.do), ("dump", ours.dump)):
            if (half is not None) != (mode in op.modes):
                self.differ(op.name, mode, ABSENT if half is None else EXTRA)
            if half is not None and mode in op.modes:
                self.half(op, ours, mode, half)

    def half(self, op: Operation, ours: schema.Operation, mode: str, half: schema.Half) -> None:
        self.counted["requests"] += 1
        policies = [
            None if policy is None else policy.on(RELEASE)
            for policy in (half.accepts, *self.policies.get(op.name, ()))
        ]
        rules = {number for policy in policies if policy is not None for number in policy.rules}
        taken = [attr.name for number, attr in ours.set.spec.by_number.items() if number in rules]
        assert rules <= ours.set.spec.by_number.keys(), f"{op.name} takes what is not of its set"
        self.names(op.name, f"{mode} request", op.lists.get(f"{mode} request", ()), taken)
        self.equal(op.name, f"{mode} flags", sorted(op.flags), sorted(permissions(half.flags)))
        if f"{mode} reply" in op.lists:
            self.counted["replies"] += 1
            self.names(op.name, f"{mode} reply", op.lists[f"{mode} reply"], self.told(op.name, ours))

    def told(self, name: str, ours: schema.Operation) -> set[str]:
        """What a reply may hold."""
        layouts = [ours.replies, *self.layouts.get(name, ())]
        return {attr.name for layout in layouts if layout is not None for attr in layout.attrs if known(attr)}

    def notification(self, op: Operation, ours: schema.Operation) -> None:
        if self.spec.raw:
            like = self.declared.messages[op.notify or ""]
            self.equal(op.name, "like", like.reply_cmd in (ours.cmd, ours.reply_cmd) or ours.set is like.set, True)
            return
        self.equal(op.name, "number", op.reply, ours.cmd)
        self.equal(op.name, "group", op.group or next(iter(self.spec.groups)), ours.group)
        if "event" in op.lists:
            self.names(op.name, "event", op.lists["event"], self.told(op.name, ours))
        else:
            like = self.declared.messages[op.notify or ""]
            self.equal(op.name, "like", like.replies is ours.replies and ours.set is like.set, True)

    # -- attributes ---------------------------------------------------------------------------------------

    def attributes(self, where: str, name: str, ours: type[AttrSet]) -> None:
        """The set that an operation or an attribute holds. One of another name is another set: a difference."""
        self.equal(where, "inside", name, set_name(ours))
        if (name, ours) in self.pairs or name != set_name(ours):
            return
        self.pairs.add((name, ours))
        told = self.spec.sets[name]
        declared = {number: attr for number, attr in ours.spec.by_number.items() if known(attr)}
        for number in declared.keys() - told.keys():
            self.differ(f"{name}.{declared[number].name}", "attribute", EXTRA)
        for number, attr in told.items():
            where = f"{name}.{attr.name}"
            if attr.idle:
                if number in declared:
                    self.differ(where, attr.type, f"declared {declared[number].name}")
            elif number not in declared:
                self.differ(where, "attribute", ABSENT)
            else:
                self.counted["attributes"] += 1
                self.attribute(where, attr, declared[number], ours)

    def attribute(self, where: str, told: Attribute, ours: Attr[Any], owner: type[AttrSet]) -> None:
        self.equal(where, "name", told.name, ours.name)
        self.equal(where, "type", type_of(told), kind_of(ours, owner))
        self.equal(where, "several times", bool(told["multi-attr"]), ours.multi)
        self.equal(where, "shown", hint_of(told["display-hint"]), shown_as(ours, owner))
        self.values(where, told, ours, owner)
        self.checks(where, told, ours)
        if told["struct"] is not None and isinstance(ours.kind, Structure):
            self.structure(where, told["struct"], ours.kind)
        inside = inner(ours.kind)
        if told["nested-attributes"] is not None and inside is not None:
            self.attributes(where, told["nested-attributes"], inside)
        elif (told["nested-attributes"] is None) != (inside is None):
            self.differ(where, "inside", ABSENT if inside is None else EXTRA)
        if told["sub-message"] is not None and isinstance(ours.kind, Chosen):
            self.equal(where, "selector", told["selector"], ours.kind.selector)
            forms = self.spec.sub_messages[told["sub-message"]]
            self.names(where, "kind", forms, ours.kind.choices)
            for value in forms.keys() & ours.kind.choices.keys():
                self.attributes(f"{where}.{value}", forms[value], ours.kind.choices[value])

    def values(self, where: str, told: Attribute, ours: Attr[Any], owner: type[AttrSet]) -> None:
        shown = None if ours.name in NUMBERS.get(owner.__name__, ()) else ours.shown
        if told["enum"] is None or shown is None:
            if (told["enum"] is None) != (shown is None):
                self.differ(where, "names of values", ABSENT if shown is None else EXTRA)
            return
        as_flags = bool(told["enum-as-flags"])
        self.equal(where, "flags", as_flags or self.spec.definitions[told["enum"]].type == "flags", ours.flag_names)
        self.enum(told["enum"], as_flags, shown)

    def enum(self, name: str, as_flags: bool, shown: Shown) -> None:
        declared = {value_name(shown, one): int(value) for one, value in shown.__members__.items()}
        if issubclass(shown, IntFlag):  # words for no bit, or for several, say nothing of how values are shown
            declared = {one: value for one, value in declared.items() if value.bit_count() == 1}
        self.numbers(name, self.spec.bits(name, as_flags), declared)

    def numbers(self, name: str, told: Mapping[str, int], declared: Mapping[str, int]) -> None:
        if name not in self.used:
            self.counted["enums and flags"] += 1
        self.used.add(name)
        for one in told.keys() | declared.keys():
            if one not in told or one not in declared:
                self.differ(f"{name}.{one}", "value", ABSENT if one in told else EXTRA)
            else:
                self.equal(f"{name}.{one}", "value", told[one], declared[one])

    def checks(self, where: str, told: Attribute, ours: Attr[Any]) -> None:
        """Limits: those that are said; all of them where the kernel's policy is made from the file."""
        low, high = ours.kind.bounds or (None, None)
        enum = self.spec.definitions.get(told["enum"] or "")
        mask = None
        if self.spec.generated and enum is not None:
            if enum.type == "flags":
                mask = sum(enum.values.values())
            else:
                low, high = min(enum.values.values()), max(enum.values.values())
            self.equal(where, "mask", mask, ours.mask)
        if self.spec.generated or told.checks.keys() & {"min", "max"}:
            said = told.checks.get("min", low), told.checks.get("max", high)
            bounds = ours.kind.bounds or (None, None)
            declared = (bounds[0] if ours.min is None else ours.min, bounds[1] if ours.max is None else ours.max)
            self.equal(where, "bounds", said, declared)
        if "exact-len" in told.checks:
            self.equal(where, "length", told.checks["exact-len"], ours.kind.size)
        assert not told.checks.keys() - {"min", "max", "exact-len"}, f"{where}: {dict(told.checks)}"

    # -- structures ---------------------------------------------------------------------------------------

    def structure(self, where: str, name: str, ours: Structure | None) -> None:
        if ours is None:
            self.differ(where, "structure", ABSENT)
            return
        if name in self.used:
            return
        self.used.add(name)
        self.counted["structures"] += 1
        told = self.spec.definitions[name]
        owner, fields = fields_of(ours)
        for member in told.facts.keys() | fields.keys():
            self.member(f"{name}.{member}", owner, member, fields)
        members = {member: (at, kind) for member, at, kind in told.members}
        for member, place in members.items():
            if member in fields:
                self.equal(f"{name}.{member}", "offset and type", place, fields[member][:2])
            else:
                self.differ(f"{name}.{member}", "member", ABSENT)
        for member in fields.keys() - members.keys():
            if not (member.startswith("pad") or member in UNSAID):
                self.differ(f"{name}.{member}", "member", EXTRA)
        self.equal(name, "size", told.size, ours.size)

    def member(self, where: str, owner: str, member: str, fields: Mapping[str, tuple[int, str, str]]) -> None:
        """How a member's value is shown."""
        fact = self.spec.definitions[where.split(".")[0]].facts.get(member, {})
        shown = FIELD_VALUES.get((owner, fields[member][2])) if member in fields and member in NAMED_FIELDS else None
        self.equal(where, "names of values", fact.get("enum") is not None, shown is not None)
        if fact.get("enum") is not None and shown is not None:
            self.enum(fact["enum"], bool(fact.get("enum-as-flags")), shown)
        self.equal(where, "shown", fact.get("display-hint"), None)


def permissions(flags: int) -> list[str]:
    return [name for flag, name in PERMISSIONS.items() if flags & flag]


def fields_of(kind: Structure) -> tuple[str, dict[str, tuple[int, str, str]]]:
    """A structure's own name, and its fields by the specifications' names: offset, type and own name."""
    described = kind.construct
    name = described.name or ""
    fields, at = {}, 0
    for part in bare(described).subcons:
        inside = bare(part)
        if not is_padding(inside):
            fields[field_name(name, part.name)] = (at, type_of_field(inside), part.name)
        at += part.sizeof()
    return name, fields


def type_of_field(described: c.Construct) -> str:
    if not isinstance(described, c.FormatField):
        return "binary"
    plain = FORMATS[described.fmtstr[1:]]
    return f"be-{plain}" if described.fmtstr[0] == ">" and described.length > 1 else plain


def type_of(told: Attribute) -> str:
    """The type of an attribute in one line, as the specification has it."""
    if told["struct"] is not None:
        return f"{told.type} struct {told['struct']}"
    if told.type == "nest-type-value":
        return f"{told.type} {' '.join(told['type-value'])}"
    if told["sub-type"] is not None:
        return f"{told.type} of {told['sub-type']}"
    return f"be-{told.type}" if told["byte-order"] == "big-endian" else told.type


def kind_of(ours: Attr[Any], owner: type[AttrSet]) -> str:
    """The same of what is declared."""
    kind = ours.kind
    if isinstance(kind, Chosen):
        return "sub-message"
    if isinstance(kind, NestArray):
        if ours.name in TYPE_VALUE:
            return f"nest-type-value {' '.join(TYPE_VALUE[ours.name])}"
        return f"indexed-array of {'nest' if isinstance(kind.member, Nest) else kind.member}"
    if isinstance(kind, Structure):
        described = bare(kind.construct)
        if not isinstance(described, c.Struct):
            return "binary"
        if ours.name in WORDS.get(owner.__name__, ()):
            return f"binary of u{8 * described.subcons[0].sizeof()}"
        return f"binary struct {dashed(kind.name)}"
    if isinstance(kind, Nest | Text | Bitfield32):
        return {Nest: "nest", Text: "string", Bitfield32: "bitfield32"}[type(kind)]
    return "binary" if isinstance(kind, Bytes) else repr(kind).replace("be", "be-u")


def inner(kind: PayloadKind[Any]) -> type[AttrSet] | None:
    """The set inside, at whatever depth of arrays."""
    if isinstance(kind, NestArray):
        return inner(kind.member)
    return kind.set if isinstance(kind, Nest) else None


def hint_of(hint: str | None) -> str | None:
    return "address" if hint in ("mac", "ipv4", "ipv6", "ipv4-or-v6") else hint


def shown_as(ours: Attr[Any], owner: type[AttrSet]) -> str | None:
    if ours.name in HEX.get(owner.__name__, ()):
        return "hex"
    return "address" if isinstance(ours.kind, Bytes) and ours.name in ADDRESSES - {"token"} else None
