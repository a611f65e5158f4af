"""ipip and sit: IFLA_IPTUN_* of uapi/linux/if_tunnel.h."""

from typing import Any, ClassVar

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be16, be32, binary, flag, structure, u8, u16, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_tunnel import TunnelEncap, TunnelEncapFlag

in_addr = structure(c.Bytes(4), "in_addr")
in6_addr = structure(c.Bytes(16), "in6_addr")
TOP = 20
"""IFLA_IPTUN_MAX"""


class LinkinfoIptunAttrs(AttrSet):
    """IFLA_IPTUN_*, written as by ipip_fill_info(); called as in the specification."""

    link = Attr(1, u32)
    local = Attr(2, binary)
    remote = Attr(3, binary)
    ttl = Attr(4, u8)
    tos = Attr(5, u8)
    encap_limit = Attr(6, u8)
    flowinfo = Attr(7, be32)
    flags = Attr(8, be16)
    proto = Attr(9, u8)
    pmtudisc = Attr(10, u8)
    sixrd_prefix = Attr(11, binary, name="6rd-prefix")
    sixrd_relay_prefix = Attr(12, binary, name="6rd-relay-prefix")
    sixrd_prefixlen = Attr(13, u16, name="6rd-prefixlen")
    sixrd_relay_prefixlen = Attr(14, u16, name="6rd-relay-prefixlen")
    encap_type = Attr(15, u16, shown=TunnelEncap)
    encap_flags = Attr(16, u16, shown=TunnelEncapFlag)
    encap_sport = Attr(17, be16)
    encap_dport = Attr(18, be16)
    collect_metadata = Attr(19, flag)
    fwmark = Attr(20, u32)
    order: ClassVar[tuple[Attr[Any], ...]] = (
        link, local, remote, ttl, tos, encap_limit, flowinfo, proto, pmtudisc, flags, fwmark, sixrd_prefix,
        sixrd_relay_prefix, sixrd_prefixlen, sixrd_relay_prefixlen, encap_type, encap_sport, encap_dport, encap_flags,
        collect_metadata,
    )


Iptun = LinkinfoIptunAttrs


class SitAttrs(Iptun):
    """The same, written as by ipip6_fill_info()."""

    order: ClassVar[tuple[Attr[Any], ...]] = (
        Iptun.link, Iptun.local, Iptun.remote, Iptun.ttl, Iptun.tos, Iptun.pmtudisc, Iptun.proto, Iptun.flags,
        Iptun.fwmark, Iptun.sixrd_prefix, Iptun.sixrd_relay_prefix, Iptun.sixrd_prefixlen, Iptun.sixrd_relay_prefixlen,
        Iptun.encap_type, Iptun.encap_sport, Iptun.encap_dport, Iptun.encap_flags,
    )


ENCAP = (
    Iptun.encap_type, Iptun.encap_flags, Iptun.encap_sport.but(kind=u16), Iptun.encap_dport.but(kind=u16),
)
ENDS = (Iptun.link, Iptun.local.but(kind=u32), Iptun.remote.but(kind=u32), Iptun.ttl, Iptun.tos)
ENDS_SIZED = (Iptun.link, Iptun.local.but(kind=in_addr), Iptun.remote.but(kind=in_addr), Iptun.ttl, Iptun.tos)
SIXRD = (
    Iptun.sixrd_prefix.but(kind=in6_addr), Iptun.sixrd_relay_prefix.but(kind=u32), Iptun.sixrd_prefixlen,
    Iptun.sixrd_relay_prefixlen,
)
IPIP = LinkKind(
    "ipip", Iptun,
    policy=Policy(
        *ENDS, Iptun.proto, Iptun.pmtudisc, *ENCAP, Iptun.collect_metadata, Iptun.fwmark, top=TOP, chosen_from=Iptun
    ),
    sized=(*ENDS_SIZED, Iptun.proto, Iptun.pmtudisc, *ENCAP, Iptun.collect_metadata, Iptun.fwmark),
)
"""ipip_link_ops"""
SIT = LinkKind(
    "sit", SitAttrs,
    policy=Policy(
        *ENDS, Iptun.pmtudisc, Iptun.flags.but(kind=u16), Iptun.proto, *SIXRD, *ENCAP, Iptun.fwmark, top=TOP,
        chosen_from=SitAttrs,
    ),
    sized=(*ENDS_SIZED, Iptun.pmtudisc, Iptun.flags, Iptun.proto, *SIXRD, *ENCAP, Iptun.fwmark),
)
"""sit_link_ops"""
KINDS = (IPIP, SIT)
