"""What hardware forwards for a device: netdev_offload_xstats_enable() and its like of net/core/dev.c.

A device is asked to have it counted. From then on it has a sum, and whoever counts for it, which are drivers of other
devices, hears so, may refuse, and hands over when asked what has come since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

KEY = "hw_stats"
"""In net.generic."""
Counts = Mapping[str, int]
"""By the names of struct rtnl_hw_stats64; those that are not there are zero."""


class HwCounting(Protocol):
    """Whoever may count for the devices of a namespace."""

    def enable(self, dev: Device) -> None:
        """NETDEV_OFFLOAD_XSTATS_ENABLE. Refusal."""

    def disable(self, dev: Device) -> None:
        """NETDEV_OFFLOAD_XSTATS_DISABLE"""

    def used(self, dev: Device) -> bool:
        """NETDEV_OFFLOAD_XSTATS_REPORT_USED: whether it counts."""

    def delta(self, dev: Device) -> Counts:
        """NETDEV_OFFLOAD_XSTATS_REPORT_DELTA: what it has counted since it was last asked."""


def listeners(net: Net) -> list[HwCounting]:
    """Those of a namespace."""
    return cast("list[HwCounting]", net.generic.setdefault(KEY, []))


def _of(dev: Device) -> list[HwCounting]:
    return cast("list[HwCounting]", dev.net.generic.get(KEY, ()))


def enable(dev: Device) -> None:
    """netdev_offload_xstats_enable(): all or none. Refusal."""
    if dev.hw_counts is not None:
        return
    dev.hw_counts = {}
    done: list[HwCounting] = []
    try:
        for one in _of(dev):
            one.enable(dev)
            done.append(one)
    except Refusal:
        for one in done:
            one.disable(dev)
        dev.hw_counts = None
        raise


def disable(dev: Device) -> None:
    """netdev_offload_xstats_disable(): the sum is lost."""
    for one in _of(dev):
        one.disable(dev)
    dev.hw_counts = None


def used(dev: Device) -> bool:
    """netdev_offload_xstats_get_used()"""
    return any([one.used(dev) for one in _of(dev)])


def counts(dev: Device) -> Counts:
    """netdev_offload_xstats_get_stats(): the sum, with what has come since."""
    for one in _of(dev):
        push(dev, one.delta(dev))
    return dev.hw_counts or {}


def push(dev: Device, delta: Counts) -> None:
    """netdev_offload_xstats_push_delta(): it is counted too."""
    if dev.hw_counts is not None:
        for name, count in delta.items():
            dev.hw_counts[name] = dev.hw_counts.get(name, 0) + count
