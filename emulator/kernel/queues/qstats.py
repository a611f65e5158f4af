"""Queue statistics: struct netdev_stat_ops and the sums that qstats-get shows.

A driver says what it counts, a queue at a time, and what it counted besides (queues that are gone). What it does not
count stays None and is shown nowhere, so a sum counts only what every part of it counts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(slots=True)
class RxStats:
    """struct netdev_queue_stats_rx, in the order in which messages show it."""

    packets: int | None = None
    bytes: int | None = None
    alloc_fail: int | None = None
    hw_drops: int | None = None
    hw_drop_overruns: int | None = None
    csum_complete: int | None = None
    csum_unnecessary: int | None = None
    csum_none: int | None = None
    csum_bad: int | None = None
    hw_gro_packets: int | None = None
    hw_gro_bytes: int | None = None
    hw_gro_wire_packets: int | None = None
    hw_gro_wire_bytes: int | None = None
    hw_drop_ratelimits: int | None = None


@dataclass(slots=True)
class TxStats:
    """struct netdev_queue_stats_tx, in the order in which messages show it."""

    packets: int | None = None
    bytes: int | None = None
    hw_drops: int | None = None
    hw_drop_errors: int | None = None
    csum_none: int | None = None
    needs_csum: int | None = None
    hw_gso_packets: int | None = None
    hw_gso_bytes: int | None = None
    hw_gso_wire_packets: int | None = None
    hw_gso_wire_bytes: int | None = None
    hw_drop_ratelimits: int | None = None
    stop: int | None = None
    wake: int | None = None


def counts_anything(stats: RxStats | TxStats) -> bool:
    """Whether there is a counter to show at all; the kernel leaves out a message that would hold none."""
    return any(getattr(stats, field.name) is not None for field in fields(stats))


def has_stats(dev: Device) -> bool:
    """dev->stat_ops."""
    return dev.ops.has("get_base_stats") or dev.ops.has("get_queue_stats_rx")


def device_stats(dev: Device) -> tuple[RxStats, TxStats] | None:
    """netdev_nl_stats_by_netdev(): the base and all queues together, whether the device is up or not. None: nothing
    is shown."""
    if not dev.ops.has("get_base_stats"):
        return None
    rx, tx = RxStats(), TxStats()
    dev.ops.get_base_stats(dev, rx, tx)
    if not counts_anything(rx) and not counts_anything(tx):
        return None
    for index in range(dev.real_num_rx_queues):
        queue_rx = RxStats()
        dev.ops.get_queue_stats_rx(dev, index, queue_rx)
        _add(rx, queue_rx)
    for index in range(dev.real_num_tx_queues):
        queue_tx = TxStats()
        dev.ops.get_queue_stats_tx(dev, index, queue_tx)
        _add(tx, queue_tx)
    return rx, tx


def rx_stats(dev: Device, index: int) -> RxStats | None:
    """netdev_nl_stats_queue() of a receive queue; None: nothing is shown."""
    stats = RxStats()
    dev.ops.get_queue_stats_rx(dev, index, stats)
    return stats if counts_anything(stats) else None


def tx_stats(dev: Device, index: int) -> TxStats | None:
    """netdev_nl_stats_queue() of a transmit queue; None: nothing is shown."""
    stats = TxStats()
    dev.ops.get_queue_stats_tx(dev, index, stats)
    return stats if counts_anything(stats) else None


def _add(total: RxStats | TxStats, part: RxStats | TxStats) -> None:
    """netdev_nl_stats_add()."""
    for field in fields(total):
        have, more = getattr(total, field.name), getattr(part, field.name)
        if have is not None and more is not None:
            setattr(total, field.name, have + more)
