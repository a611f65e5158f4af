"""The VLANs of a bridge and of its ports: net/bridge/br_vlan.c.

A port has VLANs of its own. For each there is one of the bridge's as well, which does not count until the bridge itself
is to have it (BRENTRY). In each VLAN that counts, the address of the port or of the bridge stands in the forwarding
table. By itself there is one VLAN, the default one, for frames without a tag.
"""

from __future__ import annotations

from errno import EBUSY, EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import fdb, mst, promisc, routers, vlan_binding, vlan_snooping
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, PortMulticast, Vlan, VlanGroup
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrBoolopt, BrVlanInfo
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from collections.abc import Sequence

OPTION = "BRIDGE_VLAN_FILTERING"
MASTER, PVID, UNTAGGED = int(BrVlanInfo.MASTER), int(BrVlanInfo.PVID), int(BrVlanInfo.UNTAGGED)
BEGIN, END, BRENTRY = int(BrVlanInfo.RANGE_BEGIN), int(BrVlanInfo.RANGE_END), int(BrVlanInfo.BRENTRY)
VID_END = 4095
"""VLAN_VID_MASK: no VLAN has that number."""
NEW, DEL = int(RTM.NEWVLAN), int(RTM.DELVLAN)
LOCALS_WITHOUT_VLAN = 1 << BrBoolopt.FDB_LOCAL_VLAN_0


def bridge_of(owner: Bridge | Port) -> Bridge:
    """The bridge itself, or that of the port."""
    return owner if isinstance(owner, Bridge) else owner.bridge


def tell(owner: Bridge | Port, vid: int, event: int, last: int = 0) -> None:
    """br_vlan_notify(): of a VLAN, or of all up to another. One that is new must be in use."""
    assert owner.vlans is not None
    vlan = owner.vlans.find(vid)
    if event == DEL or (vlan is not None and vlan.used):
        owner.dev.kernel.announcer.bridge_vlan(event, owner.dev, vid, last)


def next_tunnel(vlan: Vlan, before: Vlan) -> bool:
    """vlan_tunid_inrange(): no tunnel counts as the number 0."""
    return ((vlan.tunnel or 0) - (before.tunnel or 0)) & 0xFFFFFFFF == 1


def router(vlan: Vlan) -> int:
    """br_vlan_multicast_router()."""
    return vlan.mcast.router if vlan.port_mcast is None else vlan.port_mcast.router


def _told_alike(vlan: Vlan, before: Vlan) -> bool:
    """br_vlan_opts_eq_range(), but for tunnels."""
    if vlan.port_mcast is not None and before.port_mcast is not None and vlan.snooped:
        mine, other = vlan.port_mcast, before.port_mcast
        if (mine.groups, mine.max_groups) != (other.groups, other.max_groups):
            return False
    one, two = (
        (each.state, router(each), each.snooped, each.neigh_suppress, each.neigh_forward_grat)
        for each in (vlan, before)
    )
    return one == two


def alike(vlan: Vlan, before: Vlan) -> bool:
    """br_vlan_can_enter_range(): whether a VLAN is told together with the one before it."""
    group = vlan.owner.vlans
    assert group is not None
    return (
        group.pvid not in (vlan.vid, before.vid)
        and vlan.vid - before.vid == 1
        and vlan.flags == before.flags
        and (vlan.tunnel is before.tunnel is None or next_tunnel(vlan, before))
        and _told_alike(vlan, before)
    )


# Adding


def _would_change(group: VlanGroup, vlan: Vlan, flags: int) -> bool:
    """__vlan_flags_would_change()."""
    return bool(flags & PVID) != (group.pvid == vlan.vid) or bool((flags ^ vlan.flags) & UNTAGGED)


def _commit(group: VlanGroup, vlan: Vlan, flags: int) -> None:
    """__vlan_flags_commit()."""
    if flags & PVID:
        group.pvid = vlan.vid
    elif group.pvid == vlan.vid:
        group.pvid = 0
    vlan.flags = vlan.flags & ~UNTAGGED | flags & UNTAGGED


