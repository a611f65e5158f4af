"""Where routes of IPv4 lead: struct fib_info and its next hops (net/ipv4/fib_semantics.c).

Routes that lead the same way share one Info4, so what happens to a device happens to few objects, which are found by
their device. A next hop is dead while its device is down, and "linkdown" while the device has no carrier; the routes
of local addresses do not care.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE, RTAX, RTN, RTNH_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.lwtunnel import Tunnel
    from nlemu.emulator.kernel.inet.nexthop import Nexthop, Way
    from nlemu.emulator.kernel.ipv4.fib import Route4

DEAD = int(RTNH_F.DEAD)
LINKDOWN = int(RTNH_F.LINKDOWN)
STATE = DEAD | LINKDOWN
NOT_COMPARED = STATE | int(RTNH_F.OFFLOAD | RTNH_F.TRAP)
"""RTNH_COMPARE_MASK: flags that do not make a way another."""
Metrics = tuple[tuple[int, int | str], ...]
"""Numbers (RTAX_*) and values; of the congestion control algorithm its name."""
GREATEST: dict[int, int] = {RTAX.MTU: 65535 - 15, RTAX.ADVMSS: 65535 - 40, RTAX.HOPLIMIT: 255}
"""To which a metric is cut."""

ERRORS: dict[int, int] = {
    RTN.BLACKHOLE: errno.EINVAL,
    RTN.UNREACHABLE: errno.EHOSTUNREACH,
    RTN.PROHIBIT: errno.EACCES,
    RTN.THROW: errno.EAGAIN,
    RTN.NAT: errno.EINVAL,
    RTN.XRESOLVE: errno.EINVAL,
}
"""fib_props[].error: routes of these types lead nowhere, and this is what a packet gets."""

SCOPES: dict[int, int] = {
    RTN.UNSPEC: RT_SCOPE.NOWHERE,
    RTN.LOCAL: RT_SCOPE.HOST,
    RTN.BROADCAST: RT_SCOPE.LINK,
    RTN.ANYCAST: RT_SCOPE.LINK,
    RTN.NAT: RT_SCOPE.NOWHERE,
    RTN.XRESOLVE: RT_SCOPE.NOWHERE,
}
"""fib_props[].scope: the widest that a route of the type may have. Of all others RT_SCOPE_UNIVERSE."""


def error_of(route_type: int) -> Refusal | None:
    """What looking up a route of that type gives, if it is not a route."""
    number = ERRORS.get(route_type)
    return None if number is None else Refusal(number)


def limited(metric: int, value: int) -> int:
    """What ip_metrics_convert() makes of a metric that is too great."""
    return min(value, GREATEST.get(metric, value))


class Gateway(NamedTuple):
    """Where packets are sent on: an address of either family."""

    family: int
    address: int


@dataclass(slots=True, eq=False)
class Nexthop4:
    """struct fib_nh. oif: the index of the device asked for, or found; weight: from 1; realm:
    the realms of packets that go this way (nh_tclassid)."""

    oif: int = 0
    gateway: Gateway | None = None
    flags: int = 0
    scope: int = 0
    weight: int = 1
    dev: Device | None = None
    realm: int = 0
    tunnel: Tunnel | None = None

    def same(self) -> tuple[object, ...]:
        """What makes two of them one (nh_comp())."""
        return self.oif, self.gateway, self.weight, self.scope, self.realm, self.flags & ~NOT_COMPARED, self.tunnel


@dataclass(slots=True, eq=False)
class Info4:
    """struct fib_info."""

    table: int
    protocol: int
    scope: int
    type: int
    priority: int
    prefsrc: int
    nexthops: list[Nexthop4]
    metrics: Metrics = ()
    flags: int = 0
    nh: Nexthop | None = None
    """The next hop object that it is; its next hops are what that says."""
    prefsrc_gone: bool = False
    """It is dead because its source address went (pfsrc_removed)."""
    routes: dict[Route4, None] = field(default_factory=dict)
    """Those that lead this way."""

    def same(self) -> tuple[object, ...]:
        """What makes two of them one (fib_find_info())."""
        return (
            self.table, self.protocol, self.scope, self.type, self.priority, self.prefsrc, self.metrics,
            self.flags & ~NOT_COMPARED,
            tuple(nexthop.same() for nexthop in self.nexthops) if self.nh is None else self.nh.id,
        )

    def follow(self) -> None:
        """The next hop object leads another way, or this is new: so does this."""
        assert self.nh is not None
        self.nexthops = [_hop_of(way, weight) for way, weight in self.nh.leaves]
        for route in self.routes:
            route.told = None

    def die(self) -> None:
        """The next hop object is gone (__remove_nexthop_fib())."""
        self.flags |= DEAD

    def check_nexthop(self, new: Nexthop) -> None:
        """fib_check_nexthop(): whether routes of this scope may lead by that object. EINVAL, with texts."""
        check_nexthop(new, self.scope)

    @property
    def devices(self) -> set[Device]:
        """The devices of its next hops."""
        return {nexthop.dev for nexthop in self.nexthops if nexthop.dev is not None}


def _hop_of(way: Way, weight: int) -> Nexthop4:
    dev = way.dev
    gateway = Gateway(way.family, way.gateway) if way.gateway else None
    return Nexthop4(0 if dev is None else dev.ifindex, gateway, way.flags, way.scope, weight, dev, tunnel=way.tunnel)


def check_nexthop(one: Nexthop, scope: int) -> None:
    """fib_check_nexthop(): EINVAL, with texts."""
    if one.is_fdb:
        raise Refusal(errno.EINVAL, "Route cannot point to a fdb nexthop")
    if one.way is None and scope == RT_SCOPE.HOST:
        raise Refusal(errno.EINVAL, "Route with host scope can not have multiple nexthops")
    way, _ = one.leaves[0]
    if scope == RT_SCOPE.HOST and way.gateway:
        raise Refusal(errno.EINVAL, "Route with host scope can not have a gateway")
    if way.flags & RTNH_F.ONLINK and scope >= RT_SCOPE.LINK:
        raise Refusal(errno.EINVAL, "Scope mismatch with nexthop")


class Infos:
    """All ways of a namespace: found by what they are, by device, and by source address."""

    __slots__ = ("_by_dev", "_by_prefsrc", "_known")

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Info4] = {}
        self._by_dev: dict[Device, dict[Info4, None]] = {}
        self._by_prefsrc: dict[int, dict[Info4, None]] = {}

    def share(self, info: Info4) -> Info4:
        """That way, or the one like it that is there already (the end of fib_create_info())."""
        known = self._known.get(info.same())
        if known is not None and not known.flags & DEAD:
            return known
        return info

    def hold(self, info: Info4, route: Route4) -> None:
        """A route leads that way."""
        first = not info.routes
        info.routes[route] = None
        if first:
            self._known[info.same()] = info
            if info.nh is not None:  # what happens to devices happens to the object
                info.nh.infos[info] = None
            for dev in info.devices if info.nh is None else ():
                self._by_dev.setdefault(dev, {})[info] = None
            if info.prefsrc:
                self._by_prefsrc.setdefault(info.prefsrc, {})[info] = None

    def release(self, info: Info4, route: Route4) -> None:
        """A route does so no more (fib_release_info())."""
        del info.routes[route]
        if info.routes:
            return
        if self._known.get(info.same()) is info:
            del self._known[info.same()]
        if info.nh is not None:
            info.nh.infos.pop(info, None)
        for dev in info.devices if info.nh is None else ():
            _forget(self._by_dev, dev, info)
        if info.prefsrc:
            _forget(self._by_prefsrc, info.prefsrc, info)

    def on(self, dev: Device) -> Iterator[Info4]:
        """Those that lead through a device."""
        return iter(tuple(self._by_dev.get(dev, ())))

    def from_source(self, address: int) -> Iterator[Info4]:
        """Those that prefer a source address."""
        return iter(tuple(self._by_prefsrc.get(address, ())))


def _forget(index: dict[Any, dict[Info4, None]], key: Any, info: Info4) -> None:
    infos = index[key]
    del infos[info]
    if not infos:
        del index[key]
