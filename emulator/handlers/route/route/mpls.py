"""Routes of labels are added, deleted, looked up and listed: mpls_rtm_newroute(), mpls_rtm_delroute(), mpls_getroute()
and mpls_dump_routes() of net/mpls/af_mpls.c."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.route import labels as wire
from nlemu.emulator.handlers.route.route import mpls_fill
from nlemu.emulator.handlers.route.route.dump import FILTERED, asked
from nlemu.emulator.handlers.route.route.fill import MAIN
from nlemu.emulator.kernel.mpls import labels, routes
from nlemu.emulator.kernel.mpls.labels import FIRST_UNRESERVED, Via
from nlemu.emulator.kernel.mpls.routes import WantedLabel, WantedWay
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.route import DELROUTE, GETROUTE, LABEL_BITS, NEWROUTE, NEXTHOP, Rta
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.uapi.rtnetlink import RTM_F, RTN
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_MPLS, AF_PACKET

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages

UNICAST, FIB_MATCH, ALL_BITS = int(RTN.UNICAST), int(RTM_F.FIB_MATCH), 0xFFFFFFFF
MAX_VIA_ALEN = 32
SIZES = {AF_INET: 4, AF_INET6: 16, AF_PACKET: None}
"""How long an address is; one of a device as long as any."""
MOST_WAYS = 255
NEXTHOP_SIZE = NEXTHOP.size or 0
HEADER_OF_A_LABEL = (
    ("dst_len", LABEL_BITS, "rtm_dst_len must be 20 for MPLS"),
    ("src_len", 0, "rtm_src_len must be 0 for MPLS"),
    ("tos", 0, "rtm_tos must be 0 for MPLS"),
    ("table", MAIN, "MPLS only supports the main route table"),
    ("scope", 0, "Invalid route scope  - MPLS only supports UNIVERSE"),
    ("type", UNICAST, "Invalid route type - MPLS only supports UNICAST"),
    ("flags", 0, "rtm_flags must be 0 for MPLS"),
)
"""What the header has to say, and what is said where it does not, in the order in which it is looked at."""
SETTABLE = frozenset(
    attr.number for attr in (Rta.dst, Rta.oif, Rta.gateway, Rta.multipath, Rta.via, Rta.newdst, Rta.ttl_propagate)
)
ASKABLE = frozenset(attr.number for attr in (Rta.dst, Rta.newdst))


def pushed(attrs: Attrs, most: int = wire.MAX_NEW_LABELS) -> tuple[int, ...]:
    """The labels of RTA_NEWDST. EINVAL, with texts."""
    if Rta.newdst not in attrs:
        return ()
    return wire.read(attrs.payload(Rta.newdst), attrs.offset(Rta.newdst), most)


def label_of(call: Call) -> int | None:
    """The label of RTA_DST, None if none is said. EINVAL, with texts."""
    if Rta.dst not in call.attrs:
        return None
    said = wire.read(call.attrs.payload(Rta.dst), call.attrs.offset(Rta.dst), most=1)
    return routes.check_label(call.net, said[0] if said else None)


def via_of(attrs: Attrs) -> Via | None:
    """nla_get_via(): EINVAL, mostly without a text."""
    if Rta.via not in attrs:
        return None
    payload = attrs.payload(Rta.via)
    if len(payload) < 2:
        raise Refusal(errno.EINVAL, "Invalid attribute length for RTA_VIA", at=attrs.offset(Rta.via))
    family, address = int.from_bytes(payload[:2], "little"), payload[2:]
    if len(address) > MAX_VIA_ALEN:
        raise Refusal(errno.EINVAL, "Invalid address length for RTA_VIA", at=attrs.offset(Rta.via))
    if family not in SIZES or SIZES[family] not in (None, len(address)):
        raise Refusal(errno.EINVAL)
    return Via(family, address)


def wanted(call: Call) -> WantedLabel:
    """rtm_to_route_config(): EINVAL, with texts; attributes are looked at in the order of their numbers."""
    attrs = call.attrs
    for name, value, text in HEADER_OF_A_LABEL:
        if getattr(call.fixed, name) != value:
            raise Refusal(errno.EINVAL, text)
    route = WantedLabel(None, call.fixed.protocol, None, (), call.flags)
    alone = WantedWay()
    for number in sorted(attrs.spans):
        if number not in SETTABLE:
            raise Refusal(errno.EINVAL, "Unknown attribute", at=attrs.spans[number][0] - 4)
        if number == Rta.dst.number:
            route.label = label_of(call)
        elif number == Rta.oif.number:
            alone.ifindex = attrs[Rta.oif]
        elif number == Rta.gateway.number:
            raise Refusal(errno.EINVAL, "MPLS does not support RTA_GATEWAY attribute")
        elif number == Rta.via.number:
            alone.via = via_of(attrs)
        elif number == Rta.newdst.number:
            alone.labels = pushed(attrs)
        elif number == Rta.ttl_propagate.number:
            if attrs[Rta.ttl_propagate] > 1:
                text = "RTA_TTL_PROPAGATE can only be 0 or 1"
                raise Refusal(errno.EINVAL, text, at=attrs.offset(Rta.ttl_propagate))
            route.propagate = bool(attrs[Rta.ttl_propagate])
    route.ways = several(attrs) if Rta.multipath in attrs else (alone,)
    return route


def several(attrs: Attrs) -> Sequence[WantedWay | Refusal]:
    """mpls_count_nexthops(), mpls_nh_build_multi(): none, where they cannot even be counted."""
    begin, end = attrs.spans[Rta.multipath.number]
    ways: list[WantedWay | Refusal] = []
    while end - begin >= NEXTHOP_SIZE:
        header = NEXTHOP.decode(attrs.message, begin, begin + NEXTHOP_SIZE)
        if not NEXTHOP_SIZE <= header.len <= end - begin:
            break
        inside = Attrs.index(attrs.message, begin + NEXTHOP_SIZE, begin + header.len)
        if Rta.newdst in inside and not _counted(inside.payload(Rta.newdst)):
            return ()
        ways.append(
            Refusal(errno.EINVAL) if header.hops or header.flags else _way(header.ifindex & ALL_BITS, inside)
        )
        begin += header.len + 3 & ~3
    return () if begin < end or len(ways) > MOST_WAYS else ways


def _counted(payload: bytes) -> bool:
    return wire.whole(payload) and len(payload) // 4 <= wire.MAX_NEW_LABELS


def _way(ifindex: int, inside: Attrs) -> WantedWay:
    way = WantedWay(ifindex)
    try:
        way.labels = pushed(inside)
    except Refusal as refused:
        way.labels = refused
    try:
        way.via = via_of(inside)
    except Refusal as refused:
        way.via = refused
    return way


@doit_of(NEWROUTE, AF_MPLS)
def newroute(call: Call) -> None:
    """mpls_rtm_newroute()."""
    routes.insert(call.net, wanted(call), call)


@doit_of(DELROUTE, AF_MPLS)
def delroute(call: Call) -> None:
    """mpls_rtm_delroute()."""
    routes.delete(call.net, wanted(call).label, call)


@doit_of(GETROUTE, AF_MPLS)
def get(call: Call) -> bytes:
    """mpls_getroute(): EINVAL with texts, ENETUNREACH."""
    attrs = call.attrs
    if call.endpoint.strict:
        if attrs.spans.keys() & ASKABLE and not call.fixed.dst_len:
            raise Refusal(errno.EINVAL, "mpls_router: rtm_dst_len must be 20 for MPLS")
        if not attrs.spans.keys() <= ASKABLE:
            raise Refusal(errno.EINVAL, "mpls_router: Unsupported attribute in get route request")
    label = label_of(call)
    route = None if label is None else labels.of(call.net).find(label)
    if label is None or route is None:
        raise Refusal(errno.ENETUNREACH)
    if call.fixed.flags & FIB_MATCH:
        return mpls_fill.body(label, route)
    way = routes.choose(route, pushed(attrs))
    if way is None:
        raise Refusal(errno.ENETUNREACH)
    return mpls_fill.looked_up(label, route, way)


@dumpit_of(GETROUTE, AF_MPLS)
def dump(call: Call) -> Messages:
    """mpls_dump_routes(): there is one table, with routes of one type; what asks for others gets nothing."""
    chosen = asked(call)
    if call.endpoint.strict:
        if not any(chosen):
            call.dump.message_flags &= ~FILTERED
        if chosen.table not in (0, MAIN) or chosen.type not in (0, UNICAST) or chosen.flags:
            return
    table = labels.known(call.net)
    if table is None:
        return
    label = table.after(FIRST_UNRESERVED - 1)
    while label is not None:
        route = table.find(label)
        if route is not None and chosen.protocol in (0, route.protocol) and (
            chosen.dev is None or route.leads_through(chosen.dev)
        ):
            yield partial(mpls_fill.body, label, route)
        label = table.after(label)
