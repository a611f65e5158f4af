"""Addresses: RTM_NEWADDR, RTM_DELADDR and RTM_GETADDR, of IPv4 and of IPv6.

Both families share the messages and the numbers, but not the policies, nor the order in which they write: that of
inet_fill_ifaddr() of net/ipv4/devinet.c, and of inet6_fill_ifaddr() of net/ipv6/addrconf.c. Which one is meant stands
in the header. Addresses are bytes here, as many as the family has.
"""

import construct as c

from nlemu.protocol.families.route.family import route
from nlemu.protocol.release import V7_3
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import Integer, binary, s32, string, structure, u8, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.schema.structs import ifa_cacheinfo, ifaddrmsg
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.if_addr import IFA_F, IFAPROT
from nlemu.protocol.uapi.netlink import AttrType
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_UNSPEC

HEADER = structure(ifaddrmsg, "ifaddrmsg")
IFA_MAX = 11
LATER = (V7_3, 12)
"""The highest number since IFA_MC_USERS, which no request may have."""
in_addr = Integer("in_addr", c.Int32ub, AttrType.U32)
"""An address of IPv4 to a policy, which takes it for a number."""
in6_addr = structure(c.Bytes(16), "in6_addr")


class Ifa(AttrSet):
    """IFA_*."""

    address = Attr(1, binary)
    local = Attr(2, binary)
    label = Attr(3, string, length=IFNAMSIZ - 1)
    broadcast = Attr(4, binary)
    anycast = Attr(5, binary)
    cacheinfo = Attr(6, structure(ifa_cacheinfo, "ifa_cacheinfo"))
    multicast = Attr(7, binary)
    flags = Attr(8, u32, shown=IFA_F)
    rt_priority = Attr(9, u32)
    target_netnsid = Attr(10, s32)
    proto = Attr(11, u8, shown=IFAPROT)
    mc_users = Attr(12, u32, since=V7_3)


IPV4 = Policy(
    Ifa.local.but(kind=in_addr), Ifa.address.but(kind=in_addr), Ifa.broadcast.but(kind=in_addr), Ifa.label,
    Ifa.cacheinfo, Ifa.flags, Ifa.rt_priority, Ifa.target_netnsid, Ifa.proto, top=IFA_MAX, chosen_from=Ifa, later=LATER,
)
"""ifa_ipv4_policy"""

U32_AT_LEAST = structure(c.Int32ul, "u32")
IPV6 = Policy(
    Ifa.address.but(kind=in6_addr), Ifa.local.but(kind=in6_addr), Ifa.cacheinfo, Ifa.flags.but(kind=U32_AT_LEAST),
    Ifa.rt_priority.but(kind=U32_AT_LEAST), Ifa.target_netnsid, Ifa.proto, top=IFA_MAX, chosen_from=Ifa, later=LATER,
)
"""ifa_ipv6_policy, which looks at no more than the length of most"""

TOLD4 = Layout(
    Ifa.target_netnsid, Ifa.address, Ifa.local, Ifa.broadcast, Ifa.label, Ifa.proto, Ifa.flags, Ifa.rt_priority,
    Ifa.cacheinfo,
)
TOLD6 = Layout(
    Ifa.target_netnsid, Ifa.local, Ifa.address, Ifa.rt_priority, Ifa.cacheinfo, Ifa.flags, Ifa.proto
)

SET4, SET6 = Half(IPV4, level=LIBERAL), Half(IPV6, level=LIBERAL)
UNSAID = ("prefixlen", "flags", "scope")
"""What a request that asks for addresses leaves at 0 in its header."""


def asks_all(policy: Policy, prefix: str, *, done_apart: bool = False) -> Half:
    """inet_valid_dump_ifaddr_req(), inet6_valid_dump_ifaddr_req(): attributes are looked at one by one."""
    return Half(
        policy, level=LIBERAL, unless_strict=Unread.IGNORED, done_apart=done_apart,
        strict=Strict(
            cut=f"{prefix}: Invalid header for address dump request",
            zero=UNSAID, nonzero=f"{prefix}: Invalid values in header for address dump request", filters="index",
        ),
    )


NEWADDR = route.operation(
    RTM.NEWADDR, Ifa, fixed=HEADER, registered={AF_INET: Registered(do=SET4), AF_INET6: Registered(do=SET6)}
)
DELADDR = route.operation(
    RTM.DELADDR, Ifa, fixed=HEADER, registered={AF_INET: Registered(do=SET4), AF_INET6: Registered(do=SET6)}
)
GETADDR = route.operation(
    RTM.GETADDR, Ifa, fixed=HEADER, replies=TOLD4, reply_cmd=RTM.NEWADDR,
    registered={
        AF_INET: Registered(dump=asks_all(IPV4, "ipv4", done_apart=True)),
        AF_INET6: Registered(
            do=Half(
                IPV6, level=LIBERAL, cut="ipv6: Invalid header for get address request",
                strict=Strict(
                    zero=UNSAID, nonzero="ipv6: Invalid values in header for get address request",
                    allowed=(Ifa.target_netnsid, Ifa.address, Ifa.local),
                    unsupported="ipv6: Unsupported attribute in get address request",
                ),
            ),
            dump=asks_all(IPV6, "ipv6"),
        ),
        AF_UNSPEC: Registered(dump=Half(None, every=(AF_INET, AF_INET6), done_apart=True)),
    },
)
