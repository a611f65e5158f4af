"""Routes of IPv4 are added and deleted: inet_rtm_newroute(), inet_rtm_delroute() of net/ipv4/fib_frontend.c."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.route import tunnels
from nlemu.emulator.kernel.inet import nexthop
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import routes
from nlemu.emulator.kernel.ipv4.fib_info import DEAD, LINKDOWN, Gateway, Metrics, limited
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.kernel.ipv4.routes import CREATE, MAIN, Hop, Hops, Wanted4
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.route import DELROUTE, HEADER, NEWROUTE, NEXTHOP, Rta
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.release import V7_3, Release
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.uapi.rtnetlink import RTAX, RTAX_MAX, RTN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.netlink.call import Call

ALL_BITS = 0xFFFFFFFF
BODY = 16 + (HEADER.size or 0)
ECN = 0x03
"""Bits of the type of service that are not part of the DSCP."""
ALONE = (Rta.oif, Rta.gateway, Rta.multipath, Rta.encap)
"""What a next hop object takes the place of, in IPv6."""
REALMS = "IP_ROUTE_CLASSID"
"""The option without which nothing looks at realms."""
NO_METRIC = -1
MAX_FEATURES = 0x1F
"""RTAX_FEATURE_MASK"""
ALGORITHMS = ("cubic", "reno")
"""The congestion control algorithms that the recorded kernel has."""


def address(attrs: Attrs, number: int) -> int:
    """An address of IPv4, 0 if there is none."""
    span = attrs.spans.get(number)
    return 0 if span is None else int.from_bytes(attrs.message[span[0] : span[0] + 4], "big")


def read_metrics(attrs: Attrs, release: Release) -> Metrics | Refusal:
    """ip_metrics_convert(): numbers and values; or what is wrong with them, EINVAL with texts, which is said when it is
    their turn."""
    try:
        return _metrics(attrs, release)
    except Refusal as refused:
        return refused


def _metrics(attrs: Attrs, release: Release) -> Metrics:
    span = attrs.spans.get(Rta.metrics.number)
    if span is None:
        return ()
    values: dict[int, int | str] = {}
    for number, start, end in walk(attrs.message, *span):
        if not number:
            continue
        if number > RTAX_MAX:
            raise Refusal(errno.EINVAL, "Invalid metric type")
        if number == RTAX.CC_ALGO:
            name = _name(attrs.message[start:end])
            if name not in ALGORITHMS:
                raise Refusal(errno.EINVAL, "Unknown tcp congestion algorithm")
            values[number] = name
            continue
        if end - start != 4:
            raise Refusal(errno.EINVAL, "Invalid attribute in metrics", at=start - 4)
        value = int.from_bytes(attrs.message[start:end], "little")
        if number == RTAX.FEATURES and value & ~MAX_FEATURES:
            raise Refusal(errno.EINVAL, "Unknown flag set in feature mask in metrics attribute")
        values[number] = limited(number, value)
    locked = values.get(RTAX.LOCK, 0)
    if release >= V7_3 and isinstance(locked, int) and locked & 1 << RTAX.CWND and not values.get(RTAX.CWND):
        raise Refusal(errno.EINVAL, "Locked cwnd metric must be non zero")
    return tuple(sorted(values.items()))


def _name(payload: bytes) -> str:
    """nla_strscpy() into TCP_CA_NAME_MAX bytes."""
    return payload.split(b"\0")[0][:15].decode("latin-1")


def metrics_meant(attrs: Attrs, release: Release) -> Metrics:
    """fib_metrics_match(): what a route that is to be deleted has to have; nothing is wrong, only without a match."""
    span = attrs.spans.get(Rta.metrics.number)
    if span is None:
        return ()
    found: list[tuple[int, int | str]] = []
    for number, start, end in walk(attrs.message, *span):
        value = attrs.message[start:end]
        if number == RTAX.CC_ALGO:
            name = _name(value)
            found.append((number, name if name in ALGORITHMS else 0))
        elif number:
            known = len(value) == 4 and number <= RTAX_MAX
            found.append((number, int.from_bytes(value, "little") if known else NO_METRIC))
    return tuple(found)


def hops(call: Call, attrs: Attrs) -> Hops | Refusal:
    """fib_count_nexthops(), fib_get_nhs(): the next hops of a route that has several, and what is wrong with one of
    them; or with all of them. EINVAL, EOPNOTSUPP, with texts."""
    span = attrs.spans.get(Rta.multipath.number)
    if span is None:
        return ()
    at, end = span
    found: list[Hop | Refusal] = []
    while end - at >= 8:
        header = NEXTHOP.decode(attrs.message, at, at + 8)
        if not 8 <= header.len <= end - at:
            break
        inside = Attrs.index(attrs.message, at + 8, at + header.len)
        try:
            found.append(_hop(call, header, inside))
        except Refusal as refused:
            found.append(refused)
        at += header.len + 3 & ~3
    if at < end:
        return Refusal(errno.EINVAL, "Invalid nexthop configuration - extra data after nexthops")
    return tuple(found)


def check_hops(attrs: Attrs, build: Build) -> None:
    """lwtunnel_valid_encap_type_attr(): EINVAL, EOPNOTSUPP, with texts."""
    at, end = attrs.spans[Rta.multipath.number]
    while end - at >= 8:
        header = NEXTHOP.decode(attrs.message, at, at + 8)
        if not 8 <= header.len <= end - at:
            break
        tunnels.check_hop(build, Attrs.index(attrs.message, at + 8, at + header.len))
        at += header.len + 3 & ~3


def _hop(call: Call, header: Any, inside: Attrs) -> Hop:
    hop = Hop(header.ifindex & ALL_BITS, None, header.flags, header.hops + 1)
    if header.flags & (DEAD | LINKDOWN):
        raise Refusal(errno.EINVAL, "Invalid flags for nexthop - can not contain DEAD or LINKDOWN")
    if Rta.gateway in inside and Rta.via in inside:
        raise Refusal(errno.EINVAL, "Nexthop configuration can not contain both GATEWAY and VIA")
    if Rta.gateway in inside:
        if len(inside[Rta.gateway]) < 4:
            raise Refusal(errno.EINVAL, "Invalid IPv4 address in RTA_GATEWAY")
        hop.gateway = Gateway(AF_INET, address(inside, Rta.gateway.number))
    elif Rta.via in inside:
        hop.gateway = via(inside)
    if Rta.flow in inside and len(inside.payload(Rta.flow)) < 4:
        raise Refusal(errno.EINVAL, "Invalid RTA_FLOW")
    if Rta.flow in inside and call.net.kernel.build.has(REALMS):
        hop.realm = inside[Rta.flow]
    hop.tunnel = tunnels.asked(call, inside, AF_INET, tunnels.type_of(inside))
    return hop


def wanted(call: Call, metrics: Callable[[Attrs, Release], Metrics | Refusal] = read_metrics) -> Wanted4:
    """rtm_to_fib_config(): EINVAL, EOPNOTSUPP, with texts. metrics: how they are read."""
    attrs, build = call.attrs, call.net.kernel.build
    header = call.fixed
    if header.tos & ECN:
        raise Refusal(errno.EINVAL, "Invalid dsfield (tos): ECN bits must be 0")
    if header.type > RTN.XRESOLVE:
        raise Refusal(errno.EINVAL, "Invalid route type")
    gateway = None
    for number in attrs.spans:  # as they stand in the message
        if number == Rta.gateway.number:
            gateway = Gateway(AF_INET, address(attrs, number))
        elif number == Rta.via.number:
            gateway = via(attrs)
        elif number == Rta.encap_type.number:
            tunnels.check_type(build, attrs[Rta.encap_type])
        elif number == Rta.multipath.number:
            check_hops(attrs, build)
    route = Wanted4(
        address(attrs, Rta.dst.number),
        header.dst_len,
        header.tos,
        attrs.get(Rta.table, header.table) or MAIN,
        header.protocol,
        header.scope,
        header.type,
        header.flags,
        attrs.get(Rta.oif, 0),
        gateway if gateway is not None and gateway.address else None,
        attrs.get(Rta.priority, 0),
        address(attrs, Rta.prefsrc.number),
        metrics(attrs, build.release),
        hops(call, attrs),
        tunnel=tunnels.asked(call, attrs, AF_INET, tunnels.type_of(attrs)),
        nh_id=attrs.get(Rta.nh_id, 0),
        nlflags=call.flags,
        realm=attrs.get(Rta.flow, 0) if build.has(REALMS) else 0,
    )
    routes.check_prefix(route.dst, route.length)
    several = Rta.multipath in attrs
    if route.nh_id and (route.oif or route.gateway is not None or several or Rta.encap in attrs):
        raise Refusal(errno.EINVAL, "Nexthop specification and nexthop id are mutually exclusive")
    if Rta.gateway in attrs and Rta.via in attrs:
        raise Refusal(errno.EINVAL, "Nexthop configuration can not contain both GATEWAY and VIA")
    return route


def via(attrs: Attrs) -> Gateway:
    """fib_gw_from_via(): a gateway of either family. EINVAL, with texts."""
    payload = attrs[Rta.via]
    if len(payload) < 2:
        raise Refusal(errno.EINVAL, "Invalid attribute length for RTA_VIA")
    family = int.from_bytes(payload[:2], "little")
    if family not in SIZES:
        raise Refusal(errno.EINVAL, "Unsupported address family in RTA_VIA")
    if len(payload) != 2 + SIZES[family]:
        raise Refusal(errno.EINVAL, f"Invalid {NAMES[family]} address in RTA_VIA")
    return Gateway(family, int.from_bytes(payload[2:], "big"))


SIZES = {AF_INET: 4, AF_INET6: 16}
NAMES = {AF_INET: "IPv4", AF_INET6: "IPv6"}


@doit_of(NEWROUTE, AF_INET)
def newroute(call: Call) -> None:
    """inet_rtm_newroute()."""
    route = wanted(call)
    ip4.of(call.net).fib.new_table(route.table)
    routes.insert(call.net, route, call)


@doit_of(DELROUTE, AF_INET)
def delroute(call: Call) -> None:
    """inet_rtm_delroute()."""
    route = wanted(call, metrics_meant)
    if route.nh_id and nexthop.of(call.net).find(route.nh_id) is None:
        raise Refusal(errno.EINVAL, "Nexthop id does not exist")
    route.nlflags = CREATE
    if Rta.encap_type not in call.attrs:
        route.tunnel = None  # fib_encap_match() does not look at it
    try:
        routes.delete(call.net, route, call)
    finally:
        if route.remark is not None:
            call.extack.merge(route.remark)
