"""What devices and addresses do to routes of IPv4: net/ipv4/fib_frontend.c, and fib_sync_*() of fib_semantics.c.

An address brings the route to itself, which stays as long as the address does, and, while its device is up, the route
to its subnet and those of the subnet's broadcast address. The first address of a subnet is the source of all of them.

When a device goes down the routes through it are dead and disappear without a word; what user space put there does not
come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import flags, l3mdev
from nlemu.emulator.kernel.inet import neighbour_events
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import routes
from nlemu.emulator.kernel.ipv4.fib_info import DEAD, LINKDOWN, Info4
from nlemu.emulator.kernel.ipv4.routes import (
    BROADCAST,
    HOST,
    LINK,
    LOCAL,
    LOCAL_TABLE,
    MAIN,
    NOWHERE,
    UNICAST,
    Wanted4,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTPROT

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.address import Address4

SECONDARY, NOPREFIXROUTE = int(IFA_F.SECONDARY), int(IFA_F.NOPREFIXROUTE)
LOOPBACK = int(IFF.LOOPBACK)
CARRYING = int(IFF.RUNNING | IFF.LOWER_UP)
KERNEL = int(RTPROT.KERNEL)
ADD = int(NLM_F.CREATE | NLM_F.APPEND)


def _magic(ifa: Address4, route_type: int, dst: int, length: int, priority: int = 0) -> Wanted4:
    """fib_magic(): a route that the kernel makes for an address, in the table of the device's domain."""
    table = l3mdev.table_of(ifa.dev) or (MAIN if route_type == UNICAST else LOCAL_TABLE)
    return Wanted4(
        dst, length, table=table, protocol=KERNEL,
        scope=HOST if route_type == LOCAL else LINK, type=route_type, oif=ifa.dev.ifindex, priority=priority,
        prefsrc=ifa.local, nlflags=ADD,
    )


def _add(net: Net, wanted: Wanted4) -> None:
    try:
        routes.insert(net, wanted)
    except Refusal:
        return  # it is there already


def _delete(net: Net, wanted: Wanted4) -> None:
    try:
        routes.delete(net, wanted)
    except Refusal:
        return  # it never was


def primary_of(ifa: Address4) -> Address4 | None:
    """The first address of its subnet (inet_ifa_byprefix())."""
    if not ifa.flags & SECONDARY:
        return ifa
    return next((other for other in ifa.dev.inet.addresses if other.same_subnet(ifa)), None)


def _subnet_type(dev: Device) -> int:
    return LOCAL if dev.flags & LOOPBACK else UNICAST


def _has_subnet(ifa: Address4) -> bool:
    """Whether the address stands for a subnet, and not just for itself."""
    return not ip4.is_zeronet(ifa.prefix) and (ifa.prefix != ifa.local or ifa.length < 32)


def add_address(ifa: Address4) -> None:
    """fib_add_ifaddr()."""
    dev = ifa.dev
    net = dev.net
    primary = primary_of(ifa)
    if primary is None:
        return
    _add(net, _magic(primary, LOCAL, ifa.local, 32))
    if not dev.up:
        return
    if ifa.broadcast and ifa.broadcast != ip4.BROADCAST:
        _add(net, _magic(primary, BROADCAST, ifa.broadcast, 32))
    if ifa.flags & SECONDARY or not _has_subnet(ifa):
        return
    if not ifa.flags & NOPREFIXROUTE:
        _add(net, _magic(primary, _subnet_type(dev), ifa.prefix, ifa.length, ifa.metric))
    if ifa.length < 31:
        _add(net, _magic(primary, BROADCAST, ifa.last, 32))


def change_metric(ifa: Address4, metric: int) -> None:
    """fib_modify_prefix_metric(): the route to the subnet again, with another priority."""
    dev = ifa.dev
    if not dev.up or ifa.flags & (SECONDARY | NOPREFIXROUTE) or not _has_subnet(ifa):
        return
    _add(dev.net, _magic(ifa, _subnet_type(dev), ifa.prefix, ifa.length, metric))
    _delete(dev.net, _magic(ifa, _subnet_type(dev), ifa.prefix, ifa.length, ifa.metric))


def delete_address(ifa: Address4, promoted: Address4 | None = None) -> None:
    """fib_del_ifaddr(): takes the routes of an address away, except those that another address of the device still
    wants. promoted: the primary that goes while this secondary, its successor, or one beside it, stays."""
    dev = ifa.dev
    net, idev = dev.net, dev.inet
    primary = primary_of(ifa)
    if primary is None or (promoted is not None and promoted is not primary):
        return
    subnet = not ifa.flags & SECONDARY and _has_subnet(ifa)
    if subnet and not ifa.flags & NOPREFIXROUTE:
        _delete(net, _magic(primary, _subnet_type(dev), ifa.prefix, ifa.length))
    wanted: set[int] = set()
    local_wanted, gone = False, True
    if not idev.dead:
        local_wanted, gone = _still_wanted(ifa, primary, promoted, wanted)
    if ifa.broadcast not in wanted:
        _delete(net, _magic(primary, BROADCAST, ifa.broadcast, 32))
    if subnet and ifa.length < 31:
        for address in (ifa.last, ifa.prefix):
            if address not in wanted:
                _delete(net, _magic(primary, BROADCAST, address, 32))
    if local_wanted:
        return
    _delete(net, _magic(primary, LOCAL, ifa.local, 32))
    if gone and routes.address_type(net, ifa.local, l3mdev.table_of(dev) or LOCAL_TABLE) != LOCAL:
        routes.flush(net, _source_gone(dev, ifa.local))


