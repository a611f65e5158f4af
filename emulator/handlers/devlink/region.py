"""Regions and their snapshots (net/devlink/region.c): asked for, taken, deleted, read. Ports have none here."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.devlink.beyond import find_whole, refuse
from nlemu.emulator.handlers.devlink.instance import (
    dump,
    each,
    fill_handle,
    find,
    find_port,
    in_pieces,
    named,
)
from nlemu.emulator.kernel.devlink.region import find_snapshot
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import (
    Devlink,
    DlRegionChunk,
    DlRegionChunks,
    DlRegionSnapshot,
    DlRegionSnapshots,
)
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.kernel.devlink.region import Region, Snapshot
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Values

NO_NAME, NO_REGION = "No region name provided", "The requested region does not exist"
NOT_THERE, NO_SNAPSHOT = "Requested region does not exist", "Requested snapshot does not exist"
NO_ID = "No snapshot id provided"
NO_DIRECT, NOT_BOTH = "Requested region does not support direct read", "Direct region read does not use snapshot"
CHUNK = 256
"""DEVLINK_REGION_READ_CHUNK_SIZE"""
CHUNK_ROOM = 4 + 4 + CHUNK + 4 + 8
"""Of a whole piece in a message: the nest, what it holds, and the address."""
U64 = (1 << 64) - 1


def fill_region_told(instance: Instance, region: Region) -> dict[Any, Any]:
    """devlink_nl_region_notify_build(): without its snapshots."""
    return fill_handle(instance) | {Devlink.region_name: region.name, Devlink.region_size: region.size}


def fill_snapshot(instance: Instance, snapshot: Snapshot) -> Values:
    """The same of a snapshot."""
    return fill_handle(instance) | {
        Devlink.region_name: snapshot.region.name, Devlink.region_snapshot_id: snapshot.id,
    }


def fill_region(instance: Instance, region: Region) -> Values:
    """devlink_nl_region_fill()."""
    snapshots = [{DlRegionSnapshot.region_snapshot_id: number} for number in region.snapshots]
    return fill_region_told(instance, region) | {
        Devlink.region_max_snapshots: region.max_snapshots,
        Devlink.region_snapshots: {DlRegionSnapshots.region_snapshot: snapshots},
    }


def region_of(call: Call, instance: Instance, text: str | None = None, *, blame: bool = False) -> Region:
    """devlink_region_get_by_name(): the region that the request names. ENODEV: of a port that is not there; EINVAL:
    there is none, with that text, and the name is to blame."""
    if Devlink.port_index in call.attrs:
        find_port(call, instance)
        region = None
    else:
        region = named(call, Devlink.region_name, instance.regions)
    if region is None:
        raise Refusal(errno.EINVAL, text, at=call.attrs.offset(Devlink.region_name) if blame else None)
    return region


@doit(c.REGION_GET)
def region_get(call: Call) -> Values:
    """devlink_nl_region_get_doit()."""
    instance = find(call)
    call.attrs.require((Devlink.region_name,))
    return fill_region(instance, region_of(call, instance))


@dumpit(c.REGION_GET)
def region_dump(call: Call) -> Dump:
    """devlink_nl_region_get_dumpit()."""
    return dump(call, each(fill_region, lambda instance: instance.regions))


@doit(c.REGION_NEW)
def region_new(call: Call) -> Values | None:
    """devlink_nl_region_new_doit(): who names no number is told it."""
    instance = find_whole(call)
    if Devlink.region_name not in call.attrs:
        raise Refusal(errno.EINVAL, NO_NAME, missing=Devlink.region_name.number)
    region = region_of(call, instance, NO_REGION)
    wanted = call.attrs.get(Devlink.region_snapshot_id)
    snapshot = instance.take_snapshot(region, wanted)
    if wanted is not None:
        return None
    instance.held_ids.add(snapshot.id)
    return fill_snapshot(instance, snapshot)


@doit(c.REGION_DEL)
def region_del(call: Call) -> None:
    """devlink_nl_region_del_doit()."""
    instance = find_whole(call)
    call.attrs.require((Devlink.region_name, Devlink.region_snapshot_id))
    region = region_of(call, instance)
    find_snapshot(region, call.attrs[Devlink.region_snapshot_id])
    instance.delete_snapshot(region, call.attrs[Devlink.region_snapshot_id])


def content_of(call: Call, instance: Instance) -> tuple[Region, bytes]:
    """devlink_nl_region_read_dumpit(): what a request to read wants to read of. EINVAL, ENODEV, EOPNOTSUPP."""
    attrs = call.attrs
    if Devlink.region_name not in attrs:
        raise Refusal(errno.EINVAL, NO_NAME)
    region = region_of(call, instance, NOT_THERE, blame=True)
    at = attrs.offset(Devlink.region_snapshot_id)
    if at is None:
        if Devlink.region_direct not in attrs:
            raise Refusal(errno.EINVAL, NO_ID)
        raise Refusal(errno.EOPNOTSUPP, NO_DIRECT)
    if Devlink.region_direct in attrs:
        raise Refusal(errno.EINVAL, NOT_BOTH, at=at)
    content = region.snapshots.get(attrs[Devlink.region_snapshot_id])
    if content is None:
        raise Refusal(errno.EINVAL, NO_SNAPSHOT, at=at)
    return region, content


@dumpit(c.REGION_READ)
def region_read(call: Call) -> Dump:
    """devlink_nl_region_read_dumpit(): a message a datagram, with as many pieces as there is room for."""
    attrs = call.attrs
    position: int | None = None

    def fill() -> Values | None:
        nonlocal position
        instance = find(call)
        if not instance.whole:
            refuse(call)
        region, content = content_of(call, instance)
        start, end = position or 0, U64
        if Devlink.region_chunk_addr in attrs and Devlink.region_chunk_len in attrs:
            address = attrs[Devlink.region_chunk_addr]
            start = start or address
            end = address + attrs[Devlink.region_chunk_len] & U64
        end = min(end, region.size)
        if start == end:
            return None
        values = fill_handle(instance) | {Devlink.region_name: region.name}
        room = begun.left - len(call.encode(values | {Devlink.region_chunks: {}}))
        chunks: list[Values] = []
        at = start
        while at < end:
            piece = content[at : min(at + CHUNK, end)]
            room -= CHUNK_ROOM - CHUNK + (len(piece) + 3 & ~3)
            if room < 0:
                break
            chunks.append({DlRegionChunk.region_chunk_data: piece, DlRegionChunk.region_chunk_addr: at})
            at += len(piece)
        if at == start:
            raise Refusal(errno.EINVAL)
        position, begun.full = at, True
        return values | {Devlink.region_chunks: {DlRegionChunks.region_chunk: chunks}}

    begun = in_pieces(call, fill)
    return begun

