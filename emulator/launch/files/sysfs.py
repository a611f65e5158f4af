"""/sys/class/net: what a namespace's devices say of themselves in files (net/core/net-sysfs.c).

Everything is read from the model at the moment it is read; what can be written goes through the model's own verbs.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bonding.bond import bond_of, slave_of
from nlemu.emulator.kernel.bridge.bridge import bridge_of, port_of
from nlemu.emulator.kernel.core.kstrto import UINT_MAX, kstrtoul
from nlemu.emulator.kernel.devices import flags, settings
from nlemu.emulator.kernel.devices.device import Device, Stats
from nlemu.emulator.kernel.devices.states import NameAssignment
from nlemu.emulator.kernel.devices.uevents import devpath
from nlemu.emulator.kernel.ethtool.link import LinkSettings, get_link_settings
from nlemu.emulator.kernel.links import tap
from nlemu.emulator.kernel.links.tun import Tun, is_tun
from nlemu.emulator.kernel.links.tun import state_of as state_of_tun
from nlemu.emulator.kernel.nics.netdevsim.ethtool import PortState
from nlemu.emulator.kernel.nics.ports import function_of
from nlemu.emulator.kernel.queues import napi
from nlemu.emulator.launch.files import bonding, bridge, queue_files
from nlemu.emulator.launch.files.tree import Directory, File, Link, Node
from nlemu.protocol.uapi.ethtool import Duplex
from nlemu.protocol.uapi.netdev import NapiThreaded

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
"""operstates[] of net/core/net-sysfs.c, by IF_OPER_*."""
OPER_DOWN = 2
POWER = "power/control"
DUPLEX = {int(Duplex.HALF): "half", int(Duplex.FULL): "full"}


def class_net(net: Net) -> Directory:
    """/sys/class/net of a namespace: a link for each device, and the file that makes bonds."""
    entries: dict[str, Callable[[], Node]] = {dev.name: partial(_link, dev) for dev in net}
    if net.kernel.build.has("BONDING"):
        entries["bonding_masters"] = partial(bonding.masters_file, net)
    return Directory(entries)


def _link(dev: Device) -> Link:
    return Link(f"../../devices/{place(dev)}", partial(device, dev))


def place(dev: Device) -> str:
    """Where below /sys/devices the device is."""
    return devpath(dev).removeprefix("/devices/")


def virtual_net(net: Net) -> Directory:
    """/sys/devices/virtual/net."""
    return Directory({dev.name: partial(device, dev) for dev in net if dev.parent is None})


def _running_only(dev: Device, value: Callable[[], object]) -> str:
    if not dev.running:
        raise OSError(errno.EINVAL, "the device is down")
    return f"{value()}\n"


def _unknown() -> str:
    raise OSError(errno.EINVAL, "the driver does not say")


def _unsupported() -> str:
    raise OSError(errno.EOPNOTSUPP, "the driver has none")


def _address(raw: bytes) -> str:
    return raw.hex(":") + "\n"


def _shown(value: Callable[[], object]) -> File:
    return File(lambda: f"{value()}\n")


def device(dev: Device) -> Directory:
    """One device's directory."""
    entries: dict[str, Callable[[], Node]] = {
        "addr_assign_type": lambda: _shown(lambda: int(dev.addr_assign_type)),
        "addr_len": lambda: _shown(lambda: dev.addr_len),
        "address": lambda: File(lambda: _address(dev.address)),
        "broadcast": lambda: File(lambda: _address(dev.broadcast)),
        "carrier": lambda: File(lambda: _running_only(dev, lambda: int(dev.carrier)), partial(_set_carrier, dev)),
        "carrier_changes": lambda: _shown(lambda: dev.carrier_up_count + dev.carrier_down_count),
        "carrier_down_count": lambda: _shown(lambda: dev.carrier_down_count),
        "carrier_up_count": lambda: _shown(lambda: dev.carrier_up_count),
        "dev_id": lambda: _shown(lambda: f"{dev.dev_id:#x}"),
        "dev_port": lambda: _shown(lambda: 0),
        "dormant": lambda: File(lambda: _running_only(dev, lambda: int(dev.dormant))),
        "duplex": lambda: File(partial(_duplex, dev)),
        "flags": lambda: File(
            lambda: f"{dev.flags:#x}\n", lambda text: flags.change_flags(dev, kstrtoul(text) & UINT_MAX)
        ),
        "gro_flush_timeout": lambda: File(
            lambda: f"{dev.gro_flush_timeout}\n", lambda text: napi.set_device_gro_flush_timeout(dev, kstrtoul(text))
        ),
        "ifalias": lambda: File(lambda: f"{dev.ifalias}\n" if dev.ifalias else "", partial(_set_alias, dev)),
        "ifindex": lambda: _shown(lambda: dev.ifindex),
        "iflink": lambda: _shown(lambda: dev.iflink),
        "link_mode": lambda: _shown(lambda: dev.link_mode),
        "mtu": lambda: File(lambda: f"{dev.mtu}\n", lambda text: settings.set_mtu(dev, kstrtoul(text) & UINT_MAX)),
        "name_assign_type": lambda: File(partial(_name_assign_type, dev)),
        "napi_defer_hard_irqs": lambda: File(
            lambda: f"{dev.napi_defer_hard_irqs}\n", partial(_set_defer_hard_irqs, dev)
        ),
        "netdev_group": lambda: File(
            lambda: f"{dev.group}\n", lambda text: settings.set_group(dev, kstrtoul(text) & UINT_MAX)
        ),
        "operstate": lambda: _shown(lambda: OPERSTATES[dev.operstate if dev.running else OPER_DOWN]),
        "power": lambda: power(dev),
        "proto_down": lambda: File(
            lambda: f"{int(dev.proto_down)}\n", lambda text: settings.set_proto_down(dev, kstrtoul(text) != 0)
        ),
        "queues": lambda: queue_files.queues(dev),
        "speed": lambda: File(partial(_speed, dev)),
        "statistics": lambda: statistics(dev),
        "subsystem": lambda: Link(_up(dev) + "class/net", lambda: class_net(dev.net)),
        "testing": lambda: File(lambda: _running_only(dev, lambda: int(dev.testing))),
        "threaded": lambda: File(lambda: f"{int(dev.threaded)}\n", partial(_set_threaded, dev)),
        "tx_queue_len": lambda: File(
            lambda: f"{dev.txqlen}\n", lambda text: settings.set_txqlen(dev, kstrtoul(text))
        ),
        "type": lambda: _shown(lambda: dev.type),
        "uevent": lambda: File(partial(_uevent, dev), lambda _: None),
    }
    bond, slave = bond_of(dev), slave_of(dev)
    if bond is not None:
        entries["bonding"] = partial(bonding.bonding, bond)
    if slave is not None:
        entries["bonding_slave"] = partial(bonding.bonding_slave, slave)
    br, port = bridge_of(dev), port_of(dev)
    if br is not None:
        entries["bridge"] = partial(bridge.bridge, br)
        entries["brforward"] = partial(bridge.brforward, br)
        entries["brif"] = partial(bridge.brif, br)
    if port is not None:
        entries["brport"] = partial(bridge.brport, port, partial(device, port.bridge.dev))
    # Those are there only where the driver has an answer (netdev_phys_is_visible()).
    if dev.ops.has("get_phys_port_id"):
        entries["phys_port_id"] = lambda: File(partial(_port_id, dev))
    if dev.ops.has("get_phys_port_name"):
        entries["phys_port_name"] = lambda: File(partial(_port_name, dev))
    if dev.ops.has("get_port_parent_id"):
        entries["phys_switch_id"] = lambda: File(partial(_switch_id, dev))
    if is_tun(dev):
        entries |= _tun(state_of_tun(dev))
    for side, others in (("upper", dev.uppers), ("lower", dev.lowers)):  # netdev_adjacent_sysfs_add()
        entries |= {
            f"{side}_{other.name}": partial(_neighbour, dev, other) for other in others if other.net is dev.net
        }
    if dev.master is not None:
        entries["master"] = partial(_neighbour, dev, dev.master)
    entries |= char_device(dev)
    parent = dev.parent
    if parent is not None:
        entries["device"] = lambda: Link(f"../../../{parent.name}", partial(_bus, dev))
    return Directory(entries)


