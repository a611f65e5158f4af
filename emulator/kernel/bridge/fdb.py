"""The forwarding table of a bridge: net/bridge/br_fdb.c.

An address, in a VLAN or in none, and the port behind which it is, or the bridge itself. The addresses of the ports
and of the bridge are there by themselves (local), one a VLAN; others are added by user space, or learned from frames,
and what was learned is forgotten. Each change is told. Static addresses are handed to the ports that do not take all
frames.
"""

from __future__ import annotations

from errno import EEXIST, EINVAL, ENOENT, ENOMEM, EPERM
from operator import attrgetter
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge.bridge import TICK, Bridge, Entry, Fdb, Port, VlanGroup
from nlemu.emulator.kernel.devices import rx_mode
from nlemu.emulator.kernel.devices.address import valid_ethernet
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrBoolopt, BrState
from nlemu.protocol.uapi.neighbour import NTF, NUD
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL, STATIC, STICKY, BY_USER = int(Fdb.LOCAL), int(Fdb.STATIC), int(Fdb.STICKY), int(Fdb.ADDED_BY_USER)
LEARNED_ELSEWHERE, OFFLOADED, LOCKED = int(Fdb.ADDED_BY_EXT_LEARN), int(Fdb.OFFLOADED), int(Fdb.LOCKED)
LEARNED, NOTIFY, INACTIVE = int(Fdb.DYNAMIC_LEARNED), int(Fdb.NOTIFY), int(Fdb.NOTIFY_INACTIVE)
LEARNING, FORWARDING = int(BrState.LEARNING), int(BrState.FORWARDING)
PERMANENT, NOARP, STALE, REACHABLE = int(NUD.PERMANENT), int(NUD.NOARP), int(NUD.STALE), int(NUD.REACHABLE)
TOLD_OFFLOADED, TOLD_ELSEWHERE, TOLD_STICKY = int(NTF.OFFLOADED), int(NTF.EXT_LEARNED), int(NTF.STICKY)
NEW, DEL = int(RTM.NEWNEIGH), int(RTM.DELNEIGH)
LOCALS_WITHOUT_VLAN = 1 << BrBoolopt.FDB_LOCAL_VLAN_0
LEAST_PAUSE = 1
"""A hundredth of a second between two looks for what is old."""


def entries(br: Bridge) -> Iterator[Entry]:
    """br->fdb_list: the newest first, as of when the walk began."""
    return iter([*reversed(br.fdb.values())])


def behind(br: Bridge, port: Port | None) -> list[Entry]:
    """Those of a port, or of the bridge itself, in the same order."""
    return sorted((br if port is None else port).entries, key=attrgetter("number"), reverse=True)


def tell(br: Bridge, entry: Entry, event: int) -> None:
    """fdb_notify()."""
    br.dev.kernel.announcer.fdb(event, br.dev, entry)


def learned(br: Bridge) -> int:
    """br->fdb_n_learned."""
    return sum(entry.flags & LEARNED != 0 for entry in br.fdb.values())


def expired(br: Bridge, entry: Entry) -> bool:
    """has_expired()."""
    if entry.flags & (STATIC | LEARNED_ELSEWHERE):
        return False
    return entry.updated + br.hold_time * TICK <= br.dev.kernel.clock.now


def state_of(br: Bridge, entry: Entry) -> int:
    """fdb_to_nud()."""
    if entry.flags & LOCAL:
        return PERMANENT
    if entry.flags & STATIC:
        return NOARP
    return STALE if expired(br, entry) else REACHABLE


def flags_of(entry: Entry) -> int:
    """ndm_flags: NTF_*."""
    flags = entry.flags
    told = TOLD_OFFLOADED if flags & OFFLOADED else 0
    if flags & LEARNED_ELSEWHERE:
        told |= TOLD_ELSEWHERE
    return told | TOLD_STICKY if flags & STICKY else told


