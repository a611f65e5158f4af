"""What is filtered of a VXLAN: RTM_NEWTUNNEL, RTM_DELTUNNEL, RTM_GETTUNNEL of drivers/net/vxlan/vxlan_vnifilter.c."""

import construct as c

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered, Unread
from nlemu.protocol.schema.kinds import binary, nest, structure, u32, u64
from nlemu.protocol.schema.policy import STRICT, Policy
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE

TUNNEL_MSG = structure(
    "tunnel_msg" / c.Struct(
        "family" / c.Int8ul, "flags" / c.Int8ul, "reserved2" / c.Int16ul, "ifindex" / c.Int32ul
    ),
    "tunnel_msg",
)
"""struct tunnel_msg"""


class VniStats(AttrSet):
    """VNIFILTER_ENTRY_STATS_*."""

    rx_bytes = Attr(1, u64)
    rx_pkts = Attr(2, u64)
    rx_drops = Attr(3, u64)
    rx_errors = Attr(4, u64)
    tx_bytes = Attr(5, u64)
    tx_pkts = Attr(6, u64)
    tx_drops = Attr(7, u64)
    tx_errors = Attr(8, u64)


class VniEntry(AttrSet):
    """VXLAN_VNIFILTER_ENTRY_*: a VNI, or several that follow each other and are alike."""

    start = Attr(1, u32)
    end = Attr(2, u32)
    group = Attr(3, binary)
    group6 = Attr(4, binary)
    stats = Attr(5, nest(VniStats))


TAKEN_ENTRY = Policy(
    VniEntry.start, VniEntry.end, VniEntry.group.but(min=4, max=4),
    VniEntry.group6.but(min=16, max=16), top=VniEntry.stats.number, chosen_from=VniEntry,
)
"""vni_filter_entry_policy"""


class VniFilter(AttrSet):
    """VXLAN_VNIFILTER_*."""

    entry = Attr(1, nest(VniEntry), multi=True)


TAKEN = Policy(VniFilter.entry.but(kind=nest(None)), chosen_from=VniFilter)
"""vni_filter_policy"""
REPLY = Layout(VniFilter.entry)
SET = Half(TAKEN, level=STRICT)
DUMP = Half(None, unless_strict=Unread.IGNORED, late=True)
NEWTUNNEL = route.operation(
    RTM.NEWTUNNEL, VniFilter, fixed=TUNNEL_MSG, replies=REPLY, registered={AF_BRIDGE: Registered(do=SET)}
)
DELTUNNEL = route.operation(RTM.DELTUNNEL, VniFilter, fixed=TUNNEL_MSG, registered={AF_BRIDGE: Registered(do=SET)})
GETTUNNEL = route.operation(
    RTM.GETTUNNEL, VniFilter, fixed=TUNNEL_MSG, replies=REPLY, reply_cmd=RTM.NEWTUNNEL,
    registered={AF_BRIDGE: Registered(dump=DUMP)},
)
