"""What AF_BRIDGE says of links and VLANs: br_fill_ifinfo() of net/bridge/br_netlink.c, RTM_*VLAN of br_vlan.c."""

import construct as c

from nlemu.protocol.families.route.family import route
from nlemu.protocol.families.route.kinds.bridge import Brport, Querier
from nlemu.protocol.families.route.link import Link
from nlemu.protocol.families.route.mdb import MdbTold
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered
from nlemu.protocol.schema.kinds import binary, nest, structure, u8, u16, u32, u64
from nlemu.protocol.schema.policy import STRICT, Policy
from nlemu.protocol.uapi.if_bridge import BridgeFlags, BrState, MdbRtrType
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE

VLANS = 4096
"""VLAN_N_VID"""
VLAN_INFO = structure("bridge_vlan_info" / c.Struct("flags" / c.Int16ul, "vid" / c.Int16ul), "bridge_vlan_info")
VLAN_MSG = structure(
    "br_vlan_msg" / c.Struct(
        "family" / c.Int8ul, "reserved1" / c.Int8ul, "reserved2" / c.Int16ul, "ifindex" / c.Int32ul
    ),
    "br_vlan_msg",
)
"""struct bridge_vlan_info, struct br_vlan_msg"""


class TunnelInfo(AttrSet):
    """IFLA_BRIDGE_VLAN_TUNNEL_*: a VLAN that is a tunnel, or the begin or the end of a range of them."""

    id = Attr(1, u32)
    vid = Attr(2, u16)
    flags = Attr(3, u16)


TUNNEL_INFO = Policy(TunnelInfo.id, TunnelInfo.vid, TunnelInfo.flags, chosen_from=TunnelInfo)
"""vlan_tunnel_policy"""


class MstEntry(AttrSet):
    """IFLA_BRIDGE_MST_ENTRY_*: a spanning tree, and the state of a port in it."""

    msti = Attr(1, u16, min=1, max=VLANS - 1)
    state = Attr(2, u8, shown=BrState, min=int(BrState.DISABLED), max=int(BrState.BLOCKING))


MST_ENTRY = Policy(MstEntry.msti, MstEntry.state, chosen_from=MstEntry)
"""br_mst_nl_policy"""


class Mst(AttrSet):
    """IFLA_BRIDGE_MST_*"""

    entry = Attr(1, nest(MstEntry, flagged=False), multi=True)


class BridgeAf(AttrSet):
    """IFLA_BRIDGE_*: IFLA_AF_SPEC of the bridge family."""

    flags = Attr(0, u16, shown=BridgeFlags)
    mode = Attr(1, u16)
    vlan_info = Attr(2, VLAN_INFO, multi=True)
    vlan_tunnel_info = Attr(3, nest(TunnelInfo, flagged=False), multi=True)
    mrp = Attr(4, nest(None))
    cfm = Attr(5, nest(None))
    mst = Attr(6, nest(Mst))


PROTINFO = Link.protinfo.but(kind=nest(Brport))
AF_SPEC = Link.af_spec.but(kind=nest(BridgeAf, flagged=False))


class BridgeLink(Link):
    """IFLA_* as AF_BRIDGE has them: two of the nests are others."""

    protinfo = PROTINFO
    af_spec = AF_SPEC


LINK_REPLY = Layout(
    Link.ifname, Link.master, Link.mtu, Link.operstate, Link.address, Link.link, PROTINFO, AF_SPEC
)
"""br_fill_ifinfo()"""


class VlanStats(AttrSet):
    """BRIDGE_VLANDB_STATS_*."""

    rx_bytes = Attr(1, u64)
    rx_packets = Attr(2, u64)
    tx_bytes = Attr(3, u64)
    tx_packets = Attr(4, u64)


class VlanTunnel(AttrSet):
    """BRIDGE_VLANDB_TINFO_*."""

    id = Attr(1, u32)
    cmd = Attr(2, u32)


class VlanEntry(AttrSet):
    """BRIDGE_VLANDB_ENTRY_*, written as by br_vlan_fill_vids()."""

    info = Attr(1, VLAN_INFO)
    range = Attr(2, u16)
    state = Attr(3, u8, shown=BrState)
    tunnel_info = Attr(4, nest(VlanTunnel))
    stats = Attr(5, nest(VlanStats))
    mcast_router = Attr(6, u8, shown=MdbRtrType)
    mcast_n_groups = Attr(7, u32, reject="")
    mcast_max_groups = Attr(8, u32)
    neigh_suppress = Attr(9, u8, max=1)
    neigh_forward_grat = Attr(10, u8, max=1)
    order = (
        info, range, state, tunnel_info, neigh_suppress, neigh_forward_grat, mcast_router, mcast_n_groups,
        mcast_max_groups, stats,
    )


