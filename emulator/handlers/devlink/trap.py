"""Traps, their groups and policers (net/devlink/trap.c): asked for, and set."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.beyond import find_whole
from nlemu.emulator.handlers.devlink.instance import dump, each, fill_handle, find, named
from nlemu.emulator.kernel.devlink.trap import set_action, set_actions
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import Devlink, DlAttrStats, DlTrapMetadata
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkTrapAction

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.kernel.devlink.trap import Group, Policer, Trap, TrapStats
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Values

NO_TRAP = "Device did not register this trap"
NO_GROUP = "Device did not register this trap group"
NO_POLICER = "Device did not register this trap policer"
NO_ACTION = "Invalid trap action"
HALF_DONE = "Trap group set failed, but some changes were committed already"


def fill_stats(stats: TrapStats) -> dict[object, int]:
    """devlink_trap_group_stats_put()."""
    return {DlAttrStats.stats_rx_packets: stats.packets, DlAttrStats.stats_rx_bytes: stats.bytes}


def fill_trap(instance: Instance, trap: Trap) -> Values:
    """devlink_nl_trap_fill()."""
    instance.catch_up()
    return fill_handle(instance) | {
        Devlink.trap_group_name: trap.group,
        Devlink.trap_name: trap.name,
        Devlink.trap_type: trap.type,
        Devlink.trap_generic: True if trap.generic else None,
        Devlink.trap_action: trap.action,
        Devlink.trap_metadata: {
            DlTrapMetadata.trap_metadata_type_in_port: True,
            DlTrapMetadata.trap_metadata_type_fa_cookie: True if trap.cookie else None,
        },
        Devlink.stats: {DlAttrStats.stats_rx_dropped: instance.count_trap()} | fill_stats(trap.stats),
    }


def fill_group(instance: Instance, group: Group) -> Values:
    """devlink_nl_trap_group_fill()."""
    instance.catch_up()
    return fill_handle(instance) | {
        Devlink.trap_group_name: group.name,
        Devlink.trap_generic: True,
        Devlink.trap_policer_id: group.policer or None,
        Devlink.stats: fill_stats(group.stats),
    }


def fill_policer(instance: Instance, policer: Policer) -> Values:
    """devlink_nl_trap_policer_fill()."""
    return fill_handle(instance) | {
        Devlink.trap_policer_id: policer.id,
        Devlink.trap_policer_rate: policer.rate,
        Devlink.trap_policer_burst: policer.burst,
        Devlink.stats: {DlAttrStats.stats_rx_dropped: instance.count_policer(policer.id)},
    }


def find_trap(call: Call, instance: Instance) -> Trap:
    """devlink_trap_item_get_from_info(). EOPNOTSUPP: the device has no traps; ENOENT."""
    if not instance.traps:
        raise Refusal(errno.EOPNOTSUPP)
    trap = named(call, Devlink.trap_name, instance.traps)
    if trap is None:
        raise Refusal(errno.ENOENT, NO_TRAP)
    return trap


def find_group(call: Call, instance: Instance) -> Group:
    """devlink_trap_group_item_get_from_info(). EOPNOTSUPP, ENOENT."""
    if not instance.groups:
        raise Refusal(errno.EOPNOTSUPP)
    group = named(call, Devlink.trap_group_name, instance.groups)
    if group is None:
        raise Refusal(errno.ENOENT, NO_GROUP)
    return group


def find_policer(call: Call, instance: Instance) -> Policer:
    """devlink_trap_policer_item_get_from_info(). EOPNOTSUPP, ENOENT."""
    if not instance.policers:
        raise Refusal(errno.EOPNOTSUPP)
    policer = named(call, Devlink.trap_policer_id, instance.policers, "id")
    if policer is None:
        raise Refusal(errno.ENOENT, NO_POLICER)
    return policer


def action_of(call: Call) -> DevlinkTrapAction | None:
    """devlink_trap_action_get_from_info(): None, none is named. EINVAL."""
    action = call.attrs.get(Devlink.trap_action)
    if action is None:
        return None
    if action not in tuple(DevlinkTrapAction):
        raise Refusal(errno.EINVAL, NO_ACTION)
    return DevlinkTrapAction(action)


@doit(c.TRAP_GET)
def trap_get(call: Call) -> Values:
    """devlink_nl_trap_get_doit()."""
    instance = find(call)
    return fill_trap(instance, find_trap(call, instance))


@dumpit(c.TRAP_GET)
def trap_dump(call: Call) -> Dump:
    """devlink_nl_trap_get_dumpit()."""
    return dump(call, each(fill_trap, lambda instance: instance.traps))


@doit(c.TRAP_SET)
def trap_set(call: Call) -> None:
    """devlink_nl_trap_set_doit()."""
    instance = find_whole(call)
    trap, action = find_trap(call, instance), action_of(call)
    if action is not None:
        instance.catch_up()
        call.extack.text = set_action(trap, action)


@doit(c.TRAP_GROUP_GET)
def group_get(call: Call) -> Values:
    """devlink_nl_trap_group_get_doit()."""
    instance = find(call)
    return fill_group(instance, find_group(call, instance))


@dumpit(c.TRAP_GROUP_GET)
def group_dump(call: Call) -> Dump:
    """devlink_nl_trap_group_get_dumpit()."""
    return dump(call, each(fill_group, lambda instance: instance.groups))


@doit(c.TRAP_GROUP_SET)
def group_set(call: Call) -> None:
    """devlink_nl_trap_group_set_doit(): the action of all its traps, then its policer; the former stays if the latter
    is refused."""
    instance = find_whole(call)
    group, action = find_group(call, instance), action_of(call)
    if action is not None:
        instance.catch_up()
        call.extack.text = set_actions(instance.traps, group, action)
    if Devlink.trap_policer_id not in call.attrs:
        return
    try:
        if call.attrs[Devlink.trap_policer_id]:
            find_policer(call, instance)
        instance.set_trap_group(group)
    except Refusal as refusal:
        raise Refusal(refusal.errno, refusal.text if action is None else HALF_DONE) from refusal
    group.policer = call.attrs[Devlink.trap_policer_id]


@doit(c.TRAP_POLICER_GET)
def policer_get(call: Call) -> Values:
    """devlink_nl_trap_policer_get_doit()."""
    instance = find(call)
    return fill_policer(instance, find_policer(call, instance))


@dumpit(c.TRAP_POLICER_GET)
def policer_dump(call: Call) -> Dump:
    """devlink_nl_trap_policer_get_dumpit()."""
    return dump(call, each(fill_policer, lambda instance: instance.policers))


@doit(c.TRAP_POLICER_SET)
def policer_set(call: Call) -> None:
    """devlink_nl_trap_policer_set_doit()."""
    instance = find_whole(call)
    policer, attrs = find_policer(call, instance), call.attrs
    rate = attrs.get(Devlink.trap_policer_rate, policer.rate)
    burst = attrs.get(Devlink.trap_policer_burst, policer.burst)
    policer.check(rate, burst)
    instance.set_trap_policer(policer)
    policer.rate, policer.burst = rate, burst
