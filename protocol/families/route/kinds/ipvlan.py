"""ipvlan, ipvtap: IFLA_IPVLAN_* of uapi/linux/if_link.h."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import u16
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.uapi.if_link import IpvlanFlag, IpvlanMode


class Ipvlan(AttrSet):
    """IFLA_IPVLAN_*, written as by ipvlan_nl_fillinfo()."""

    mode = Attr(1, u16, shown=IpvlanMode)
    flags = Attr(2, u16, shown=IpvlanFlag)


KINDS = tuple(LinkKind(name, Ipvlan, sized=(Ipvlan.mode, Ipvlan.flags)) for name in ("ipvlan", "ipvtap"))
"""ipvlan_link_ops, ipvtap_link_ops: ipvlan_link_register() gives both the same"""
