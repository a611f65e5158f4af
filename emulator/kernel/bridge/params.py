"""What requests say of bridges and ports: IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA, by the names of attributes.

None is what was not said. Times are in hundredths of a second. Attributes that are only told are not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class BridgeParams:
    """IFLA_BR_*. multi_boolopt: with optval and optmask."""

    forward_delay: int | None = None
    hello_time: int | None = None
    max_age: int | None = None
    ageing_time: int | None = None
    stp_state: int | None = None
    priority: int | None = None
    vlan_filtering: int | None = None
    vlan_protocol: int | None = None
    group_fwd_mask: int | None = None
    group_addr: bytes | None = None
    fdb_flush: bytes | None = None
    mcast_router: int | None = None
    mcast_snooping: int | None = None
    mcast_query_use_ifaddr: int | None = None
    mcast_querier: int | None = None
    mcast_hash_max: int | None = None
    mcast_last_member_cnt: int | None = None
    mcast_startup_query_cnt: int | None = None
    mcast_last_member_intvl: int | None = None
    mcast_membership_intvl: int | None = None
    mcast_querier_intvl: int | None = None
    mcast_query_intvl: int | None = None
    mcast_query_response_intvl: int | None = None
    mcast_startup_query_intvl: int | None = None
    vlan_default_pvid: int | None = None
    vlan_stats_enabled: int | None = None
    mcast_stats_enabled: int | None = None
    mcast_igmp_version: int | None = None
    mcast_mld_version: int | None = None
    vlan_stats_per_port: int | None = None
    multi_boolopt: Any = None
    fdb_max_learned: int | None = None
    stp_mode: int | None = None


@dataclass(slots=True)
class PortParams:
    """IFLA_BRPORT_*."""

    state: int | None = None
    priority: int | None = None
    cost: int | None = None
    mode: int | None = None
    guard: int | None = None
    protect: int | None = None
    fast_leave: int | None = None
    learning: int | None = None
    unicast_flood: int | None = None
    proxyarp: int | None = None
    proxyarp_wifi: int | None = None
    flush: bool | None = None
    multicast_router: int | None = None
    mcast_flood: int | None = None
    mcast_to_ucast: int | None = None
    vlan_tunnel: int | None = None
    bcast_flood: int | None = None
    group_fwd_mask: int | None = None
    neigh_suppress: int | None = None
    isolated: int | None = None
    backup_port: int | None = None
    mcast_eht_hosts_limit: int | None = None
    locked: int | None = None
    mab: int | None = None
    mcast_max_groups: int | None = None
    neigh_vlan_suppress: int | None = None
    backup_nhid: int | None = None
    neigh_forward_grat: int | None = None
