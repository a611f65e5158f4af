"""vti: IFLA_VTI_* of uapi/linux/if_tunnel.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be32, binary, structure, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy

in_addr = structure(c.Bytes(4), "in_addr")


class LinkinfoVtiAttrs(AttrSet):
    """IFLA_VTI_*, written as by vti_fill_info(); called as in the specification."""

    link = Attr(1, u32)
    ikey = Attr(2, be32)
    okey = Attr(3, be32)
    local = Attr(4, binary)
    remote = Attr(5, binary)
    fwmark = Attr(6, u32)


Vti = LinkinfoVtiAttrs
ENDS = (Vti.local.but(kind=in_addr), Vti.remote.but(kind=in_addr))
KIND = LinkKind(
    "vti", Vti,
    policy=Policy(
        Vti.link, Vti.ikey.but(kind=u32), Vti.okey.but(kind=u32), *ENDS, Vti.fwmark, chosen_from=Vti
    ),
    sized=(Vti.link, Vti.ikey, Vti.okey, *ENDS, Vti.fwmark),
)
"""vti_link_ops"""
