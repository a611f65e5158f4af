"""Routes of IPv6 are added and deleted: inet6_rtm_newroute(), inet6_rtm_delroute() of net/ipv6/route.c."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.route import tunnels
from nlemu.emulator.handlers.route.route.ipv4 import ALONE, read_metrics
from nlemu.emulator.kernel.core import lifetime
from nlemu.emulator.kernel.inet import nexthop
from nlemu.emulator.kernel.ipv6 import multipath, routes
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.emulator.kernel.ipv6.routes import ONLINK, PRIO_USER, Wanted6
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.route import DELROUTE, NEWROUTE, NEXTHOP, Rta
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.uapi.rtnetlink import RTM_F, RTN

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Attr

ALL_BITS = 0xFFFFFFFF
NEXTHOP_SIZE = NEXTHOP.size or 0
FLAGS = 6
"""Where the flags of a message stand."""
CLONED = int(RTM_F.CLONED)
REJECTED = (RTN.UNREACHABLE, RTN.BLACKHOLE, RTN.PROHIBIT, RTN.THROW)
LOW, MEDIUM, HIGH = 3, 0, 1
"""ICMPV6_ROUTER_PREF_*"""


def wanted(call: Call) -> tuple[Wanted6, list[Wanted6]]:
    """rtm_to_fib6_config(): the route, and those that it stands for if it has several next hops. EINVAL, EOPNOTSUPP,
    with texts."""
    attrs = call.attrs
    header = call.fixed
    if header.tos:
        raise Refusal(errno.EINVAL, "Invalid dsfield (tos): option not available for IPv6")
    if Rta.flowlabel in attrs:
        at = attrs.offset(Rta.flowlabel)
        raise Refusal(errno.EINVAL, "Flow label cannot be specified for this operation", at=at)
    if Rta.nh_id in attrs and any(attr in attrs for attr in ALONE):
        raise Refusal(errno.EINVAL, "Nexthop specification and nexthop id are mutually exclusive")
    gateway = int.from_bytes(attrs[Rta.gateway][:16], "big") if Rta.gateway in attrs else None
    if Rta.via in attrs:
        raise Refusal(errno.EINVAL, "IPv6 does not support RTA_VIA attribute")
    expires = None
    if attrs.get(Rta.expires):
        expires = lifetime.end(call.machine.clock.now, attrs[Rta.expires])
    pref = attrs.get(Rta.pref, MEDIUM)
    route = Wanted6(
        _destination(attrs, Rta.dst, header.dst_len),
        header.dst_len,
        header.src_len,
        attrs.get(Rta.priority, 0),
        header.protocol,
        header.type,
        attrs.get(Rta.oif, 0),
        gateway,
        int.from_bytes(attrs[Rta.prefsrc][:16], "big") if Rta.prefsrc in attrs else 0,
        header.flags & ONLINK,
        read_metrics(attrs, call.net.kernel.build.release) if call.op is NEWROUTE else (),  # not of one that goes
        pref if pref in (LOW, HIGH) else MEDIUM,
        local=header.type == RTN.LOCAL,
        reject=header.type in REJECTED,
        cached=bool(header.flags & CLONED),
        tunnel=tunnels.asked(call, attrs, AF_INET6, tunnels.type_of(attrs)),
        expires=expires,
        nlflags=call.flags,
        table=attrs.get(Rta.table, header.table),
        src=_destination(attrs, Rta.src, header.src_len),
        nh_id=attrs.get(Rta.nh_id, 0),
    )
    hops = several(call, route) if Rta.multipath in attrs else []
    if Rta.encap_type in attrs:
        tunnels.check_type(call.net.kernel.build, attrs[Rta.encap_type])
    return route, hops


def _destination(attrs: Attrs, attr: Attr[bytes], length: int) -> int:
    """A prefix: as many bytes as its length needs, the others 0."""
    if attr not in attrs:
        return 0
    size = length + 7 >> 3
    payload = attrs[attr]
    if len(payload) < size:
        raise Refusal(errno.EINVAL)
    return int.from_bytes(payload[:size][:16].ljust(16, b"\0"), "big")


def several(call: Call, route: Wanted6) -> list[Wanted6]:
    """rtm_to_fib6_multipath_config(): the next hops of a request that has several. EINVAL, with texts."""
    attrs, build = call.attrs, call.net.kernel.build
    at, end = attrs.spans[Rta.multipath.number]
    found: list[Wanted6] = []
    parts: list[Attrs] = []
    while end - at >= 8:
        hop = NEXTHOP.decode(attrs.message, at, at + 8)
        if not 8 <= hop.len <= end - at:
            break
        inside = Attrs.index(attrs.message, at + 8, at + hop.len)
        parts.append(inside)
        gateway = route.gateway
        if Rta.gateway in inside:
            if len(inside[Rta.gateway]) < 16:
                raise Refusal(errno.EINVAL, "Invalid IPv6 address in RTA_GATEWAY")
            gateway = int.from_bytes(inside[Rta.gateway][:16], "big")
        if call.op is NEWROUTE and gateway is None:
            raise Refusal(
                errno.EINVAL, "Device only routes can not be added for IPv6 using the multipath API."
            )
        tunnel = route.tunnel
        if hop.len > NEXTHOP_SIZE:  # of which nothing is said is as the route itself
            kind = tunnels.type_of(inside, otherwise=tunnels.type_of(attrs))
            tunnel = tunnels.asked(call, inside, AF_INET6, kind)
        found.append(
            replace(
                route, ifindex=hop.ifindex & ALL_BITS or route.ifindex, gateway=gateway, weight=hop.hops + 1,
                flags=route.flags | hop.flags & ONLINK, tunnel=tunnel,
            )
        )
        at += hop.len + 3 & ~3
    if not found:
        raise Refusal(errno.EINVAL, "Invalid nexthop configuration - no valid nexthops")
    for inside in parts:
        tunnels.check_hop(build, inside)
    return found


@doit_of(NEWROUTE, AF_INET6)
def newroute(call: Call) -> None:
    """inet6_rtm_newroute()."""
    route, hops = wanted(call)
    routes.validate(call.net, route)
    if not hops:
        route.metric = route.metric or PRIO_USER
        routes.add(call.net, route, call)
        return
    for hop in hops:
        hop.metric = hop.metric or PRIO_USER
    asked = multipath.Asked(call.flags)
    try:
        multipath.add(call.net, hops, asked, call)
    finally:
        call.message = call.message[:FLAGS] + asked.flags.to_bytes(2, "little") + call.message[FLAGS + 2 :]


@doit_of(DELROUTE, AF_INET6)
def delroute(call: Call) -> None:
    """inet6_rtm_delroute()."""
    route, hops = wanted(call)
    if route.nh_id and nexthop.of(call.net).find(route.nh_id) is None:
        raise Refusal(errno.EINVAL, "Nexthop id does not exist")
    if hops:
        multipath.delete(call.net, hops, call)
    else:
        routes.delete(call.net, route, call)
