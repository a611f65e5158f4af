"""How a route is told: fib_dump_info() of net/ipv4/fib_semantics.c, rt6_fill_node() of net/ipv6/route.c."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.inet import CENTISECOND, pack4, pack6
from nlemu.emulator.handlers.route.route import tunnels
from nlemu.emulator.kernel.ipv4.fib_info import DEAD, LINKDOWN
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.emulator.kernel.ipv6.routes import ONLINK
from nlemu.protocol.families.route.route import HEADER, HOP, NEXTHOP, TOLD4, TOLD6, Metrics, Rta
from nlemu.protocol.uapi.rtnetlink import RT_TABLE, RTM_F, RTN, RTNH_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.fib import Route4
    from nlemu.emulator.kernel.ipv4.fib_info import Gateway, Nexthop4
    from nlemu.emulator.kernel.ipv6.fib import Route6
    from nlemu.protocol.schema.attributes import Attr

SHOWN = DEAD | LINKDOWN | ONLINK | int(RTNH_F.OFFLOAD | RTNH_F.TRAP)
"""Flags of a next hop that are told."""
TRAP, OFFLOAD_FAILED = int(RTM_F.TRAP), int(RTM_F.OFFLOAD_FAILED)
BLACKHOLE = int(RTN.BLACKHOLE)
COMPAT, MAIN = int(RT_TABLE.COMPAT), int(RT_TABLE.MAIN)
pack_header = HEADER.codec.pack
INT_MAX = 0x7FFFFFFF


def metric_values(metrics: Iterable[tuple[int, int | str]]) -> dict[Attr[Any], Any] | None:
    """rtnetlink_put_metrics()."""
    told: dict[Attr[Any], Any] = {Metrics.spec.by_number[number]: value for number, value in metrics if value}
    return told or None


def gateway_values(gateway: Gateway | None) -> dict[Attr[Any], Any]:
    """fib_nexthop_info(): a gateway of another family than the route is told with its family."""
    if gateway is None:
        return {}
    if gateway.family == AF_INET:
        return {Rta.gateway: gateway.address.to_bytes(4, "big")}
    return {Rta.via: gateway.family.to_bytes(2, "little") + gateway.address.to_bytes(16, "big")}


def _hop(gateway: dict[Attr[Any], Any], flags: int, weight: int, ifindex: int) -> bytes:
    """fib_add_nexthop(): one of several next hops."""
    inside = HOP.encode(gateway)
    return NEXTHOP.codec.pack(len=8 + len(inside), flags=flags & 0xFF, hops=weight - 1 & 0xFF, ifindex=ifindex) + inside


def _index(nexthop: Nexthop4) -> int:
    return nexthop.dev.ifindex if nexthop.dev is not None else 0


def body4(route: Route4, table: int | None = None, kind: int | None = None) -> bytes:
    """The body of a message about a route of IPv4. What is told of it is kept until something about it changes. table,
    kind: others than its own, where a look-up found it by those."""
    if (table, kind) not in ((None, None), (route.table, route.type)):
        return _body4(route, route.table if table is None else table, route.type if kind is None else kind)
    info = route.info
    spelled_out = info.nh is None or bool(info.nh.told_ways)
    hops = [(hop.flags, hop.dev and hop.dev.ifindex) for hop in info.nexthops]
    key = route.trap, route.offload_failed, info.flags, spelled_out, hops
    if route.told is None or route.told[0] != key:
        route.told = key, _body4(route, route.table, route.type)
    return route.told[1]


def _body4(route: Route4, table: int, kind: int) -> bytes:
    """fib_dump_info()."""
    info = route.info
    hops = info.nexthops
    values: dict[Attr[Any], Any] = {
        Rta.table: table,
        Rta.dst: route.dst.to_bytes(4, "big") if route.length else None,
        Rta.priority: info.priority or None,
        Rta.metrics: metric_values(info.metrics),
        Rta.prefsrc: pack4(info.prefsrc),
    }
    if info.nh is not None:
        values[Rta.nh_id] = info.nh.id
        kind = BLACKHOLE if info.nh.blackhole else kind
        hops = hops if info.nh.told_ways else []
    flags = info.flags
    if len(hops) == 1:
        nexthop = hops[0]
        values |= gateway_values(nexthop.gateway) | tunnels.values(nexthop.tunnel)
        values[Rta.oif] = _index(nexthop) or None
        values[Rta.flow] = nexthop.realm or None
        flags = nexthop.flags & SHOWN
    elif hops or info.nh is None:
        values[Rta.multipath] = b"".join(
            _hop(
                gateway_values(nexthop.gateway) | tunnels.values(nexthop.tunnel) | {Rta.flow: nexthop.realm or None},
                nexthop.flags & SHOWN, nexthop.weight, _index(nexthop),
            )
            for nexthop in hops
        )
    if (table, kind) == (route.table, route.type):
        flags |= in_hardware(route)
    head = pack_header(
        family=AF_INET, dst_len=route.length, tos=route.tos, table=table if table < 256 else COMPAT,
        protocol=info.protocol, scope=info.scope, type=kind, flags=flags,
    )
    return head + TOLD4.encode(values)


def in_hardware(route: Route4 | Route6) -> int:
    """RTM_F_TRAP and RTM_F_OFFLOAD_FAILED, which are told where they are so."""
    return (TRAP if route.trap else 0) | (OFFLOAD_FAILED if route.offload_failed else 0)


def _expires(route: Route6) -> int:
    """In hundredths of a second from now, negative when it is over (rtnl_put_cacheinfo())."""
    if route.expires is None or route.dev is None:
        return 0
    left = route.expires - route.dev.kernel.clock.now
    hundredths = min(abs(left) // CENTISECOND, INT_MAX)
    return hundredths if left > 0 else -hundredths


def node_siblings(net: Net, route: Route6) -> tuple[Route6, ...]:
    """Those that share the load with a route, itself first."""
    node = ip6.of(net).fib.node_of(route)
    return (route,) if node is None or not route.linked else node.siblings(route)


def body6(route: Route6, siblings: Iterable[Route6] = (), came: Device | None = None) -> bytes:
    """The body of a message about a route of IPv6. siblings: all that share the load with it, itself included; came: by
    which device a packet came in for which it was looked up. What is told of one that does not share and does not end
    is kept."""
    hops = tuple(siblings)
    if came is not None:
        return _body6(route, hops, came.ifindex)
    if len(hops) > 1 or route.expires is not None or route.dev is None or route.nh is not None:
        return _body6(route, hops)
    key = route.trap, route.offload_failed, route.flags, route.dev.ifindex, route.prefsrc
    if route.told is None or route.told[0] != key:
        route.told = key, _body6(route, hops)
    return route.told[1]


def _body6(route: Route6, hops: tuple[Route6, ...], iif: int | None = None) -> bytes:
    """rt6_fill_node()."""
    flags, kind = 0, route.type
    values: dict[Attr[Any], Any] = {
        Rta.table: route.table,
        Rta.dst: route.dst.to_bytes(16, "big") if route.length else None,
        Rta.src: route.src.to_bytes(16, "big") if route.src_length else None,
        Rta.iif: iif,
        Rta.prefsrc: pack6(route.prefsrc),
        Rta.metrics: metric_values(route.metrics),
        Rta.priority: route.metric,
        Rta.cacheinfo: {"expires": _expires(route)},
        Rta.pref: route.pref,
    }
    if len(hops) > 1:
        values[Rta.multipath] = b"".join(
            _hop(
                {Rta.gateway: pack6(hop.gateway)} | tunnels.values(hop.tunnel), hop.flags & SHOWN, hop.weight,
                0 if hop.dev is None else hop.dev.ifindex,
            )
            for hop in hops
        )
    elif route.nh is not None and not route.nh.told_ways:
        pass
    elif route.nh is not None and route.nh.way is None:
        values[Rta.multipath] = b"".join(
            _hop(
                {Rta.gateway: pack6(way.gateway)} | tunnels.values(way.tunnel), way.flags & SHOWN, weight,
                0 if way.dev is None else way.dev.ifindex,
            )
            for way, weight in route.nh.leaves
        )
    else:
        values[Rta.gateway] = pack6(route.gateway)
        values[Rta.oif] = route.dev.ifindex if route.dev is not None else None
        values |= tunnels.values(route.tunnel)
        flags = route.flags & SHOWN
    if route.nh is not None:
        values[Rta.nh_id] = route.nh.id
        kind = BLACKHOLE if route.nh.blackhole else kind
    head = pack_header(
        family=AF_INET6, dst_len=route.length, src_len=route.src_length,
        table=route.table if route.table < 256 else COMPAT, protocol=route.protocol, type=kind,
        flags=flags | in_hardware(route),
    )
    return head + TOLD6.encode(values)
