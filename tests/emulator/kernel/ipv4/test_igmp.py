"""What IPv4 reports of groups by itself."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import flags, links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.ipv4 import groups, igmp
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY

GROUP, OTHER = 0xEF010101, 0xEF010102
ONE_GROUP = 14 + igmp.REPORT + igmp.RECORD


@pytest.fixture
def dev() -> Device:
    """It is up, and has said what it had to say by itself."""
    kernel = Kernel()
    made = links.new_link(kernel.init_net, DUMMY, LinkParams(name="d", mtu=1000))  # too small for IPv6
    flags.open_device(made)
    kernel.work.advance(5)
    return made


def sent(dev: Device, seconds: float) -> tuple[int, int]:
    """How many packets and bytes go out in that time."""
    packets, size = dev.stats.tx_packets, dev.stats.tx_bytes
    dev.kernel.work.advance(seconds)
    return dev.stats.tx_packets - packets, dev.stats.tx_bytes - size


def test_all_hosts_are_not_reported(dev: Device) -> None:
    assert dev.stats.tx_packets == 0 and igmp.ALL_HOSTS in dev.inet.groups


def test_a_group_is_reported_twice(dev: Device) -> None:
    groups.join(dev, dev.inet, GROUP)
    assert sent(dev, 0.003) == (1, ONE_GROUP)
    assert sent(dev, 5) == (1, ONE_GROUP)
    groups.leave(dev, dev.inet, GROUP)
    assert sent(dev, 5) == (2, 2 * ONE_GROUP)
    assert neighbour.of(dev.net).find(dev, neighbour.AF_INET, igmp.ALL_ROUTERS) is not None


def test_one_report_says_it_of_several(dev: Device) -> None:
    groups.join(dev, dev.inet, GROUP)
    groups.join(dev, dev.inet, OTHER)
    assert sent(dev, 0.003) == (1, ONE_GROUP + igmp.RECORD)


def test_a_device_that_is_down_says_nothing(dev: Device) -> None:
    groups.join(dev, dev.inet, GROUP)
    dev.kernel.work.advance(5)
    flags.close_device(dev)
    assert sent(dev, 5) == (0, 0)
    groups.leave(dev, dev.inet, GROUP)
    assert sent(dev, 5) == (0, 0)
    flags.open_device(dev)
    assert sent(dev, 5) == (0, 0)


def test_it_remembers_what_it_was_in(dev: Device) -> None:
    groups.join(dev, dev.inet, GROUP)
    dev.kernel.work.advance(5)
    flags.close_device(dev)
    flags.open_device(dev)
    assert sent(dev, 5) == (2, 2 * ONE_GROUP)


def test_each_group_is_said_alone_when_links_fail_over(dev: Device) -> None:
    groups.join(dev, dev.inet, GROUP)
    groups.join(dev, dev.inet, OTHER)
    dev.kernel.work.advance(5)
    packets = dev.stats.tx_packets
    dev.kernel.notify(NetdevEvent.RESEND_IGMP, dev)
    assert dev.stats.tx_packets - packets == 2
