"""veth: VETH_INFO_* of uapi/linux/veth.h."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.link_kind import LINK, LinkKind


class Veth(AttrSet):
    """VETH_INFO_*; a request's alone, the kind tells nothing."""

    peer = Attr(1, LINK)


KIND = LinkKind("veth", Veth, peer=Veth.peer)
"""veth_link_ops"""
