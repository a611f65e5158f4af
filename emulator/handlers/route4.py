"""Routes of IPv4 are added and deleted: inet_rtm_newroute(), inet_rtm_delroute() of net/ipv4/fib_frontend.c."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from emulator.handlers.by_family import doit_of, parse
from emulator.kernel import fib4_route, ip4
from emulator.kernel.fib4_route import CREATE, MAIN, Hop, Wanted4
from emulator.kernel.ip4 import AF_INET
from protocol.attributes import Attrs, walk
from protocol.families.route_route import DELROUTE, HEADER, IPV4, NEWROUTE, NEXTHOP, Rta
from protocol.refusal import Refusal
from protocol.uapi.rtnetlink import RTAX_MAX, RTN

if TYPE_CHECKING:
    from emulator.call import Call

BODY = 16 + (HEADER.size or 0)
ECN = 0x03
"""Bits of the type of service that are not part of the DSCP."""
ALONE = (Rta.oif, Rta.gateway, Rta.via, Rta.multipath, Rta.encap)
"""What a next hop object takes the place of."""
CC_ALGO, LOCK, HOPLIMIT, FEATURES = 16, 1, 10, 12
NO_METRIC = -1
MAX_FEATURES = 0x1F
"""RTAX_FEATURE_MASK"""


def address(attrs: Attrs, number: int) -> int:
    """An address of IPv4, 0 if there is none."""
    span = attrs.spans.get(number)
    return 0 if span is None else int.from_bytes(attrs.message[span[0] : span[0] + 4], "big")


def metrics(attrs: Attrs) -> tuple[tuple[int, int], ...]:
    """ip_metrics_convert(): numbers and values. EINVAL, with texts."""
    span = attrs.spans.get(Rta.metrics.number)
    if span is None:
        return ()
    values: dict[int, int] = {}
    for number, start, end in walk(attrs.message, *span):
        if not number:
            continue
        if number > RTAX_MAX:
            raise Refusal(errno.EINVAL, "Invalid metric type")
        if number == CC_ALGO:
            continue  # which algorithms there are shows nowhere
        if end - start != 4:
            raise Refusal(errno.EINVAL, "Invalid attribute in metrics", at=start - 4)
        value = int.from_bytes(attrs.message[start:end], "little")
        if number == FEATURES and value & ~MAX_FEATURES:
            raise Refusal(errno.EINVAL, "Unknown flag set in feature mask in metrics attribute")
        values[number] = _limited(number, value)
    return tuple(sorted(values.items()))


def metrics_meant(attrs: Attrs) -> tuple[tuple[int, int], ...]:
    """fib_metrics_match(): what a route that is to be deleted has to have; nothing is wrong, only without a match."""
    span = attrs.spans.get(Rta.metrics.number)
    if span is None:
        return ()
    found = ((number, attrs.message[start:end]) for number, start, end in walk(attrs.message, *span))
    return tuple(
        (number, int.from_bytes(value, "little") if len(value) == 4 and number <= RTAX_MAX else NO_METRIC)
        for number, value in found
        if number and number != CC_ALGO
    )


def _limited(number: int, value: int) -> int:
    """Some metrics have a greatest value, to which others are cut."""
    limits = {2: 65535 - 15, 8: 65535 - 40, HOPLIMIT: 255}
    return min(value, limits.get(number, value))


def hops(attrs: Attrs) -> tuple[Hop, ...]:
    """fib_get_nhs(): the next hops of a route that has several. EINVAL, with texts."""
    span = attrs.spans.get(Rta.multipath.number)
    if span is None:
        return ()
    at, end = span
    found: list[Hop] = []
    while end - at >= 8:
        header = NEXTHOP.decode(attrs.message, at, at + 8)
        if not 8 <= header.len <= end - at:
            break
        inside = Attrs.index(attrs.message, at + 8, at + header.len)
        found.append(Hop(header.ifindex, address(inside, Rta.gateway.number), header.flags, header.hops + 1))
        at += header.len + 3 & ~3
    if not found or at < end:
        raise Refusal(errno.EINVAL, "Invalid nexthop configuration - extra data after nexthops")
    return tuple(found)


def wanted(call: Call, metrics: Callable[[Attrs], tuple[tuple[int, int], ...]] = metrics) -> Wanted4:
    """rtm_to_fib_config(): EINVAL, with texts. metrics: how they are read."""
    if len(call.message) < BODY:
        raise Refusal(errno.EINVAL)  # nlmsg_validate_deprecated() has no words for it
    attrs = parse(call, HEADER, IPV4)
    header = call.fixed
    if header.tos & ECN:
        raise Refusal(errno.EINVAL, "Invalid dsfield (tos): ECN bits must be 0")
    if header.type > RTN.XRESOLVE:
        raise Refusal(errno.EINVAL, "Invalid route type")
    gateway = address(attrs, Rta.gateway.number)
    if Rta.via in attrs:
        gateway = _via(attrs)
    if attrs.get(Rta.nh_id):
        if any(attr in attrs for attr in ALONE):
            raise Refusal(errno.EINVAL, "Nexthop specification and nexthop id are mutually exclusive")
        raise Refusal(errno.EINVAL, "Nexthop id does not exist")
    if Rta.gateway in attrs and Rta.via in attrs:
        raise Refusal(errno.EINVAL, "Nexthop configuration can not contain both GATEWAY and VIA")
    return Wanted4(
        address(attrs, Rta.dst.number),
        header.dst_len,
        header.tos,
        attrs.get(Rta.table, header.table) or MAIN,
        header.protocol,
        header.scope,
        header.type,
        header.flags,
        attrs.get(Rta.oif, 0),
        gateway,
        attrs.get(Rta.priority, 0),
        address(attrs, Rta.prefsrc.number),
        metrics(attrs),
        hops(attrs),
        call.flags,
    )


def _via(attrs: Attrs) -> int:
    """fib_gw_from_via(): a gateway of any family; that of IPv6 is not known here."""
    payload, at = attrs[Rta.via], attrs.offset(Rta.via)
    if len(payload) < 3:
        raise Refusal(errno.EINVAL, "Invalid attribute length for RTA_VIA", at=at)
    if int.from_bytes(payload[:2], "little") != AF_INET:
        raise Refusal(errno.EINVAL, "Unsupported address family in RTA_VIA", at=at)
    if len(payload) != 6:
        raise Refusal(errno.EINVAL, "Invalid IPv4 address in RTA_VIA", at=at)
    return int.from_bytes(payload[2:], "big")


@doit_of(NEWROUTE, AF_INET)
def newroute(call: Call) -> None:
    """inet_rtm_newroute()."""
    route = wanted(call)
    fib4_route.check_prefix(route.dst, route.length)
    ip4.of(call.net).fib.new_table(route.table)
    fib4_route.insert(call.net, route, call)


@doit_of(DELROUTE, AF_INET)
def delroute(call: Call) -> None:
    """inet_rtm_delroute()."""
    route = wanted(call, metrics_meant)
    route.nlflags = CREATE
    fib4_route.delete(call.net, route, call)
