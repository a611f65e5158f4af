"""What becomes of IPv6 addresses when something happens to their device: addrconf_notify() of net/ipv6/addrconf.c.

When a device can carry packets it gets an address of the link, made of its hardware address or at random, and the
loopback device its ::1. Tunnels through IPv4 have addresses that are made of those of IPv4. When a device goes down it
loses all of its addresses, those that were given to it as well.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet import neighbour_events
from nlemu.emulator.kernel.ipv6 import address as ip6_address
from nlemu.emulator.kernel.ipv6 import anycast, dad, mld, routes
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.address import State, Wanted
from nlemu.emulator.kernel.ipv6.interface_id import eui64, stable
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_addr import IFA_F, IFAPROT
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_link import In6AddrGenMode
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE, RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.device import Inet6Device

TENTATIVE, PERMANENT = int(IFA_F.TENTATIVE), int(IFA_F.PERMANENT)
NODAD, NOPREFIXROUTE = int(IFA_F.NODAD), int(IFA_F.NOPREFIXROUTE)
LOOPBACK = int(ARPHRD.LOOPBACK)
POINTOPOINT, MULTICAST = int(IFF.POINTOPOINT), int(IFF.MULTICAST)
CONFIGURED = frozenset({
    ARPHRD.ETHER, ARPHRD.INFINIBAND, ARPHRD.TUNNEL, ARPHRD.TUNNEL6, ARPHRD.IP6GRE, ARPHRD.IPGRE, ARPHRD.SIT,
    ARPHRD.NONE, ARPHRD.RAWIP, ARPHRD.LOOPBACK,
})
"""Types of devices that get addresses by themselves."""
STABLE_PRIVACY = int(IFA_F.STABLE_PRIVACY)
EUI64, NO_ADDRESS = int(In6AddrGenMode.EUI64), int(In6AddrGenMode.NONE)
RANDOM, BY_SECRET = int(In6AddrGenMode.RANDOM), int(In6AddrGenMode.STABLE_PRIVACY)


def restore(dev: Device) -> None:
    """addrconf_permanent_addr(): the routes of addresses that were there before the device came up."""
    if dev.ip6 is None:
        return
    for ifa in tuple(dev.ip6.addresses):
        if not ifa.flags & PERMANENT:
            continue
        if ifa.route is None or not ifa.route.linked:
            ifa.route = routes.local_route(dev, ifa.address)
        if not ifa.flags & NOPREFIXROUTE:
            routes.add_prefix(dev, ifa.address, ifa.length, ifa.metric)
        if ifa.state == State.PREDAD:
            dad.start(ifa)


def configure(dev: Device) -> None:
    """addrconf_init_auto_addrs(): the addresses that a device has by itself."""
    idev: Inet6Device | None = dev.ip6
    if idev is None:
        return
    if dev.type in CONFIGURED or dev.flags & MULTICAST:
        mld.up(dev)
    if dev.type == LOOPBACK:
        _add_loopback(dev)
    elif dev.type == ARPHRD.SIT:
        _configure_sit(dev, idev)
    elif dev.type in CONFIGURED and not idev.conf[Ipv6Devconf.DISABLE_IPV6]:
        routes.add_multicast(dev)
        if dev.type == ARPHRD.IPGRE:
            _configure_gre(dev, idev)
            return
        if dev.type == ARPHRD.NONE and idev.conf[Ipv6Devconf.ADDR_GEN_MODE] == EUI64:
            idev.conf[Ipv6Devconf.ADDR_GEN_MODE] = RANDOM
        _generate(dev, idev)


def _generate(dev: Device, idev: Inet6Device, *, prefix_route: bool = False) -> None:
    """addrconf_addr_gen(): prefix_route: if no address comes of it, the route to the link's does."""
    if l3mdev.is_master(dev):
        return
    mode = idev.conf[Ipv6Devconf.ADDR_GEN_MODE]
    interface_id, flags = None, 0
    if mode == EUI64:
        interface_id = eui64(dev)
    elif mode in (RANDOM, BY_SECRET):
        if mode == RANDOM and idev.conf.secret is None:  # ipv6_gen_mode_random_init()
            idev.conf.secret = dev.kernel.random.getrandbits(128).to_bytes(16, "big")
        interface_id, flags = stable(dev), STABLE_PRIVACY
    else:
        return
    if interface_id is not None:
        with suppress(Refusal):  # it has the address
            _add_link_local(dev, interface_id, flags)
    elif prefix_route:
        routes.add_prefix(dev, ip6.LINK_LOCAL, 64)