def _tun(tun: Tun) -> dict[str, Callable[[], Node]]:
    """tun_attr_group."""
    return {
        "tun_flags": lambda: _shown(lambda: f"{tun.shown_flags:#x}"),
        "owner": lambda: _shown(lambda: -1 if tun.owner is None else tun.owner),
        "group": lambda: _shown(lambda: -1 if tun.group is None else tun.group),
    }


def _neighbour(dev: Device, other: Device) -> Link:
    """A link from one device's directory to another's."""
    there = place(other)
    if place(dev).rpartition("/")[0] == there.rpartition("/")[0]:
        return Link(f"../{other.name}", partial(device, other))
    return Link("../" * (1 + place(dev).count("/")) + there, partial(device, other))


def char_device(dev: Device) -> dict[str, Callable[[], Node]]:
    """The character device of a macvtap or ipvtap, in a directory and by a link; nothing for any other device."""
    numbers = tap.number_of(dev)
    if numbers is None or dev.kind is None:
        return {}
    kind, name, node = dev.kind.name, tap.name_of(dev), partial(_char_device, dev, dev.kind.name, numbers)
    return {kind: lambda: Directory({name: node}), name: lambda: Link(f"{kind}/{name}", node)}


def _char_device(dev: Device, kind: str, numbers: tuple[int, int]) -> Directory:
    major, minor = numbers
    name = tap.name_of(dev)
    return Directory({
        "dev": lambda: _shown(lambda: f"{major}:{minor}"),
        "device": lambda: Link(f"../../../{dev.name}", partial(device, dev)),
        "subsystem": lambda: Link(_up(dev) + f"../../class/{kind}", lambda: class_tap(dev.net, kind)),
        "uevent": lambda: File(lambda: f"MAJOR={major}\nMINOR={minor}\nDEVNAME={name}\n", lambda _: None),
    })


