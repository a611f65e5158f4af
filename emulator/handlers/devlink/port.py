"""Ports of instances (net/devlink/port.c): a simulated device has physical ones, each with a network device.

A port tells of its network device as long as that is in the namespace of the instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.instance import dump, fill_handle, find, find_port
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink.attributes import Devlink
from nlemu.protocol.families.devlink.commands import PORT_GET
from nlemu.protocol.uapi.devlink import DevlinkPortFlavour, DevlinkPortType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.netdevsim_bus import BusDevice
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Values


def fill_port(instance: BusDevice, index: int, dev: Device) -> Values:
    """devlink_nl_port_fill(); ports are numbered from 1, in 32 bits."""
    here = dev.net is instance.net
    return fill_handle(instance) | {
        Devlink.port_index: index,
        Devlink.port_type: DevlinkPortType.ETH,
        Devlink.port_netdev_ifindex: dev.ifindex if here else None,
        Devlink.port_netdev_name: dev.name if here else None,
        Devlink.port_splittable: 0,
        Devlink.port_flavour: DevlinkPortFlavour.PHYSICAL,
        Devlink.port_number: index + 1 & 0xFFFFFFFF,
    }


def ports(instance: BusDevice) -> Iterator[Callable[[], Values]]:
    """Those of one instance, by index."""
    for index in sorted(instance.ports):
        yield partial(fill_port, instance, index, instance.ports[index])


@doit(PORT_GET)
def port(call: Call) -> Values:
    """devlink_nl_port_get_doit()."""
    instance = find(call)
    dev = find_port(call, instance)
    return fill_port(instance, call.attrs[Devlink.port_index], dev)


@dumpit(PORT_GET)
def port_dump(call: Call) -> Dump:
    """devlink_nl_port_get_dumpit()."""
    return dump(call, ports)
