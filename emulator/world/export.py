"""The world of a machine in this process: everything that its namespaces tell when they are asked, and no more than
what makes it otherwise than a new one would be (emulator/world/reduce.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.nics.eswitch import SWITCHDEV
from nlemu.emulator.kernel.nics.function import NO_NODE, BusFunction
from nlemu.emulator.kernel.nics.nic import state_of
from nlemu.emulator.world.observe import Observer, values_of
from nlemu.emulator.world.sections import ETHTOOL, SECTIONS, TOLD_WHOLE
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.settings import common
from nlemu.emulator.world.world import Entry, World
from nlemu.protocol.decode.message import Message
from nlemu.protocol.encode.conversation import NlError
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.machine.machine import Machine

DUMPS = (("rt-link", "getlink"), *((section.specification, section.get) for section in SECTIONS.values()))


def export(machine: Machine) -> World:
    """The world of a machine."""
    own = [Entry("profile", dict(one.said)) for one in machine.nics.own.values() if one.said is not None]
    observer = Observer(World(kernel=machine.build.name, exact=TOLD_WHOLE, profiles=own))
    names = {net: name for name, net in machine.nets.items()}
    for name, net in machine.nets.items():
        namespace = observer.world.namespace(name)
        namespace.entries.append(Entry("settings", dict(common(net))))
    for name, net in machine.nets.items():
        session = Session(machine, net)
        for family, operation in DUMPS:
            for message in session.dump(family, operation):
                observer.observe(message, name)
        session.close()
        session = Session(machine, net, NetlinkProtocol.GENERIC)
        for what in ETHTOOL:
            for message in dumped(session, "ethtool", f"{what}-get"):
                observer.ethtool(what, values_of(message), name)
        for message in dumped(session, "netdev", "queue-get"):
            observer.queue(values_of(message), name)
        session.close()
    for dev in machine.nics.devices.values():
        entry = observer.links.get((names[dev.net], dev.ifindex))
        if entry is not None:
            entry.fields |= card_fields(state_of(dev).function, names)
    for dev, fields in represented(machine, names):
        entry = observer.links.get((names[dev.net], dev.ifindex))
        if entry is not None:
            entry.fields |= fields
    for name, net in machine.nets.items():  # some get their id when they are first told of
        for peer, other in names.items():
            nsid = net.id_of(peer)
            if nsid is not None:
                observer.ids[name, nsid] = other
                observer.world.namespace(name).entries.append(Entry("id", {"namespace": other, "id": nsid}))
    return observer.finish()


def card_fields(function: BusFunction, names: Mapping[Net, str]) -> dict[str, Any]:
    """What a world says of the card behind a link. names: of the namespaces."""
    card, said = function.physfn, function.sriov
    if card is not None and card.dev is not None:
        return {"physfn": f"{names[card.dev.net]}/{card.dev.name}", "vf": function.number}
    fields: dict[str, Any] = {"nic": function.profile.name}
    if function.numa_node != NO_NODE:
        fields["numa-node"] = function.numa_node
    if said is not None and said.total != said.facts.total:
        fields["total-vfs"] = said.total
    if function.eswitch is not None and function.eswitch.mode == SWITCHDEV:
        fields["eswitch"] = "switchdev"
    if said is not None and said.vfs:
        fields["vfs"] = len(said.vfs)
    return fields


def represented(machine: Machine, names: Mapping[Net, str]) -> Iterator[tuple[Device, dict[str, Any]]]:
    """What a world says of the links that represent virtual functions."""
    for function in machine.nics.functions.values():
        dev, switch = function.dev, function.eswitch
        if dev is not None and switch is not None:
            for number, one in switch.representors.items():
                yield one, {"physfn": f"{names[dev.net]}/{dev.name}", "representor": number}


def dumped(session: Session, family: str, operation: str) -> list[Message]:
    """What a dump tells; nothing where the kernel does not have it."""
    try:
        return session.dump(family, operation)
    except NlError:
        return []
