"""Instances: how often they were reloaded, their versions, the mode of the switch (net/devlink/dev.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.instance import dump, fill_handle, find, one_each
from nlemu.emulator.kernel.devlink.instance import ACTIVATE, ACTIVATE_NOW, REINIT, Reload
from nlemu.emulator.kernel.nics.netdevsim.device import BusDevice
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink.attributes import (
    Devlink,
    DlDevStats,
    DlInfoVersion,
    DlReloadActInfo,
    DlReloadActStats,
    DlReloadStats,
    DlReloadStatsEntry,
)
from nlemu.protocol.families.devlink.commands import ESWITCH_GET, ESWITCH_SET, GET, INFO_GET
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkReloadAction

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Values

BY_OTHERS = (REINIT, ACTIVATE, ACTIVATE_NOW)
"""All that there are: a driver cannot begin anew without a reset."""


def fill_reloads(kinds: tuple[Reload, ...], reloads: int) -> Values:
    """devlink_reload_stats_put(): by action, by limit. ``reloads``: how often the driver began anew."""
    actions: dict[DevlinkReloadAction, list[Values]] = {}
    for action, limit in kinds:
        count = reloads if (action, limit) == REINIT else 0
        told = {DlReloadStatsEntry.reload_stats_limit: limit, DlReloadStatsEntry.reload_stats_value: count}
        actions.setdefault(action, []).append(told)
    return {
        DlReloadStats.reload_action_info: [
            {
                DlReloadActInfo.reload_action: action,
                DlReloadActInfo.reload_action_stats: [{DlReloadActStats.reload_stats_entry: entries}],
            }
            for action, entries in actions.items()
        ],
    }


def fill_instance(instance: Instance) -> Values:
    """devlink_nl_fill()."""
    return fill_handle(instance) | {
        Devlink.reload_failed: int(instance.reload_failed),
        Devlink.dev_stats: {
            DlDevStats.reload_stats: fill_reloads(instance.offered, instance.reloads),
            DlDevStats.remote_reload_stats: fill_reloads(BY_OTHERS, 0),
        },
    }


def fill_info(instance: Instance) -> Values:
    """devlink_nl_info_fill(): the driver's name comes last, from the bus. The order of versions is netdevsim's."""
    info = instance.info()
    return fill_handle(instance) | {
        Devlink.info_serial_number: info.serial,
        Devlink.info_version_fixed: fill_versions(info.fixed),
        Devlink.info_version_stored: fill_versions(info.stored),
        Devlink.info_version_running: fill_versions(info.running),
        Devlink.info_driver_name: info.driver,
    }


def fill_versions(versions: tuple[tuple[str, str], ...]) -> list[Values] | None:
    """devlink_info_version_put(), of each that is known."""
    told: list[Values] = [
        {DlInfoVersion.info_version_name: name, DlInfoVersion.info_version_value: value}
        for name, value in versions if value
    ]
    return told or None


@doit(GET)
def get(call: Call) -> Values:
    """devlink_nl_get_doit()."""
    return fill_instance(find(call))


@dumpit(GET)
def get_dump(call: Call) -> Dump:
    """devlink_nl_get_dumpit()."""
    return dump(call, one_each(fill_instance))


@doit(INFO_GET)
def info(call: Call) -> Values:
    """devlink_nl_info_get_doit()."""
    return fill_info(find(call))


@dumpit(INFO_GET)
def info_dump(call: Call) -> Dump:
    """devlink_nl_info_get_dumpit()."""
    return dump(call, one_each(fill_info))


@doit(ESWITCH_GET)
def eswitch(call: Call) -> Values:
    """devlink_nl_eswitch_get_doit(): of a driver that knows nothing of a switch, the device alone."""
    instance = find(call)
    if instance.switch_errno:
        raise Refusal(instance.switch_errno)
    told, switch = fill_handle(instance), instance.eswitch
    if isinstance(instance, BusDevice):
        told[Devlink.eswitch_mode] = instance.eswitch_mode
    if switch is not None:
        told |= {
            Devlink.eswitch_mode: switch.mode, Devlink.eswitch_inline_mode: switch.inline,
            Devlink.eswitch_encap_mode: switch.encap,
        }
    return told


@doit(ESWITCH_SET)
def eswitch_set(call: Call) -> None:
    """devlink_nl_eswitch_set_doit(): mode, what is inlined, encapsulation; what was done before a refusal stays."""
    instance = find(call)
    if instance.switch_errno:
        raise Refusal(instance.switch_errno)
    attrs, switch = call.attrs, instance.eswitch
    wanted = (Devlink.eswitch_mode, Devlink.eswitch_inline_mode, Devlink.eswitch_encap_mode)
    if isinstance(instance, BusDevice):
        if Devlink.eswitch_mode in attrs:
            instance.set_eswitch_mode(attrs[Devlink.eswitch_mode])
        if any(attr in attrs for attr in wanted[1:]):
            raise Refusal(errno.EOPNOTSUPP)
        return
    if switch is None:
        if any(attr in attrs for attr in wanted):
            raise Refusal(errno.EOPNOTSUPP)
        return
    if Devlink.eswitch_mode in attrs:
        call.extack.text = switch.set_mode(attrs[Devlink.eswitch_mode])
    if Devlink.eswitch_inline_mode in attrs:
        switch.set_inline(attrs[Devlink.eswitch_inline_mode])
    if Devlink.eswitch_encap_mode in attrs:
        switch.set_encap(attrs[Devlink.eswitch_encap_mode])
