"""nlctrl: families, and their policies (the controller part of net/netlink/genetlink.c)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.netlink.call import Call, Fill, Messages
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.nlctrl import GETFAMILY, GETPOLICY, Ctrl, McastGroup, Op, OpPolicy
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.release import Release
from nlemu.protocol.schema.attributes import Attr, Values
from nlemu.protocol.schema.family import Family, Half, Operation
from nlemu.protocol.schema.kinds import Nest, NestArray
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.wire.advertise import advertise

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine


def fill_family(machine: Machine, family: Family) -> bytes:
    """ctrl_fill_info(). It is the same as long as the machine lives, for its families register at boot."""
    told = machine.families.told
    body = told.get(family)
    if body is None:
        body = told[family] = GETFAMILY.body(describe(machine, family))
    return body


def describe(machine: Machine, family: Family) -> Values:
    """What there is to tell of a family."""
    commands = family.commands()
    groups = [
        {McastGroup.id: machine.families.group_ids[family, name], McastGroup.name: name} for name in family.groups
    ]
    return {
        Ctrl.family_name: family.name,
        Ctrl.family_id: machine.families.numbers[family],
        Ctrl.version: family.version,
        Ctrl.hdrsize: family.header_size,
        Ctrl.maxattr: family.attributes,
        Ctrl.ops: [{Op.id: cmd, Op.flags: flags} for cmd, flags in commands.items()] or None,
        Ctrl.mcast_groups: groups or None,
    }


@doit(GETFAMILY)
def getfamily(call: Call) -> bytes:
    """ctrl_getfamily(): by number or by name, by name if both are given."""
    machine, attrs = call.machine, call.attrs
    error, family = errno.EINVAL, None
    number = attrs.get(Ctrl.family_id)
    if number is not None:
        error, family = errno.ENOENT, machine.families.by_number.get(number)
    name = attrs.get(Ctrl.family_name)
    if name is not None:
        error, family = errno.ENOENT, machine.families.find(name)
    if family is None:
        raise Refusal(error)
    if not family.netns and call.net is not machine.init_net:
        raise Refusal(errno.ENOENT)
    return fill_family(machine, family)


@dumpit(GETFAMILY)
def dumpfamily(call: Call) -> Messages:
    """ctrl_dumpfamily(): all of them; what the request names is not looked at."""
    machine = call.machine
    for family in list(machine.families.numbers):
        if family.netns or call.net is machine.init_net:
            yield partial(fill_family, machine, family)


class Numbered:
    """Policies by number, as they and those inside them are met (netlink_policy_dump_add_policy())."""

    def __init__(self) -> None:
        self.policies: list[Policy] = []

    def add(self, policy: Policy) -> None:
        """Adds a policy, then those of its nests, then theirs: breadth first, each once."""
        self._add(policy)
        at = 0
        while at < len(self.policies):
            rules = self.policies[at].rules
            for number in sorted(rules):
                inner = inside(rules[number])
                if inner is not None:
                    self._add(inner)
            at += 1

    def _add(self, policy: Policy) -> None:
        if policy not in self.policies:
            self.policies.append(policy)

    def index(self, policy: Policy) -> int:
        """The number under which a policy is dumped."""
        return self.policies.index(policy)


def inside(attr: Attr[object]) -> Policy | None:
    """The policy of a nest, or of the members of an array of nests."""
    kind = attr.kind
    if isinstance(kind, NestArray):
        return kind.member.policy if isinstance(kind.member, Nest) else None
    return kind.policy if isinstance(kind, Nest) and attr.reject is None else None


@dumpit(GETPOLICY)
def dumppolicy(call: Call) -> Messages:
    """ctrl_dumppolicy_start(): which family, which operation; then ctrl_dumppolicy()."""
    machine, attrs = call.machine, call.attrs
    number, name = attrs.get(Ctrl.family_id), attrs.get(Ctrl.family_name)
    if number is not None:
        family = machine.families.by_number.get(number)
    elif name is not None:
        family = machine.families.find(name)
    else:
        raise Refusal(errno.EINVAL)
    if family is None:
        raise Refusal(errno.ENOENT)
    operations = list(family.operations.values())
    wanted = attrs.get(Ctrl.op)
    if wanted is not None:
        operations = [op for op in operations if op.cmd == wanted]
        if not operations:
            raise Refusal(errno.ENOENT, at=attrs.offset(Ctrl.op))
    numbered = Numbered()
    for op in operations:
        for half in (op.do, op.dump):
            if half is not None and half.accepts is not None:
                numbered.add(half.accepts.on(machine.build.release))
    if not numbered.policies:
        raise Refusal(errno.ENODATA)
    return tell_policies(machine.families.numbers[family], operations, numbered, machine.build.release)


def tell_policies(
    number: int, operations: list[Operation], numbered: Numbered, release: Release
) -> Iterator[Fill]:
    """First which operation has which policy, if any, then the attributes of the policies, one a message."""

    def index(half: Half | None) -> int | None:
        return None if half is None or half.accepts is None else numbered.index(half.accepts.on(release))

    def tell_op(op: Operation) -> Values | None:
        halves = {OpPolicy.do: index(op.do), OpPolicy.dump: index(op.dump)}
        if halves[OpPolicy.do] is None and halves[OpPolicy.dump] is None:
            return None
        return {Ctrl.family_id: number, Ctrl.op_policy: {op.cmd: halves}}

    def tell_attr(which: int, attr: Attr[object]) -> Values | None:
        told = advertise(attr, numbered.index)
        return None if told is None else {Ctrl.family_id: number, Ctrl.policy: {which: {attr.number: told}}}

    for op in operations:
        yield partial(tell_op, op)
    for which, policy in enumerate(numbered.policies):
        for attr_number in sorted(policy.rules):
            yield partial(tell_attr, which, policy.rules[attr_number])
