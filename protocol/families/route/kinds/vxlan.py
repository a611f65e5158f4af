"""vxlan: IFLA_VXLAN_* of uapi/linux/if_link.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import Integer, be16, be32, binary, flag, structure, u8, u16, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_link import VxlanDf, VxlanLabelPolicy
from nlemu.protocol.uapi.netlink import AttrType

PORT_RANGE = structure(
    "ifla_vxlan_port_range" / c.Struct("low" / c.Int16ub, "high" / c.Int16ub), "ifla_vxlan_port_range"
)
"""struct ifla_vxlan_port_range"""
in_addr = structure(c.Bytes(4), "in_addr")
in6_addr = structure(c.Bytes(16), "in6_addr")


class Presence(Integer):
    """A number in what is told, and in a request a flag: it is there, or not."""

    def __init__(self) -> None:
        super().__init__("u8", c.Int8ul, AttrType.U8)
        number = self.decode
        self.decode = (  # type: ignore[method-assign]
            lambda data, start, end: number(data, start, end) if end > start else 1
        )


HEADER_SIZE = 8
"""sizeof(struct vxlanhdr)"""


class Vxlan(AttrSet):
    """IFLA_VXLAN_*, written as by vxlan_fill_info()."""

    id = Attr(1, u32)
    group = Attr(2, binary)
    link = Attr(3, u32)
    local = Attr(4, binary)
    ttl = Attr(5, u8)
    tos = Attr(6, u8)
    learning = Attr(7, u8)
    ageing = Attr(8, u32)
    limit = Attr(9, u32)
    port_range = Attr(10, PORT_RANGE)
    proxy = Attr(11, u8)
    rsc = Attr(12, u8)
    l2miss = Attr(13, u8)
    l3miss = Attr(14, u8)
    port = Attr(15, be16)
    group6 = Attr(16, binary)
    local6 = Attr(17, binary)
    udp_csum = Attr(18, u8)
    udp_zero_csum6_tx = Attr(19, u8)
    udp_zero_csum6_rx = Attr(20, u8)
    remcsum_tx = Attr(21, u8)
    remcsum_rx = Attr(22, u8)
    gbp = Attr(23, flag)
    remcsum_nopartial = Attr(24, flag)
    collect_metadata = Attr(25, u8)
    label = Attr(26, be32)
    gpe = Attr(27, flag)
    ttl_inherit = Attr(28, Presence())
    df = Attr(29, u8, shown=VxlanDf)
    vnifilter = Attr(30, u8)
    localbypass = Attr(31, u8, max=1)
    label_policy = Attr(32, u32, enum=VxlanLabelPolicy)
    reserved_bits = Attr(33, binary, min=HEADER_SIZE, max=HEADER_SIZE)
    mc_route = Attr(34, u8, max=1)
    order = (
        id, group, group6, link, local, local6, ttl, ttl_inherit, tos, df, label, label_policy, learning, proxy, rsc,
        l2miss, l3miss, collect_metadata, ageing, limit, port, udp_csum, udp_zero_csum6_tx, udp_zero_csum6_rx,
        remcsum_tx, remcsum_rx, localbypass, port_range, gbp, gpe, remcsum_nopartial, vnifilter, reserved_bits,
    )


UNSENT = (Vxlan.mc_route,)
"""What a request may hold, and is never told."""
ADDRESSES = (Vxlan.group, Vxlan.group6, Vxlan.local, Vxlan.local6)
ODD = (Vxlan.port, Vxlan.label, Vxlan.ttl_inherit, *ADDRESSES)
SIZED = tuple(attr for attr in Vxlan.order if attr not in (*ADDRESSES, Vxlan.reserved_bits))
KIND = LinkKind(
    "vxlan", Vxlan,
    policy=Policy(
        *(attr for attr in (*Vxlan.order, *UNSENT) if attr not in ODD),
        Vxlan.port.but(kind=u16), Vxlan.label.but(kind=u32),  # the kernel reads them in network order all the same
        Vxlan.ttl_inherit.but(kind=flag),  # and tells a number
        Vxlan.group.but(kind=in_addr), Vxlan.local.but(kind=in_addr),
        Vxlan.group6.but(kind=in6_addr), Vxlan.local6.but(kind=in6_addr),
        strict_from=31, chosen_from=Vxlan,
    ),
    sized=(
        *SIZED, Vxlan.group6.but(kind=in6_addr), Vxlan.local6.but(kind=in6_addr),
        Vxlan.reserved_bits.but(kind=structure(c.Bytes(HEADER_SIZE), "vxlanhdr")),
    ),
)
"""vxlan_link_ops"""
