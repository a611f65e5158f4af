"""Routes of IPv6 are added and deleted: inet6_rtm_newroute(), inet6_rtm_delroute() of net/ipv6/route.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from emulator.handlers.by_family import doit_of, parse
from emulator.handlers.route4 import ALONE, metrics
from emulator.kernel import ip6_route, lifetime
from emulator.kernel.ip6 import AF_INET6
from emulator.kernel.ip6_route import ONLINK, PRIO_USER, Wanted6
from protocol.attributes import Attrs
from protocol.families.route_route import DELROUTE, HEADER, IPV6, NEWROUTE, NEXTHOP, Rta
from protocol.refusal import Refusal
from protocol.uapi.rtnetlink import RTM_F, RTN

if TYPE_CHECKING:
    from emulator.call import Call

CLONED = int(RTM_F.CLONED)
REJECTED = (RTN.UNREACHABLE, RTN.BLACKHOLE, RTN.PROHIBIT, RTN.THROW)
LOW, MEDIUM, HIGH = 3, 0, 1
"""ICMPV6_ROUTER_PREF_*"""


def wanted(call: Call) -> Wanted6:
    """rtm_to_fib6_config(): EINVAL, with texts."""
    attrs = parse(call, HEADER, IPV6)
    header = call.fixed
    if header.tos:
        raise Refusal(errno.EINVAL, "Invalid dsfield (tos): option not available for IPv6")
    if Rta.nh_id in attrs and any(attr in attrs for attr in ALONE):
        raise Refusal(errno.EINVAL, "Nexthop specification and nexthop id are mutually exclusive")
    gateway = int.from_bytes(attrs[Rta.gateway][:16], "big") if Rta.gateway in attrs else None
    if Rta.via in attrs:
        raise Refusal(errno.EINVAL, "IPv6 does not support RTA_VIA attribute")
    expires = None
    if attrs.get(Rta.expires):
        expires = lifetime.end(call.machine.clock.now, attrs[Rta.expires])
    pref = attrs.get(Rta.pref, MEDIUM)
    return Wanted6(
        _destination(attrs, header.dst_len),
        header.dst_len,
        header.src_len,
        attrs.get(Rta.priority, 0),
        header.protocol,
        header.type,
        attrs.get(Rta.oif, 0),
        gateway,
        int.from_bytes(attrs[Rta.prefsrc][:16], "big") if Rta.prefsrc in attrs else 0,
        header.flags & ONLINK,
        metrics(attrs) if call.op is NEWROUTE else (),  # nobody looks at those of a route that is to go
        pref if pref in (LOW, HIGH) else MEDIUM,
        local=header.type == RTN.LOCAL,
        reject=header.type in REJECTED,
        cached=bool(header.flags & CLONED),
        expires=expires,
        nlflags=call.flags,
    )


def _destination(attrs: Attrs, length: int) -> int:
    """The prefix: as many bytes as its length needs, the others 0."""
    if Rta.dst not in attrs:
        return 0
    size = length + 7 >> 3
    payload = attrs[Rta.dst]
    if len(payload) < size:
        raise Refusal(errno.EINVAL)
    return int.from_bytes(payload[:size][:16].ljust(16, b"\0"), "big")


def several(call: Call, route: Wanted6) -> list[Wanted6]:
    """The routes of a request that has several next hops (ip6_route_multipath_add()). EINVAL."""
    attrs = call.attrs
    if Rta.multipath not in attrs:
        return [route]
    at, end = attrs.spans[Rta.multipath.number]
    found = []
    while end - at >= 8:
        hop = NEXTHOP.decode(attrs.message, at, at + 8)
        if not 8 <= hop.len <= end - at:
            break
        inside = Attrs.index(attrs.message, at + 8, at + hop.len)
        gateway = int.from_bytes(inside[Rta.gateway][:16], "big") if Rta.gateway in inside else route.gateway
        found.append(_through(route, hop.ifindex or route.ifindex, gateway))
        at += hop.len + 3 & ~3
    if not found:
        raise Refusal(errno.EINVAL)
    return found


def _through(route: Wanted6, ifindex: int, gateway: int | None) -> Wanted6:
    return Wanted6(
        route.dst, route.length, route.src_length, route.metric, route.protocol, route.type, ifindex, gateway,
        route.prefsrc, route.flags, route.metrics, route.pref, route.local, route.reject, route.cached, route.expires,
        route.nlflags,
    )  # fmt: skip


@doit_of(NEWROUTE, AF_INET6)
def newroute(call: Call) -> None:
    """inet6_rtm_newroute()."""
    route = wanted(call)
    if call.attrs.get(Rta.nh_id):
        raise Refusal(errno.EINVAL, "Nexthop id does not exist")
    route.metric = route.metric or PRIO_USER
    for one in several(call, route):
        ip6_route.add(call.net, one, call)


@doit_of(DELROUTE, AF_INET6)
def delroute(call: Call) -> None:
    """inet6_rtm_delroute()."""
    route = wanted(call)
    for one in several(call, route):
        ip6_route.delete(call.net, one, call)
