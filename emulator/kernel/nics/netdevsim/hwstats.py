"""netdevsim counts what hardware forwards for other devices of its namespace, and makes it up: a packet in and two out
every tenth of a second (drivers/net/netdevsim/hwstats.c).

Which devices those are is said by their indices through debugfs, before they are asked to have it counted or after.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import ECANCELED, ENODEV, ENOENT
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.devices import hw_stats
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.hw_stats import Counts

TICK = NSEC_PER_SEC // 10
"""NSIM_DEV_HWSTATS_TRAFFIC_MS"""
TRAFFIC = {"rx_packets": 1, "tx_packets": 2, "rx_bytes": 100, "tx_bytes": 300}
"""nsim_dev_hwstats_traffic_bump(): of each tick."""
FAILS = "netdevsim: Stats enablement set to fail"


@dataclass(slots=True)
class Counted:
    """struct nsim_dev_hwstats_netdev. since: the first tick that is not handed over yet, None while it does not
    count; fail_enable: it is to fail once."""

    since: int | None = None
    fail_enable: bool = False


class HwStats:
    """struct nsim_dev_hwstats: of one simulated device, in the namespace of its devlink instance."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._begun = net.kernel.clock.now
        self._counted: dict[Device, Counted] = {}
        hw_stats.listeners(net).append(self)

    def end(self) -> None:
        """nsim_dev_hwstats_exit()"""
        hw_stats.listeners(self.net).remove(self)
        self._counted.clear()

    def _tick(self) -> int:
        """How many ticks there have been."""
        return (self.net.kernel.clock.now - self._begun) // TICK

    # What is said by hand

    def count_for(self, ifindex: int) -> None:
        """nsim_dev_hwstats_enable_ifindex(). ENODEV."""
        dev = self.net.device(ifindex)
        if dev is None:
            raise Refusal(ENODEV)
        if dev in self._counted:
            return
        one = self._counted[dev] = Counted()
        if dev.hw_counts is not None:
            one.since = self._tick()
            self.net.kernel.announcer.hw_stats(dev)

    def stop_for(self, ifindex: int) -> None:
        """nsim_dev_hwstats_disable_ifindex(): what it has counted is not lost. ENOENT."""
        dev, one = self._find(ifindex)
        delta = self._since(one)
        del self._counted[dev]
        if dev.hw_counts is not None:
            hw_stats.push(dev, delta)
            self.net.kernel.announcer.hw_stats(dev)

    def fail_for(self, ifindex: int) -> None:
        """nsim_dev_hwstats_fail_ifindex(): the next time that it is to count. ENOENT."""
        self._find(ifindex)[1].fail_enable = True

    def _find(self, ifindex: int) -> tuple[Device, Counted]:
        dev = self.net.device(ifindex)
        if dev is None or dev not in self._counted:
            raise Refusal(ENOENT)
        return dev, self._counted[dev]

    # What devices ask

    def enable(self, dev: Device) -> None:
        """nsim_dev_hwsdev_enable(). ECANCELED."""
        one = self._counted.get(dev)
        if one is None:
            return
        if one.fail_enable:
            one.fail_enable = False
            raise Refusal(ECANCELED, FAILS)
        one.since = self._tick()

    def disable(self, dev: Device) -> None:
        """nsim_dev_hwsdev_disable()"""
        one = self._counted.get(dev)
        if one is not None:
            one.since = None

    def used(self, dev: Device) -> bool:
        """nsim_dev_hwsdev_report_used()"""
        one = self._counted.get(dev)
        return one is not None and one.since is not None

    def delta(self, dev: Device) -> Counts:
        """nsim_dev_hwsdev_report_delta()"""
        one = self._counted.get(dev)
        return {} if one is None else self._since(one)

    def _since(self, one: Counted) -> Counts:
        """What it has counted, which begins anew."""
        if one.since is None:
            return {}
        ticks, one.since = self._tick() - one.since, self._tick()
        return {name: count * ticks for name, count in TRAFFIC.items()}

    def forget(self, dev: Device) -> None:
        """nsim_dev_hwstats_event_unregister()"""
        self._counted.pop(dev, None)
