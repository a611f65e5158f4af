"""/sys/bus/netdevsim and /sys/kernel/debug/netdevsim: how NICs are plugged in, out, and played with
(drivers/net/netdevsim/bus.c). What there is in debugfs, the model says (nics/netdevsim/debugfs.py).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.kstrto import kstrtouint, kstrtoul, numbers
from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.nics.netdevsim import debugfs
from nlemu.emulator.kernel.nics.netdevsim.device import BusDevice
from nlemu.emulator.kernel.nics.netdevsim.wire import link_ports, unlink_port
from nlemu.emulator.launch.files.tree import Directory, File, Link, Node

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine

Descriptor = Callable[[int], object | None]
"""What a number stands for in the table of open files of whoever writes."""


def bus(machine: Machine, net: Net, descriptor: Descriptor) -> Directory:
    """/sys/bus/netdevsim, as seen from a namespace."""
    return Directory(
        {
            "del_device": lambda: File(write=partial(_del_device, machine)),
            "devices": lambda: Directory(
                {device.name: partial(_device_link, device, net) for device in machine.netdevsim_bus.devices.values()}
            ),
            "drivers": lambda: Directory({"netdevsim": lambda: Directory({})}),
            "drivers_autoprobe": lambda: File(lambda: "1\n"),
            "link_device": lambda: File(write=partial(_link_device, descriptor)),
            "new_device": lambda: File(write_in=partial(_new_device, machine, net)),
            "uevent": lambda: File(write=lambda _: None),
            "unlink_device": lambda: File(write=partial(_unlink_device, descriptor)),
        }
    )


def _device_link(device: BusDevice, net: Net) -> Link:
    return Link(f"../../../devices/{device.name}", partial(bus_device, device, net))


def bus_device(device: BusDevice, net: Net) -> Directory:
    """/sys/devices/netdevsimN. net/ shows the ports that are in the namespace of whoever looks."""
    return Directory(
        {
            "del_port": lambda: File(write=partial(_del_port, device)),
            "net": lambda: Directory(
                {port.name: partial(_port, port) for port in device.ports.values() if port.net is net}
            ),
            "new_port": lambda: File(write=partial(_new_port, device)),
            "sriov_numvfs": lambda: File(lambda: f"{device.num_vfs}\n", partial(_set_vfs, device)),
            "uevent": lambda: File(lambda: "DRIVER=netdevsim\n"),
        }
    )


def _port(dev: Device) -> Node:
    from nlemu.emulator.launch.files.sysfs import device

    return device(dev)


def _new_device(machine: Machine, opener: Net, text: str, writer: Net | None) -> None:
    """new_device_store(): the device is in the namespace of whoever writes."""
    found = numbers(text)[:3]
    if not found:
        raise OSError(errno.EINVAL, "id port_count num_queues")
    number, ports, queues = (*found, 1, 1)[:3]
    machine.netdevsim_bus.new_device(number, ports, queues, writer or opener)


def _del_device(machine: Machine, text: str) -> None:
    found = numbers(text)
    if not found:
        raise OSError(errno.EINVAL, "id")
    machine.netdevsim_bus.del_device(found[0])


def _new_port(device: BusDevice, text: str) -> None:
    words = text.split()
    if not words:
        raise OSError(errno.EINVAL, "port_index [address]")
    address = bytes.fromhex(words[1].replace(":", "")) if len(words) > 1 else None
    device.bus.new_port(device.id, kstrtoul(words[0]), address)


def _set_vfs(device: BusDevice, text: str) -> None:
    device.set_vfs(kstrtouint(text))


def _del_port(device: BusDevice, text: str) -> None:
    device.bus.del_port(device.id, kstrtoul(text))


def _linked(descriptor: Descriptor, word: str) -> Device:
    """The device that "descriptor:ifindex" names. OSError EINVAL."""
    fd, _, ifindex = word.partition(":")
    net = descriptor(int(fd))
    dev = net.device(int(ifindex)) if isinstance(net, Net) else None
    if dev is None:
        raise OSError(errno.EINVAL, "no such device")
    return dev


def _link_device(descriptor: Descriptor, text: str) -> None:
    first, second = text.split()
    link_ports(_linked(descriptor, first), _linked(descriptor, second))


def _unlink_device(descriptor: Descriptor, text: str) -> None:
    unlink_port(_linked(descriptor, text.strip()))


def debug_folder(machine: Machine) -> Directory:
    """/sys/kernel/debug/netdevsim."""
    return Directory({device.name: partial(_debug, device) for device in machine.netdevsim_bus.devices.values()})


def _debug(device: BusDevice) -> Directory:
    return Directory(_nodes(debugfs.files(device)))


def _nodes(folder: debugfs.Folder) -> dict[str, Callable[[], Node]]:
    """The files that the model has, as those of a tree."""
    nodes: dict[str, Callable[[], Node]] = {}
    for name, found in folder.items():
        if isinstance(found, debugfs.Setting):
            nodes[name] = partial(File, found.read, found.write, open_to_all=False)
        else:
            nodes[name] = partial(Directory, _nodes(found))
    return nodes
