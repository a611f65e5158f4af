"""What is so on a machine after whatever was done to it. Each function yields a line for each thing that is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from nlemu.emulator.handlers.route.link import fill
from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.states import RegState
from nlemu.emulator.machine.machine import Machine

Broken = Iterator[str]


def broken(machine: Machine) -> list[str]:
    """All that is not as it has to be."""
    return [line for check in (*OF_MACHINE, *map(each, OF_DEVICE)) for line in check(machine)]


def devices(machine: Machine) -> Iterator[tuple[Net, Device]]:
    """Every device that is there, and the namespace that has it."""
    for net in machine.alive:
        for dev in net:
            yield net, dev


def each(check: Callable[[Net, Device, set[Device]], Broken]) -> Callable[[Machine], Broken]:
    """A check of one device, of all of them."""

    def of_all(machine: Machine) -> Broken:
        there = {dev for _, dev in devices(machine)}
        for net, dev in devices(machine):
            for line in check(net, dev, there):
                yield f"{net.name}/{dev.name}: {line}"

    return of_all


def nothing_fell_over(machine: Machine) -> Broken:
    """No handler raised what is no refusal."""
    if machine.bugs:
        yield f"{machine.bugs} bugs"


def indices_are_unique(machine: Machine) -> Broken:
    """In a namespace one device has an index, and one has a name."""
    for net in machine.alive:
        for number, count in Counter(dev.ifindex for dev in net).items():
            if count > 1:
                yield f"{net.name}: {count} devices have index {number}"
        for name, count in Counter(name for dev in net for name in (dev.name, *dev.altnames)).items():
            if count > 1:
                yield f"{net.name}: {count} devices are called {name}"


def sockets_are_open(machine: Machine) -> Broken:
    """No group and no port has a socket that is closed."""
    for (protocol, group), members in machine.multicast.members.items():
        for endpoint in members:
            if endpoint.closed:
                yield f"group {group} of protocol {protocol} has a closed socket"
    for (net, protocol, port), endpoint in machine.ports.taken.items():
        if endpoint.closed or endpoint.portid != port or endpoint.net is not net:
            yield f"port {port} of protocol {protocol} is of {endpoint}"


def it_is_found(net: Net, dev: Device, there: set[Device]) -> Broken:
    """By its index and its names, in its own namespace."""
    if dev.net is not net:
        yield f"it says that it is in {dev.net.name}"
    if net.device(dev.ifindex) is not dev:
        yield f"index {dev.ifindex} leads to {net.device(dev.ifindex)}"
    for name in (dev.name, *dev.altnames):
        if net.by_name(name) is not dev:
            yield f"the name {name} leads to {net.by_name(name)}"
    if dev.reg_state is not RegState.REGISTERED:
        yield f"it is listed and {dev.reg_state.name}"


def neighbours_know_it(net: Net, dev: Device, there: set[Device]) -> Broken:
    """Devices above and below know each other, the master is above, and all of them are there."""
    for upper in dev.uppers:
        if dev not in upper.lowers:
            yield f"{upper.name} is above and does not know"
        if upper not in there:
            yield f"{upper.name} is above and gone"
    for lower in dev.lowers:
        if dev not in lower.uppers:
            yield f"{lower.name} is below and does not know"
        if lower not in there:
            yield f"{lower.name} is below and gone"
    if dev.master is not None and dev.master not in dev.uppers:
        yield f"its master {dev.master.name} is not above it"
    peer = dev.ops.get_peer(dev)
    if peer is not None and peer not in there:
        yield f"its peer {peer.name} is gone"


def leases_have_two_ends(net: Net, dev: Device, there: set[Device]) -> Broken:
    """Each end of a lease points to the other; a physical device lends, a virtual one borrows; a queue is used once."""
    for queue in dev.rx.made(dev.real_num_rx_queues):
        if queue.dev is not dev:
            yield f"its queue {queue.index} is of {queue.dev.name}"
        users = [name for name, one in (("a provider", queue.mp), ("AF_XDP", queue.pool)) if one is not None]
        if len(users) > 1:
            yield f"queue {queue.index} is used by {' and '.join(users)}"
        other = queue.lease
        if other is None:
            continue
        if other.lease is not queue:
            yield f"queue {queue.index} is leased and the other end does not know"
        if (dev.parent is None) == (other.dev.parent is None):
            yield f"queue {queue.index} is leased between two of a kind"
        if other.dev not in there:
            yield f"queue {queue.index} is leased with {other.dev.name}, which is gone"
        if dev.parent is None and queue.mp is not None:
            yield f"a provider is on the borrowed queue {queue.index}"


def what_is_kept_is_fresh(net: Net, dev: Device, there: set[Device]) -> Broken:
    """What is told of a link, and kept, is what would be told if it were not kept."""
    if dev.told is None:
        return
    kept, dev.told = dev.told, None
    for mask in kept:
        before = dev.told = kept
        told = fill.body(dev, net, mask)
        dev.told = None
        if fill.body(dev, net, mask) != told:
            yield f"what is kept of it for mask {mask} is old"
        dev.told = before


OF_MACHINE = (nothing_fell_over, indices_are_unique, sockets_are_open)
OF_DEVICE = (it_is_found, neighbours_know_it, leases_have_two_ends, what_is_kept_is_fresh)
