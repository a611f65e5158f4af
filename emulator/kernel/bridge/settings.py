"""What requests make of a bridge and of a port: br_changelink() and br_setport() of net/bridge/br_netlink.c.

Both go through what was said in an order of their own, and stop at the first that is refused; what was set before stays
set. Times are in hundredths of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EINVAL, EOPNOTSUPP
from typing import Any

from nlemu.emulator.kernel.bridge import (
    fdb,
    mdb,
    mst,
    ports,
    promisc,
    routers,
    snoopers,
    stp,
    vlan_snooping,
    vlan_tunnels,
    vlans,
)
from nlemu.emulator.kernel.bridge.bridge import Bridge, Fdb, Multicast, Port, PortFlag
from nlemu.emulator.kernel.bridge.params import BridgeParams, PortParams
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrBoolopt, MdbRtrType

RESTRICTED = 0x0007
"""BR_GROUPFWD_RESTRICTED: groups that are never forwarded."""
MAC_PAUSE = 1 << 1
"""BR_GROUPFWD_MACPAUSE"""
SECOND, DAY = 100, 8640000
"""BR_MULTICAST_QUERY_INTVL_MIN, _MAX"""
U64_MAX = 0xFFFFFFFFFFFFFFFF
JIFFIES, TICK_NSEC, CLOCK_NSEC = 10, 1_000_000, 10_000_000
"""Of the recorded machine: how many jiffies a hundredth of a second has, and how long both are."""
ELASTICITY = 16
"""RHT_ELASTICITY"""
STATIC = int(Fdb.STATIC)
LOCKED = int(Fdb.LOCKED)
KNOWN_OPTIONS = len(BrBoolopt)


def change_bridge(br: Bridge, said: BridgeParams) -> None:
    """br_changelink(). ERANGE, EBUSY, EINVAL, with texts now and then."""
    _spanning_tree(br, said)
    _vlans(br, said)
    _groups(br, said)
    if said.fdb_flush is not None:
        fdb.flush(br, mask=STATIC)
    _multicast(br, said)
    if said.multi_boolopt is not None:
        _options(br, said.multi_boolopt)
    if said.fdb_max_learned is not None:
        br.max_learned = said.fdb_max_learned


def _each(br: Any, said: Any, setters: dict[str, Callable[[Any, Any], None]]) -> None:
    for name, setter in setters.items():
        value = getattr(said, name)
        if value is not None:
            setter(br, value)


def _spanning_tree(br: Bridge, said: BridgeParams) -> None:
    _each(br, said, {
        "forward_delay": stp.set_forward_delay, "hello_time": stp.set_hello_time, "max_age": stp.set_max_age,
        "ageing_time": stp.set_ageing_time,
    })
    if said.stp_mode is not None:
        stp.set_mode(br, said.stp_mode, going_off=said.stp_state == 0)
    if said.stp_state is not None:
        stp.set_enabled(br, bool(said.stp_state))
    if said.priority is not None:
        stp.set_priority(br, said.priority)


def _vlans(br: Bridge, said: BridgeParams) -> None:
    if br.vlans is None:
        if said.vlan_filtering is not None:
            raise Refusal(EOPNOTSUPP)
        return
    _each(br, said, {
        "vlan_filtering": lambda br, on: vlans.set_filtering(br, bool(on)), "vlan_protocol": vlans.set_protocol,
        "vlan_default_pvid": vlans.set_default_pvid, "vlan_stats_enabled": vlans.set_stats,
        "vlan_stats_per_port": vlans.set_stats_per_port,
    })


def _groups(br: Bridge, said: BridgeParams) -> None:
    """Which groups that bridges do not forward are forwarded all the same, and to which the bridge speaks."""
    if said.group_fwd_mask is not None:
        if said.group_fwd_mask & RESTRICTED:
            raise Refusal(EINVAL)
        br.group_fwd_mask = said.group_fwd_mask
    address = said.group_addr
    if address is not None:
        if len(address) != 6 or address[:5] != br.group_addr[:5] or address[5] > 15 or address[5] in (1, 2, 3):
            raise Refusal(EINVAL)
        br.group_addr, br.group_addr_set = address, True


def span(ticks: int) -> int:
    """clock_t_to_jiffies() and jiffies_to_clock_t(): what is told of a time; of very long ones the rest."""
    return (min(ticks * JIFFIES, U64_MAX) * TICK_NSEC & U64_MAX) // CLOCK_NSEC


def between(ticks: int) -> int:
    """br_multicast_set_query_intvl(): a second at least, a day at most."""
    return max(SECOND, min(ticks, DAY))


MULTICAST: dict[str, tuple[str, Callable[[int], int]]] = {
    "mcast_querier": ("querier", bool),
    "mcast_last_member_cnt": ("last_member_count", int),
    "mcast_startup_query_cnt": ("startup_query_count", int),
    "mcast_last_member_intvl": ("last_member_interval", span),
    "mcast_membership_intvl": ("membership_interval", span),
    "mcast_querier_intvl": ("querier_interval", span),
    "mcast_query_intvl": ("query_interval", between),
    "mcast_query_response_intvl": ("query_response_interval", span),
    "mcast_startup_query_intvl": ("startup_query_interval", between),
}
"""Attributes that are a field of struct net_bridge_mcast, and how they are set."""
VERSIONS = {"igmp_version": (2, 3), "mld_version": (1, 2)}
OF_BRIDGE: dict[str, tuple[str, Callable[[int], int]]] = {
    "mcast_query_use_ifaddr": ("query_use_ifaddr", bool), "mcast_hash_max": ("hash_max", int),
    "mcast_stats_enabled": ("multicast_stats", bool),
}
"""The same of the bridge as a whole."""


def _multicast(br: Bridge, said: BridgeParams) -> None:
    multicast = br.multicast
    if said.mcast_router is not None:
        set_router(multicast, said.mcast_router)
    if said.mcast_snooping is not None:
        set_snooping(br, bool(said.mcast_snooping))
    for thing, table in ((multicast, MULTICAST), (br, OF_BRIDGE)):
        for name, (field, most) in table.items():
            value = getattr(said, name)
            if value is not None:
                setattr(thing, field, most(value))
    for field, value in (("igmp_version", said.mcast_igmp_version), ("mld_version", said.mcast_mld_version)):
        if value is not None:
            set_version(multicast, field, value)


def set_router(multicast: Multicast, router: int) -> None:
    """br_multicast_set_router(): EINVAL."""
    if router > MdbRtrType.PERM:
        raise Refusal(EINVAL)
    multicast.router = router


def set_version(multicast: Multicast, field: str, version: int) -> None:
    """br_multicast_set_igmp_version(), br_multicast_set_mld_version(): EINVAL."""
    if version not in VERSIONS[field]:
        raise Refusal(EINVAL)
    setattr(multicast, field, version)


def set_snooping(br: Bridge, on: bool) -> None:
    """br_multicast_toggle(): the bridge listens to the groups of those who snoop, while it does."""
    if br.snooping == on:
        return
    br.snooping = on
    for port in () if br.has(BrBoolopt.MCAST_VLAN_SNOOPING) else br.ports:
        (routers.enable if on else mdb.disable)(port.multicast)
    if not on or br.dev.running:
        (snoopers.join if on else snoopers.leave)(br.dev)


def _options(br: Bridge, said: Any) -> None:
    """br_boolopt_multi_toggle(): EINVAL, with texts."""
    unknown = said.optmask >> KNOWN_OPTIONS
    if unknown:
        number = KNOWN_OPTIONS + (unknown & -unknown).bit_length() - 1
        raise Refusal(EINVAL, f"bridge: Unknown boolean option {number}")
    for option in BrBoolopt:
        bit = 1 << option
        if not said.optmask & bit:
            continue
        on = bool(said.optval & bit)
        if option == BrBoolopt.MST_ENABLE:
            mst.set_enabled(br, on)
        elif option == BrBoolopt.MCAST_VLAN_SNOOPING:
            vlan_snooping.toggle(br, on)
        elif on != br.has(option):
            if option == BrBoolopt.FDB_LOCAL_VLAN_0:
                fdb.toggle_locals(br, on)
            br.options ^= bit


# Ports

SWITCHES = {
    "mode": PortFlag.HAIRPIN_MODE, "guard": PortFlag.BPDU_GUARD, "fast_leave": PortFlag.MULTICAST_FAST_LEAVE,
    "protect": PortFlag.ROOT_BLOCK, "learning": PortFlag.LEARNING, "unicast_flood": PortFlag.FLOOD,
    "mcast_flood": PortFlag.MCAST_FLOOD, "mcast_to_ucast": PortFlag.MULTICAST_TO_UNICAST,
    "bcast_flood": PortFlag.BCAST_FLOOD, "proxyarp": PortFlag.PROXYARP, "proxyarp_wifi": PortFlag.PROXYARP_WIFI,
    "vlan_tunnel": PortFlag.VLAN_TUNNEL, "neigh_suppress": PortFlag.NEIGH_SUPPRESS, "isolated": PortFlag.ISOLATED,
    "locked": PortFlag.LOCKED, "mab": PortFlag.MAB, "neigh_vlan_suppress": PortFlag.NEIGH_VLAN_SUPPRESS,
    "neigh_forward_grat": PortFlag.NEIGH_FORWARD_GRAT,
}
"""Attributes that are a flag of the port."""


def change_port(port: Port, said: PortParams) -> None:
    """br_setport(). EINVAL with a text, ERANGE, EBUSY, ENETDOWN, ENOENT."""
    flags = port.flags
    for name, flag in SWITCHES.items():
        value = getattr(said, name)
        if value is not None:
            flags = flags | flag if value else flags & ~flag
    if flags & PortFlag.MAB and (not flags & PortFlag.LOCKED or not flags & PortFlag.LEARNING):
        raise Refusal(EINVAL, "Bridge port must be locked and have learning enabled when MAB is enabled")
    if port.flags & PortFlag.MAB and not flags & PortFlag.MAB:
        fdb.flush(port.bridge, ifindex=port.dev.ifindex, flags=LOCKED, mask=LOCKED)
    changed, port.flags = port.flags ^ flags, int(flags)
    if changed & PortFlag.AUTO:
        promisc.update_count(port.bridge)
    if changed & ~flags & PortFlag.VLAN_TUNNEL:
        vlan_tunnels.flush(port)
    _each(port, said, {
        "cost": stp.set_path_cost, "priority": stp.set_port_priority, "state": stp.set_port_state,
        "flush": lambda port, _: fdb.delete_by_port(port.bridge, port), "multicast_router": _set_router,
        "mcast_eht_hosts_limit": _set_hosts_limit, "mcast_max_groups": _set_max_groups,
        "group_fwd_mask": _set_forwarded, "backup_port": ports.set_backup, "backup_nhid": _set_backup_nexthop,
    })


def _set_router(port: Port, value: int) -> None:
    if value > MdbRtrType.TEMP:
        raise Refusal(EINVAL)
    routers.set_router(port.multicast, value)


def _set_hosts_limit(port: Port, limit: int) -> None:
    if not limit:
        raise Refusal(EINVAL)
    port.eht_hosts_limit = limit


def _set_max_groups(port: Port, most: int) -> None:
    port.multicast.max_groups = most


def _set_forwarded(port: Port, mask: int) -> None:
    if mask & MAC_PAUSE:
        raise Refusal(EINVAL)
    port.group_fwd_mask = mask


def _set_backup_nexthop(port: Port, number: int) -> None:
    port.backup_nhid = number