def _insert(vlan: Vlan, flags: int) -> None:
    """__vlan_add()."""
    owner, br = vlan.owner, bridge_of(vlan.owner)
    assert owner.vlans is not None and br.vlans is not None
    if isinstance(owner, Port):
        if flags & MASTER and add_to_bridge(br, vlan.vid, flags | BRENTRY):
            tell(br, vlan.vid, NEW)
        vlan.master = _take_master(br, br.vlans, vlan.vid)
        if not br.vlan_stats_per_port:
            vlan.counts = vlan.master.counts
        vlan.port_mcast = PortMulticast(owner, vlan)
        routers.begin(vlan.port_mcast)
    if vlan.used:
        if not br.options & LOCALS_WITHOUT_VLAN:
            fdb.add_local(br, owner if isinstance(owner, Port) else None, owner.dev.address, vlan.vid)
        owner.vlans.count += 1
    vlan.state = mst.first_state(vlan)
    owner.vlans.by_id[vlan.vid] = vlan
    _commit(owner.vlans, vlan, flags)
    vlan_snooping.toggle_one(vlan, True)
    if isinstance(owner, Port):
        vlan_binding.port_vlan_changed(owner, vlan.vid)


def _take_master(br: Bridge, group: VlanGroup, vid: int) -> Vlan:
    """br_vlan_get_master(): the bridge's, which is there for a port now."""
    if group.find(vid) is None:
        add_to_bridge(br, vid, 0)
    vlan = group.by_id[vid]
    vlan.users += 1
    return vlan


def _put_master(vlan: Vlan) -> None:
    """br_vlan_put_master()."""
    vlan.users -= 1
    if not vlan.users:
        assert vlan.owner.vlans is not None
        del vlan.owner.vlans.by_id[vlan.vid]
        vlan_snooping.toggle_one(vlan, False)


def add_to_bridge(br: Bridge, vid: int, flags: int) -> bool:
    """br_vlan_add(): True when something is different now. EINVAL: only ports have it."""
    group = br.vlans
    assert group is not None
    vlan = group.find(vid)
    if vlan is None:
        vlan = Vlan(vid, (flags | MASTER) & ~PVID, br, users=1 if flags & BRENTRY else 0)
        _insert(vlan, flags)
        return True
    if vlan.used:
        changed = _would_change(group, vlan, flags)
        _commit(group, vlan, flags)
        return changed
    if not flags & BRENTRY:
        raise Refusal(EINVAL)
    fdb.add_local(br, None, br.dev.address, vid)
    vlan.users += 1
    vlan.flags |= BRENTRY
    group.count += 1
    vlan_snooping.toggle_one(vlan, True)
    _commit(group, vlan, flags)
    return True


def add_to_port(port: Port, vid: int, flags: int) -> bool:
    """nbp_vlan_add(): the same of a port."""
    group = port.vlans
    assert group is not None
    vlan = group.find(vid)
    if vlan is None:
        _insert(Vlan(vid, 0, port), flags)
        return True
    changed = _would_change(group, vlan, flags)
    _commit(group, vlan, flags)
    return changed


# Deleting


def _remove(vlan: Vlan) -> None:
    """__vlan_del()."""
    owner = vlan.owner
    group = owner.vlans
    assert group is not None
    if group.pvid == vlan.vid:
        group.pvid = 0
    if vlan.used:
        vlan.flags &= ~BRENTRY
        group.count -= 1
    if vlan.master is not None:
        del group.by_id[vlan.vid]
        assert isinstance(owner, Port)
        vlan_binding.port_vlan_changed(owner, vlan.vid)
        vlan_snooping.toggle_one(vlan, False)
        if vlan.port_mcast is not None:
            routers.stop(vlan.port_mcast)
        _put_master(vlan.master)
    else:
        _put_master(vlan)


def delete_from_bridge(br: Bridge, vid: int) -> bool:
    """br_vlan_delete(): False when the bridge did not have it."""
    vlan = None if br.vlans is None else br.vlans.find(vid)
    if vlan is None or not vlan.used:
        return False
    fdb.find_delete_local(br, None, br.dev.address, vid)
    fdb.delete_by_port(br, None, vid)
    _remove(vlan)
    return True


