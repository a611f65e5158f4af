"""tun: IFLA_TUN_* of uapi/linux/if_link.h. They are only told: a request with this kind is refused."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import u8, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.uapi.if_tun import TunIff


class Tun(AttrSet):
    """IFLA_TUN_*, written as by tun_fill_info()."""

    owner = Attr(1, u32)
    group = Attr(2, u32)
    type = Attr(3, u8, shown=TunIff)
    pi = Attr(4, u8)
    vnet_hdr = Attr(5, u8)
    persist = Attr(6, u8)
    multi_queue = Attr(7, u8)
    num_queues = Attr(8, u32)
    num_disabled_queues = Attr(9, u32)
    order = (type, owner, group, pi, vnet_hdr, persist, multi_queue, num_queues, num_disabled_queues)


KIND = LinkKind("tun", Tun, policy=None, sized=Tun.order)
"""tun_link_ops, which has no policy."""
