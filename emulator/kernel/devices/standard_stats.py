"""Counters that standards name (net/ethtool/stats.c): those of IEEE 802.3's MAC and PHY, and of remote monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many frames were from ``low`` to ``high`` bytes long."""

    low: int
    high: int
    count: int = 0


@dataclass(frozen=True, slots=True)
class StandardStats:
    """What a driver counts of one group. values: by the standard's names, those that it counts; rx, tx: by length."""

    values: Mapping[str, int] = field(default_factory=dict)
    rx: tuple[Bucket, ...] = ()
    tx: tuple[Bucket, ...] = ()


NOTHING_COUNTED = StandardStats()
