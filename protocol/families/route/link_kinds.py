"""What a link says of its kind in IFLA_INFO_DATA, kind by kind.

The kinds that have nothing to say (dummy) are not here. The peer of a pair is described by a structure and attributes
like those of a whole link message; it is opened by whoever reads it.
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import structure, u8, u16, u32
from nlemu.protocol.schema.structs import ifinfomsg
from nlemu.protocol.uapi.if_link import NetkitAction, NetkitMode, NetkitPairing, NetkitScrub

LINK = structure(ifinfomsg, "ifinfomsg")
"""struct ifinfomsg; in a peer's description attributes follow it."""


class Netkit(AttrSet):
    """IFLA_NETKIT_* of uapi/linux/if_link.h, written as by netkit_fill_info()."""

    peer_info = Attr(1, LINK)
    primary = Attr(2, u8, reject="Primary attribute is read-only")
    policy = Attr(3, u32, shown=NetkitAction)
    peer_policy = Attr(4, u32, shown=NetkitAction)
    mode = Attr(5, u32, enum=NetkitMode)
    scrub = Attr(6, u32, enum=NetkitScrub)
    peer_scrub = Attr(7, u32, enum=NetkitScrub)
    headroom = Attr(8, u16)
    tailroom = Attr(9, u16)
    pairing = Attr(10, u32, enum=NetkitPairing)
    order = (primary, policy, mode, scrub, headroom, tailroom, pairing, peer_policy, peer_scrub)


class Veth(AttrSet):
    """VETH_INFO_* of uapi/linux/veth.h."""

    peer = Attr(1, LINK)
