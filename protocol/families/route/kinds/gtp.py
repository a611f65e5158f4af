"""gtp: IFLA_GTP_* of uapi/linux/if_link.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be32, binary, structure, u8, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_link import GtpRole

in6_addr = structure(c.Bytes(16), "in6_addr")


class Gtp(AttrSet):
    """IFLA_GTP_*, written as by gtp_fill_info()."""

    fd0 = Attr(1, u32)
    fd1 = Attr(2, u32)
    pdp_hashsize = Attr(3, u32)
    role = Attr(4, u32, shown=GtpRole)
    create_sockets = Attr(5, u8)
    restart_count = Attr(6, u8)
    local = Attr(7, be32)
    local6 = Attr(8, binary)
    order = (pdp_hashsize, role, restart_count, fd0, fd1, create_sockets, local, local6)


KIND = LinkKind(
    "gtp", Gtp,
    policy=Policy(*Gtp.order[:6], Gtp.local.but(kind=u32), Gtp.local6.but(kind=in6_addr), chosen_from=Gtp),
    sized=(Gtp.pdp_hashsize, Gtp.role, Gtp.restart_count),
)
"""gtp_link_ops"""