def _configure_sit(dev: Device, idev: Inet6Device) -> None:
    """addrconf_sit_config()."""
    if dev.isatap:
        _generate(dev, idev)
        return
    _add_ipv4(dev, idev)
    if dev.flags & POINTOPOINT:
        routes.add_multicast(dev)


def _configure_gre(dev: Device, idev: Inet6Device) -> None:
    """addrconf_gre_config()."""
    if any(dev.address[:4]) or idev.conf[Ipv6Devconf.ADDR_GEN_MODE] != EUI64:
        _generate(dev, idev, prefix_route=True)
    else:
        _add_ipv4(dev, idev)


def _add_ipv4(dev: Device, idev: Inet6Device) -> None:
    """add_v4_addrs(): addresses that are made of the one that a tunnel sends from, or of all that there are."""
    base, length, scope = 0, 96, int(ip6.AddrType.COMPATV4)
    if dev.flags & POINTOPOINT or dev.type != ARPHRD.SIT:
        if idev.conf[Ipv6Devconf.ADDR_GEN_MODE] == NO_ADDRESS:
            return
        base, length, scope = ip6.LINK_LOCAL, 64, int(ip6.AddrType.LINKLOCAL)
    own = int.from_bytes(dev.address[:4], "big")
    if own:
        _add_as_it_is(dev, Wanted(base | own, length, scope=scope))
        routes.add_prefix(dev, base | own, length)
        return
    for other in dev.net:
        for ifa in other.ip4.addresses if other.ip4 is not None and other.up else ():
            reach = scope
            if ifa.scope == RT_SCOPE.LINK:
                continue
            if ifa.scope >= RT_SCOPE.HOST:
                if dev.flags & POINTOPOINT:
                    continue
                reach |= int(ip6.AddrType.LOOPBACK)
            _add_as_it_is(dev, Wanted(base | ifa.local, length, scope=reach))
            routes.add_prefix(dev, base | ifa.local, length)


def _add_loopback(dev: Device) -> None:
    """init_loopback()."""
    _add_as_it_is(dev, Wanted(ip6.LOOPBACK, 128, proto=IFAPROT.KERNEL_LO, scope=int(ip6.AddrType.LOOPBACK)))


def _add_as_it_is(dev: Device, wanted: Wanted) -> None:
    """add_addr(): without looking whether somebody else has it; nothing, if the device has it."""
    with suppress(Refusal):
        ifa = ip6_address.create(dev, wanted)
        ifa.flags &= ~TENTATIVE
        ip6_address.notify(RTM.NEWADDR, ifa)


def _add_link_local(dev: Device, interface_id: int, flags: int = 0) -> None:
    """addrconf_add_linklocal()."""
    address = ip6.LINK_LOCAL | interface_id
    scope = int(ip6.AddrType.LINKLOCAL)
    wanted = Wanted(address, 64, flags=flags | PERMANENT, proto=IFAPROT.KERNEL_LL, scope=scope)
    ifa = ip6_address.create(dev, wanted)
    routes.add_prefix(dev, address, 64)
    dad.start(ifa)


def down(dev: Device, *, unregister: bool) -> None:
    """addrconf_ifdown(), as far as addresses and routes go: they are lost, in the order of the list."""
    routes.sync_down(dev, NetdevEvent.UNREGISTER if unregister else NetdevEvent.DOWN)
    neighbour_events.ifdown(dev, ip6.AF_INET6)
    idev: Inet6Device | None = dev.ip6
    if idev is None:
        return
    idev.dead = unregister
    keep = not unregister and idev.conf[Ipv6Devconf.KEEP_ADDR_ON_DOWN] > 0
    for ifa in tuple(idev.addresses):
        _lose(ifa, keep=keep and _keepable(ifa))


def _keepable(ifa: Address6) -> bool:
    kind = ip6.classify(ifa.address)[0]
    return bool(ifa.flags & PERMANENT) and not kind & (ip6.AddrType.LINKLOCAL | ip6.AddrType.LOOPBACK)


def _lose(ifa: Address6, *, keep: bool) -> None:
    dad.cancel(ifa)
    if keep:
        ifa.state = State.PREDAD
        if not ifa.flags & NODAD:
            ifa.flags |= TENTATIVE
        ifa.route = None
        if ifa.idev.conf[Ipv6Devconf.FORWARDING]:
            anycast.leave(ifa)
        dad.leave_solicited(ifa.dev, ifa.idev, ifa.address)
        return
    ip6_address.forget(ifa)
    was, ifa.state = ifa.state, State.DEAD
    if was != State.DEAD:
        ip6_address.tell(RTM.DELADDR, ifa)
    ifa.idev.addresses.remove(ifa)
