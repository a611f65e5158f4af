"""Routes looked up: inet_rtm_getroute() of net/ipv4/route.c, inet6_rtm_getroute() of net/ipv6/route.c."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.inet import pack4, pack6
from nlemu.emulator.handlers.route.route import tunnels
from nlemu.emulator.handlers.route.route.fill import (
    COMPAT,
    MAIN,
    gateway_values,
    metric_values,
    node_siblings,
    pack_header,
)
from nlemu.emulator.handlers.route.route.fill import body4 as table_body4
from nlemu.emulator.handlers.route.route.fill import body6 as table_body6
from nlemu.emulator.handlers.route.route.ipv4 import address
from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv4 import lookup as route_lookup4
from nlemu.emulator.kernel.ipv4 import lookup_in
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.kernel.ipv6 import lookup as route_lookup6
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AF_INET6, AddrType
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.route import ASKED6, GETROUTE, LOOKED_UP4, LOOKED_UP6, Rta
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.uapi.rtnetlink import RT_TABLE, RTM_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.lookup import Way4
    from nlemu.emulator.kernel.ipv6.fib import Route6
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Attr

NOTIFY, LOOKUP_TABLE, FIB_MATCH = int(RTM_F.NOTIFY), int(RTM_F.LOOKUP_TABLE), int(RTM_F.FIB_MATCH)
TO_BE_TOLD = 0x10000
"""RTCF_NOTIFY, which a route that the kernel keeps remembers; here it is forgotten."""
CLONED = int(RTM_F.CLONED)
LOCAL = int(RT_TABLE.LOCAL)
DSCP, ALL_LABELS = 0xFC, 0xFFFFF
"""INET_DSCP_MASK, IPV6_FLOWLABEL_MASK"""
NEAR = AddrType.MULTICAST | AddrType.LINKLOCAL | AddrType.LOOPBACK
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
"""IPPROTO_*"""
ASKABLE = frozenset(
    attr.number for attr in (
        Rta.iif, Rta.oif, Rta.src, Rta.dst, Rta.ip_proto, Rta.sport, Rta.dport, Rta.mark, Rta.uid, Rta.flowlabel
    )
)


def check_lengths(call: Call, prefix: str, bits: int, family: str) -> None:
    """EINVAL, with a text, for an address whose length the header leaves at 0."""
    header, attrs = call.fixed, call.attrs
    if (Rta.src in attrs and not header.src_len) or (Rta.dst in attrs and not header.dst_len):
        raise Refusal(errno.EINVAL, f"{prefix}: rtm_src_len and rtm_dst_len must be {bits} for {family}")


def check_asked(call: Call, prefix: str, request: str, bits: int, family: str) -> Attrs:
    """What is left of inet_rtm_valid_getroute_req(), inet6_rtm_valid_getroute_req() once the request has been read:
    EINVAL, with texts."""
    attrs = call.attrs
    if call.endpoint.strict:
        check_lengths(call, prefix, bits, family)
        if not attrs.spans.keys() <= ASKABLE:
            raise Refusal(errno.EINVAL, f"{prefix}: Unsupported attribute in {request}")
    return attrs


def comes_in(call: Call) -> Device | None:
    """By which device the packet comes in, None where it begins here. ENODEV."""
    ifindex = call.attrs.get(Rta.iif)
    if not ifindex:
        return None
    dev = call.net.device(ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV)
    return dev


@doit_of(GETROUTE, AF_INET)
def get4(call: Call) -> bytes:
    """inet_rtm_getroute()."""
    attrs = check_asked(call, "ipv4", "route get request", 32, "IPv4")
    header = call.fixed
    dst, source = address(attrs, Rta.dst.number), address(attrs, Rta.src.number)
    check_protocol(attrs, ICMP)
    flow = Flow(
        dst, source, header.tos & DSCP, attrs.get(Rta.oif, 0), attrs.get(Rta.mark, 0), uid(call),
        proto=attrs.get(Rta.ip_proto, UDP), sport=attrs.get(Rta.sport, 0), dport=attrs.get(Rta.dport, 0),
    )
    dev = comes_in(call)
    if dev is None:
        way = route_lookup4.find_way(call.net, flow)
    else:
        way = lookup_in.find_way(call.net, dev, replace(flow, iif=dev.ifindex))
    table = MAIN
    if header.flags & LOOKUP_TABLE:
        table = table_of(call, way)
    if header.flags & NOTIFY:
        way.flags |= TO_BE_TOLD | NOTIFY
    if not header.flags & FIB_MATCH:
        return body4(call, way, dst, source, table, dev)
    if way.found is None:
        raise Refusal(errno.EHOSTUNREACH)
    return table_body4(way.found, table, way.type)


def table_of(call: Call, way: Way4) -> int:
    """The table that a route was found in; 0 if it was in none. That of local addresses is the main one's part."""
    if way.found is None:
        return 0
    local_in_main = way.found.table == LOCAL and not ip4.of(call.net).fib.split
    return MAIN if local_in_main else way.found.table


def check_protocol(attrs: Attrs, icmp: int) -> None:
    """rtm_getroute_parse_ip_proto(): EOPNOTSUPP with a text. icmp: the number of the family's own."""
    if Rta.ip_proto in attrs and attrs[Rta.ip_proto] not in (TCP, UDP, icmp):
        raise Refusal(errno.EOPNOTSUPP, "Unsupported ip proto")


