"""Which instance and which port a request means (net/devlink/netlink.c), and dumps of whatever instances have.

An instance belongs to one namespace and is known there by its bus and name, or by its number. A dump goes over the
instances of a namespace in the order of their numbers; one that names an instance tells of that alone, and says in its
messages that it was filtered. What is wrong with the name is found when the dump is first packed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from nlemu.emulator.kernel.core.kstrto import kstrtoul
from nlemu.emulator.netlink.dump import Dump
from nlemu.protocol.families.devlink.attributes import Devlink
from nlemu.protocol.families.devlink.commands import HANDLE
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.netlink.call import Call, Fill
    from nlemu.protocol.schema.attributes import Attr, Values

T = TypeVar("T")

INDEX_BUS = "devlink_index"
"""DEVLINK_INDEX_BUS_NAME: the name of the bus, if the name of the device is a number."""
FILTERED, ACK = int(NLM_F.DUMP_FILTERED), int(NLM_F.ACK)


Fills = Iterator[Callable[[], "Values | None"]]
"""The messages about one instance, each filled when there is room for it."""


def instances(call: Call, net: Net) -> list[Instance]:
    """The instances of a namespace, by number (devlinks_xa_for_each_registered_get())."""
    machine = call.machine
    simulated = (one for one in machine.netdevsim_bus.devices.values() if one.driven)
    every: Iterator[Instance] = chain(simulated, machine.nics.instances())
    return sorted((one for one in every if one.net is net), key=lambda one: one.instance)


def find(call: Call) -> Instance:
    """devlink_get_from_attrs_lock(): the instance that the request names. Refusal EINVAL: not by number alone, nor by
    bus and name; ENODEV: there is none."""
    attrs = call.attrs
    number, bus, name = attrs.get(Devlink.index), attrs.get(Devlink.bus_name), attrs.get(Devlink.dev_name)
    if number is not None:
        if bus is not None or name is not None:
            raise Refusal(errno.EINVAL)
    elif bus is None or name is None:
        raise Refusal(errno.EINVAL)
    elif bus == INDEX_BUS:
        try:
            number = kstrtoul(name, 10)
        except Refusal:
            raise Refusal(errno.ENODEV) from None
    for one in instances(call, call.net):
        if number == one.instance if number is not None else (bus, name) == (one.bus_name, one.name):
            return one
    raise Refusal(errno.ENODEV)


def find_port(call: Call, instance: Instance) -> Device:
    """devlink_port_get_from_attrs(): the network device of the port that the request names. Refusal EINVAL, ENODEV."""
    index = call.attrs.get(Devlink.port_index)
    if index is None:
        raise Refusal(errno.EINVAL)
    if index not in instance.ports:
        raise Refusal(errno.ENODEV)
    return instance.ports[index]


def fill_handle(instance: Instance) -> dict[Any, Any]:
    """devlink_nl_put_handle()."""
    return {
        Devlink.bus_name: instance.bus_name, Devlink.dev_name: instance.name, Devlink.index: instance.instance,
    }


def unless_it_fails(fill: Callable[[], Values | None], begun: Dump) -> Values | None:
    """A fill that fails with EMSGSIZE is taken for one that does not fit, and as it does not fit into the next datagram
    either, that is the last: the dump is over, and nothing is said of why (devlink_nl_dumpit())."""
    try:
        return fill()
    except Refusal as refusal:
        if refusal.errno != errno.EMSGSIZE:
            raise
        begun.messages, begun.done_apart = iter(()), True
        return None


def dump(call: Call, told: Callable[[Instance], Fills]) -> Dump:
    """devlink_nl_dumpit(): ``told`` are the fills of one instance."""

    def messages() -> Iterator[Fill]:
        if any(attr in call.attrs for attr in HANDLE):
            instance = find(call)
            begun.message_flags = FILTERED
            chosen = [instance]
        else:
            chosen = instances(call, call.net)
        for instance in chosen:
            for fill in told(instance):
                yield partial(unless_it_fails, fill, begun)

    begun = Dump(call, messages())
    return begun


def in_pieces(call: Call, fill: Callable[[], bytes | Values | None]) -> Dump:
    """One thing told by as many messages as it takes: ``fill`` makes the next one, None when there is no more. Each has
    NLM_F_ACK, which the kernel writes into them."""
    over = False

    def piece() -> bytes | Values | None:
        nonlocal over
        made = fill()
        over = made is None
        return made

    def messages() -> Iterator[Fill]:
        while not over:
            yield piece

    begun = Dump(call, messages())
    begun.message_flags = ACK
    return begun


def one_each(fill: Callable[[Instance], Values]) -> Callable[[Instance], Fills]:
    """What is told of each instance in one message."""

    def told(instance: Instance) -> Fills:
        yield partial(fill, instance)

    return told


def each(
    one: Callable[[Instance, T], Values], objects: Callable[[Instance], Iterable[T]]
) -> Callable[[Instance], Fills]:
    """The messages about such objects of an instance."""

    def told(instance: Instance) -> Fills:
        return (partial(one, instance, which) for which in objects(instance))

    return told


def named(call: Call, attr: Attr[Any], objects: Iterable[T], name: str = "name") -> T | None:
    """The object whose ``name`` the attribute has; None: there is none, or none is named."""
    wanted = call.attrs.get(attr)
    return next((one for one in objects if getattr(one, name) == wanted), None)
