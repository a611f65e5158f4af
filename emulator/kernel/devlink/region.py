"""Regions of a device's memory, and snapshots of them (net/devlink/region.c).

A snapshot has a number that is the instance's, not the region's: two regions may have snapshots of one number, taken
at one moment. Who asks for a snapshot without a number is given the lowest that is free, and nobody is given that again
while the instance lives, though the snapshot be deleted: devlink counts one user more than there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EEXIST, EINVAL, ENOSPC
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

FULL = "The region has reached the maximum number of stored snapshots"
IN_USE = "The requested snapshot id is already in use"


@dataclass(eq=False, slots=True)
class Region:
    """struct devlink_region: its size in bytes, how many snapshots there may be, and those that there are, by number in
    the order in which they were taken."""

    name: str
    size: int
    max_snapshots: int
    snapshots: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """struct devlink_snapshot, as it is told of: of which region, and its number."""

    region: Region
    id: int


def choose_id(regions: Iterable[Region], held: set[int], region: Region, wanted: int | None) -> int:
    """The number of a region's next snapshot; held: those that are given to nobody again. ENOSPC: there are too many;
    EEXIST: it is somebody's already."""
    if len(region.snapshots) == region.max_snapshots:
        raise Refusal(ENOSPC, FULL)
    taken = held.union(*(one.snapshots for one in regions))
    if wanted is None:
        return next(number for number in range(len(taken) + 1) if number not in taken)
    if wanted in region.snapshots:
        raise Refusal(EEXIST, IN_USE)
    if wanted in taken:  # __devlink_snapshot_id_insert()
        raise Refusal(EEXIST)
    return wanted


def find_snapshot(region: Region, number: int) -> Snapshot:
    """devlink_region_snapshot_get_by_id(). EINVAL: there is none."""
    if number not in region.snapshots:
        raise Refusal(EINVAL)
    return Snapshot(region, number)
