"""Groups that the ports of a bridge forward: net/bridge/br_mdb.c, and br_multicast.c as far as it keeps them.

A group (an address, perhaps from one source alone, in a VLAN or in none) has ports that want it, and the bridge itself
may want it. A port may want it from some sources only (INCLUDE), or from all but some (EXCLUDE); each source has a
group of its own beside the one of all sources, and ports that want all sources stand in those too (STAR_EXCL). What is
not permanent ends by time. An empty group goes a moment after its last port.

User space adds them, and what hosts say (snooping.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from errno import E2BIG, EEXIST, EINVAL, ENOMEM, ENOSPC
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import routers
from nlemu.emulator.kernel.bridge.bridge import Bridge, Multicast, Port, PortMulticast, Timer
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrBoolopt, BrState
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from collections.abc import Iterable

EXCLUDE, INCLUDE = 0, 1
"""MCAST_EXCLUDE, MCAST_INCLUDE"""
KERNEL = 2
"""RTPROT_KERNEL"""
MOST_SOURCES = 32
"""PG_SRC_ENT_LIMIT"""
DISABLED = int(BrState.DISABLED)
NEW, DEL = int(RTM.NEWMDB), int(RTM.DELMDB)


class Pg(IntEnum):
    """MDB_PG_FLAGS_*"""

    PERMANENT = 1 << 0
    OFFLOAD = 1 << 1
    FAST_LEAVE = 1 << 2
    STAR_EXCL = 1 << 3
    BLOCKED = 1 << 4
    OFFLOAD_FAILED = 1 << 5


PERMANENT, STAR_EXCL, BLOCKED = int(Pg.PERMANENT), int(Pg.STAR_EXCL), int(Pg.BLOCKED)


@dataclass(frozen=True, slots=True)
class Address:
    """struct br_ip: a group. proto: ETH_P_IP, ETH_P_IPV6 or, of an address of a link, 0; src: empty for all sources."""

    proto: int
    dst: bytes
    src: bytes
    vid: int

    @property
    def star_g(self) -> bool:
        """br_multicast_is_star_g()."""
        return self.proto != 0 and not self.src


class Source:
    """struct net_bridge_group_src."""

    def __init__(self, group: PortGroup, address: bytes) -> None:
        self.group, self.address = group, address
        self.timer = Timer(group.port.dev.kernel, partial(_source_expired, self))
        self.installed = self.user_added = self.marked = False


class PortGroup:
    """struct net_bridge_port_group: a port wants a group. flags: Pg; sources: the newest first."""

    def __init__(self, port: Port, address: Address, flags: int, filter_mode: int, rt_protocol: int) -> None:
        self.port, self.address, self.flags = port, address, flags
        self.filter_mode, self.rt_protocol = filter_mode, rt_protocol
        self.sources: list[Source] = []
        self.timer = Timer(port.dev.kernel, partial(_port_group_expired, self))


class Group:
    """struct net_bridge_mdb_entry. ports: by where they are in memory, which is taken to be by their numbers."""

    def __init__(self, br: Bridge, address: Address) -> None:
        self.br, self.address = br, address
        self.host_joined = False
        self.ports: list[PortGroup] = []
        self.timer = Timer(br.dev.kernel, partial(_group_expired, self))


@dataclass(frozen=True, slots=True)
class Wanted:
    """struct br_mdb_config: what user space asks for. port: None for the bridge itself; multicast: how groups are
    looked at there, which add() finds out."""

    br: Bridge
    port: Port | None
    address: Address
    permanent: bool
    filter_mode: int
    rt_protocol: int
    sources: tuple[bytes, ...]
    replace: bool
    by_source: bool = False
    multicast: Multicast = field(default_factory=Multicast)


def groups(br: Bridge) -> list[Group]:
    """br->mdb_list: the newest first."""
    return [*reversed(br.mdb.values())]


def tell(group: Group, port_group: PortGroup | None, event: int) -> None:
    """br_mdb_notify()."""
    group.br.dev.kernel.announcer.mdb(event, group.br.dev, group, port_group)


def has_modes(multicast: Multicast, proto: int) -> bool:
    """br_multicast_should_handle_mode(): sources are looked at."""
    return multicast.igmp_version == 3 if proto == ETH_P.IP else multicast.mld_version == 2 if proto else False


def group_of(br: Bridge, address: Address) -> Group:
    """br_multicastgroup_of(): E2BIG, and no more snooping, when there are too many."""
    group = br.mdb.get(address)
    if group is None:
        if len(br.mdb) >= br.hash_max:
            br.snooping = False
            raise Refusal(E2BIG)
        group = br.mdb[address] = Group(br, address)
    return group


def _find(br: Bridge, address: Address, port: Port) -> PortGroup | None:
    """br_sg_port_find()."""
    group = br.mdb.get(address)
    return None if group is None else next((one for one in group.ports if one.port is port), None)


def _new_port_group(port: Port, address: Address, flags: int, filter_mode: int, rt_protocol: int) -> PortGroup:
    """br_multicast_new_port_group(): ENOMEM, with a text."""
    _check_room(port.multicast, "Port")
    vlan = None if not address.vid or port.vlans is None else port.vlans.find(address.vid)
    if vlan is not None and vlan.port_mcast is not None and vlan.snooped:
        _check_room(vlan.port_mcast, "Port-VLAN")
    made = PortGroup(port, address, flags, filter_mode, rt_protocol)
    port.groups.insert(0, made)
    return made


def _check_room(pmctx: PortMulticast, what: str) -> None:
    """br_multicast_port_ngroups_inc_one()."""
    known, most = pmctx.groups, pmctx.max_groups
    if most and known >= most:
        raise Refusal(ENOMEM, f"bridge: {what} is already in {known} groups, and mcast_max_groups={most}")


def context(port: Port, vid: int) -> PortMulticast | None:
    """br_multicast_pg_to_port_ctx(): what holds for a port, or for a VLAN of it where groups are looked at in each VLAN
    apart; None: they are not in that one."""
    if not vid or not port.bridge.has(BrBoolopt.MCAST_VLAN_SNOOPING):
        return port.multicast
    vlan = None if port.vlans is None else port.vlans.find(vid)
    return None if vlan is None or not vlan.snooped else vlan.port_mcast


def _insert(group: Group, made: PortGroup) -> None:
    place = next((at for at, one in enumerate(group.ports) if one.port.number > made.port.number), len(group.ports))
    group.ports.insert(place, made)


# What the kernel adds and takes away by itself


def _add_star_excl(port_group: PortGroup, address: Address) -> None:
    """__br_multicast_add_group() of a port that wants all sources, to the group of one source."""
    port = port_group.port
    br = port.bridge
    pmctx = context(port, address.vid)
    if _find(br, address, port) is not None or not br.dev.running or pmctx is None or pmctx.disabled:
        return
    group = group_of(br, address)
    try:
        made = join(group, port, INCLUDE, KERNEL)
    except Refusal:
        return
    made.flags |= STAR_EXCL


def _handle_mode(port_group: PortGroup, filter_mode: int) -> None:
    """br_multicast_star_g_handle_mode()."""
    br = port_group.port.bridge
    group = br.mdb.get(port_group.address)
    if group is None:
        return
    for other in tuple(group.ports):
        if other is port_group:
            continue
        for source in other.sources:
            if not source.installed:
                continue
            address = replace(port_group.address, src=source.address)
            if filter_mode == EXCLUDE:
                _add_star_excl(port_group, address)
                continue
            added = _find(br, address, port_group.port)
            if added is not None and added.flags & STAR_EXCL and added.rt_protocol == KERNEL:
                delete_port_group(added)


def _add_exclude_ports(star: Group, port_group: PortGroup) -> None:
    """br_multicast_sg_add_exclude_ports()."""
    group = star.br.mdb.get(port_group.address)
    if star.host_joined and group is not None:
        group.host_joined = True
    for other in tuple(star.ports):
        if other.filter_mode != INCLUDE:
            _add_star_excl(other, port_group.address)


def _delete_exclude_ports(group: Group) -> None:
    """br_multicast_sg_del_exclude_ports()."""
    if any(not one.flags & (STAR_EXCL | PERMANENT) for one in group.ports):
        return
    group.host_joined = False
    for one in tuple(group.ports):
        if not one.flags & PERMANENT:
            delete_port_group(one, exclude_ports=False)


def _share_host_state(star: Group) -> None:
    """br_multicast_star_g_host_state()."""
    for port_group in star.ports:
        for source in port_group.sources:
            group = star.br.mdb.get(replace(star.address, src=source.address))
            if source.installed and group is not None:
                group.host_joined = star.host_joined


def delete_port_group(port_group: PortGroup, *, exclude_ports: bool = True) -> None:
    """__br_multicast_del_pg(), br_multicast_find_del_pg()."""
    port = port_group.port
    group = port.bridge.mdb.get(port_group.address)
    if group is None or port_group not in group.ports:
        return
    group.ports.remove(port_group)
    port.groups.remove(port_group)
    for source in tuple(port_group.sources):
        delete_source(source)
    tell(group, port_group, DEL)
    port_group.timer.stop()
    if not group.address.star_g:
        if exclude_ports:
            _delete_exclude_ports(group)
    else:
        _handle_mode(port_group, INCLUDE)
    _gone_soon(group)


def _gone_soon(group: Group) -> None:
    if not group.ports and not group.host_joined and group.br.dev.running:
        group.timer.start(0)


def delete_source(source: Source) -> None:
    """br_multicast_del_group_src()."""
    port_group = source.group
    address = replace(port_group.address, src=source.address)
    beside = _find(port_group.port.bridge, address, port_group.port)
    if beside is not None and (beside.rt_protocol == KERNEL or not beside.flags & PERMANENT or source.user_added):
        delete_port_group(beside)
    source.installed = False
    source.timer.stop()
    port_group.sources.remove(source)


def join(group: Group, port: Port, filter_mode: int, rt_protocol: int) -> PortGroup:
    """A port that was not among those of a group is (__br_multicast_add_group()): ENOMEM."""
    made = _new_port_group(port, group.address, 0, filter_mode, rt_protocol)
    _insert(group, made)
    tell(group, made, NEW)
    return made


def host_join(group: Group, interval: int, *, notify: bool = True) -> None:
    """br_multicast_host_join(): the bridge wants it, for so many hundredths of a second; one of a link for ever."""
    if not group.host_joined:
        group.host_joined = True
        if group.address.star_g:
            _share_host_state(group)
        if notify:
            tell(group, None, NEW)
    if group.address.proto:
        group.timer.start(interval)


def host_leave(group: Group, *, notify: bool) -> None:
    """br_multicast_host_leave()."""
    if not group.host_joined:
        return
    group.host_joined = False
    if group.address.star_g:
        _share_host_state(group)
    if notify:
        tell(group, None, DEL)


# Timers


def _group_expired(group: Group) -> None:
    """br_multicast_group_expired()."""
    br = group.br
    if br.mdb.get(group.address) is not group or not br.dev.running:
        return
    host_leave(group, notify=True)
    if not group.ports:
        del br.mdb[group.address]


def _source_expired(source: Source) -> None:
    """br_multicast_group_src_expired()."""
    port_group = source.group
    br = port_group.port.bridge
    if source not in port_group.sources or not br.dev.running:
        return
    if port_group.filter_mode == INCLUDE:
        delete_source(source)
        if not port_group.sources:
            delete_port_group(port_group)
        return
    address = replace(port_group.address, src=source.address)
    beside = _find(br, address, port_group.port)
    if beside is not None and not beside.flags & (PERMANENT | BLOCKED):
        beside.flags |= BLOCKED
        tell(br.mdb[address], beside, NEW)


def _port_group_expired(port_group: PortGroup) -> None:
    """br_multicast_port_group_expired()."""
    br = port_group.port.bridge
    group = br.mdb.get(port_group.address)
    if not br.dev.running or group is None or port_group not in group.ports or port_group.flags & PERMANENT:
        return
    changed = port_group.filter_mode == EXCLUDE
    port_group.filter_mode = INCLUDE
    for source in tuple(port_group.sources):
        if not source.timer.pending:
            delete_source(source)
            changed = True
    if not port_group.sources:
        delete_port_group(port_group)
    elif changed:
        if port_group.address.star_g:
            _handle_mode(port_group, INCLUDE)
        tell(group, port_group, NEW)


# What user space asks for


def choose_context(br: Bridge, vid: int) -> Multicast:
    """__br_mdb_choose_context(): EINVAL, with texts."""
    if not br.has(BrBoolopt.MCAST_VLAN_SNOOPING):
        return br.multicast
    if not vid:
        raise Refusal(EINVAL, "bridge: Cannot add an entry without a vlan when vlan snooping is enabled")
    vlan = None if br.vlans is None else br.vlans.find(vid)
    if vlan is None:
        raise Refusal(EINVAL, "bridge: Vlan is not configured")
    if not vlan.wanted:
        raise Refusal(EINVAL, "bridge: Vlan's multicast processing is disabled")
    return vlan.mcast


def add(want: Wanted) -> None:
    """br_mdb_add_group(): EEXIST with texts, E2BIG, ENOMEM and ENOSPC with texts, EINVAL with texts."""
    want = replace(want, multicast=choose_context(want.br, want.address.vid))
    br, port = want.br, want.port
    group = group_of(br, want.address)
    if port is None:
        if group.host_joined and not want.replace:
            raise Refusal(EEXIST, "bridge: Group is already joined by host")
        host_join(group, want.multicast.membership_interval, notify=False)
        tell(group, None, NEW)
        return
    flags = PERMANENT if want.permanent else 0
    (_add_star_g if want.address.star_g else _add_sg)(want, port, group, flags)


def _add_sg(want: Wanted, port: Port, group: Group, flags: int) -> None:
    """br_mdb_add_group_sg(), br_mdb_replace_group_sg()."""
    br = want.br
    port_group = next((one for one in group.ports if one.port is port), None)
    fresh = port_group is None
    if port_group is None:
        port_group = _new_port_group(port, want.address, flags, INCLUDE, want.rt_protocol)
        _insert(group, port_group)
    elif not want.replace:
        raise Refusal(EEXIST, "bridge: (S, G) group is already joined by port")
    port_group.flags, port_group.rt_protocol = flags, want.rt_protocol
    if not flags & PERMANENT and not want.by_source:
        port_group.timer.start(want.multicast.membership_interval)
    else:
        port_group.timer.stop()
    tell(group, port_group, NEW)
    if fresh and has_modes(want.multicast, want.address.proto):
        star = br.mdb.get(replace(want.address, src=b""))
        if star is not None:
            _add_exclude_ports(star, port_group)


def _add_star_g(want: Wanted, port: Port, group: Group, flags: int) -> None:
    """br_mdb_add_group_star_g(), br_mdb_replace_group_star_g()."""
    port_group = next((one for one in group.ports if one.port is port), None)
    fresh = port_group is None
    if port_group is None:
        port_group = _new_port_group(port, want.address, flags, want.filter_mode, want.rt_protocol)
        try:
            _add_sources(want, port_group)
        except Refusal:
            port.groups.remove(port_group)
            raise
        _insert(group, port_group)
    else:
        if not want.replace:
            raise Refusal(EEXIST, "bridge: (*, G) group is already joined by port")
        _replace_sources(want, port_group)
    port_group.flags, port_group.filter_mode, port_group.rt_protocol = flags, want.filter_mode, want.rt_protocol
    if not flags & PERMANENT and want.filter_mode == EXCLUDE:
        port_group.timer.start(want.multicast.membership_interval)
    else:
        port_group.timer.stop()
    tell(group, port_group, NEW)
    if has_modes(want.multicast, want.address.proto) and (want.filter_mode == EXCLUDE or not fresh):
        _handle_mode(port_group, want.filter_mode)


def _add_sources(want: Wanted, port_group: PortGroup) -> None:
    """br_mdb_add_group_srcs(): those before one that is refused go again."""
    done: list[Source] = []
    try:
        for address in want.sources:
            done.append(_add_source(want, port_group, address))
    except Refusal:
        for source in reversed(done):
            delete_source(source)
        raise


def _add_source(want: Wanted, port_group: PortGroup, address: bytes) -> Source:
    """br_mdb_add_group_src(), br_mdb_add_group_src_fwd()."""
    br = want.br
    source = next((one for one in port_group.sources if one.address == address), None)
    if source is None:
        if len(port_group.sources) >= MOST_SOURCES or not any(address):
            raise Refusal(ENOSPC, "bridge: Failed to add new source entry")
        source = Source(port_group, address)
        port_group.sources.insert(0, source)
    elif not want.replace:
        raise Refusal(EEXIST, "bridge: Source entry already exists")
    if want.filter_mode == INCLUDE and not want.permanent:
        source.timer.start(want.multicast.membership_interval)
    else:
        source.timer.stop()
    one = replace(want, address=replace(want.address, src=address), filter_mode=INCLUDE, sources=(), by_source=True)
    flags = (PERMANENT if want.permanent else 0) | (BLOCKED if want.filter_mode == EXCLUDE else 0)
    try:
        try:
            group = group_of(br, one.address)
        except Refusal as refused:
            raise Refusal(refused.errno, "bridge: Failed to add (S, G) MDB entry") from refused
        _add_sg(one, port_group.port, group, flags)
    except Refusal:
        source.timer.stop()
        port_group.sources.remove(source)
        raise
    source.installed, source.user_added, source.marked = True, True, False
    return source


def _replace_sources(want: Wanted, port_group: PortGroup) -> None:
    """br_mdb_replace_group_srcs()."""
    for source in port_group.sources:
        source.marked = True
    try:
        _add_sources(want, port_group)
    except Refusal:
        for source in port_group.sources:
            source.marked = False
        raise
    for source in [one for one in port_group.sources if one.marked]:
        delete_source(source)


def remove(br: Bridge, port: Port | None, address: Address) -> bool:
    """__br_mdb_del(): whether there was anything."""
    group = br.mdb.get(address)
    if group is None:
        return False
    if port is None:
        if not group.host_joined:
            return False
        host_leave(group, notify=False)
        tell(group, None, DEL)
        _gone_soon(group)
        return True
    port_group = next((one for one in group.ports if one.port is port), None)
    if port_group is None:
        return False
    delete_port_group(port_group)
    return True


def flush(br: Bridge, *, ifindex: int, vid: int, rt_protocol: int, state: int, mask: int) -> None:
    """br_mdb_flush(): of a port or the bridge, of a VLAN, of a protocol, and of a state, where they are said."""
    for group in groups(br):
        if vid and vid != group.address.vid:
            continue
        of_host = ifindex in (0, br.dev.ifindex) and not rt_protocol
        if of_host and (not mask or (group.address.proto == 0) & mask == state):
            host_leave(group, notify=True)
            if not group.ports and br.dev.running:
                group.timer.start(0)
        _delete_all(
            one for one in tuple(group.ports)
            if ifindex in (0, one.port.dev.ifindex) and rt_protocol in (0, one.rt_protocol)
            and (not mask or one.flags & PERMANENT & mask == state)
        )


def _delete_all(port_groups: Iterable[PortGroup]) -> None:
    for one in port_groups:
        delete_port_group(one)


# Ports and bridges come and go


def disable(pmctx: PortMulticast) -> None:
    """__br_multicast_disable_port_ctx(): what is not permanent goes, of a port or of a VLAN of it."""
    vid = pmctx.vid
    _delete_all([one for one in pmctx.port.groups if not one.flags & PERMANENT and vid in (0, one.address.vid)])
    routers.stop(pmctx)


def delete_port(port: Port) -> None:
    """br_multicast_del_port()."""
    _delete_all(tuple(port.groups))
    routers.stop(port.multicast)


def delete_bridge(br: Bridge) -> None:
    """br_multicast_dev_del()."""
    for group in br.mdb.values():
        group.timer.stop()
    br.mdb.clear()
