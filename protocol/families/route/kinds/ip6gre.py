"""ip6gre, ip6gretap and ip6erspan: IFLA_GRE_* of uapi/linux/if_tunnel.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be16, be32, binary, flag, structure, u8, u16, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_tunnel import GreFlag, TunnelEncap, TunnelEncapFlag
from nlemu.protocol.uapi.ip6_tunnel import Ip6TnlFlag

in6_addr = structure(c.Bytes(16), "in6_addr")
TOP = 24
"""IFLA_GRE_MAX"""


class LinkinfoGre6Attrs(AttrSet):
    """IFLA_GRE_*, written as by ip6gre_fill_info(); called as in the specification."""

    link = Attr(1, u32)
    iflags = Attr(2, be16, shown=GreFlag)
    oflags = Attr(3, be16, shown=GreFlag)
    ikey = Attr(4, be32)
    okey = Attr(5, be32)
    local = Attr(6, binary)
    remote = Attr(7, binary)
    ttl = Attr(8, u8)
    encap_limit = Attr(11, u8)
    flowinfo = Attr(12, be32)
    flags = Attr(13, u32, shown=Ip6TnlFlag)
    encap_type = Attr(14, u16, shown=TunnelEncap)
    encap_flags = Attr(15, u16, shown=TunnelEncapFlag)
    encap_sport = Attr(16, be16)
    encap_dport = Attr(17, be16)
    collect_metadata = Attr(18, flag)
    fwmark = Attr(20, u32)
    erspan_index = Attr(21, u32)
    erspan_ver = Attr(22, u8)
    erspan_dir = Attr(23, u8)
    erspan_hwid = Attr(24, u16)
    order = (
        erspan_ver, erspan_index, erspan_dir, erspan_hwid, link, iflags, oflags, ikey, okey, local, remote, ttl,
        encap_limit, flowinfo, flags, fwmark, encap_type, encap_sport, encap_dport, encap_flags, collect_metadata,
    )


Gre6 = LinkinfoGre6Attrs
ENDS = (Gre6.local.but(kind=in6_addr), Gre6.remote.but(kind=in6_addr))
POLICY = Policy(
    Gre6.link, Gre6.iflags.but(kind=u16), Gre6.oflags.but(kind=u16), Gre6.ikey.but(kind=u32), Gre6.okey.but(kind=u32),
    *ENDS, Gre6.ttl, Gre6.encap_limit, Gre6.flowinfo.but(kind=u32), Gre6.flags, Gre6.encap_type, Gre6.encap_flags,
    Gre6.encap_sport.but(kind=u16), Gre6.encap_dport.but(kind=u16), Gre6.collect_metadata, Gre6.fwmark,
    Gre6.erspan_index, Gre6.erspan_ver, Gre6.erspan_dir, Gre6.erspan_hwid, top=TOP, chosen_from=Gre6,
)
"""ip6gre_policy"""
SIZED = (
    Gre6.link, Gre6.iflags, Gre6.oflags, Gre6.ikey, Gre6.okey, *ENDS, Gre6.ttl, Gre6.encap_limit, Gre6.flowinfo,
    Gre6.flags, Gre6.encap_type, Gre6.encap_flags, Gre6.encap_sport, Gre6.encap_dport, Gre6.collect_metadata,
    Gre6.fwmark, Gre6.erspan_index,
)
"""ip6gre_get_size(), which has no room for the rest of erspan"""
KINDS = tuple(LinkKind(name, Gre6, policy=POLICY, sized=SIZED) for name in ("ip6gre", "ip6gretap", "ip6erspan"))
"""ip6gre_link_ops, ip6gre_tap_ops, ip6erspan_tap_ops"""
