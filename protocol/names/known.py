"""Which families there are, for whoever meets a message without being a machine.

The numbers of generic netlink families are a machine's own; the default here is those of the recorded machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from nlemu.protocol.families import diag, netfilter
from nlemu.protocol.families.messages import messages
from nlemu.protocol.families.registered import REGISTERED
from nlemu.protocol.schema.attributes import AttrSet
from nlemu.protocol.schema.family import Family, Operation
from nlemu.protocol.schema.kinds import PayloadKind
from nlemu.protocol.uapi.genetlink import GENL_ID_CTRL, GENL_START_ALLOC
from nlemu.protocol.uapi.netlink import NetlinkProtocol

GENERIC_NETLINK = int(NetlinkProtocol.GENERIC)
ROUTE = int(NetlinkProtocol.ROUTE)

PROTOCOLS = frozenset(NetlinkProtocol)

Families = Mapping[int, Family]
"""Generic netlink families by number."""


@cache
def by_protocol(protocol: int) -> Family | None:
    """The family of messages that is a netlink protocol; None for generic netlink, and where none is declared."""
    return messages().get(NetlinkProtocol(protocol).name.lower()) if protocol in PROTOCOLS else None


def read_as(protocol: int, kind: int, body: bytes, *, request: bool) -> Operation | None:
    """The operation that a message of such a protocol belongs to, for whoever reads it. body: what stands behind its
    header."""
    if protocol == NetlinkProtocol.SOCK_DIAG:
        return diag.read_as(kind, body[0] if body else 0, request=request)
    if protocol == NetlinkProtocol.NETFILTER:
        return netfilter.read_as(kind, request=request)
    family = by_protocol(protocol)
    return None if family is None else operation(family, kind, request=request)


def route() -> Family:
    """rtnetlink, with all its messages declared."""
    return messages()["route"]


@cache
def recorded_machine() -> Families:
    """The families under the numbers they have on the recorded machine: in the order in which they register."""
    later = range(GENL_START_ALLOC, GENL_START_ALLOC + len(REGISTERED))
    return dict(zip((GENL_ID_CTRL, *later), REGISTERED, strict=False))


def numbered(numbers: Mapping[str, int]) -> Families:
    """The families under these numbers, by name, and the others under those of the recorded machine."""
    known = {family.name: number for number, family in recorded_machine().items()} | dict(numbers)
    return {known[family.name]: family for family in REGISTERED}


def by_number(numbers: Mapping[str, int]) -> Families:
    """The families that have those numbers by name, and nlctrl, whose number is the same everywhere; no others."""
    known = {"nlctrl": int(GENL_ID_CTRL)} | dict(numbers)
    return {known[family.name]: family for family in REGISTERED if family.name in known}


def operation(family: Family, command: int, *, request: bool) -> Operation | None:
    """The operation that a message of that command belongs to: one that is asked for, or one that answers so."""
    asked = family.operations.get(command)
    answers = family.events.get(command) or next(
        (op for op in family.operations.values() if op.reply_cmd == command and op.replies is not None), None
    )
    if answers is None and asked is None:
        answers = next((op for op in family.operations.values() if op.numbered), None)
    if family is route():
        # A message that is only told is like one of its block of four: the first, or the one that asks.
        answers = answers or family.operations.get(command & ~3) or family.operations.get(command & ~3 | 2)
    return (asked or answers) if request else (answers or asked)


@cache
def message_inside(kind: PayloadKind[Any]) -> type[AttrSet] | None:
    """Attributes that may follow a structure inside an attribute: those of a message that begins with it.

    So the peer of a netkit pair is told: as a link message within a link message.
    """
    return next((op.set for op in route().operations.values() if op.fixed is kind), None)
