"""Rates of ports and nodes (net/devlink/rate.c): asked for, set, made and deleted."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.beyond import find_whole
from nlemu.emulator.handlers.devlink.instance import dump, each, fill_handle, find, find_port
from nlemu.emulator.handlers.ethtool.common import parse_nest
from nlemu.emulator.kernel.devlink.rate import Rate
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import Devlink, DlRateTcBws
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import walk
from nlemu.protocol.uapi.devlink import DEVLINK_RATE_TCS_MAX, DevlinkCmd

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Attr, Values

FIELDS: dict[Attr[int], str] = {
    Devlink.rate_tx_share: "share", Devlink.rate_tx_max: "max", Devlink.rate_tx_priority: "priority",
    Devlink.rate_tx_weight: "weight",
}
"""In the order in which they are set; classes and parent follow."""
UNSUPPORTED: dict[Attr[int], str] = {
    Devlink.rate_tx_priority: "TX priority set isn't supported for the {}",
    Devlink.rate_tx_weight: "TX weight set isn't supported for the {}",
}
"""devlink_rate_set_ops_supported(), of what the one driver with rates cannot set."""
TWICE = "Duplicate traffic class index specified ({})"
ALL_CLASSES = f"Bandwidth values must be specified for all {DEVLINK_RATE_TCS_MAX} traffic classes"


def fill_rate(instance: Instance, rate: Rate) -> Values:
    """devlink_nl_rate_fill()."""
    return fill_handle(instance) | {
        Devlink.rate_type: rate.type,
        Devlink.port_index: rate.port,
        Devlink.rate_node_name: rate.name,
        Devlink.rate_tx_share: rate.share,
        Devlink.rate_tx_max: rate.max,
        Devlink.rate_tx_priority: rate.priority,
        Devlink.rate_tx_weight: rate.weight,
        Devlink.rate_parent_node_name: None if rate.parent is None else rate.parent.name,
        Devlink.rate_tc_bws: [
            {DlRateTcBws.index: index, DlRateTcBws.bw: bandwidth} for index, bandwidth in enumerate(rate.classes)
        ],
    }


def find_rate(call: Call, instance: Instance) -> Rate:
    """devlink_rate_get_from_info(): of a port, or a node by name. EINVAL, ENODEV."""
    if Devlink.port_index in call.attrs:
        find_port(call, instance)
        return instance.rates.leaf(call.attrs[Devlink.port_index])
    return instance.rates.node(call.attrs.get(Devlink.rate_node_name))


def check_supported(call: Call, of: str) -> None:
    """devlink_rate_set_ops_supported(). EOPNOTSUPP."""
    for attr, text in UNSUPPORTED.items():
        if attr in call.attrs:
            raise Refusal(errno.EOPNOTSUPP, text.format(of), at=call.attrs.offset(attr))


def classes_of(call: Call) -> list[int]:
    """devlink_nl_rate_tc_bw_set(): the bandwidth of each class. EINVAL: one is missing, or there twice."""
    found: dict[int, int] = {}
    data, policy = call.message, DlRateTcBws.spec.policy
    for number, start, end in walk(data, call.attrs.start, call.attrs.end):
        if number != Devlink.rate_tc_bws.number:
            continue
        told = parse_nest(call.extack, data, start - 4, end, policy)
        told.require((DlRateTcBws.index, DlRateTcBws.bw))
        index = told[DlRateTcBws.index]
        if index in found:
            raise Refusal(errno.EINVAL, TWICE.format(index))
        found[index] = told[DlRateTcBws.bw]
    if len(found) < DEVLINK_RATE_TCS_MAX:
        raise Refusal(errno.EINVAL, ALL_CLASSES)
    return [found[index] for index in range(DEVLINK_RATE_TCS_MAX)]


def set_all(call: Call, instance: Instance, rate: Rate) -> None:
    """devlink_nl_rate_set(): what was set before a refusal stays."""
    attrs = call.attrs
    for attr, field in FIELDS.items():
        if attr in attrs:
            instance.set_rate(rate, field, attrs[attr])
    if Devlink.rate_tc_bws in attrs:
        instance.set_rate(rate, "classes", classes_of(call))
    if Devlink.rate_parent_node_name in attrs:
        instance.set_rate(rate, "parent", instance.rates.parent_of(rate, attrs[Devlink.rate_parent_node_name]))


@doit(c.RATE_GET)
def rate_get(call: Call) -> Values:
    """devlink_nl_rate_get_doit()."""
    instance = find(call)
    return fill_rate(instance, find_rate(call, instance))


@dumpit(c.RATE_GET)
def rate_dump(call: Call) -> Dump:
    """devlink_nl_rate_get_dumpit()."""
    return dump(call, each(fill_rate, lambda instance: instance.rates.listed))


@doit(c.RATE_SET)
def rate_set(call: Call) -> None:
    """devlink_nl_rate_set_doit()."""
    instance = find(call)
    rate = find_rate(call, instance)
    check_supported(call, "leafs" if rate.name is None else "nodes")
    set_all(call, instance, rate)
    call.machine.announcer.devlink(instance, DevlinkCmd.RATE_NEW, rate)


@doit(c.RATE_NEW)
def rate_new(call: Call) -> None:
    """devlink_nl_rate_new_doit(): a node. EOPNOTSUPP, EINVAL, EEXIST."""
    instance = find_whole(call)
    check_supported(call, "nodes")
    name = call.attrs.get(Devlink.rate_node_name)
    instance.rates.vacant(name)
    node = Rate(name=name)
    instance.node_may_come()
    set_all(call, instance, node)
    instance.rates.add(node)
    call.machine.announcer.devlink(instance, DevlinkCmd.RATE_NEW, node)


@doit(c.RATE_DEL)
def rate_del(call: Call) -> None:
    """devlink_nl_rate_del_doit()."""
    instance = find(call)
    node = instance.rates.node(call.attrs.get(Devlink.rate_node_name))
    instance.rates.childless(node)
    call.machine.announcer.devlink(instance, DevlinkCmd.RATE_DEL, node)
    instance.rates.listed.remove(node)