def uid(call: Call) -> int:
    """Whose packet it would be: the asker's, if nobody else's is said."""
    return call.attrs.get(Rta.uid, call.endpoint.credentials.uid)


def body4(call: Call, way: Way4, dst: int, source: int, table: int, came: Device | None) -> bytes:
    """rt_fill_info(). came: by which device it came in."""
    attrs = call.attrs
    values: dict[Attr[Any], Any] = {
        Rta.table: table,
        Rta.dst: dst.to_bytes(4, "big"),
        Rta.src: pack4(source),
        Rta.oif: way.dev.ifindex,
        Rta.flow: way.realm or None,
        Rta.prefsrc: pack4(way.source) if way.source != source and came is None else None,
        Rta.metrics: metric_values(way.metrics),
        Rta.mark: attrs.get(Rta.mark) or None,
        Rta.uid: uid(call) if came is None else attrs.get(Rta.uid),
        Rta.iif: None if came is None else came.ifindex,
        Rta.cacheinfo: {"clntref": 1 + way.cached},
    }
    values |= gateway_values(way.gateway) | tunnels.values(way.tunnel)
    head = pack_header(
        family=AF_INET, dst_len=32, src_len=32 if source else 0, table=table if table < 256 else COMPAT,
        type=way.type, flags=way.flags | CLONED,
    )
    return head + LOOKED_UP4.encode(values)


@doit_of(GETROUTE, AF_INET6)
def get6(call: Call) -> bytes:
    """inet6_rtm_getroute()."""
    attrs = check_asked(call, "ipv6", "get route request", 128, "IPv6")
    source, dst = address6(attrs, Rta.src.number), address6(attrs, Rta.dst.number)
    check_protocol(attrs, ICMPV6)
    flow = Flow(
        dst, source, call.fixed.tos & DSCP, attrs.get(Rta.oif, 0), attrs.get(Rta.mark, 0), uid(call),
        proto=attrs.get(Rta.ip_proto, 0), sport=attrs.get(Rta.sport, 0), dport=attrs.get(Rta.dport, 0),
        label=attrs.get(Rta.flowlabel, 0) & ALL_LABELS,
    )
    dev = comes_in(call)
    if dev is None:
        route = route_lookup6.find_way(call.net, flow)
    else:
        route = route_lookup6.find_way_in(call.net, replace(flow, oif=0, iif=dev.ifindex))
    if call.fixed.flags & FIB_MATCH:
        return table_body6(route, node_siblings(call.net, route), dev)
    return body6(call, route, flow, dev)


def domain_of(net: Net, route: Route6) -> Device:
    """ip6_rt_get_dev_rcu(): where what is for ourselves goes: to the master of the domain, or to the loopback."""
    dev = route.dev
    master = None if dev is None else l3mdev.master_of(dev)
    near = bool(ip6.classify(route.dst)[0] & NEAR)
    return net.loopback if master is None or (near and master is not dev) else master


def address6(attrs: Attrs, number: int) -> int:
    """An address of IPv6, 0 if there is none. EINVAL when it is too short."""
    span = attrs.spans.get(number)
    if span is None:
        return 0
    if span[1] - span[0] < 16:
        raise Refusal(errno.EINVAL)
    return int.from_bytes(attrs.message[span[0] : span[0] + 16], "big")


def body6(call: Call, route: Route6, flow: Flow, came: Device | None) -> bytes:
    """rt6_fill_node(), of a route that has been looked up. A kernel that knows routes for some sources only tells the
    source that was asked with, whatever it is. came: by which device it came in, in the place of a source address."""
    source: int | None = route.prefsrc if came is None else None
    if came is None and not source:
        first = route.dev if route.nh is None else route.nh.leaves[0][0].dev  # fib6_info_nh_dev(), whatever the way
        source = route_lookup6.select_source(call.net, first, flow.dst)
    build = call.net.kernel.build
    if came is not None and build.has("IPV6_MROUTE") and ip6.classify(route.dst)[0] & AddrType.MULTICAST:
        raise Refusal(errno.EMSGSIZE)  # ip6mr_get_route() knows none, for which the message is given up
    sourced = build.has("IPV6_SUBTREES")
    dev = domain_of(call.net, route) if route.local else route.dev
    asked: dict[Attr[Any], Any] = {
        Rta.table: route.table,
        Rta.dst: flow.dst.to_bytes(16, "big"),
        Rta.src: flow.src.to_bytes(16, "big") if sourced else None,
        Rta.iif: None if came is None else came.ifindex,
        Rta.prefsrc: None if source is None else source.to_bytes(16, "big"),
    }
    values: dict[Attr[Any], Any] = {
        Rta.prefsrc: pack6(route.prefsrc),
        Rta.metrics: metric_values(route.metrics),
        Rta.priority: route.metric,
        Rta.gateway: pack6(route.gateway),
        Rta.oif: None if dev is None else dev.ifindex,
        Rta.cacheinfo: {"clntref": 2},
        Rta.pref: route.pref,
    }
    values |= tunnels.values(None if route.reject else route.tunnel)
    head = pack_header(
        family=AF_INET6, dst_len=128, src_len=128 if sourced else 0,
        table=route.table if route.table < 256 else COMPAT, protocol=route.protocol, type=route.type,
    )
    return head + ASKED6.encode(asked) + LOOKED_UP6.encode(values)
