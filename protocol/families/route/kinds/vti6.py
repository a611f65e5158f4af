"""vti6: IFLA_VTI_* of uapi/linux/if_tunnel.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be32, binary, structure, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy

in6_addr = structure(c.Bytes(16), "in6_addr")


class LinkinfoVti6Attrs(AttrSet):
    """IFLA_VTI_*, written as by vti6_fill_info(); called as in the specification."""

    link = Attr(1, u32)
    ikey = Attr(2, be32)
    okey = Attr(3, be32)
    local = Attr(4, binary)
    remote = Attr(5, binary)
    fwmark = Attr(6, u32)
    order = (link, local, remote, ikey, okey, fwmark)


Vti6 = LinkinfoVti6Attrs
ENDS = (Vti6.local.but(kind=in6_addr), Vti6.remote.but(kind=in6_addr))
KIND = LinkKind(
    "vti6", Vti6,
    policy=Policy(Vti6.link, *ENDS, Vti6.ikey.but(kind=u32), Vti6.okey.but(kind=u32), Vti6.fwmark, chosen_from=Vti6),
    sized=(Vti6.link, *ENDS, Vti6.ikey, Vti6.okey, Vti6.fwmark),
)
"""vti6_link_ops"""
