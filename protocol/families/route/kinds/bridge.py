"""bridge: IFLA_BR_* and IFLA_BRPORT_* of uapi/linux/if_link.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be16, binary, flag, nest, structure, u8, u16, u32, u64
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_bridge import BrStpMode
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_P

BRIDGE_ID = structure("ifla_bridge_id" / c.Struct("prio" / c.Int16ub, "addr" / c.Bytes(ETH_ALEN)), "ifla_bridge_id")
BOOLOPT = structure(
    "br_boolopt_multi" / c.Struct("optval" / c.Int32ul, "optmask" / c.Int32ul), "br_boolopt_multi"
)
"""struct ifla_bridge_id, struct br_boolopt_multi"""


class Querier(AttrSet):
    """BRIDGE_QUERIER_*: who asks for groups; nobody does but the bridge itself."""

    ip_address = Attr(1, structure(c.Bytes(4), "in_addr"))
    ipv6_address = Attr(5, structure(c.Bytes(16), "in6_addr"))


class Bridge(AttrSet):
    """IFLA_BR_*, written as by br_fill_info()."""

    forward_delay = Attr(1, u32)
    hello_time = Attr(2, u32)
    max_age = Attr(3, u32)
    ageing_time = Attr(4, u32)
    stp_state = Attr(5, u32)
    priority = Attr(6, u16)
    vlan_filtering = Attr(7, u8)
    vlan_protocol = Attr(8, be16, shown=ETH_P)
    group_fwd_mask = Attr(9, u16)
    root_id = Attr(10, BRIDGE_ID)
    bridge_id = Attr(11, BRIDGE_ID)
    root_port = Attr(12, u16)
    root_path_cost = Attr(13, u32)
    topology_change = Attr(14, u8)
    topology_change_detected = Attr(15, u8)
    hello_timer = Attr(16, u64)
    tcn_timer = Attr(17, u64)
    topology_change_timer = Attr(18, u64)
    gc_timer = Attr(19, u64)
    group_addr = Attr(20, binary, length=ETH_ALEN)
    fdb_flush = Attr(21, binary)
    mcast_router = Attr(22, u8)
    mcast_snooping = Attr(23, u8)
    mcast_query_use_ifaddr = Attr(24, u8)
    mcast_querier = Attr(25, u8)
    mcast_hash_elasticity = Attr(26, u32)
    mcast_hash_max = Attr(27, u32)
    mcast_last_member_cnt = Attr(28, u32)
    mcast_startup_query_cnt = Attr(29, u32)
    mcast_last_member_intvl = Attr(30, u64)
    mcast_membership_intvl = Attr(31, u64)
    mcast_querier_intvl = Attr(32, u64)
    mcast_query_intvl = Attr(33, u64)
    mcast_query_response_intvl = Attr(34, u64)
    mcast_startup_query_intvl = Attr(35, u64)
    nf_call_iptables = Attr(36, u8)
    nf_call_ip6tables = Attr(37, u8)
    nf_call_arptables = Attr(38, u8)
    vlan_default_pvid = Attr(39, u16)
    vlan_stats_enabled = Attr(41, u8)
    mcast_stats_enabled = Attr(42, u8)
    mcast_igmp_version = Attr(43, u8)
    mcast_mld_version = Attr(44, u8)
    vlan_stats_per_port = Attr(45, u8)
    multi_boolopt = Attr(46, BOOLOPT)
    mcast_querier_state = Attr(47, nest(Querier))
    fdb_n_learned = Attr(48, u32, reject="")
    fdb_max_learned = Attr(49, u32)
    stp_mode = Attr(50, u32, enum=BrStpMode)
    order = (
        hello_timer, tcn_timer, topology_change_timer, gc_timer, forward_delay, hello_time, max_age, ageing_time,
        stp_state, priority, vlan_filtering, group_fwd_mask, bridge_id, root_id, root_port, root_path_cost,
        topology_change, topology_change_detected, group_addr, multi_boolopt, fdb_n_learned, fdb_max_learned, stp_mode,
        vlan_protocol, vlan_default_pvid, vlan_stats_enabled, vlan_stats_per_port, mcast_router, mcast_snooping,
        mcast_query_use_ifaddr, mcast_querier, mcast_stats_enabled, mcast_hash_elasticity, mcast_hash_max,
        mcast_last_member_cnt, mcast_startup_query_cnt, mcast_igmp_version, mcast_querier_state, mcast_mld_version,
        mcast_last_member_intvl, mcast_membership_intvl, mcast_querier_intvl, mcast_query_intvl,
        mcast_query_response_intvl, mcast_startup_query_intvl, nf_call_iptables, nf_call_ip6tables, nf_call_arptables,
    )


READ_ONLY = (
    Bridge.root_id, Bridge.bridge_id, Bridge.root_port, Bridge.root_path_cost, Bridge.topology_change,
    Bridge.topology_change_detected, Bridge.hello_timer, Bridge.tcn_timer, Bridge.topology_change_timer,
    Bridge.gc_timer, Bridge.mcast_querier_state,
)
ODD = (Bridge.vlan_protocol, Bridge.fdb_flush, Bridge.multi_boolopt)
BRIDGE_POLICY = Policy(
    *(attr for attr in Bridge.order if attr not in READ_ONLY and attr not in ODD),
    Bridge.vlan_protocol.but(kind=u16),  # the kernel reads it in network order all the same
    Bridge.multi_boolopt.but(kind=binary, min=BOOLOPT.size, max=BOOLOPT.size),
    top=50, strict_from=48, chosen_from=Bridge,
)
"""br_policy"""


class LinkinfoBrportAttrs(AttrSet):
    """IFLA_BRPORT_*, written as by br_port_fill_attrs(); called as in the specification."""

    state = Attr(1, u8)
    priority = Attr(2, u16)
    cost = Attr(3, u32)
    mode = Attr(4, u8)
    guard = Attr(5, u8)
    protect = Attr(6, u8)
    fast_leave = Attr(7, u8)
    learning = Attr(8, u8)
    unicast_flood = Attr(9, u8)
    proxyarp = Attr(10, u8)
    learning_sync = Attr(11, u8)
    proxyarp_wifi = Attr(12, u8)
    root_id = Attr(13, BRIDGE_ID)
    bridge_id = Attr(14, BRIDGE_ID)
    designated_port = Attr(15, u16)
    designated_cost = Attr(16, u16)
    id = Attr(17, u16)
    no = Attr(18, u16)
    topology_change_ack = Attr(19, u8)
    config_pending = Attr(20, u8)
    message_age_timer = Attr(21, u64)
    forward_delay_timer = Attr(22, u64)
    hold_timer = Attr(23, u64)
    flush = Attr(24, flag)
    multicast_router = Attr(25, u8)
    mcast_flood = Attr(27, u8)
    mcast_to_ucast = Attr(28, u8)
    vlan_tunnel = Attr(29, u8)
    bcast_flood = Attr(30, u8)
    group_fwd_mask = Attr(31, u16)
    neigh_suppress = Attr(32, u8)
    isolated = Attr(33, u8)
    backup_port = Attr(34, u32)
    mrp_ring_open = Attr(35, u8)
    mrp_in_open = Attr(36, u8)
    mcast_eht_hosts_limit = Attr(37, u32)
    mcast_eht_hosts_cnt = Attr(38, u32)
    locked = Attr(39, u8)
    mab = Attr(40, u8)
    mcast_n_groups = Attr(41, u32, reject="")
    mcast_max_groups = Attr(42, u32)
    neigh_vlan_suppress = Attr(43, u8, max=1)
    backup_nhid = Attr(44, u32)
    neigh_forward_grat = Attr(45, u8, max=1)
    order = (
        state, priority, cost, mode, guard, protect, fast_leave, mcast_to_ucast, learning, unicast_flood, mcast_flood,
        bcast_flood, proxyarp, proxyarp_wifi, root_id, bridge_id, designated_port, designated_cost, id, no,
        topology_change_ack, config_pending, vlan_tunnel, group_fwd_mask, neigh_suppress, mrp_ring_open, mrp_in_open,
        isolated, locked, mab, neigh_vlan_suppress, neigh_forward_grat, message_age_timer, forward_delay_timer,
        hold_timer, multicast_router, mcast_eht_hosts_limit, mcast_eht_hosts_cnt, mcast_n_groups, mcast_max_groups,
        backup_port, backup_nhid,
    )


Brport = LinkinfoBrportAttrs
PORT_POLICY = Policy(
    Brport.state, Brport.cost, Brport.priority, Brport.mode, Brport.guard, Brport.protect, Brport.fast_leave,
    Brport.learning, Brport.unicast_flood, Brport.proxyarp, Brport.proxyarp_wifi, Brport.multicast_router,
    Brport.mcast_to_ucast, Brport.mcast_flood, Brport.bcast_flood, Brport.vlan_tunnel, Brport.group_fwd_mask,
    Brport.neigh_suppress, Brport.isolated, Brport.locked, Brport.mab, Brport.backup_port,
    Brport.mcast_eht_hosts_limit, Brport.mcast_n_groups, Brport.mcast_max_groups, Brport.neigh_vlan_suppress,
    Brport.backup_nhid, Brport.neigh_forward_grat, top=45, strict_from=38, chosen_from=Brport,
)
"""br_port_policy"""

PORT_SIZED = tuple(attr for attr in Brport.order if attr is not Brport.backup_port)
"""br_port_info_size()"""
NETFILTER = (Bridge.nf_call_iptables, Bridge.nf_call_ip6tables, Bridge.nf_call_arptables)
QUERIER_SIZE = 68
"""br_multicast_querier_state_size(), without the header of the nest."""

KIND = LinkKind(
    "bridge", Bridge, policy=BRIDGE_POLICY,
    sized=(
        *(attr for attr in Bridge.order if attr not in (*NETFILTER, Bridge.group_addr, Bridge.mcast_querier_state)),
        Bridge.group_addr.but(kind=structure(c.Bytes(ETH_ALEN), "ethernet address")),
        Bridge.mcast_querier_state.but(kind=structure(c.Bytes(QUERIER_SIZE), "querier")),
    ),
    slave=Brport, slave_policy=PORT_POLICY, slave_sized=PORT_SIZED,
)
"""br_link_ops"""
