"""Statistics of devices, chosen by a mask: RTM_GETSTATS, told with the type RTM_NEWSTATS, and RTM_SETSTATS (net/core/
rtnetlink.c)."""

import construct as c

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered
from nlemu.protocol.schema.kinds import array, binary, nest, structure, u8, u32, u64
from nlemu.protocol.schema.policy import STRICT, Policy
from nlemu.protocol.schema.structs import if_stats_msg, rtnl_hw_stats64, rtnl_link_stats64
from nlemu.protocol.uapi.if_bridge import MCAST_COUNTS
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_UNSPEC

HEADER = structure(if_stats_msg, "if_stats_msg")


class HwInfoOne(AttrSet):
    """IFLA_OFFLOAD_XSTATS_HW_S_INFO_*: whether statistics of one kind are asked for, and whether hardware counts."""

    request = Attr(1, u8)
    used = Attr(2, u8)


class OffloadXstats(AttrSet):
    """IFLA_OFFLOAD_XSTATS_*."""

    cpu_hit = Attr(1, binary)
    hw_s_info = Attr(2, array(nest(HwInfoOne)))  # by the kind of statistics
    l3_stats = Attr(3, structure(rtnl_hw_stats64, "rtnl_hw_stats64"))


class MplsStats(AttrSet):
    """MPLS_STATS_*."""

    link = Attr(1, structure("mpls_link_stats" / c.Struct(*(
        name / c.Int64ul for name in (
            "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
            "rx_noroute",
        )
    )), "mpls_link_stats"))


class AfStats(AttrSet):
    """IFLA_STATS_AF_SPEC: by protocol family."""

    mpls = Attr(28, nest(MplsStats, flagged=False))


class Bond3adStats(AttrSet):
    """BOND_3AD_STAT_*: what LACP has sent and received."""

    lacpdu_rx = Attr(0, u64)
    lacpdu_tx = Attr(1, u64)
    lacpdu_unknown_rx = Attr(2, u64)
    lacpdu_illegal_rx = Attr(3, u64)
    marker_rx = Attr(4, u64)
    marker_tx = Attr(5, u64)
    marker_resp_rx = Attr(6, u64)
    marker_resp_tx = Attr(7, u64)
    marker_unknown_rx = Attr(8, u64)


class BondXstats(AttrSet):
    """BOND_XSTATS_*."""

    lacp = Attr(1, nest(Bond3adStats, flagged=False))


STP_COUNTS = ("transition_blk", "transition_fwd", "rx_bpdu", "tx_bpdu", "rx_tcn", "tx_tcn")
"""struct bridge_stp_xstats"""


class BridgeXstats(AttrSet):
    """BRIDGE_XSTATS_*: of each VLAN; of the protocols of groups; and of a port's spanning tree."""

    vlan = Attr(1, structure("bridge_vlan_xstats" / c.Struct(
        *(name / c.Int64ul for name in ("rx_bytes", "rx_packets", "tx_bytes", "tx_packets")),
        "vid" / c.Int16ul, "flags" / c.Int16ul, "pad2" / c.Int32ul,
    ), "bridge_vlan_xstats"), multi=True)
    mcast = Attr(2, structure("br_mcast_stats" / c.Struct(*(name / c.Int64ul for name in MCAST_COUNTS)),
                              "br_mcast_stats"))
    stp = Attr(4, structure("bridge_stp_xstats" / c.Struct(*(name / c.Int64ul for name in STP_COUNTS)),
                            "bridge_stp_xstats"))


class LinkXstats(AttrSet):
    """LINK_XSTATS_TYPE_*: by the kind of link."""

    bridge = Attr(1, nest(BridgeXstats, flagged=False))
    bond = Attr(2, nest(BondXstats, flagged=False))


class LinkStats(AttrSet):
    """IFLA_STATS_*."""

    link_64 = Attr(1, structure(rtnl_link_stats64, "rtnl_link_stats64"))
    link_xstats = Attr(2, nest(LinkXstats, flagged=False))
    link_xstats_slave = Attr(3, nest(LinkXstats, flagged=False))
    link_offload_xstats = Attr(4, nest(OffloadXstats, flagged=False))
    af_spec = Attr(5, nest(AfStats, flagged=False))


STATS_MAX = 5
OFFLOAD_MASK = 0xF
"""RTNL_STATS_OFFLOAD_XSTATS_VALID"""


class Filters(AttrSet):
    """Which statistics inside a nest are asked for: masks under the numbers of IFLA_STATS_*."""

    link_offload_xstats = Attr(4, u32, mask=OFFLOAD_MASK)


FILTERS = Policy(Filters.link_offload_xstats, top=STATS_MAX, chosen_from=Filters)
"""rtnl_stats_get_policy_filters"""


class Asked(AttrSet):
    """IFLA_STATS_GET_FILTERS, IFLA_STATS_SET_OFFLOAD_XSTATS_L3_STATS: what a request holds."""

    filters = Attr(1, nest(FILTERS))
    l3_stats = Attr(2, u8, max=1)


ASKED_MAX = 2
GET = Policy(Asked.filters, top=ASKED_MAX, chosen_from=Asked)
"""rtnl_stats_get_policy"""
SET = Half(Policy(Asked.l3_stats, top=ASKED_MAX, chosen_from=Asked), level=STRICT, late=True,
           cut="Invalid header for stats dump")
"""ifla_stats_set_policy"""
GET_ONE = Half(GET, level=STRICT, late=True, cut="Invalid header for stats dump")
TOLD = Layout(*LinkStats.order)

GETSTATS = route.operation(
    RTM.GETSTATS, LinkStats, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWSTATS,
    registered={AF_UNSPEC: Registered(do=GET_ONE, dump=Half(None, cut="Invalid header for stats dump"))},
)
SETSTATS = route.operation(RTM.SETSTATS, Asked, fixed=HEADER, registered={AF_UNSPEC: Registered(do=SET)})
