"""Queue statistics: netdevsim's way of making some up, and sums."""

from __future__ import annotations

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import alloc_device, register
from nlemu.emulator.kernel.queues.qstats import RxStats, TxStats, device_stats, has_stats, rx_stats, tx_stats
from tests.emulator.kernel.world import World, world


def test_without_traffic_all_is_zero() -> None:
    w = world()
    assert device_stats(w.port) == (RxStats(packets=0, bytes=0), TxStats(packets=0, bytes=0))
    assert rx_stats(w.port, 1) == RxStats(packets=0, bytes=0)
    assert tx_stats(w.port, 0) == TxStats(packets=0, bytes=0)


def test_one_packet_is_on_no_queue_and_the_rest_on_the_first() -> None:
    w = world()
    w.port.stats.rx_packets, w.port.stats.rx_bytes = 10, 640
    assert rx_stats(w.port, 0) == RxStats(packets=9, bytes=640)
    assert rx_stats(w.port, 1) == RxStats(packets=0, bytes=0)
    assert device_stats(w.port) == (RxStats(packets=10, bytes=640), TxStats(packets=0, bytes=0))


def test_a_device_that_counts_nothing() -> None:
    lo = world(up=False).kernel.init_net.loopback
    assert not has_stats(lo)
    assert device_stats(lo) is None


class Counting(DeviceOps):
    """Counts drops on its queues, but nothing that would be complete; bytes it counts only as a whole."""

    def get_queue_stats_rx(self, dev: Device, index: int, stats: RxStats) -> None:
        stats.packets = index + 1
        stats.hw_drops = 1

    def get_base_stats(self, dev: Device, rx: RxStats, tx: TxStats) -> None:
        rx.packets = 100
        rx.bytes = 5


def add(w: World) -> Device:
    dev = alloc_device(w.kernel.init_net, "counting", Counting(), lambda dev: None, rx=2)
    register(dev)
    return dev


def test_a_sum_holds_what_every_part_counts() -> None:
    dev = add(world(up=False))
    assert has_stats(dev)
    assert device_stats(dev) == (RxStats(packets=103, bytes=5), TxStats())
    assert rx_stats(dev, 1) == RxStats(packets=2, hw_drops=1)
    assert tx_stats(dev, 0) is None
