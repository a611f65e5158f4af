"""Instances: how often they were reloaded, their versions, the mode of the switch (net/devlink/dev.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.instance import dump, fill_handle, find, one_each
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
from nlemu.protocol.families.devlink.commands import ESWITCH_GET, GET, INFO_GET
from nlemu.protocol.uapi.devlink import DevlinkEswitchMode, DevlinkReloadAction, DevlinkReloadLimit

if TYPE_CHECKING:
    from nlemu.emulator.kernel.nics.netdevsim_bus import BusDevice
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Values

DRIVER = "netdevsim"
VERSION = ("fw.mgmt", "10.20.30")
"""nsim_dev_info_get(): the one version, running and stored."""
REINIT = (DevlinkReloadAction.DRIVER_REINIT, DevlinkReloadLimit.UNSPEC)
BY_US = (REINIT,)
"""The reloads that the driver offers; who performed them is known."""
BY_OTHERS = (
    REINIT, (DevlinkReloadAction.FW_ACTIVATE, DevlinkReloadLimit.UNSPEC),
    (DevlinkReloadAction.FW_ACTIVATE, DevlinkReloadLimit.NO_RESET),
)
"""All that there are: a driver cannot begin anew without a reset."""


def fill_reloads(kinds: tuple[tuple[DevlinkReloadAction, DevlinkReloadLimit], ...], reloads: int) -> Values:
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


def fill_instance(instance: BusDevice) -> Values:
    """devlink_nl_fill()."""
    return fill_handle(instance) | {
        Devlink.reload_failed: 0,
        Devlink.dev_stats: {
            DlDevStats.reload_stats: fill_reloads(BY_US, instance.reloads),
            DlDevStats.remote_reload_stats: fill_reloads(BY_OTHERS, 0),
        },
    }


def fill_info(instance: BusDevice) -> Values:
    """devlink_nl_info_fill(), nsim_dev_info_get(): the driver's name comes last, from the bus."""
    version = {DlInfoVersion.info_version_name: VERSION[0], DlInfoVersion.info_version_value: VERSION[1]}
    return fill_handle(instance) | {
        Devlink.info_version_stored: [version], Devlink.info_version_running: [version],
        Devlink.info_driver_name: DRIVER,
    }


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
    """devlink_nl_eswitch_get_doit(): nobody can set another mode here."""
    return fill_handle(find(call)) | {Devlink.eswitch_mode: DevlinkEswitchMode.LEGACY}
