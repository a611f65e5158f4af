"""What simulated devices count for others: by the clock, handed over once, lost with who asked."""

from __future__ import annotations

from errno import ECANCELED, ENODEV, ENOENT

import pytest

from nlemu.emulator.kernel.devices import hw_stats
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.register import unregister
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics.netdevsim.hwstats import HwStats
from tests.emulator.kernel.nics.rules import refused


class Counting:
    """Two simulated devices, and one whose traffic they are to count."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.first, self.second = (self.counter(number) for number in (1, 2))
        self.dev: Device = next(iter(self.kernel.netdevsim_bus.new_device(3).ports.values()))

    def counter(self, number: int) -> HwStats:
        found = self.kernel.netdevsim_bus.new_device(number).hw_stats
        assert found is not None
        return found

    @property
    def packets(self) -> tuple[int, int]:
        told = hw_stats.counts(self.dev)
        return told.get("rx_packets", 0), told.get("tx_packets", 0)


def test_a_packet_comes_in_and_two_go_out_every_tenth_of_a_second() -> None:
    world = Counting()
    world.first.count_for(world.dev.ifindex)
    world.kernel.work.advance(5)
    hw_stats.enable(world.dev)
    assert world.packets == (0, 0), "what was before is not counted"
    world.kernel.work.advance(1)
    assert world.packets == (10, 20) == world.packets, "it is counted once"
    world.second.count_for(world.dev.ifindex)
    world.kernel.work.advance(1)
    assert world.packets == (30, 60), "two count twice"
    world.first.stop_for(world.dev.ifindex)
    world.kernel.work.advance(1)
    assert world.packets == (40, 80)
    hw_stats.disable(world.dev)
    hw_stats.enable(world.dev)
    assert world.packets == (0, 0)


def test_one_that_fails_has_the_others_stop() -> None:
    world = Counting()
    for one in (world.first, world.second):
        one.count_for(world.dev.ifindex)
    world.second.fail_for(world.dev.ifindex)
    assert refused(ECANCELED, hw_stats.enable, world.dev) == "netdevsim: Stats enablement set to fail"
    assert world.dev.hw_counts is None and not hw_stats.used(world.dev)
    hw_stats.enable(world.dev)
    assert hw_stats.used(world.dev)


def test_a_device_that_goes_is_forgotten() -> None:
    world = Counting()
    index = world.dev.ifindex
    refused(ENOENT, world.first.stop_for, index)
    refused(ENOENT, world.first.fail_for, index)
    refused(ENODEV, world.first.count_for, 99)
    world.first.count_for(index)
    unregister(world.dev)
    refused(ENOENT, world.first.stop_for, index)


@pytest.mark.parametrize("number", [1, 2])
def test_a_counter_that_goes_counts_no_more(number: int) -> None:
    world = Counting()
    for one in (world.first, world.second):
        one.count_for(world.dev.ifindex)
    hw_stats.enable(world.dev)
    world.kernel.netdevsim_bus.del_device(number)
    assert hw_stats.used(world.dev) and len(hw_stats.listeners(world.kernel.init_net)) == 2