def _still_wanted(
    ifa: Address4, primary: Address4, promoted: Address4 | None, wanted: set[int]
) -> tuple[bool, bool]:
    """Which broadcast addresses others of the device still want, as far as their routes have the same source address;
    whether one wants the route to the address itself; and whether the address is really gone."""
    local_wanted, gone, same_source = False, True, False
    source: Address4 | None = None
    for other in ifa.dev.inet.addresses:
        if other is ifa:
            gone = False
            continue
        if promoted is not None and other.same_subnet(promoted):
            continue
        if not other.flags & SECONDARY:
            if other.local != primary.local:
                continue
            source = other
            if source is not primary:
                same_source = True
        elif other.same_subnet(primary):
            source = primary
        else:
            if not same_source:
                continue
            if source is None or not other.same_subnet(source):
                source = next((one for one in ifa.dev.inet.addresses if one.same_subnet(other)), None)
            if source is None or source.local != primary.local:
                continue
        local_wanted |= other.local == ifa.local
        wanted.add(other.broadcast)
        if source is other and other.length < 31 and not ip4.is_zeronet(other.prefix):
            wanted.update((other.last, other.prefix))
    return local_wanted, gone


def _source_gone(dev: Device, address: int) -> list[Info4]:
    """fib_sync_down_addr(): the ways of the main table, or of that of the device's domain, that prefer that source
    address are dead."""
    table = l3mdev.table_of(dev) or MAIN
    dead = [info for info in ip4.of(dev.net).fib.infos.from_source(address) if info.table == table]
    for info in dead:
        info.flags |= DEAD
        info.prefsrc_gone = True
    return dead


# -- devices ----------------------------------------------------------------------------------


def sync_down(dev: Device, event: int, *, force: bool = False) -> list[Info4]:
    """fib_sync_down_dev(): the next hops through that device are dead, or without a carrier; those of local addresses
    stay alive, unless they are forced. The answer: the ways that lead nowhere else."""
    ended = []
    state = LINKDOWN if event == NetdevEvent.CHANGE else DEAD | LINKDOWN
    for info in ip4.of(dev.net).fib.infos.on(dev):
        down = 0
        for nexthop in info.nexthops:
            if nexthop.flags & DEAD:
                down += 1
            elif nexthop.dev is dev and (force or nexthop.scope != NOWHERE):
                nexthop.flags |= state
                down += 1
        if down == len(info.nexthops) or event == NetdevEvent.UNREGISTER:
            info.flags |= state
            ended.append(info)
    return ended


def sync_up(dev: Device, state: int) -> None:
    """fib_sync_up(): the next hops through that device are alive again, or have their carrier back."""
    if not dev.up:
        return
    if state & DEAD and flags.get_flags(dev) & CARRYING:
        state |= LINKDOWN
    for info in ip4.of(dev.net).fib.infos.on(dev):
        alive = False
        for nexthop in info.nexthops:
            if not nexthop.flags & state:
                alive = True
            elif nexthop.dev is dev and dev.ip4 is not None:
                alive = True
                nexthop.flags &= ~state
        if alive:
            info.flags &= ~state


def disable(dev: Device, event: int, *, force: bool) -> None:
    """fib_disable_ip()."""
    routes.flush(dev.net, sync_down(dev, event, force=force))
    neighbour_events.ifdown(dev, ip4.AF_INET)  # arp_ifdown()


def on_address(ifa: Address4, *, up: bool) -> None:
    """fib_inetaddr_event()."""
    dev = ifa.dev
    if up:
        add_address(ifa)
        sync_up(dev, DEAD)
        ip4.of(dev.net).genid += 1
        return
    delete_address(ifa)
    ip4.of(dev.net).genid += 1
    if not dev.inet.addresses:
        disable(dev, NetdevEvent.DOWN, force=True)


def on_event(event: NetdevEvent, dev: Device, info: Info) -> None:
    """fib_netdev_event()."""
    if event == NetdevEvent.UNREGISTER:
        disable(dev, event, force=True)
    elif dev.ip4 is None:
        return
    elif event == NetdevEvent.UP:
        for ifa in dev.ip4.addresses:
            add_address(ifa)
        sync_up(dev, DEAD)
        ip4.of(dev.net).genid += 1
    elif event == NetdevEvent.DOWN:
        disable(dev, event, force=False)
    elif event == NetdevEvent.CHANGEUPPER:
        if info.upper is not None and l3mdev.is_master(info.upper):
            disable(dev, NetdevEvent.DOWN, force=True)
    elif event == NetdevEvent.CHANGE:
        if flags.get_flags(dev) & CARRYING:
            sync_up(dev, LINKDOWN)
        else:
            sync_down(dev, event)