def class_tap(net: Net, kind: str) -> Directory:
    """/sys/class/macvtap, /sys/class/ipvtap of a namespace: a link for each character device."""
    entries: dict[str, Callable[[], Node]] = {}
    for dev in net:
        numbers = tap.number_of(dev)
        if numbers is not None and dev.kind is not None and dev.kind.name == kind:
            name = tap.name_of(dev)
            where = f"../../devices/{place(dev)}/{kind}/{name}"
            entries[name] = partial(Link, where, partial(_char_device, dev, kind, numbers))
    return Directory(entries)


def _uevent(dev: Device) -> str:
    """netdev_uevent(), as a file."""
    devtype = "" if dev.kind is None or not dev.kind.devtype else f"DEVTYPE={dev.kind.devtype}\n"
    return f"{devtype}INTERFACE={dev.name}\nIFINDEX={dev.ifindex}\n"


def _up(dev: Device) -> str:
    """From a device's directory up to /sys."""
    return "../" * (2 + place(dev).count("/"))


def _name_assign_type(dev: Device) -> str:
    if dev.name_assign_type == NameAssignment.UNKNOWN:
        return _unknown()
    return f"{int(dev.name_assign_type)}\n"


def _link_settings(dev: Device) -> LinkSettings:
    """Of a device that is up, if its driver tells of them. OSError EINVAL."""
    if not dev.running or not dev.ops.has("get_link_ksettings"):
        _unknown()
    return get_link_settings(dev)


def _speed(dev: Device) -> str:
    """speed_show(): in Mbit/s, as a signed number."""
    speed = _link_settings(dev).speed & 0xFFFFFFFF
    return f"{speed - (1 << 32) if speed >> 31 else speed}\n"


def _duplex(dev: Device) -> str:
    return DUPLEX.get(_link_settings(dev).duplex, "unknown") + "\n"


def _bus(dev: Device) -> Node:
    from nlemu.emulator.launch.files import cards, netdevsim

    if isinstance(dev.priv, PortState):
        return netdevsim.bus_device(dev.priv.bus_device, dev.net)
    return cards.parent(function_of(dev), dev.net)


def _port_id(dev: Device) -> str:
    port = dev.ops.get_phys_port_id(dev)
    return _unsupported() if port is None else f"{port.hex()}\n"


def _port_name(dev: Device) -> str:
    name = dev.ops.get_phys_port_name(dev)
    return _unsupported() if name is None else f"{name}\n"


def _switch_id(dev: Device) -> str:
    switch = dev.ops.get_port_parent_id(dev)
    return _unsupported() if switch is None else f"{switch.hex()}\n"


def _set_carrier(dev: Device, text: str) -> None:
    """carrier_store(): who has no carrier to change does not look at what is written."""
    if not dev.ops.has("change_carrier"):
        _unsupported()
    wanted = kstrtoul(text) != 0
    if not dev.running:
        raise OSError(errno.EINVAL, "the device is down")
    settings.change_carrier(dev, wanted)


def _set_defer_hard_irqs(dev: Device, text: str) -> None:
    wanted = kstrtoul(text)
    if wanted > settings.S32_MAX:
        raise OSError(errno.ERANGE, text)
    napi.set_device_defer_hard_irqs(dev, wanted)


def _set_alias(dev: Device, text: str) -> None:
    settings.set_alias(dev, text.removesuffix("\n"))


def _set_threaded(dev: Device, text: str) -> None:
    """threaded_store()."""
    wanted = kstrtoul(text)
    if wanted not in (0, 1):
        raise OSError(errno.EOPNOTSUPP, "0 or 1")
    napi.set_device_threaded(dev, NapiThreaded(wanted))


def power(dev: Device) -> Directory:
    """power/: what devices have that never sleep (drivers/base/power/sysfs.c). What is written to control is kept."""
    return Directory({
        "autosuspend_delay_ms": lambda: File(_no_autosuspend, _no_autosuspend),
        "control": lambda: File(lambda: dev.attached.get(POWER, "auto") + "\n", partial(_control, dev)),
        "runtime_active_time": lambda: _shown(lambda: 0),
        "runtime_status": lambda: _shown(lambda: "unsupported"),
        "runtime_suspended_time": lambda: _shown(lambda: 0),
    })


def _no_autosuspend(text: str = "") -> str:
    raise OSError(errno.EIO, "nothing here goes to sleep by itself")


def _control(dev: Device, text: str) -> None:
    """control_store()."""
    word = text.removesuffix("\n")
    if word not in ("auto", "on"):
        raise OSError(errno.EINVAL, text)
    dev.attach(POWER, word)


def statistics(dev: Device) -> Directory:
    """statistics/: every counter of rtnl_link_stats64 but the last."""
    names = [field.name for field in fields(Stats) if field.name != "rx_otherhost_dropped"]
    return Directory({name: partial(_counter, dev, name) for name in names})


def _counter(dev: Device, name: str) -> File:
    return _shown(lambda: getattr(dev.stats, name))