def delete_from_port(port: Port, vid: int) -> bool:
    """nbp_vlan_delete(): the same of a port."""
    vlan = None if port.vlans is None else port.vlans.find(vid)
    if vlan is None:
        return False
    fdb.find_delete_local(port.bridge, port, port.dev.address, vid)
    fdb.delete_by_port(port.bridge, port, vid)
    _remove(vlan)
    return True


def flush(owner: Bridge | Port) -> None:
    """br_vlan_flush(), nbp_vlan_flush(): all of them go, told range by range."""
    group = owner.vlans
    if group is None:
        return
    group.pvid = 0
    first = last = 0
    for vlan in group:
        if not first:
            first = vlan.vid
        elif vlan.vid - last != 1:
            tell(owner, first, DEL, last)
            first = vlan.vid
        last = vlan.vid
        _remove(vlan)
    if first:
        tell(owner, first, DEL, last)
    owner.vlans = None


# The bridge and its ports come and go


def init_bridge(br: Bridge) -> None:
    """br_vlan_init()."""
    if br.dev.kernel.build.has(OPTION):
        br.vlans, br.default_pvid = VlanGroup(), 1


def bridge_registered(br: Bridge) -> None:
    """br_vlan_bridge_event(NETDEV_REGISTER)."""
    if br.vlans is not None and add_to_bridge(br, br.default_pvid, PVID | UNTAGGED | BRENTRY):
        tell(br, br.default_pvid, NEW)


def bridge_unregistered(br: Bridge) -> None:
    """br_vlan_bridge_event(NETDEV_UNREGISTER)."""
    if br.vlans is not None and delete_from_bridge(br, br.default_pvid):
        tell(br, br.default_pvid, DEL)


def init_port(port: Port) -> None:
    """nbp_vlan_init()."""
    br = port.bridge
    if br.vlans is None:
        return
    port.vlans = VlanGroup()
    if br.default_pvid:
        add_to_port(port, br.default_pvid, PVID | UNTAGGED)
        tell(port, br.default_pvid, NEW)


# Settings


def set_filtering(br: Bridge, on: bool) -> None:
    """br_vlan_filter_toggle()."""
    if br.vlan_filtering == on:
        return
    br.vlan_filtering = on
    promisc.manage(br)
    _recalculate_group_address(br)
    if not on:
        vlan_snooping.toggle(br, False)


def _recalculate_group_address(br: Bridge) -> None:
    """recalculate_group_addr(): to which bridges speak, those of providers to another."""
    if not br.group_addr_set:
        provider = br.vlan_filtering and br.vlan_protocol == ETH_P.VLAN_8021AD
        br.group_addr = br.group_addr[:5] + (b"\x08" if provider else b"\0")


def set_protocol(br: Bridge, protocol: int) -> None:
    """__br_vlan_set_proto()."""
    br.vlan_protocol = ETH_P(protocol)
    _recalculate_group_address(br)


def set_stats(br: Bridge, on: int) -> None:
    """br_vlan_set_stats(): EINVAL."""
    if on > 1:
        raise Refusal(EINVAL)
    br.vlan_stats = bool(on)


def set_stats_per_port(br: Bridge, on: int) -> None:
    """br_vlan_set_stats_per_port(): EBUSY while ports have VLANs, EINVAL."""
    if any(port.vlans is not None and port.vlans.count for port in br.ports):
        raise Refusal(EBUSY)
    if on > 1:
        raise Refusal(EINVAL)
    br.vlan_stats_per_port = bool(on)


def _is_default(group: VlanGroup, vid: int) -> bool:
    """vlan_default_pvid(): whether that is as it was made."""
    vlan = group.find(vid)
    return vid == group.pvid and vlan is not None and vlan.used and vlan.flags & UNTAGGED != 0


def set_default_pvid(br: Bridge, pvid: int) -> None:
    """__br_vlan_set_default_pvid(): another VLAN is the default one, or with 0 none, of all who have not got another
    by hand."""
    assert br.vlans is not None
    if not pvid:
        _disable_default_pvid(br)
        return
    old = br.default_pvid
    there = br.vlans.find(pvid)
    if (not old or _is_default(br.vlans, old)) and (there is None or not there.used):
        add_to_bridge(br, pvid, PVID | UNTAGGED | BRENTRY)
        if delete_from_bridge(br, old):
            tell(br, old, DEL)
        tell(br, pvid, NEW)
    for port in br.ports:
        assert port.vlans is not None
        if (old and not _is_default(port.vlans, old)) or port.vlans.find(pvid) is not None:
            continue
        add_to_port(port, pvid, PVID | UNTAGGED)
        if delete_from_port(port, old):
            tell(port, old, DEL)
        tell(port, pvid, NEW)
    br.default_pvid = pvid


