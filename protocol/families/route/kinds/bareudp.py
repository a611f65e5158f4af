"""bareudp: IFLA_BAREUDP_* of uapi/linux/if_link.h."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be16, flag, u16
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_ether import ETH_P


class Bareudp(AttrSet):
    """IFLA_BAREUDP_*, written as by bareudp_fill_info()."""

    port = Attr(1, be16)
    ethertype = Attr(2, be16, shown=ETH_P)
    srcport_min = Attr(3, u16)
    multiproto_mode = Attr(4, flag)


KIND = LinkKind(
    "bareudp", Bareudp,
    # The kernel reads the first two in network order all the same.
    policy=Policy(
        Bareudp.port.but(kind=u16), Bareudp.ethertype.but(kind=u16), Bareudp.srcport_min, Bareudp.multiproto_mode,
        chosen_from=Bareudp,
    ),
    sized=(Bareudp.port, Bareudp.ethertype, Bareudp.srcport_min, Bareudp.multiproto_mode),
)
"""bareudp_link_ops"""