def _hand_down(br: Bridge, address: bytes, *, add: bool) -> None:
    """fdb_add_hw_addr(), fdb_del_hw_addr()."""
    for port in br.filtering:
        (rx_mode.add_address if add else rx_mode.delete_address)(port.dev, address)


def _create(br: Bridge, port: Port | None, address: bytes, vid: int, flags: int) -> Entry:
    """fdb_create(): ENOMEM when enough has been learned."""
    if not flags & (BY_USER | LOCAL):
        if br.max_learned and learned(br) >= br.max_learned:
            raise Refusal(ENOMEM)
        flags |= LEARNED
    now = br.dev.kernel.clock.now
    br.fdb_made += 1
    entry = br.fdb[address, vid] = Entry(address, vid, port, flags, now, now, br.fdb_made)
    (br if port is None else port).entries.add(entry)
    return entry


def _move(br: Bridge, entry: Entry, port: Port | None) -> None:
    """The address is behind that port now, or the bridge's own."""
    (br if entry.port is None else entry.port).entries.remove(entry)
    (br if port is None else port).entries.add(entry)
    entry.port = port


def delete(br: Bridge, entry: Entry) -> None:
    """fdb_delete()."""
    if entry.flags & STATIC:
        _hand_down(br, entry.address, add=False)
    del br.fdb[entry.address, entry.vid]
    (br if entry.port is None else entry.port).entries.remove(entry)
    entry.flags &= ~LEARNED
    tell(br, entry, DEL)


# The addresses of the ports and of the bridge


def add_local(br: Bridge, port: Port | None, address: bytes, vid: int) -> None:
    """br_fdb_add_local(): of several that have an address, the first. EINVAL."""
    if not valid_ethernet(address):
        raise Refusal(EINVAL)
    entry = br.fdb.get((address, vid))
    if entry is not None:
        if entry.flags & LOCAL:
            return
        delete(br, entry)
    entry = _create(br, port, address, vid, LOCAL | STATIC)
    _hand_down(br, address, add=True)
    tell(br, entry, NEW)


def _delete_local(br: Bridge, port: Port | None, entry: Entry) -> None:
    """fdb_delete_local(): unless another has the same address."""
    address, vid = entry.address, entry.vid
    for other in [other for other in br.ports if other.dev.address == address]:
        if other is not port and (not vid or _uses(other.vlans, vid)):
            _move(br, entry, other)
            entry.flags &= ~BY_USER
            return
    if port is not None and br.dev.address == address and (not vid or _uses(br.vlans, vid)):
        _move(br, entry, None)
        entry.flags &= ~BY_USER
        return
    delete(br, entry)


def _uses(group: VlanGroup | None, vid: int) -> bool:
    vlan = None if group is None else group.find(vid)
    return vlan is not None and vlan.used


def find_delete_local(br: Bridge, port: Port | None, address: bytes, vid: int) -> None:
    """br_fdb_find_delete_local()."""
    entry = br.fdb.get((address, vid))
    if entry is not None and entry.flags & (LOCAL | BY_USER) == LOCAL and entry.port is port:
        _delete_local(br, port, entry)


def change_port_address(port: Port, address: bytes) -> None:
    """br_fdb_changeaddr(): the port has that address now."""
    br, group = port.bridge, port.vlans
    without_vlans = group is None or not group.count or bool(br.options & LOCALS_WITHOUT_VLAN)
    for entry in behind(br, port):
        if entry.flags & (LOCAL | BY_USER) == LOCAL:
            _delete_local(br, port, entry)
            if without_vlans:
                break
    _try_local(br, port, address, 0)
    if group is not None and not without_vlans:
        for vlan in group:
            _try_local(br, port, address, vlan.vid)


def change_bridge_address(br: Bridge, address: bytes) -> None:
    """br_fdb_change_mac_address(): the bridge is to have that address."""
    find_delete_local(br, None, br.dev.address, 0)
    _try_local(br, None, address, 0)
    group = br.vlans
    if group is None or not group.count or br.options & LOCALS_WITHOUT_VLAN:
        return
    for vlan in group:
        if vlan.used:
            find_delete_local(br, None, br.dev.address, vlan.vid)
            _try_local(br, None, address, vlan.vid)


