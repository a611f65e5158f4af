"""netdevsim: files of a device in debugfs, by which tests have it fail, break or show what it was told
(nsim_dev_debugfs_init() of drivers/net/netdevsim/dev.c, health.c, fib.c, netdev.c, ethtool.c).

A file is what it says when read and what is done when it is written to; without one of them that cannot be done. Not
there: what is said of the cookies of flows, fib/fail_route_delete, and what concerns tunnels and encryption.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from errno import EBUSY, EINVAL, ENOENT, ENOMEM, EPERM
from functools import partial
from typing import TYPE_CHECKING, Any, Union

from nlemu.emulator.kernel.core.kstrto import kstrtobool, kstrtouint, numbers
from nlemu.emulator.kernel.devices.vf import VfConfig
from nlemu.emulator.kernel.nics.netdevsim.devlink import TEST2
from nlemu.emulator.kernel.nics.netdevsim.ethtool import state_of
from nlemu.emulator.kernel.nics.netdevsim.health import Dummy, break_health
from nlemu.emulator.kernel.nics.netdevsim.port import hold_page, queue_reset
from nlemu.emulator.kernel.nics.netdevsim.rates import UNIT
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devlink.rate import Rate
    from nlemu.emulator.kernel.devlink.region import Region
    from nlemu.emulator.kernel.nics.netdevsim.device import BusDevice
    from nlemu.emulator.kernel.nics.netdevsim.nexthops import NexthopTakeover

RINGS = ("rx_max", "rx_mini_max", "rx_jumbo_max", "tx_max")
"""Limits of rings."""
VFS_MAX = (4 << 20) // 24
"""kzalloc() of struct nsim_vf_config: no more fit into what it gives at once."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One file."""

    read: Callable[[], str] | None = None
    write: Callable[[str], object] | None = None


Folder = Mapping[str, Union[Setting, "Folder"]]


def flag(owner: object, field: str) -> Setting:
    """debugfs_create_bool()."""
    return Setting(
        lambda: "Y\n" if getattr(owner, field) else "N\n", lambda text: setattr(owner, field, kstrtobool(text))
    )


def number(owner: object, field: str) -> Setting:
    """debugfs_create_u32()."""
    return Setting(lambda: f"{getattr(owner, field)}\n", lambda text: setattr(owner, field, kstrtouint(text)))


def kept(values: dict[str, int], name: str, *, truthful: bool = False) -> Setting:
    """The same of what stands in a table."""
    if truthful:
        return Setting(
            lambda: "Y\n" if values[name] else "N\n", lambda text: values.update({name: int(kstrtobool(text))})
        )
    return Setting(lambda: f"{values[name]}\n", lambda text: values.update({name: kstrtouint(text)}))


def shown(value: Any) -> Setting:
    """What can only be read."""
    return Setting(lambda: f"{value}\n")


def files(device: BusDevice) -> Folder:
    """The folder of a device. Of what the driver begins with each time, only what there is now."""
    found: dict[str, Setting | Folder] = {
        "fw_update_status": flag(device, "flash_status"),
        "fw_update_overwrite_mask": number(device, "overwrite_mask"),
        "fw_update_flash_chunk_time_ms": number(device, "chunk_time"),
        "max_macs": kept(device.begun_with, "max_macs"),
        "test1": kept(device.begun_with, "test1", truthful=True),
        "test2": Setting(
            lambda: f"{device.param_value(TEST2)}\n",
            lambda text: device.param_values.update({TEST2.name: kstrtouint(text)}),
        ),
        "dont_allow_reload": flag(device, "dont_allow_reload"),
        "fail_reload": flag(device, "fail_reload"),
        "fail_trap_group_set": flag(device, "fail_group_set"),
        "fail_trap_policer_set": flag(device, "fail_policer_set"),
        "fail_trap_drop_counter_get": flag(device, "fail_trap_counter"),
        "fail_trap_policer_counter_get": flag(device, "fail_policer_counter"),
        "max_vfs": Setting(lambda: f"{len(device.vfs)}\n", partial(set_most_vfs, device)),
        "rate_nodes": {rate.name: rate_files(device, rate) for rate in device.rates.listed if rate.name is not None},
        "ports": port_files(device),
    }
    if device.takeover is not None and device.fib is not None:
        found["fib"] = {
            "fail_route_offload": flag(device.fib, "fail_route_offload"),
            "fail_res_nexthop_group_replace": flag(device.takeover, "fail_res_nexthop_group_replace"),
            "fail_nexthop_bucket_replace": flag(device.takeover, "fail_nexthop_bucket_replace"),
            "nexthop_bucket_activity": Setting(write=partial(use_bucket, device.takeover)),
        }
    if device.hw_stats is not None:
        actions = {
            "enable_ifindex": device.hw_stats.count_for, "disable_ifindex": device.hw_stats.stop_for,
            "fail_next_enable": device.hw_stats.fail_for,
        }
        found["hwstats"] = {"l3": {name: Setting(write=partial(of_index, act)) for name, act in actions.items()}}
    for region in device.regions:
        found["take_snapshot"] = Setting(write=partial(take_snapshot, device, region))
    for reporter in device.reporters:
        if isinstance(reporter.ops, Dummy):
            found["health"] = {
                "break_health": Setting(write=partial(break_health, device)),
                "binary_len": number(reporter.ops, "binary_len"),
                "fail_recover": flag(reporter.ops, "fail_recover"),
            }
    return found


