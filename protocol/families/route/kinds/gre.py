"""gre, gretap and erspan: IFLA_GRE_* of uapi/linux/if_tunnel.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be16, be32, binary, flag, structure, u8, u16, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_tunnel import GreFlag, TunnelEncap, TunnelEncapFlag

in_addr = structure(c.Bytes(4), "in_addr")
TOP = 24
"""IFLA_GRE_MAX"""


class LinkinfoGreAttrs(AttrSet):
    """IFLA_GRE_*, written as by erspan_fill_info(); called as in the specification."""

    link = Attr(1, u32)
    iflags = Attr(2, be16, shown=GreFlag)
    oflags = Attr(3, be16, shown=GreFlag)
    ikey = Attr(4, be32)
    okey = Attr(5, be32)
    local = Attr(6, binary)
    remote = Attr(7, binary)
    ttl = Attr(8, u8)
    tos = Attr(9, u8)
    pmtudisc = Attr(10, u8)
    encap_limit = Attr(11, u8)
    flowinfo = Attr(12, be32)
    flags = Attr(13, u32)
    encap_type = Attr(14, u16, shown=TunnelEncap)
    encap_flags = Attr(15, u16, shown=TunnelEncapFlag)
    encap_sport = Attr(16, be16)
    encap_dport = Attr(17, be16)
    collect_metadata = Attr(18, flag)
    ignore_df = Attr(19, u8)
    fwmark = Attr(20, u32)
    erspan_index = Attr(21, u32)
    erspan_ver = Attr(22, u8)
    erspan_dir = Attr(23, u8)
    erspan_hwid = Attr(24, u16)
    order = (
        erspan_ver, erspan_index, erspan_dir, erspan_hwid, link, iflags, oflags, ikey, okey, local, remote, ttl, tos,
        pmtudisc, fwmark, encap_type, encap_sport, encap_dport, encap_flags, ignore_df, collect_metadata, encap_limit,
        flowinfo, flags,
    )


Gre = LinkinfoGreAttrs
POLICY = Policy(
    Gre.link, Gre.iflags.but(kind=u16), Gre.oflags.but(kind=u16), Gre.ikey.but(kind=u32), Gre.okey.but(kind=u32),
    Gre.local.but(kind=in_addr), Gre.remote.but(kind=in_addr), Gre.ttl, Gre.tos, Gre.pmtudisc, Gre.encap_type,
    Gre.encap_flags, Gre.encap_sport.but(kind=u16), Gre.encap_dport.but(kind=u16), Gre.collect_metadata, Gre.ignore_df,
    Gre.fwmark, Gre.erspan_index, Gre.erspan_ver, Gre.erspan_dir, Gre.erspan_hwid, top=TOP, chosen_from=Gre,
)
"""ipgre_policy"""
SIZED = (
    Gre.link, Gre.iflags, Gre.oflags, Gre.ikey, Gre.okey, Gre.local.but(kind=in_addr), Gre.remote.but(kind=in_addr),
    Gre.ttl, Gre.tos, Gre.pmtudisc, Gre.encap_type, Gre.encap_flags, Gre.encap_sport, Gre.encap_dport,
    Gre.collect_metadata, Gre.ignore_df, Gre.fwmark, Gre.erspan_index, Gre.erspan_ver, Gre.erspan_dir, Gre.erspan_hwid,
)
"""ipgre_get_size()"""
KINDS = tuple(LinkKind(name, Gre, policy=POLICY, sized=SIZED) for name in ("gre", "gretap", "erspan"))
"""ipgre_link_ops, ipgre_tap_ops, erspan_link_ops"""
