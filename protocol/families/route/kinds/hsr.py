"""hsr: IFLA_HSR_* of uapi/linux/if_link.h."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import binary, u8, u16, u32, unspec
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_ether import ETH_ALEN
from nlemu.protocol.uapi.if_link import HsrProtocol


class Hsr(AttrSet):
    """IFLA_HSR_*, written as by hsr_fill_info()."""

    slave1 = Attr(1, u32)
    slave2 = Attr(2, u32)
    multicast_spec = Attr(3, u8)
    supervision_addr = Attr(4, binary)
    seq_nr = Attr(5, u16)
    version = Attr(6, u8)
    protocol = Attr(7, u8, shown=HsrProtocol)
    interlink = Attr(8, u32)
    order = (slave1, slave2, interlink, supervision_addr, seq_nr, version, protocol, multicast_spec)


KIND = LinkKind(
    "hsr", Hsr,
    policy=Policy(
        Hsr.slave1, Hsr.slave2, Hsr.multicast_spec, Hsr.version, Hsr.seq_nr, Hsr.protocol, Hsr.interlink,
        Hsr.supervision_addr.but(kind=unspec, length=ETH_ALEN),
    ),
)
"""hsr_link_ops: there is no get_size"""
