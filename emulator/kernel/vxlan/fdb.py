"""The forwarding table of a VXLAN: vxlan_fdb_*() of drivers/net/vxlan/vxlan_core.c.

Frames are not looked into here, so nothing is learned; what only is reachable is forgotten like what was learned would
be, once it is old and the device is up. Each change is told with the remote that it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EAFNOSUPPORT, EEXIST, EINVAL, ENOENT, ENOSPC, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.inet import nexthop as nexthops
from nlemu.emulator.kernel.tunnels.address import NO_ADDRESS, TunnelAddress
from nlemu.emulator.kernel.vxlan.vxlan import (
    AGE_INTERVAL,
    ZEROS,
    Flag,
    Remote,
    TunnelEntry,
    Vxlan,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.neighbour import NTF, NUD
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.inet.nexthop import Nexthop

NEW, DEL = int(RTM.NEWNEIGH), int(RTM.DELNEIGH)
USE, SELF, EXT_LEARNED = int(NTF.USE), int(NTF.SELF), int(NTF.EXT_LEARNED)
ADDED_BY_USER = 0x100
PERMANENT, REACHABLE, STALE = int(NUD.PERMANENT), int(NUD.REACHABLE), int(NUD.STALE)
STATIC = int(NUD.PERMANENT | NUD.NOARP)
DEFAULT_STATE = REACHABLE | PERMANENT
"""Of the entry for frames that nobody else takes."""


@dataclass(slots=True)
class Wanted:
    """What an entry is to be. vni: the one that frames come from; remote: where they go, unless by a next hop; create,
    exclusive, replace, append: NLM_F_*."""

    address: bytes
    vni: int
    remote: Remote
    state: int
    flags: int
    create: bool = False
    exclusive: bool = False
    replace: bool = False
    append: bool = False
    nh_id: int = 0

    @property
    def to_many(self) -> bool:
        """It may have several remotes: a group of addresses, or zeros."""
        return _to_many(self.address)


def _to_many(address: bytes) -> bool:
    return bool(address[0] & 1) or address == ZEROS


def entries(vxlan: Vxlan) -> Iterator[TunnelEntry]:
    """vxlan->fdb_list: the newest first, as of when the walk began."""
    return iter([*reversed(vxlan.fdb.values())])


def find(vxlan: Vxlan, address: bytes, vni: int) -> TunnelEntry | None:
    """vxlan_find_mac(): without metadata there is one VNI alone, whatever is asked for."""
    if not vxlan.has(Flag.COLLECT_METADATA):
        vni = vxlan.vni
    return vxlan.fdb.get((address, vni))


def tell(vxlan: Vxlan, entry: TunnelEntry, remote: Remote | None, event: int) -> None:
    """vxlan_fdb_notify()."""
    vxlan.dev.kernel.announcer.tunnel_fdb(event, vxlan.dev, entry, remote)


def first_remote(entry: TunnelEntry) -> Remote | None:
    """first_remote_rtnl()."""
    return None if entry.nexthop is not None else entry.remotes[0]


# Adding


def update(vxlan: Vxlan, wanted: Wanted) -> None:
    """vxlan_fdb_update(): EEXIST, ENOENT, ENOSPC, and EOPNOTSUPP, EINVAL, EAFNOSUPPORT with texts."""
    entry = find(vxlan, wanted.address, wanted.vni)
    if entry is None:
        if not wanted.create:
            raise Refusal(ENOENT)
        _create(vxlan, wanted)
    elif wanted.exclusive:
        raise Refusal(EEXIST)
    else:
        _change(vxlan, entry, wanted)


def _create(vxlan: Vxlan, wanted: Wanted) -> None:
    """vxlan_fdb_update_create()."""
    if wanted.replace and wanted.to_many:
        raise Refusal(EOPNOTSUPP)
    if vxlan.config.addrmax and len(vxlan.fdb) >= vxlan.config.addrmax:
        raise Refusal(ENOSPC)
    now = vxlan.dev.kernel.clock.now
    entry = TunnelEntry(wanted.address, wanted.vni, wanted.state, wanted.flags & ~USE, now, now)
    if wanted.nh_id:
        _lead_by(vxlan, entry, wanted.nh_id)
    else:
        entry.remotes.append(wanted.remote)
    if (entry.address, entry.vni) in vxlan.fdb:
        _leave_nexthop(entry)
        raise Refusal(EEXIST)
    vxlan.fdb[entry.address, entry.vni] = entry
    tell(vxlan, entry, first_remote(entry), NEW)


def _change(vxlan: Vxlan, entry: TunnelEntry, wanted: Wanted) -> None:
    """vxlan_fdb_update_existing(). What changed before a refusal stays, and is not told."""
    if wanted.nh_id and entry.nexthop is None:
        raise Refusal(EOPNOTSUPP, "Cannot replace an existing non nexthop fdb with a nexthop")
    if wanted.nh_id and wanted.append:
        raise Refusal(EOPNOTSUPP, "Cannot append to a nexthop fdb")
    if entry.nexthop is not None and not wanted.state & STATIC:
        raise Refusal(EOPNOTSUPP, "Cannot make a nexthop fdb dynamic")
    flags, changed = wanted.flags & ~USE, False
    if not (flags & EXT_LEARNED and entry.flags & ADDED_BY_USER):
        changed = (entry.state, entry.flags) != (wanted.state, flags)
        entry.state, entry.flags = wanted.state, flags
    told: Remote | None = None
    if wanted.replace:
        if wanted.to_many:
            raise Refusal(EOPNOTSUPP, "Cannot replace non-unicast fdb entries")
        moved = _lead_by(vxlan, entry, wanted.nh_id) if wanted.nh_id else _replace(entry, wanted.remote)
        changed = moved or changed
    if wanted.append and wanted.to_many and not _known(entry, wanted.remote):
        told = wanted.remote
        entry.remotes.append(told)
        changed = True
    now = vxlan.dev.kernel.clock.now
    if wanted.flags & USE or changed:
        entry.updated = now
    if changed:
        tell(vxlan, entry, told or first_remote(entry), NEW)


def _known(entry: TunnelEntry, remote: Remote) -> Remote | None:
    """vxlan_fdb_find_rdst()."""
    return next((one for one in entry.remotes if one.said == remote.said), None)


def _replace(entry: TunnelEntry, remote: Remote) -> bool:
    """vxlan_fdb_replace(): the first remote becomes another; whether it did."""
    if _known(entry, remote) is not None or not entry.remotes:
        return False
    first = entry.remotes[0]
    first.address, first.port, first.vni, first.ifindex = remote.said
    return True


def _lead_by(vxlan: Vxlan, entry: TunnelEntry, number: int) -> bool:
    """vxlan_fdb_nh_update(): whether it leads another way now. EINVAL, EAFNOSUPPORT, with texts."""
    if entry.nexthop is not None and entry.nexthop.id == number:
        return False
    one = nexthops.of(vxlan.net).find(number)
    if one is None:
        raise Refusal(EINVAL, "Nexthop id does not exist")
    if not one.is_fdb:
        raise Refusal(EINVAL, "Nexthop is not a fdb nexthop")
    if not _multipath(one):
        raise Refusal(EINVAL, "Nexthop is not a multipath group")
    if vxlan.remote.family == (AF_INET6 if one.has_v4 else AF_INET):
        raise Refusal(EAFNOSUPPORT, "Nexthop group family not supported")
    _leave_nexthop(entry)
    entry.nexthop = one
    one.followers[entry] = lambda: forget(vxlan, entry)
    return True


def _multipath(one: Nexthop) -> bool:
    """nexthop_is_multipath()"""
    return one.way is None


def _leave_nexthop(entry: TunnelEntry) -> None:
    if entry.nexthop is not None:
        entry.nexthop.followers.pop(entry, None)
        entry.nexthop = None


# Deleting


def forget(vxlan: Vxlan, entry: TunnelEntry) -> None:
    """vxlan_fdb_destroy() that tells nobody."""
    vxlan.fdb.pop((entry.address, entry.vni), None)
    _leave_nexthop(entry)


def destroy(vxlan: Vxlan, entry: TunnelEntry) -> None:
    """vxlan_fdb_destroy()."""
    for remote in entry.remotes if entry.nexthop is None else (None,):
        tell(vxlan, entry, remote, DEL)
    forget(vxlan, entry)


def _drop_remote(vxlan: Vxlan, entry: TunnelEntry, remote: Remote) -> None:
    """vxlan_fdb_dst_destroy()."""
    entry.remotes.remove(remote)
    tell(vxlan, entry, remote, DEL)


def delete(vxlan: Vxlan, address: bytes, vni: int, remote: Remote) -> None:
    """__vxlan_fdb_delete(): one remote, or with the last one, or without an address of a remote, the entry. ENOENT."""
    entry = find(vxlan, address, vni)
    if entry is None:
        raise Refusal(ENOENT)
    known = None
    if not remote.address.any:
        known = _known(entry, remote)
        if known is None:
            return
    if known is not None and len(entry.remotes) > 1:
        _drop_remote(vxlan, entry, known)
    else:
        destroy(vxlan, entry)


@dataclass(slots=True)
class Flushed:
    """struct vxlan_fdb_flush_desc: which entries, or remotes of theirs, are to go; 0, or no family: any."""

    ignore_default: bool = False
    state: int = 0
    state_mask: int = 0
    flags: int = 0
    flags_mask: int = 0
    src_vni: int = 0
    nh_id: int = 0
    vni: int = 0
    port: int = 0
    dst: TunnelAddress = NO_ADDRESS

    def takes(self, vxlan: Vxlan, entry: TunnelEntry) -> bool:
        """vxlan_fdb_flush_matches()."""
        if self.state_mask and entry.state & self.state_mask != self.state:
            return False
        if self.flags_mask and entry.flags & self.flags_mask != self.flags:
            return False
        if self.ignore_default and entry.address == ZEROS and entry.vni == vxlan.config.vni:
            return False
        if self.src_vni and entry.vni != self.src_vni:
            return False
        return not self.nh_id or (entry.nexthop is not None and entry.nexthop.id == self.nh_id)

    @property
    def of_remotes(self) -> bool:
        """vxlan_fdb_flush_should_match_remotes()."""
        return bool(self.vni or self.port or self.dst.family)

    def takes_remote(self, remote: Remote) -> bool:
        """vxlan_fdb_flush_remote_matches()."""
        return (
            self.vni in (0, remote.vni) and self.port in (0, remote.port)
            and (not self.dst.family or self.dst == remote.address)
        )


def flush(vxlan: Vxlan, wanted: Flushed) -> None:
    """vxlan_flush()."""
    for entry in entries(vxlan):
        if not wanted.takes(vxlan, entry):
            continue
        if not wanted.of_remotes:
            destroy(vxlan, entry)
            continue
        for remote in tuple(entry.remotes):
            if not wanted.takes_remote(remote):
                continue
            if len(entry.remotes) == 1:
                destroy(vxlan, entry)
                break
            _drop_remote(vxlan, entry, remote)


# The entries that the device has by itself


def default_remote(vxlan: Vxlan, address: TunnelAddress, vni: int) -> Remote:
    """Where frames of that VNI go that nobody else takes."""
    return Remote(address, vxlan.config.dst_port, vni, vxlan.ifindex)


def add_default(vxlan: Vxlan, remote: Remote, *, append: bool) -> None:
    """vxlan_fdb_update() for the address of zeros."""
    update(vxlan, Wanted(
        ZEROS, remote.vni, remote, DEFAULT_STATE, SELF, create=True, exclusive=not append, append=append
    ))


def delete_default(vxlan: Vxlan, address: TunnelAddress, vni: int) -> None:
    """__vxlan_fdb_delete() for the address of zeros, whether it is there or not."""
    if find(vxlan, ZEROS, vni) is not None:
        delete(vxlan, ZEROS, vni, default_remote(vxlan, address, vni))


# What grows old


def start_aging(vxlan: Vxlan, seconds: int) -> None:
    """mod_timer() of age_timer."""
    stop_aging(vxlan)
    vxlan.aging = vxlan.dev.kernel.call_later(seconds, lambda: _age(vxlan))


def stop_aging(vxlan: Vxlan) -> None:
    """timer_delete_sync()."""
    if vxlan.aging is not None:
        vxlan.aging.cancel()
        vxlan.aging = None


def _age(vxlan: Vxlan) -> None:
    """vxlan_cleanup()."""
    vxlan.aging = None
    if not vxlan.dev.running:
        return
    now = vxlan.dev.kernel.clock.now
    again = now + AGE_INTERVAL * NSEC_PER_SEC
    for entry in entries(vxlan):
        if entry.state & STATIC or entry.flags & EXT_LEARNED:
            continue
        until = entry.updated + vxlan.config.age_interval * NSEC_PER_SEC
        if until <= now:
            entry.state = STALE
            destroy(vxlan, entry)
        else:
            again = min(again, until)
    vxlan.aging = vxlan.dev.kernel.work.at(again, lambda: _age(vxlan))
