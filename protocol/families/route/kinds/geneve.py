"""geneve: IFLA_GENEVE_* of uapi/linux/if_link.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be16, be32, binary, flag, structure, u8, u16, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_link import GeneveDf

PORT_RANGE = structure(
    "ifla_geneve_port_range" / c.Struct("low" / c.Int16ub, "high" / c.Int16ub), "ifla_geneve_port_range"
)
"""struct ifla_geneve_port_range"""
in_addr = structure(c.Bytes(4), "in_addr")
in6_addr = structure(c.Bytes(16), "in6_addr")


class LinkinfoGeneveAttrs(AttrSet):
    """IFLA_GENEVE_*, written as by geneve_fill_info(); called as in the specification."""

    id = Attr(1, u32)
    remote = Attr(2, binary)
    ttl = Attr(3, u8)
    tos = Attr(4, u8)
    port = Attr(5, be16)
    collect_metadata = Attr(6, flag)
    remote6 = Attr(7, binary)
    udp_csum = Attr(8, u8)
    udp_zero_csum6_tx = Attr(9, u8)
    udp_zero_csum6_rx = Attr(10, u8)
    label = Attr(11, be32)
    ttl_inherit = Attr(12, u8)
    df = Attr(13, u8, shown=GeneveDf)
    inner_proto_inherit = Attr(14, flag)
    port_range = Attr(15, PORT_RANGE)
    gro_hint = Attr(16, flag)
    local = Attr(17, binary)
    local6 = Attr(18, binary)
    order = (
        id, remote, udp_csum, remote6, udp_zero_csum6_tx, local, local6, ttl, tos, label, df, port, collect_metadata,
        udp_zero_csum6_rx, ttl_inherit, inner_proto_inherit, port_range, gro_hint,
    )


Geneve = LinkinfoGeneveAttrs
ADDRESSES = (Geneve.remote, Geneve.remote6, Geneve.local, Geneve.local6)
ODD = (Geneve.port, Geneve.label, Geneve.port_range, *ADDRESSES)
KIND = LinkKind(
    "geneve", Geneve,
    policy=Policy(
        *(attr for attr in Geneve.order if attr not in ODD),
        Geneve.port.but(kind=u16), Geneve.label.but(kind=u32),  # the kernel reads them in network order all the same
        Geneve.port_range.but(kind=binary, min=PORT_RANGE.size, max=PORT_RANGE.size), Geneve.local.but(kind=be32),
        Geneve.local6.but(min=16, max=16), Geneve.remote.but(kind=in_addr), Geneve.remote6.but(kind=in6_addr),
        strict_from=14, chosen_from=Geneve,
    ),
    sized=(
        *(attr for attr in Geneve.order if attr not in ADDRESSES),
        Geneve.remote6.but(kind=in6_addr), Geneve.local6.but(kind=in6_addr),
    ),
)
"""geneve_link_ops"""
