"""ip6tnl: IFLA_IPTUN_* of uapi/linux/if_tunnel.h, some of which are not as those of ipip."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be16, be32, binary, flag, structure, u8, u16, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_tunnel import TunnelEncap, TunnelEncapFlag
from nlemu.protocol.uapi.ip6_tunnel import Ip6TnlFlag

in6_addr = structure(c.Bytes(16), "in6_addr")
TOP = 20
"""IFLA_IPTUN_MAX"""


class LinkinfoIp6tnlAttrs(AttrSet):
    """IFLA_IPTUN_*, written as by ip6_tnl_fill_info(); called as in the specification."""

    link = Attr(1, u32)
    local = Attr(2, binary)
    remote = Attr(3, binary)
    ttl = Attr(4, u8)
    encap_limit = Attr(6, u8)
    flowinfo = Attr(7, be32)
    flags = Attr(8, u32, shown=Ip6TnlFlag)
    proto = Attr(9, u8)
    encap_type = Attr(15, u16, shown=TunnelEncap)
    encap_flags = Attr(16, u16, shown=TunnelEncapFlag)
    encap_sport = Attr(17, be16)
    encap_dport = Attr(18, be16)
    collect_metadata = Attr(19, flag)
    fwmark = Attr(20, u32)
    order = (
        link, local, remote, ttl, encap_limit, flowinfo, flags, proto, fwmark, encap_type, encap_sport, encap_dport,
        encap_flags, collect_metadata,
    )


Ip6tnl = LinkinfoIp6tnlAttrs
ENDS = (Ip6tnl.local.but(kind=in6_addr), Ip6tnl.remote.but(kind=in6_addr))
KIND = LinkKind(
    "ip6tnl", Ip6tnl,
    policy=Policy(
        Ip6tnl.link, *ENDS, Ip6tnl.ttl, Ip6tnl.encap_limit, Ip6tnl.flowinfo.but(kind=u32), Ip6tnl.flags, Ip6tnl.proto,
        Ip6tnl.encap_type, Ip6tnl.encap_flags, Ip6tnl.encap_sport.but(kind=u16), Ip6tnl.encap_dport.but(kind=u16),
        Ip6tnl.collect_metadata, Ip6tnl.fwmark, top=TOP, chosen_from=Ip6tnl,
    ),
    sized=(
        Ip6tnl.link, *ENDS, Ip6tnl.ttl, Ip6tnl.encap_limit, Ip6tnl.flowinfo, Ip6tnl.flags, Ip6tnl.proto,
        Ip6tnl.encap_type, Ip6tnl.encap_flags, Ip6tnl.encap_sport, Ip6tnl.encap_dport, Ip6tnl.collect_metadata,
        Ip6tnl.fwmark,
    ),
)
"""ip6_link_ops"""
