"""Ports of instances (net/devlink/port.c): physical ones of devices, and those of virtual functions, each with a
network device.

A port tells of its network device as long as that is in the namespace of the instance.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.beyond import refuse
from nlemu.emulator.handlers.devlink.instance import Fills, dump, fill_handle, find, find_port
from nlemu.emulator.handlers.ethtool.common import parse_nest
from nlemu.emulator.kernel.devlink.objects import Port
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink.attributes import Devlink, DlPortFunction, DlPortFunctionSet
from nlemu.protocol.families.devlink.commands import PORT_GET, PORT_SET
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkCmd, DevlinkPortFlavour, DevlinkPortType
from nlemu.protocol.uapi.if_ether import ETH_ALEN
from nlemu.protocol.uapi.netdevice import MAX_ADDR_LEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance, PortFacts
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Attrs, Values


NO_FUNCTION = "Port doesn't support function attributes"
NO_STATE = "Function does not support state setting"
NO_QUEUES = "Function does not support max_io_eqs setting"
NO_CAPS = {
    1: "Port doesn't support RoCE function attribute", 2: "Port doesn't support migratable function attribute",
    4: "Port doesn't support ipsec_crypto function attribute",
    8: "Port doesn't support ipsec_packet function attribute",
}
"""By DEVLINK_PORT_FN_CAP_*, in the order in which they are looked at."""
NOT_PARSED = "Fail to parse port function attributes"
TOO_LONG = "Port function hardware address too long"
NOT_SIX = "Address must be 6 bytes for Ethernet device"
NOT_UNICAST = "Non-unicast hardware address unsupported"


def port_of(instance: Instance, index: int) -> Port:
    """A port as it is now."""
    dev = instance.ports[index]
    return Port(index, DevlinkPortType.ETH, dev if dev.net is instance.net else None)


def fill_port(instance: Instance, port: Port) -> Values:
    """devlink_nl_port_fill()."""
    facts = instance.port_facts(port.index)
    virtual = facts.flavour is DevlinkPortFlavour.PCI_VF
    return fill_handle(instance) | {
        Devlink.port_index: port.index,
        Devlink.port_type: port.type,
        Devlink.port_netdev_ifindex: None if port.dev is None else port.dev.ifindex,
        Devlink.port_netdev_name: None if port.dev is None else port.dev.name,
        Devlink.port_splittable: 0,
        Devlink.port_flavour: facts.flavour,
        Devlink.port_number: facts.number,
        Devlink.port_controller_number: 0 if virtual else None,
        Devlink.port_pci_pf_number: facts.pf,
        Devlink.port_pci_vf_number: facts.vf,
        Devlink.port_external: 0 if virtual else None,
        Devlink.port_function: None if facts.hw_addr is None else {DlPortFunction.hw_addr: facts.hw_addr},
    }


def fill_now(instance: Instance, index: int) -> Values | None:
    """The same of a port as it is when there is room for it; None: it went before."""
    return fill_port(instance, port_of(instance, index)) if index in instance.ports else None


def ports(instance: Instance) -> Fills:
    """Those of one instance, by index."""
    for index in sorted(instance.ports):
        yield partial(fill_now, instance, index)


@doit(PORT_GET)
def port(call: Call) -> Values:
    """devlink_nl_port_get_doit()."""
    instance = find(call)
    find_port(call, instance)
    return fill_port(instance, port_of(instance, call.attrs[Devlink.port_index]))


def check_function(call: Call, instance: Instance, told: Attrs, facts: PortFacts) -> None:
    """devlink_port_function_validate(). EOPNOTSUPP: the driver cannot set it."""
    if DlPortFunctionSet.hw_addr in told and facts.hw_addr is None:
        raise Refusal(errno.EOPNOTSUPP, NO_FUNCTION, at=told.offset(DlPortFunctionSet.hw_addr))
    if DlPortFunctionSet.state in told:
        raise Refusal(errno.EOPNOTSUPP, NO_STATE, at=told.offset(DlPortFunctionSet.state))
    if DlPortFunctionSet.caps in told:
        if not instance.whole:
            refuse(call)
        for bit, text in NO_CAPS.items():
            if told[DlPortFunctionSet.caps].selector & bit:
                raise Refusal(errno.EOPNOTSUPP, text, at=told.offset(DlPortFunctionSet.caps))
    if DlPortFunctionSet.max_io_eqs in told:
        if not instance.whole:
            refuse(call)
        raise Refusal(errno.EOPNOTSUPP, NO_QUEUES, at=told.offset(DlPortFunctionSet.max_io_eqs))


@doit(PORT_SET)
def port_set(call: Call) -> None:
    """devlink_nl_port_set_doit(), of ports that lead to virtual functions: the address that such a function is given.
    EOPNOTSUPP, EINVAL."""
    instance = find(call)
    find_port(call, instance)
    index, attrs = call.attrs[Devlink.port_index], call.attrs
    if Devlink.port_type in attrs:
        raise Refusal(errno.EOPNOTSUPP)
    if Devlink.port_function not in attrs:
        return
    start, end = attrs.spans[Devlink.port_function.number]
    try:
        told = parse_nest(call.extack, attrs.message, start - 4, end, DlPortFunctionSet.spec.policy)
    except Refusal as refusal:
        refusal.text = NOT_PARSED
        raise
    check_function(call, instance, told, instance.port_facts(index))
    if DlPortFunctionSet.hw_addr in told:
        address = told[DlPortFunctionSet.hw_addr]
        if len(address) != ETH_ALEN:
            raise Refusal(errno.EINVAL, TOO_LONG if len(address) > MAX_ADDR_LEN else NOT_SIX)
        if address[0] & 1:
            raise Refusal(errno.EINVAL, NOT_UNICAST)
        instance.set_hw_addr(index, address)
    call.machine.announcer.devlink(instance, DevlinkCmd.PORT_NEW, port_of(instance, index))


@dumpit(PORT_GET)
def port_dump(call: Call) -> Dump:
    """devlink_nl_port_get_dumpit()."""
    return dump(call, ports)