def _disable_default_pvid(br: Bridge) -> None:
    """br_vlan_disable_default_pvid()."""
    assert br.vlans is not None
    pvid = br.default_pvid
    if _is_default(br.vlans, pvid) and delete_from_bridge(br, pvid):
        tell(br, pvid, DEL)
    for port in br.ports:
        if port.vlans is not None and _is_default(port.vlans, pvid) and delete_from_port(port, pvid):
            tell(port, pvid, DEL)
    br.default_pvid = 0


# What requests ask for


def check_id(vid: int) -> None:
    """br_vlan_valid_id(): EINVAL."""
    if not 0 < vid < VID_END:
        raise Refusal(EINVAL, "bridge: Vlan id is invalid")


def check_range(flags: int, vid: int, begun: int | None) -> None:
    """br_vlan_valid_range(): whether a range may begin or, after one began at that number, end. EINVAL."""
    if flags & PVID:
        raise Refusal(EINVAL, "bridge: Pvid isn't allowed in a range")
    if begun is not None:
        if flags & BEGIN:
            raise Refusal(EINVAL, "bridge: Found a new vlan range start while processing one")
        if not flags & END:
            raise Refusal(EINVAL, "bridge: Vlan range end flag is missing")
        if vid <= begun:
            raise Refusal(EINVAL, "bridge: End vlan id is less than or equal to start vlan id")
    if not flags & (BEGIN | END):
        raise Refusal(EINVAL, "bridge: Both vlan range flags are missing")


class Request:
    """VLANs that a request names one after the other, to be added or deleted (br_process_vlan_info()). changed: whether
    anything is different now; it stays true."""

    def __init__(self, owner: Bridge | Port, *, add: bool) -> None:
        self.owner, self.add = owner, add
        self.changed = False
        self._begun: tuple[int, int] | None = None

    def noted(self, flags: int, vid: int) -> int:
        """What br_vlan_info() leaves in the flags of a struct bridge_vlan_info in the request, before take()."""
        alone = self.add and isinstance(self.owner, Bridge) and self._begun is None and not flags & BEGIN
        return flags | BRENTRY if alone and 0 < vid < VID_END else flags

    def take(self, flags: int, vid: int) -> None:
        """One struct bridge_vlan_info: a VLAN, or the begin or the end of a range. EINVAL."""
        check_id(vid)
        if flags & BEGIN:
            check_range(flags, vid, None if self._begun is None else self._begun[1])
            self._begun = flags, vid
        elif self._begun is not None:
            check_range(flags, vid, self._begun[1])
            (flags, first), self._begun = self._begun, None
            self._range(flags, range(first, vid + 1))
        else:
            self.changed = self._one(flags, vid) or self.changed
            if self.changed:
                tell(self.owner, vid, NEW if self.add else DEL)

    def _range(self, flags: int, vids: Sequence[int]) -> None:
        """Neighbours that changed are told together, also of what comes before a refusal."""
        run: list[int] = []
        try:
            for vid in vids:
                if self._one(flags, vid):
                    self.changed = True
                    run.append(vid)
                else:
                    self._tell(run)
        finally:
            self._tell(run)

    def _tell(self, run: list[int]) -> None:
        if run:
            tell(self.owner, run[0], NEW if self.add else DEL, run[-1])
            run.clear()

    def _one(self, flags: int, vid: int) -> bool:
        """br_vlan_info()."""
        owner = self.owner
        if isinstance(owner, Port):
            if self.add:
                return add_to_port(owner, vid, flags)
            changed = delete_from_port(owner, vid)
            return (bool(flags & MASTER) and delete_from_bridge(owner.bridge, vid)) or changed
        return add_to_bridge(owner, vid, flags | BRENTRY) if self.add else delete_from_bridge(owner, vid)

