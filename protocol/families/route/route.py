"""Routes: RTM_NEWROUTE, RTM_DELROUTE and RTM_GETROUTE, of IPv4, of IPv6 and of labels of MPLS.

The families share the messages and the numbers. IPv4 writes in the order of fib_dump_info() of
net/ipv4/fib_semantics.c, IPv6 in that of rt6_fill_node() of net/ipv6/route.c, MPLS in that of mpls_dump_route() of
net/mpls/af_mpls.c. Addresses are bytes here, as many as the family has.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nlemu.protocol.families.route.addr import in6_addr, in_addr
from nlemu.protocol.families.route.family import route
from nlemu.protocol.families.route.lwtunnel import ENCAPS
from nlemu.protocol.release import V7_3
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import (
    Headed,
    Records,
    be16,
    be32,
    binary,
    nest,
    string,
    structure,
    u8,
    u16,
    u32,
)
from nlemu.protocol.schema.policy import LIBERAL, STRICT, Policy
from nlemu.protocol.schema.structs import rta_cacheinfo, rtmsg, rtnexthop, rtvia
from nlemu.protocol.uapi.lwtunnel import LwtunnelEncap
from nlemu.protocol.uapi.rtnetlink import RTM, RTM_F, RTNL_FAMILY_IP6MR, RTNL_FAMILY_IPMR, RtDelReason
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_MPLS, AF_UNSPEC

HEADER = structure(rtmsg, "rtmsg")
NEXTHOP = structure(rtnexthop, "rtnexthop")
RTA_MAX = 31
LATER = (V7_3, 32)
"""The highest number since RTA_DEL_REASON, which no request may have."""
LABEL_BITS = 20
"""The length of a destination that is a label of MPLS."""
ROUTING = "MPLS_ROUTING"
"""The option with which labels have routes."""
STRICT_FROM = 30
"""strict_start_type: RTA_DPORT + 1"""


class Metrics(AttrSet):
    """RTAX_*."""

    lock = Attr(1, u32)
    mtu = Attr(2, u32)
    window = Attr(3, u32)
    rtt = Attr(4, u32)
    rttvar = Attr(5, u32)
    ssthresh = Attr(6, u32)
    cwnd = Attr(7, u32)
    advmss = Attr(8, u32)
    reordering = Attr(9, u32)
    hoplimit = Attr(10, u32)
    initcwnd = Attr(11, u32)
    features = Attr(12, u32)
    rto_min = Attr(13, u32)
    initrwnd = Attr(14, u32)
    quickack = Attr(15, u32)
    cc_algo = Attr(16, string)
    fastopen_no_cookie = Attr(17, u32)


class Rta(AttrSet):
    """RTA_*."""

    dst = Attr(1, binary)
    src = Attr(2, binary)
    iif = Attr(3, u32)
    oif = Attr(4, u32)
    gateway = Attr(5, binary)
    priority = Attr(6, u32)
    prefsrc = Attr(7, binary)
    metrics = Attr(8, nest(Metrics, flagged=False))
    multipath = Attr(9, Records(rtnexthop, lambda: Rta))
    protoinfo = Attr(10, binary)
    flow = Attr(11, u32)
    cacheinfo = Attr(12, structure(rta_cacheinfo, "rta_cacheinfo"))
    session = Attr(13, binary)
    mp_algo = Attr(14, binary)
    table = Attr(15, u32)
    mark = Attr(16, u32)
    mfc_stats = Attr(17, binary)
    via = Attr(18, Headed(rtvia, "address"))
    newdst = Attr(19, binary)
    pref = Attr(20, u8)
    encap_type = Attr(21, u16, shown=LwtunnelEncap)
    encap = Attr(22, nest(None, flagged=False, told=ENCAPS))
    expires = Attr(23, u32)
    uid = Attr(25, u32)
    ttl_propagate = Attr(26, u8)
    ip_proto = Attr(27, u8)
    sport = Attr(28, be16)
    dport = Attr(29, be16)
    nh_id = Attr(30, u32)
    flowlabel = Attr(31, be32)
    del_reason = Attr(32, u32, shown=RtDelReason, since=V7_3)


METRICS = Rta.metrics.but(kind=nest(None))
_COMMON = (
    Rta.iif, Rta.oif, Rta.priority, METRICS, Rta.multipath.but(kind=NEXTHOP), Rta.encap_type, Rta.encap, Rta.uid,
    Rta.mark, Rta.table, Rta.ip_proto, Rta.sport.but(kind=u16), Rta.dport.but(kind=u16), Rta.nh_id,
)

IPV4 = Policy(
    *_COMMON, *(attr.but(kind=in_addr) for attr in (Rta.dst, Rta.src, Rta.gateway, Rta.prefsrc)), Rta.flow,
    top=RTA_MAX, strict_from=STRICT_FROM, chosen_from=Rta, later=LATER,
)
"""rtm_ipv4_policy"""
IPV6 = Policy(
    *_COMMON, *(attr.but(kind=in6_addr) for attr in (Rta.gateway, Rta.prefsrc)), Rta.pref, Rta.expires, Rta.flowlabel,
    top=RTA_MAX, strict_from=STRICT_FROM, chosen_from=Rta, later=LATER,
)
"""rtm_ipv6_policy"""

TOLD4 = Layout(
    Rta.table, Rta.dst, Rta.priority, Rta.metrics, Rta.prefsrc, Rta.nh_id, Rta.gateway, Rta.via, Rta.oif, Rta.encap,
    Rta.encap_type, Rta.flow, Rta.multipath,
)
TOLD6 = Layout(
    Rta.table, Rta.dst, Rta.src, Rta.iif, Rta.prefsrc, Rta.metrics, Rta.priority, Rta.nh_id, Rta.gateway, Rta.oif,
    Rta.encap, Rta.encap_type, Rta.multipath, Rta.cacheinfo, Rta.pref,
)
LOOKED_UP4 = Layout(
    Rta.table, Rta.dst, Rta.src, Rta.oif, Rta.encap, Rta.encap_type, Rta.flow, Rta.prefsrc, Rta.gateway, Rta.via,
    Rta.metrics, Rta.mark, Rta.uid, Rta.iif, Rta.cacheinfo,
)
"""rt_fill_info() of net/ipv4/route.c: a route that has been looked up"""
ASKED6 = Layout(Rta.table, Rta.dst, Rta.src, Rta.iif, Rta.prefsrc)
LOOKED_UP6 = Layout(
    Rta.prefsrc, Rta.metrics, Rta.priority, Rta.gateway, Rta.oif, Rta.encap, Rta.encap_type, Rta.cacheinfo, Rta.pref,
)
"""What follows: a source address that the route itself prefers is told a second time."""
HOP = Layout(Rta.gateway, Rta.via, Rta.encap, Rta.encap_type, Rta.flow)
"""What stands behind each struct rtnexthop"""

SET4, SET6 = Half(IPV4, level=LIBERAL, cut=None), Half(IPV6, level=LIBERAL)
DUMP_FLAGS = int(RTM_F.CLONED | RTM_F.PREFIX)
ASKS_ALL = Half(
    IPV4, level=LIBERAL, unless_strict=Unread.IGNORED, done_apart=True,
    strict=Strict(
        cut="Invalid header for FIB dump request",
        zero=("dst_len", "src_len", "tos", "scope"), nonzero="Invalid values in header for FIB dump request",
        flags=DUMP_FLAGS, bad_flags="Invalid flags for FIB dump request",
    ),
)
"""ip_valid_fib_dump_req(), which both families use; attributes are looked at one by one."""
ASKS_GROUPS = replace(ASKS_ALL, done_apart=False)
"""The same of routes of multicast groups."""


def asks_one(
    policy: Policy, prefix: str, request: str, bits: int, flags: RTM_F, bad_flags: str
) -> Half:
    """inet_rtm_valid_getroute_req(), inet6_rtm_valid_getroute_req()."""

    def values(header: Any) -> str | None:
        unsaid = header.table or header.protocol or header.scope or header.type
        if unsaid or header.src_len not in (0, bits) or header.dst_len not in (0, bits):
            return f"{prefix}: Invalid values in header for {request}"
        return f"{prefix}: {bad_flags} {request}" if header.flags & ~flags else None

    return Half(
        policy, level=LIBERAL, cut=f"{prefix}: Invalid header for {request}", strict=Strict(check=values)
    )




def _of_a_group(prefix: str, bits: int) -> Callable[[Any], str | None]:
    def values(header: Any) -> str | None:
        unsaid = header.tos or header.table or header.protocol or header.scope or header.type or header.flags
        if unsaid or header.src_len not in (0, bits) or header.dst_len not in (0, bits):
            return f"{prefix}: Invalid values in header for multicast route get request"
        return None

    return values


ONE_OF_GROUPS = Half(
    IPV4, level=LIBERAL, cut="ipv4: Invalid header for multicast route get request",
    strict=Strict(check=_of_a_group("ipv4", 32)),
)
"""ipmr_rtm_valid_getroute_req()"""
IP6MR = Policy(
    Rta.src.but(min=16, max=16), Rta.dst.but(min=16, max=16), Rta.table, top=RTA_MAX, chosen_from=Rta, later=LATER,
)
"""ip6mr_getroute_policy"""


def checked_group6(header: Any) -> str | None:
    """What is wrong with the header of such a request, if anything is: looked at after the attributes."""
    return _of_a_group("ipv6", 128)(header)


ONE_OF_GROUPS6 = Half(IP6MR, level=STRICT)

MPLS = Policy(Rta.dst.but(kind=u32), Rta.oif, Rta.ttl_propagate, top=RTA_MAX, chosen_from=Rta, later=LATER)
"""rtm_mpls_policy"""
TOLD_MPLS = Layout(Rta.dst, Rta.ttl_propagate, Rta.newdst, Rta.via, Rta.oif, Rta.multipath)
"""mpls_dump_route(); mpls_getroute() in the same order, with fewer"""
HOP_MPLS = Layout(Rta.newdst, Rta.via)


def _of_a_label(header: Any) -> str | None:
    """mpls_valid_getroute_req()"""
    unsaid = header.src_len or header.tos or header.table or header.protocol or header.scope or header.type
    if unsaid or header.dst_len not in (0, LABEL_BITS):
        return "mpls_router: Invalid values in header for get route request"
    return "mpls_router: Invalid flags for get route request" if header.flags & ~RTM_F.FIB_MATCH else None


ONE_OF_LABELS = Half(
    MPLS, level=LIBERAL, cut="mpls_router: Invalid header for get route request", strict=Strict(check=_of_a_label)
)
SET_MPLS = Registered(do=Half(MPLS, level=LIBERAL), option=ROUTING)
NEWROUTE = route.operation(
    RTM.NEWROUTE, Rta, fixed=HEADER,
    registered={AF_INET: Registered(do=SET4), AF_INET6: Registered(do=SET6), AF_MPLS: SET_MPLS},
)
DELROUTE = route.operation(
    RTM.DELROUTE, Rta, fixed=HEADER,
    registered={AF_INET: Registered(do=SET4), AF_INET6: Registered(do=SET6), AF_MPLS: SET_MPLS},
)
GETROUTE = route.operation(
    RTM.GETROUTE, Rta, fixed=HEADER, replies=TOLD4, reply_cmd=RTM.NEWROUTE,
    registered={
        AF_INET: Registered(
            do=asks_one(
                IPV4, "ipv4", "route get request", 32,
                RTM_F.NOTIFY | RTM_F.LOOKUP_TABLE | RTM_F.FIB_MATCH, "Unsupported rtm_flags for",
            ),
            dump=ASKS_ALL,
        ),
        AF_INET6: Registered(
            do=asks_one(IPV6, "ipv6", "get route request", 128, RTM_F.FIB_MATCH, "Invalid flags for"),
            dump=ASKS_ALL,
        ),
        RTNL_FAMILY_IPMR: Registered(do=ONE_OF_GROUPS, dump=ASKS_GROUPS),
        RTNL_FAMILY_IP6MR: Registered(do=ONE_OF_GROUPS6, dump=ASKS_GROUPS, option="IPV6_MROUTE"),
        AF_MPLS: Registered(do=ONE_OF_LABELS, dump=ASKS_ALL, option=ROUTING),
        AF_UNSPEC: Registered(dump=Half(None, every=(AF_INET, AF_INET6, AF_MPLS), done_apart=True)),
    },
)