TAKEN_VLAN = Policy(
    VlanEntry.info.but(kind=binary, min=VLAN_INFO.size, max=VLAN_INFO.size), VlanEntry.range, VlanEntry.state,
    VlanEntry.tunnel_info.but(kind=nest(None, told=VlanTunnel)), VlanEntry.mcast_router,
    VlanEntry.mcast_n_groups, VlanEntry.mcast_max_groups, VlanEntry.neigh_suppress, VlanEntry.neigh_forward_grat,
    chosen_from=VlanEntry,
)
"""br_vlan_db_policy"""


TUNNEL = Policy(VlanTunnel.id, VlanTunnel.cmd, chosen_from=VlanTunnel)
"""br_vlandb_tinfo_pol"""


class GlobalOptions(AttrSet):
    """BRIDGE_VLANDB_GOPTS_*, written as by br_vlan_global_opts_fill(): how a bridge looks at groups in a VLAN, and in
    which spanning tree that is."""

    id = Attr(1, u16)
    range = Attr(2, u16)
    mcast_snooping = Attr(3, u8)
    mcast_igmp_version = Attr(4, u8)
    mcast_mld_version = Attr(5, u8)
    mcast_last_member_cnt = Attr(6, u32)
    mcast_startup_query_cnt = Attr(7, u32)
    mcast_last_member_intvl = Attr(8, u64)
    mcast_membership_intvl = Attr(10, u64)
    mcast_querier_intvl = Attr(11, u64)
    mcast_query_intvl = Attr(12, u64)
    mcast_query_response_intvl = Attr(13, u64)
    mcast_startup_query_intvl = Attr(14, u64)
    mcast_querier = Attr(15, u8)
    mcast_router_ports = Attr(16, nest(MdbTold))
    mcast_querier_state = Attr(17, nest(Querier))
    msti = Attr(18, u16, max=VLANS - 1)
    order = (
        id, range, mcast_snooping, mcast_igmp_version, mcast_last_member_cnt, mcast_startup_query_cnt, mcast_querier,
        mcast_querier_state, mcast_last_member_intvl, mcast_membership_intvl, mcast_querier_intvl, mcast_query_intvl,
        mcast_query_response_intvl, mcast_startup_query_intvl, mcast_router_ports, mcast_mld_version, msti,
    )


TAKEN_GLOBAL = Policy(
    *(
        attr for attr in GlobalOptions.order
        if attr not in (GlobalOptions.mcast_router_ports, GlobalOptions.mcast_querier_state)
    ),
    chosen_from=GlobalOptions,
)
"""br_vlan_db_gpol"""


class Vlandb(AttrSet):
    """BRIDGE_VLANDB_*."""

    entry = Attr(1, nest(VlanEntry), multi=True)
    global_options = Attr(2, nest(GlobalOptions), multi=True)


class VlandbDump(AttrSet):
    """BRIDGE_VLANDB_DUMP_*: what is to be dumped."""

    flags = Attr(1, u32)


DUMP_STATS, DUMP_GLOBAL = 1, 2
"""BRIDGE_VLANDB_DUMPF_*"""
VLAN_REPLY = Layout(Vlandb.entry, Vlandb.global_options)
SET, DUMP = Half(None, late=True), Half(Policy(VlandbDump.flags), level=STRICT, late=True, done_apart=True)
"""br_vlan_rtm_process(): attributes are looked at one by one."""

NEWVLAN = route.operation(
    RTM.NEWVLAN, Vlandb, fixed=VLAN_MSG, replies=VLAN_REPLY, registered={AF_BRIDGE: Registered(do=SET)}
)
DELVLAN = route.operation(RTM.DELVLAN, Vlandb, fixed=VLAN_MSG, registered={AF_BRIDGE: Registered(do=SET)})
GETVLAN = route.operation(
    RTM.GETVLAN, VlandbDump, fixed=VLAN_MSG, replies=VLAN_REPLY, reply_cmd=RTM.NEWVLAN,
    registered={AF_BRIDGE: Registered(dump=DUMP)},
)
