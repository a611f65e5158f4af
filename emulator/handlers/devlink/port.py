"""Ports of instances (net/devlink/port.c): a simulated device has physical ones, each with a network device.

A port tells of its network device as long as that is in the namespace of the instance.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.instance import Fills, dump, fill_handle, find, find_port
from nlemu.emulator.kernel.nics.netdevsim_devlink import Port
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink.attributes import Devlink
from nlemu.protocol.families.devlink.commands import PORT_GET
from nlemu.protocol.uapi.devlink import DevlinkPortFlavour, DevlinkPortType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.nics.netdevsim_bus import BusDevice
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Values


def port_of(instance: BusDevice, index: int) -> Port:
    """A port as it is now."""
    dev = instance.ports[index]
    return Port(index, DevlinkPortType.ETH, dev if dev.net is instance.net else None)


def fill_port(instance: BusDevice, port: Port) -> Values:
    """devlink_nl_port_fill(); ports are numbered from 1, in 32 bits."""
    return fill_handle(instance) | {
        Devlink.port_index: port.index,
        Devlink.port_type: port.type,
        Devlink.port_netdev_ifindex: None if port.dev is None else port.dev.ifindex,
        Devlink.port_netdev_name: None if port.dev is None else port.dev.name,
        Devlink.port_splittable: 0,
        Devlink.port_flavour: DevlinkPortFlavour.PHYSICAL,
        Devlink.port_number: port.index + 1 & 0xFFFFFFFF,
    }


def fill_now(instance: BusDevice, index: int) -> Values | None:
    """The same of a port as it is when there is room for it; None: it went before."""
    return fill_port(instance, port_of(instance, index)) if index in instance.ports else None


def ports(instance: BusDevice) -> Fills:
    """Those of one instance, by index."""
    for index in sorted(instance.ports):
        yield partial(fill_now, instance, index)


@doit(PORT_GET)
def port(call: Call) -> Values:
    """devlink_nl_port_get_doit()."""
    instance = find(call)
    find_port(call, instance)
    return fill_port(instance, port_of(instance, call.attrs[Devlink.port_index]))


@dumpit(PORT_GET)
def port_dump(call: Call) -> Dump:
    """devlink_nl_port_get_dumpit()."""
    return dump(call, ports)