def _try_local(br: Bridge, port: Port | None, address: bytes, vid: int) -> None:
    """An address that is none is passed over."""
    if valid_ethernet(address):
        add_local(br, port, address, vid)


def delete_by_port(br: Bridge, port: Port | None, vid: int = 0, *, all_of_it: bool = False) -> None:
    """br_fdb_delete_by_port(): what was learned behind a port, or all there is."""
    for entry in behind(br, port):
        if not all_of_it and (
            entry.flags & STATIC
            or entry.flags & (LEARNED_ELSEWHERE | OFFLOADED) == LEARNED_ELSEWHERE
            or (vid and entry.vid != vid)
        ):
            continue
        if entry.flags & LOCAL:
            _delete_local(br, port, entry)
        else:
            delete(br, entry)


def toggle_locals(br: Bridge, without_vlan: bool) -> None:
    """br_fdb_toggle_local_vlan_0(): local addresses are there in no VLAN alone, or in each."""
    for owner in (*br.ports, None):
        group, dev = (br.vlans, br.dev) if owner is None else (owner.vlans, owner.dev)
        for vlan in () if group is None else group:
            if without_vlan:
                find_delete_local(br, owner, dev.address, vlan.vid)
            elif vlan.used:
                add_local(br, owner, dev.address, vlan.vid)


def sync_static(port: Port) -> None:
    """br_fdb_sync_static(): a port that does not take all frames takes those to static addresses."""
    for entry in entries(port.bridge):
        if entry.flags & STATIC:
            rx_mode.add_address(port.dev, entry.address)


def unsync_static(port: Port) -> None:
    """br_fdb_unsync_static(): nothing to do for a device that was given none."""
    for entry in entries(port.bridge) if port.dev.unicast else ():
        if entry.flags & STATIC:
            rx_mode.delete_address(port.dev, entry.address)


# What is learned, and grows old


