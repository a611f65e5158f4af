"""What declarations say of a request: which attributes it may hold, and what they refuse of it.

An attribute can be of the wrong type or length, or out of its range; one that is required can be missing; one can stand
there that is not known; and whoever asks can lack the privilege.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from nlemu.protocol.families.route.kinds import KINDS
from nlemu.protocol.families.xfrm import xfrm
from nlemu.protocol.schema.kinds import Bitfield32, ByNumber, Chosen, Flag, Nest, NestArray
from nlemu.protocol.schema.policy import MAXTYPE, UNSPEC, Policy
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.protocol.schema.attributes import Attr, AttrSet
    from nlemu.protocol.schema.family import Half, Operation

DEEPEST = 8
"""How far nests are followed: a message inside a message has no end."""
SLAVE = "slave-kind"


def attributes(
    policy: Policy | None, of: type[AttrSet] | None, said: Collection[str], kinds: Collection[str], prefix: str = "",
    depth: int = 0,
) -> Iterator[tuple[str, Attr[Any]]]:
    """The attributes that a policy lets in, with their paths. of: the set that they are from, which may know of nests
    that the policy does not look into; said: those that were sent, which tells what is inside of a nest that depends on
    another attribute; kinds: the kinds of links that requests named."""
    for attr in () if policy is None or depth > DEEPEST else policy.rules.values():
        if not attr.name or attr.reject is not None:
            continue
        path = f"{prefix}{attr.name}"
        yield path, attr
        known = attr if of is None else of.spec.by_number.get(attr.number, attr)
        for inside, inner, at in _inside(attr, known, path, said, kinds):
            yield from attributes(inside, inner, said, kinds, at, depth + 1)


def _inside(
    attr: Attr[Any], known: Attr[Any], path: str, said: Collection[str], kinds: Collection[str]
) -> Iterator[tuple[Policy | None, type[AttrSet] | None, str]]:
    """What a nest can hold: the policy, the set, and what paths begin with."""
    kind, read = attr.kind, known.kind
    if isinstance(read, NestArray):
        member = read.member
        if isinstance(member, Nest):
            yield member.policy, member.set, f"{path}."
    elif isinstance(read, Chosen) or (isinstance(read, Nest) and isinstance(read.told, ByNumber)):
        for value, inside, inner in _choices(read, path, said, kinds):
            yield inside, inner, f"{path}({value})."
    elif isinstance(read, Nest):
        policy = kind.policy if isinstance(kind, Nest) and kind.policy is not None else read.policy
        yield policy, read.set, f"{path}."


def _choices(
    kind: Nest, path: str, said: Collection[str], kinds: Collection[str]
) -> Iterator[tuple[str, Policy, type[AttrSet]]]:
    """What a nest can hold that depends on another attribute, for each value of that which there was."""
    known = kind if isinstance(kind, Chosen) else kind.told
    assert isinstance(known, Chosen | ByNumber)
    asked = f"{path.rpartition('.')[0]}.{known.selector}" in said
    for value, inside in known.choices.items():
        if (asked and f"{value}" in kinds) or any(one.startswith(f"{path}({value})") for one in said):
            described = KINDS.get(str(value))
            chosen = None
            if described is not None:
                chosen = described.slave_policy if known.selector == SLAVE else described.policy
            yield f"{value}", chosen or inside.spec.policy, inside


def refusals(
    operation: Operation, half: Half, said: Collection[str], kinds: Collection[str], *, changes: bool
) -> Iterator[tuple[str, str | None]]:
    """What can be wrong with a request of that half: "privilege", "required", "type", "range", "unknown" and "header",
    each with the attribute, or the text. changes: it is one of rtnetlink that is no question."""
    if half.flags or changes or operation.family is xfrm:
        yield "privilege", None
    strict = half.strict
    texts = [] if operation.fixed is None or half.accepts is None else [half.cut]
    if strict is not None:
        texts += [strict.cut, strict.nonzero, strict.bad_flags, strict.bare, strict.unsupported]
    yield from (("header", text) for text in dict.fromkeys(texts) if text is not None)
    yield from (("required", attr.name) for attr in half.requires)
    if half.accepts is None:
        return
    if half.level & (MAXTYPE | UNSPEC) or strict is not None:
        yield "unknown", None
    for path, attr in attributes(half.accepts, operation.set, said, kinds):
        if typed(attr):
            yield "type", path
        if (attr.bounded or attr.mask is not None) and not isinstance(attr.kind, Bitfield32):
            yield "range", path


def typed(attr: Attr[Any]) -> bool:
    """Whether a payload can be wrong: all but bytes of any length."""
    kind = attr.kind
    return bool(kind.exact or kind.least or attr.length or kind.size or isinstance(kind, (Nest, Flag, Bitfield32)))


def is_route(operation: Operation) -> bool:
    """Whether it is rtnetlink's."""
    return operation.family.name == NetlinkProtocol.ROUTE.name.lower()