def port_files(device: BusDevice) -> dict[str, Folder]:
    """The folders of its ports, by their indices; of those of virtual functions with what is said of their rates."""
    rates = {rate.port: rate_files(device, rate) for rate in device.rates.listed if rate.port is not None}
    return {str(index): {**rates.get(index, {}), **files_of_port(dev)} for index, dev in device.ports.items()}


def files_of_port(dev: Device) -> Folder:
    """nsim_ethtool_init(), nsim_init_netdevsim()."""
    state = state_of(dev)
    return {
        "ethtool": {
            "get_err": number(state, "get_err"), "set_err": number(state, "set_err"),
            "pause": {f"report_stats_{way}": flag(state, f"report_{way}_pause") for way in ("rx", "tx")},
            "ring": {f"{name}_pending": number(state.rings, name) for name in RINGS},
        },
        "pp_hold": Setting(
            lambda: "Y\n" if state.held is not None else "N\n", lambda text: hold_page(dev, kstrtobool(text))
        ),
        "queue_reset": Setting(write=partial(reset_queue, dev)),
    }


def reset_queue(dev: Device, text: str) -> None:
    """nsim_qreset_write(): "queue mode". EINVAL, and what the queue refuses."""
    match numbers(text):
        case [queue, mode, *_]:
            queue_reset(dev, queue, mode)
        case _:
            raise Refusal(EINVAL)


def take_snapshot(device: BusDevice, region: Region, text: str) -> None:
    """nsim_dev_take_snapshot_write(): whatever is written. ENOSPC."""
    device.take_snapshot(region)


def of_index(act: Callable[[int], None], text: str) -> None:
    """nsim_dev_hwstats_do_write(): the index of a device. EINVAL, and what comes of it."""
    act(kstrtouint(text))


def use_bucket(takeover: NexthopTakeover, text: str) -> None:
    """nsim_nexthop_bucket_activity_write(): "number bucket". EINVAL."""
    match numbers(text):
        case [number, index, *_]:
            takeover.use_bucket(number, index & 0xFFFF)
        case _:
            raise Refusal(EINVAL)


def rate_files(device: BusDevice, rate: Rate) -> Folder:
    """nsim_dev_port_debugfs_init(), nsim_rate_node_new(): of a virtual function's port, or of a node."""
    share, most = rate.share // UNIT, rate.max // UNIT
    if rate.port is not None:
        vf = state_of(device.ports[rate.port]).vf
        assert vf is not None
        share, most = device.vfs[vf].min_tx_rate, device.vfs[vf].max_tx_rate
    parent = "" if rate.parent is None else rate.parent.name
    return {
        "tx_share": shown(share), "tx_max": shown(most), "rate_parent": Setting(lambda: f"{parent}"),
    } | {f"tc{index}_bw": shown(bandwidth) for index, bandwidth in enumerate(rate.classes)}


def set_most_vfs(device: BusDevice, text: str) -> None:
    """nsim_bus_dev_max_vfs_write(). EBUSY: there are virtual functions; ENOMEM, EINVAL."""
    count = kstrtouint(text, 10)
    if count > VFS_MAX:
        raise Refusal(ENOMEM)
    if device.num_vfs:
        raise Refusal(EBUSY)
    device.vfs = [VfConfig() for _ in range(count)]


def write(device: BusDevice, path: str, text: str) -> None:
    """A file below the folder is written to. ENOENT: there is none; EPERM: it can only be read; what the file
    refuses."""
    found: Setting | Folder | None = files(device)
    for part in path.split("/"):
        found = None if found is None or isinstance(found, Setting) else found.get(part)
    if not isinstance(found, Setting):
        raise Refusal(ENOENT)
    if found.write is None:
        raise Refusal(EPERM)
    found.write(text)
