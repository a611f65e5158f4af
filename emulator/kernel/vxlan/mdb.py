"""Groups of a VXLAN: drivers/net/vxlan/vxlan_mdb.c.

Where a frame to a group goes: an entry is a group, perhaps from one source alone, in a VNI, and has remotes. A remote
may want a group from some sources only (INCLUDE), or from all but some (EXCLUDE): each source has an entry of its own
beside that of all sources, which is blocked for those that are not wanted. The group of zeros is that of all groups
that nobody named. Everything is for good, and added by user space alone.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from errno import EEXIST, ENOENT
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.kernel.tunnels.address import NO_ADDRESS, TunnelAddress, of_family
from nlemu.emulator.kernel.vxlan.vxlan import Flag, Remote
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_INET

if TYPE_CHECKING:
    from nlemu.emulator.kernel.inet.neighbour import Sending
    from nlemu.emulator.kernel.vxlan.vxlan import Vxlan

EXCLUDE, INCLUDE = 0, 1
"""MCAST_EXCLUDE, MCAST_INCLUDE"""
NEW, DEL = int(RTM.NEWMDB), int(RTM.DELMDB)
LOCAL_NETWORK = b"\xe0\0\0"
"""ipv4_is_local_multicast()"""
LINK_LOCAL = 2
"""The scope of groups of IPv6 that stay on a link."""


class GroupKey(NamedTuple):
    """struct vxlan_mdb_entry_key. src: NO_ADDRESS for all sources."""

    dst: TunnelAddress
    vni: int
    src: TunnelAddress = NO_ADDRESS

    @property
    def star_g(self) -> bool:
        """vxlan_mdb_is_star_g()."""
        return not self.dst.any and self.src.any

    @property
    def sg(self) -> bool:
        """vxlan_mdb_is_sg()."""
        return not self.dst.any and not self.src.any


@dataclass(slots=True, eq=False)
class GroupRemote:
    """struct vxlan_mdb_remote. sources: the newest first."""

    remote: Remote
    blocked: bool
    filter_mode: int
    rt_protocol: int
    sources: list[TunnelAddress] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class GroupEntry:
    """struct vxlan_mdb_entry. remotes: the newest first."""

    key: GroupKey
    remotes: list[GroupRemote] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """struct vxlan_mdb_config: what user space asks for. create, replace: as NLM_F_* say."""

    key: GroupKey
    remote: Remote
    filter_mode: int
    rt_protocol: int
    create: bool
    replace: bool
    sources: tuple[TunnelAddress, ...] = ()
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Flushed:
    """struct vxlan_mdb_flush_desc: which remotes go; what was not said fits all."""

    address: TunnelAddress = NO_ADDRESS
    src_vni: int = 0
    vni: int = 0
    port: int = 0
    rt_protocol: int = 0


def entries(vxlan: Vxlan) -> list[GroupEntry]:
    """vxlan->mdb_list: the newest first."""
    return [*reversed(vxlan.mdb.values())]


def _tell(vxlan: Vxlan, event: int, entry: GroupEntry, remote: GroupRemote) -> None:
    """vxlan_mdb_remote_notify()."""
    vxlan.dev.kernel.announcer.vxlan_mdb(event, vxlan.dev, entry, remote)


def _find(entry: GroupEntry, address: TunnelAddress) -> GroupRemote | None:
    """vxlan_mdb_remote_lookup()."""
    return next((one for one in entry.remotes if one.remote.address == address), None)


# Adding


def add(vxlan: Vxlan, want: Wanted) -> None:
    """__vxlan_mdb_add(): EEXIST, ENOENT, with texts."""
    entry = vxlan.mdb.get(want.key)
    if entry is None:
        entry = vxlan.mdb[want.key] = GroupEntry(want.key)
    try:
        _add_remote(vxlan, entry, want)
    except Refusal:
        _put(vxlan, entry)
        raise


def _put(vxlan: Vxlan, entry: GroupEntry) -> None:
    """vxlan_mdb_entry_put()."""
    if not entry.remotes and vxlan.mdb.get(entry.key) is entry:
        del vxlan.mdb[entry.key]


def _add_remote(vxlan: Vxlan, entry: GroupEntry, want: Wanted) -> None:
    """vxlan_mdb_remote_add()."""
    there = _find(entry, want.remote.address)
    if there is not None:
        if not want.replace:
            raise Refusal(EEXIST, "vxlan: Replace not specified and MDB remote entry already exists")
        _replace(vxlan, entry, there, want)
        return
    if not want.create:
        raise Refusal(ENOENT, "vxlan: Create not specified and entry does not exist")
    made = GroupRemote(want.remote, want.blocked, want.filter_mode, want.rt_protocol)
    _add_sources(vxlan, made, want)
    entry.remotes.insert(0, made)
    _tell(vxlan, NEW, entry, made)


def _replace(vxlan: Vxlan, entry: GroupEntry, there: GroupRemote, want: Wanted) -> None:
    """vxlan_mdb_remote_replace()."""
    before, there.remote = there.remote, want.remote
    kept = [*there.sources]
    try:
        _add_sources(vxlan, there, want)
    except Refusal:
        there.remote = before
        raise
    for source in kept:
        if source not in want.sources:
            _delete_source(vxlan, entry.key, there, source)
    there.blocked, there.filter_mode, there.rt_protocol = want.blocked, want.filter_mode, want.rt_protocol
    _tell(vxlan, NEW, entry, there)


def _add_sources(vxlan: Vxlan, remote: GroupRemote, want: Wanted) -> None:
    """vxlan_mdb_remote_srcs_add(): those that came before one that is refused go again."""
    known = [*remote.sources]
    try:
        for source in want.sources:
            _add_source(vxlan, remote, want, source)
    except Refusal:
        for source in [one for one in remote.sources if one not in known]:
            _delete_source(vxlan, want.key, remote, source)
        raise


def _add_source(vxlan: Vxlan, remote: GroupRemote, want: Wanted, source: TunnelAddress) -> None:
    """vxlan_mdb_remote_src_add()."""
    fresh = source not in remote.sources
    if fresh:
        remote.sources.insert(0, source)
    elif not want.replace:
        raise Refusal(EEXIST, "vxlan: Source entry already exists")
    one = replace(
        want, key=want.key._replace(src=source), filter_mode=INCLUDE, sources=(), blocked=want.filter_mode == EXCLUDE
    )
    try:
        add(vxlan, one)
    except Refusal:
        if fresh:
            remote.sources.remove(source)
        raise


# Deleting


def delete(vxlan: Vxlan, key: GroupKey, address: TunnelAddress) -> None:
    """__vxlan_mdb_del(): ENOENT, with texts."""
    entry = vxlan.mdb.get(key)
    if entry is None:
        raise Refusal(ENOENT, "vxlan: Did not find MDB entry")
    remote = _find(entry, address)
    if remote is None:
        raise Refusal(ENOENT, "vxlan: Did not find MDB remote entry")
    _delete_remote(vxlan, entry, remote)
    _put(vxlan, entry)


def _delete_remote(vxlan: Vxlan, entry: GroupEntry, remote: GroupRemote) -> None:
    """vxlan_mdb_remote_del()."""
    _tell(vxlan, DEL, entry, remote)
    entry.remotes.remove(remote)
    for source in tuple(remote.sources):
        _delete_source(vxlan, entry.key, remote, source)


def _delete_source(vxlan: Vxlan, key: GroupKey, remote: GroupRemote, source: TunnelAddress) -> None:
    """vxlan_mdb_remote_src_del(): its entry goes too, if it is still there."""
    with suppress(Refusal):
        delete(vxlan, key._replace(src=source), remote.remote.address)
    remote.sources.remove(source)


def flush(vxlan: Vxlan, which: Flushed) -> None:
    """vxlan_mdb_flush(), vxlan_mdb_remotes_flush()."""
    for entry in entries(vxlan):
        if vxlan.mdb.get(entry.key) is not entry or which.src_vni not in (0, entry.key.vni):
            continue
        for one in tuple(entry.remotes):
            remote = one.remote
            fits = (
                (not which.address.family or which.address == remote.address)
                and which.vni in (0, remote.vni or entry.key.vni) and which.port in (0, remote.port)
                and which.rt_protocol in (0, one.rt_protocol)
            )
            if fits and one in entry.remotes:
                _delete_remote(vxlan, entry, one)
        _put(vxlan, entry)


# What it is for


def find_way(vxlan: Vxlan, sending: Sending) -> list[Remote] | None:
    """vxlan_mdb_entry_skb_get() and vxlan_mdb_xmit(): where a packet to a group goes, whose sender is nobody's source
    here; None: the forwarding table says."""
    if not vxlan.mdb:
        return None
    size = len(of_family(sending.family).packed)
    dst = TunnelAddress(sending.family, sending.group.to_bytes(size, "big"))
    vni = 0 if vxlan.has(Flag.COLLECT_METADATA) else vxlan.vni
    entry = vxlan.mdb.get(GroupKey(dst, vni))
    if entry is None:
        local = dst.packed[:3] == LOCAL_NETWORK if sending.family == AF_INET else dst.packed[1] & 0xF == LINK_LOCAL
        entry = None if local else vxlan.mdb.get(GroupKey(of_family(sending.family), vni))
    if entry is None:
        return None
    return [
        one.remote for one in entry.remotes
        if not (one.blocked or (entry.key.star_g and one.filter_mode == INCLUDE))
    ]
