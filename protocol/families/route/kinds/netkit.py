"""netkit: IFLA_NETKIT_* of uapi/linux/if_link.h."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import u8, u16, u32
from nlemu.protocol.schema.link_kind import LINK, LinkKind
from nlemu.protocol.uapi.if_link import NetkitAction, NetkitMode, NetkitPairing, NetkitScrub


class Netkit(AttrSet):
    """IFLA_NETKIT_*, written as by netkit_fill_info()."""

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


KIND = LinkKind(
    "netkit", Netkit, peer=Netkit.peer_info,
    sized=(
        Netkit.policy, Netkit.peer_policy, Netkit.scrub, Netkit.peer_scrub, Netkit.mode, Netkit.primary,
        Netkit.headroom, Netkit.tailroom, Netkit.pairing,
    ),
)
"""netkit_link_ops"""