def cleanup(br: Bridge) -> None:
    """br_fdb_cleanup(): forgets what is too old, and looks again when the next may be."""
    delay = pause = br.hold_time
    now = br.dev.kernel.clock.now
    for entry in entries(br):
        left = entry.updated + delay * TICK - now
        if entry.flags & (STATIC | LEARNED_ELSEWHERE):
            if entry.flags & NOTIFY:
                if left > 0:
                    pause = min(pause, left // TICK)
                elif not entry.flags & INACTIVE:
                    entry.flags |= INACTIVE
                    tell(br, entry, NEW)
        elif left > 0:
            pause = min(pause, left // TICK)
        else:
            delete(br, entry)
    br.gc.start(max(pause, LEAST_PAUSE))


def update(br: Bridge, port: Port, address: bytes, vid: int, flags: int = 0) -> None:
    """br_fdb_update(): a frame from that address has come to a port."""
    if not br.hold_time:
        return
    now, entry = br.dev.kernel.clock.now, br.fdb.get((address, vid))
    if entry is None:
        try:
            tell(br, _create(br, port, address, vid, flags), NEW)
        except Refusal:
            return
        return
    if entry.flags & LOCAL:
        return
    modified = False
    if now != entry.updated:
        entry.updated = now
        modified = bool(entry.flags & INACTIVE)
        entry.flags &= ~INACTIVE
    if entry.port is not port and not entry.flags & STICKY:
        _move(br, entry, port)
        entry.flags &= ~(LEARNED_ELSEWHERE | LOCKED)
        modified = True
    if flags & BY_USER:
        entry.flags = (entry.flags | BY_USER) & ~LEARNED
    if modified:
        tell(br, entry, NEW)


# What user space adds and deletes


def add_entry(br: Bridge, port: Port | None, address: bytes, vid: int, *, state: int, sticky: bool, notify: int,
              refresh: bool, create: bool, exclusive: bool) -> None:
    """fdb_add_entry(): makes or changes an entry. state: NUD_*; notify: FDB_NOTIFY_*. EPERM, EINVAL, ENOENT, EEXIST."""
    if port is not None and not state & (PERMANENT | NOARP) and port.state not in (LEARNING, FORWARDING):
        raise Refusal(EPERM)
    if port is None and not state & PERMANENT:
        raise Refusal(EINVAL)
    if sticky and state & PERMANENT:
        raise Refusal(EINVAL)
    if notify & ~3 or notify == 2:
        raise Refusal(EINVAL)
    entry = br.fdb.get((address, vid))
    modified = entry is None
    if entry is None:
        if not create:
            raise Refusal(ENOENT)
        entry = _create(br, port, address, vid, BY_USER)
    else:
        if exclusive:
            raise Refusal(EEXIST)
        modified = entry.port is not port
        _move(br, entry, port)
        entry.flags = (entry.flags | BY_USER) & ~LEARNED
    if state_of(br, entry) != state:
        _change_state(br, entry, state)
        modified = True
    if sticky != bool(entry.flags & STICKY):
        entry.flags ^= STICKY
        modified = True
    if entry.flags & LOCKED:
        entry.flags &= ~LOCKED
        modified = True
    modified = _track(entry, notify) or modified
    now = br.dev.kernel.clock.now
    entry.used = now
    if modified:
        if refresh:
            entry.updated = now
        tell(br, entry, NEW)


def _change_state(br: Bridge, entry: Entry, state: int) -> None:
    was_static = bool(entry.flags & STATIC)
    static = bool(state & (PERMANENT | NOARP))
    entry.flags = entry.flags & ~(LOCAL | STATIC) | (LOCAL if state & PERMANENT else 0) | (STATIC if static else 0)
    if static != was_static:
        _hand_down(br, entry.address, add=static)


def _track(entry: Entry, notify: int) -> bool:
    """fdb_handle_notify(): whether user space hears that nothing comes from there any more."""
    modified = False
    if notify & 2 and not entry.flags & INACTIVE:
        entry.flags |= INACTIVE
        modified = True
    if notify & 1 and not entry.flags & NOTIFY:
        entry.flags |= NOTIFY
        modified = True
    elif not notify & 1 and entry.flags & NOTIFY:
        entry.flags &= ~(NOTIFY | INACTIVE)
        modified = True
    return modified


def add_learned_elsewhere(br: Bridge, port: Port | None, address: bytes, vid: int) -> None:
    """br_fdb_external_learn_add(), for user space."""
    entry = br.fdb.get((address, vid))
    if entry is None:
        flags = LEARNED_ELSEWHERE | BY_USER | (LOCAL if port is None else 0)
        tell(br, _create(br, port, address, vid, flags), NEW)
        return
    now = br.dev.kernel.clock.now
    entry.updated = now
    modified = entry.port is not port
    _move(br, entry, port)
    if entry.flags & LEARNED_ELSEWHERE:
        entry.used = now
    else:
        modified = True
    if entry.flags & LOCKED:
        modified = True
    entry.flags = (entry.flags | LEARNED_ELSEWHERE | BY_USER | (LOCAL if port is None else 0)) & ~(LOCKED | LEARNED)
    if modified:
        tell(br, entry, NEW)


def delete_entry(br: Bridge, port: Port | None, address: bytes, vid: int) -> bool:
    """fdb_delete_by_addr_and_port(): whether it was there."""
    entry = br.fdb.get((address, vid))
    if entry is None or entry.port is not port:
        return False
    delete(br, entry)
    return True


def flush(br: Bridge, *, ifindex: int = 0, vid: int = 0, flags: int = 0, mask: int = 0) -> None:
    """br_fdb_flush(): all entries that are like that."""
    for entry in entries(br):
        behind = br.dev if entry.port is None else entry.port.dev
        if vid in (0, entry.vid) and ifindex in (0, behind.ifindex) and (not mask or entry.flags & mask == flags):
            delete(br, entry)
