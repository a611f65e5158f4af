"""Addresses of IPv6 on a device: struct inet6_ifaddr, and what net/ipv6/addrconf.c does with them.

An address is tentative until it is known that nobody else on the link has it (dad.py); only then it is announced
as new, and the route to it exists. In the list of its device the addresses of wider scope come first, and of one scope
the newest.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from errno import EACCES, EADDRNOTAVAIL, EEXIST, EINVAL, ENODEV, ENXIO
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core import lifetime
from nlemu.emulator.kernel.core.lifetime import INFINITY
from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet import neighbour_parms
from nlemu.emulator.kernel.ipv6 import anycast, mld, routes
from nlemu.emulator.kernel.ipv6 import dad as ip6_dad
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AddrType
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.device import Inet6Device
    from nlemu.emulator.kernel.ipv6.fib import Route6

NODAD, OPTIMISTIC, DADFAILED = int(IFA_F.NODAD), int(IFA_F.OPTIMISTIC), int(IFA_F.DADFAILED)
DEPRECATED, TENTATIVE, PERMANENT = int(IFA_F.DEPRECATED), int(IFA_F.TENTATIVE), int(IFA_F.PERMANENT)
HOMEADDRESS, MANAGETEMPADDR = int(IFA_F.HOMEADDRESS), int(IFA_F.MANAGETEMPADDR)
NOPREFIXROUTE, MCAUTOJOIN = int(IFA_F.NOPREFIXROUTE), int(IFA_F.MCAUTOJOIN)
CHANGEABLE = DEPRECATED | PERMANENT | NODAD | HOMEADDRESS | MANAGETEMPADDR | NOPREFIXROUTE
"""What a request that changes an address sets anew."""
LOOPBACK = int(IFF.LOOPBACK)


class State(IntEnum):
    """INET6_IFADDR_STATE_*."""

    PREDAD = 0
    DAD = 1
    POSTDAD = 2
    ERRDAD = 3
    DEAD = 4


@dataclass(slots=True)
class Wanted:
    """struct ifa6_config: an address that is to come, or how one is to be. peer: 0 for none; lifetimes in seconds."""

    address: int
    length: int
    peer: int = 0
    metric: int = 0
    flags: int = PERMANENT
    proto: int = 0
    valid: int = INFINITY
    preferred: int = INFINITY
    scope: int = 0


@dataclass(slots=True, eq=False)
class Address6:
    """struct inet6_ifaddr. scope: the reach of its kind (ip6.REACH); valid, preferred: lifetimes in seconds, as of
    tstamp; cstamp: when it was made; both in nanoseconds since boot. route: to the address, in the tree once it is no
    longer tentative; dad: the job that checks it, and how many probes it has still to send."""

    dev: Device
    idev: Inet6Device
    address: int
    length: int
    peer: int
    scope: int
    flags: int
    metric: int
    proto: int
    valid: int
    preferred: int
    cstamp: int
    tstamp: int
    route: Route6 | None
    state: State = State.PREDAD
    dad: Job | None = None
    dad_probes: int = 0
    told: tuple[object, bytes] | None = None
    """What whoever tells of it has worked out, and for what; the model never looks inside."""

    def lifetimes(self) -> tuple[int, int]:
        """What is left of the preferred and the valid lifetime, in seconds (inet6_fill_ifaddr())."""
        if self.flags & PERMANENT and self.preferred == INFINITY:
            return INFINITY, INFINITY
        return lifetime.left(self.dev.kernel.clock.now, self.tstamp, self.preferred, self.valid)


def notify(event: int | None, ifa: Address6) -> None:
    """ipv6_ifa_notify(): announces the address, as new if there is no event; where it really is new, or really goes,
    its routes follow."""
    if ifa.idev.dead:
        return
    tell(event, ifa)


def tell(event: int | None, ifa: Address6) -> None:
    """__ipv6_ifa_notify()."""
    dev = ifa.dev
    net = dev.net
    net.kernel.announcer.address6(event or RTM.NEWADDR, ifa)
    if event == RTM.NEWADDR:
        if ifa.route is not None and not ifa.route.linked:
            with suppress(Refusal):  # somebody may have put such a route there
                routes.insert(net, ifa.route)
        if ifa.idev.conf[Ipv6Devconf.FORWARDING]:
            anycast.join(ifa)
        if ifa.peer:
            routes.add_prefix(dev, ifa.peer, 128, ifa.metric)
    elif event == RTM.DELADDR:
        if ifa.idev.conf[Ipv6Devconf.FORWARDING]:
            anycast.leave(ifa)
        ip6_dad.leave_solicited(dev, ifa.idev, ifa.address)
        if ifa.peer:
            _remove_prefix(ifa, ifa.peer, 128)
        if ifa.route is not None:
            _remove_route(net, ifa.route)
            ifa.route = None
    ip6.of(net).genid += 1


def _remove_route(net: Net, route: Route6) -> None:
    try:
        routes.remove(net, route)
    except Refusal:
        return  # it went with its device


def _remove_prefix(ifa: Address6, address: int, length: int) -> None:
    route = routes.prefix_route(ifa.dev, address, length)
    if route is not None:
        _remove_route(ifa.dev.net, route)


# -- coming -----------------------------------------------------------------------------------


def create(dev: Device, wanted: Wanted) -> Address6:
    """ipv6_add_addr(): the device has the address, but does not know yet whether nobody else has. EADDRNOTAVAIL,
    ENODEV, EACCES, EEXIST, most with texts."""
    idev: Inet6Device = dev.inet6
    kind = ip6.classify(wanted.address)[0]
    if kind == AddrType.ANY:
        raise Refusal(EADDRNOTAVAIL, "ipv6: Invalid address")
    if kind & AddrType.MULTICAST and not wanted.flags & MCAUTOJOIN:
        raise Refusal(EADDRNOTAVAIL, 'ipv6: Cannot assign multicast address without "IFA_F_MCAUTOJOIN" flag')
    if kind & AddrType.LOOPBACK and not dev.flags & LOOPBACK and not l3mdev.is_master(dev):
        raise Refusal(EADDRNOTAVAIL, "ipv6: Cannot assign loopback address on this device")
    if idev.dead:
        raise Refusal(ENODEV, "ipv6: device is going away")
    if idev.conf[Ipv6Devconf.DISABLE_IPV6]:
        raise Refusal(EACCES, "ipv6: IPv6 is disabled on this device")
    dev.ops.check_ip(dev, wanted.address, ip6.AF_INET6)
    net, now = dev.net, dev.kernel.clock.now
    route = routes.local_route(dev, wanted.address)
    neighbour_parms.freeze(dev, ip6.AF_INET6)
    if ip6.find(net, wanted.address, dev) is not None:
        raise Refusal(EEXIST)
    flags = wanted.flags if wanted.flags & NODAD else wanted.flags | TENTATIVE
    ifa = Address6(
        dev, idev, wanted.address, wanted.length, wanted.peer, wanted.scope, flags, wanted.metric, wanted.proto,
        wanted.valid, wanted.preferred, now, now, route,
    )
    ip6.of(net).addresses.setdefault(wanted.address, {})[dev] = ifa
    _link(idev, ifa)
    return ifa


def _link(idev: Inet6Device, ifa: Address6) -> None:
    """ipv6_link_dev_addr()."""
    scope = ip6.classify(ifa.address)[1]
    at = 0
    for other in idev.addresses:
        if scope >= ip6.classify(other.address)[1]:
            break
        at += 1
    idev.addresses.insert(at, ifa)


def add(dev: Device, wanted: Wanted, expires: int | None) -> None:
    """inet6_addr_add(): EINVAL, EACCES, and those of create()."""
    if wanted.length > 128:
        raise Refusal(EINVAL, "ipv6: Invalid prefix length")
    if wanted.flags & MANAGETEMPADDR and wanted.length != 64:
        raise Refusal(EINVAL, 'ipv6: address with "mngtmpaddr" flag must have a prefix length of 64')
    if dev.inet6.conf[Ipv6Devconf.DISABLE_IPV6]:
        raise Refusal(EACCES, "ipv6: IPv6 is disabled on this device")
    if not dev.flags & LOOPBACK:
        routes.add_multicast(dev)
    kind = ip6.classify(wanted.address)[0]
    if wanted.flags & MCAUTOJOIN:
        try:
            mld.autojoin(dev, wanted.address)
        except Refusal as refused:
            raise Refusal(refused.errno, "ipv6: Multicast auto join failed") from refused
    wanted.scope = int(kind & ip6.REACH)
    try:
        ifa = create(dev, wanted)
    except Refusal:
        if wanted.flags & MCAUTOJOIN:
            mld.autoleave(dev, wanted.address)
        raise
    if not wanted.flags & NOPREFIXROUTE:
        routes.add_prefix(dev, ifa.address, ifa.length, ifa.metric, expires)
    if not ifa.flags & (OPTIMISTIC | NODAD):
        notify(None, ifa)
    ip6_dad.start(ifa)
    watch(ifa)


def change(ifa: Address6, wanted: Wanted, expires: int | None) -> None:
    """inet6_addr_modify(): new facts about an address that is there. EINVAL."""
    dev = ifa.dev
    if wanted.flags & MANAGETEMPADDR and ifa.length != 64:
        raise Refusal(EINVAL)
    if not ifa.flags & TENTATIVE or ifa.flags & DADFAILED:
        wanted.flags &= ~OPTIMISTIC
    if wanted.peer and ifa.peer != wanted.peer and ifa.peer:
        _remove_prefix(ifa, ifa.peer, ifa.length)
    had_prefix = bool(ifa.flags & PERMANENT) and not ifa.flags & NOPREFIXROUTE
    ifa.flags = ifa.flags & ~CHANGEABLE | wanted.flags
    ifa.tstamp = dev.kernel.clock.now
    ifa.valid, ifa.preferred, ifa.proto = wanted.valid, wanted.preferred, wanted.proto
    ifa.metric = wanted.metric or ifa.metric
    ifa.peer = wanted.peer or ifa.peer
    if not ifa.flags & TENTATIVE:
        notify(None, ifa)
    if not wanted.flags & NOPREFIXROUTE:
        for address in (ifa.address, ifa.peer) if ifa.peer else (ifa.address,):
            if not had_prefix or not _change_prefix(ifa, address, expires):
                routes.add_prefix(dev, address, ifa.length, ifa.metric, expires)
    elif had_prefix:
        clean_prefix(ifa, *prefix_use(ifa))
    watch(ifa)


def _change_prefix(ifa: Address6, address: int, expires: int | None) -> bool:
    """modify_prefix_route(): whether there was one."""
    route = routes.prefix_route(ifa.dev, address, ifa.length)
    if route is None:
        return False
    if route.metric != (ifa.metric or routes.PRIO_ADDRCONF):
        _remove_route(ifa.dev.net, route)
        routes.add_prefix(ifa.dev, address, ifa.length, ifa.metric, expires)
    else:
        route.expires = expires
    return True


# -- going ------------------------------------------------------------------------------------


def delete(net: Net, ifindex: int, address: int, length: int) -> None:
    """inet6_addr_del(): EINVAL, ENODEV, ENXIO, EADDRNOTAVAIL, with texts."""
    if length > 128:
        raise Refusal(EINVAL, "ipv6: Invalid prefix length")
    dev = net.device(ifindex)
    if dev is None:
        raise Refusal(ENODEV, "ipv6: Unable to find the interface")
    if dev.ip6 is None:
        raise Refusal(ENXIO, "ipv6: IPv6 is disabled on this device")
    ifa = ip6.find(net, address, dev)
    if ifa is None or ifa.length != length:
        raise Refusal(EADDRNOTAVAIL, "ipv6: address not found")
    remove(ifa)
    verify(net)
    if ip6.classify(address)[0] & AddrType.MULTICAST:
        mld.autoleave(dev, address)


def remove(ifa: Address6) -> None:
    """ipv6_del_addr()."""
    if ifa.state == State.DEAD:
        return
    ifa.state = State.DEAD
    forget(ifa)
    use = (False, None) if ifa.flags & NOPREFIXROUTE else prefix_use(ifa)
    ifa.idev.addresses.remove(ifa)
    ip6_dad.cancel(ifa)
    notify(RTM.DELADDR, ifa)
    clean_prefix(ifa, *use)
    routes.forget_source(ifa.dev.net, ifa.address)


def forget(ifa: Address6) -> None:
    """Nobody finds the address any more."""
    state = ip6.of(ifa.dev.net)
    state.mortal.pop(ifa, None)
    alike = state.addresses.get(ifa.address, {})
    if alike.get(ifa.dev) is ifa:
        del alike[ifa.dev]
        if not alike:
            del state.addresses[ifa.address]


def prefix_use(ifa: Address6) -> tuple[bool, int | None]:
    """check_cleanup_prefix_route(): whether the route to the prefix has to go or to end when this address goes; and the
    time of its end, None for now."""
    expires: int | None = None
    for other in ifa.idev.addresses:
        if other is ifa or other.length != ifa.length:
            continue
        if ip6.prefix_of(other.address, ifa.length) != ip6.prefix_of(ifa.address, ifa.length):
            continue
        if other.flags & (PERMANENT | NOPREFIXROUTE):
            return False, None
        expires = max(expires or ifa.dev.kernel.clock.now, lifetime.end(other.tstamp, other.valid))
    return True, expires


def clean_prefix(ifa: Address6, changes: bool, expires: int | None) -> None:
    """cleanup_prefix_route()."""
    if not changes:
        return
    route = routes.prefix_route(ifa.dev, ifa.address, ifa.length)
    if route is None:
        return
    if expires is None:
        _remove_route(ifa.dev.net, route)
    elif route.expires is None:
        route.expires = expires


# -- time -------------------------------------------------------------------------------------


def watch(ifa: Address6) -> None:
    """Notes whether its time has an end, and looks whose time is up."""
    mortal = ip6.of(ifa.dev.net).mortal
    if ifa.flags & PERMANENT and ifa.preferred == INFINITY:
        mortal.pop(ifa, None)
    else:
        mortal[ifa] = None
    verify(ifa.dev.net)


def verify(net: Net) -> None:
    """addrconf_verify_rtnl(): ends and deprecates addresses, and looks again when there is something to come. The
    kernel finds them in the order of a hash; here they come as they were made."""
    now = net.kernel.clock.now
    state = ip6.of(net)
    if state.expiry is not None:
        state.expiry.cancel()
        state.expiry = None
    wanted = min([_check(ifa, now) for ifa in tuple(state.mortal)], default=now)
    if state.mortal:
        state.expiry = net.kernel.work.at(lifetime.next_look(now, wanted), lambda: verify(net))


def _check(ifa: Address6, now: int) -> int:
    """Ends one address, or deprecates it; returns when to look again."""
    stage, look = lifetime.stage(now, ifa.tstamp, ifa.preferred, ifa.valid)
    if stage is lifetime.Stage.OVER:
        remove(ifa)
    elif stage is lifetime.Stage.DEPRECATED and not ifa.flags & DEPRECATED:
        ifa.flags |= DEPRECATED
        notify(None, ifa)
    return look
