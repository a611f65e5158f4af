"""ifb: what it is made with, and what becomes of a packet of the stack's own."""

from __future__ import annotations

from errno import EADDRNOTAVAIL, EINVAL

import pytest

from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2, RECORDED_7_2
from nlemu.emulator.kernel.devices import flags, links
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.ifb import KIND as IFB
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import StringSet


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(build=DISTRIBUTION_7_2)


def test_only_a_kernel_with_the_option_has_it(kernel: Kernel) -> None:
    assert kernel.kinds["ifb"] is IFB
    assert "ifb" not in Kernel(build=RECORDED_7_2).kinds


def test_counters_for_every_queue_it_was_made_with(kernel: Kernel) -> None:
    dev = links.new_link(kernel.init_net, IFB, LinkParams(num_tx_queues=2))
    strings = dev.ops.get_strings(dev, StringSet.STATS)
    assert strings[:3] == ("rx_queue_0_packets", "rx_queue_0_bytes", "rx_queue_1_packets")
    assert strings[4:] == ("tx_queue_0_packets", "tx_queue_0_bytes", "tx_queue_1_packets", "tx_queue_1_bytes")
    assert dev.ops.get_strings(dev, StringSet.TEST) == ()


def test_what_nothing_redirected_is_dropped(kernel: Kernel) -> None:
    dev = links.new_link(kernel.init_net, IFB, LinkParams())
    flags.open_device(dev)
    assert dev.ops.transmit(dev, 60) == (Xmit.SUCCESS, None)
    stats = dev.stats
    assert (stats.rx_packets, stats.rx_bytes, stats.rx_dropped, stats.tx_packets) == (1, 60, 1, 0)


@pytest.mark.parametrize(("address", "errno"), [(b"\2\0", EINVAL), (b"\1" * 6, EADDRNOTAVAIL)])
def test_addresses_are_checked_before_it_is_made(kernel: Kernel, address: bytes, errno: int) -> None:
    with pytest.raises(Refusal) as caught:
        IFB.validate(LinkParams(address=address))
    assert caught.value.errno == errno
