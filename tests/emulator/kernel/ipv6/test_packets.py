"""What IPv6 sends by itself: how much of it, and who counts it."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.devices import flags
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import new_link
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.netkit import NetkitParams
from nlemu.protocol.uapi.if_link import NetkitAction, NetkitMode, NetkitPairing
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag
from nlemu.protocol.uapi.snmp import Icmp6Mib, IpstatsMib

LATER = 3.9
"""Seconds: all reports and the first solicitations are out, the second round of solicitations is not."""


def pair(kernel: Kernel, mode: NetkitMode, policy: NetkitAction | None = None) -> tuple[Device, Device]:
    """A netkit pair, both ends up."""
    one = new_link(
        kernel.init_net, kernel.kinds["netkit"], LinkParams(name="h", data=NetkitParams(mode=mode, policy=policy))
    )
    other = one.priv.peer
    for dev in (one, other):
        flags.open_device(dev)
        kernel.settle()
    return one, other


@pytest.mark.parametrize(("mode", "packets", "size"), [(NetkitMode.L2, 5, 360), (NetkitMode.L3, 1, 56)])
def test_a_pair_hears_itself(mode: NetkitMode, packets: int, size: int) -> None:
    """A solicitation for routers of 56 bytes, and where there are groups, four reports of 76."""
    kernel = Kernel()
    for dev in pair(kernel, mode):
        kernel.advance(LATER / 2)
        assert dev.inet6.flags & InetDeviceFlag.RS_SENT
        sent, icmp6 = dev.inet6.stats, dev.inet6.icmp6_stats
        assert sent is not None and icmp6 is not None
        assert sent[IpstatsMib.OUTREQUESTS] == sent[IpstatsMib.OUTMCASTPKTS] == packets
        assert sent[IpstatsMib.OUTOCTETS] == size
        assert sent[IpstatsMib.INPKTS] == packets and sent[IpstatsMib.INOCTETS] == size
        assert sent[IpstatsMib.NUM] == len(IpstatsMib)
        assert icmp6[Icmp6Mib.OUTMSGS] == packets
        assert (dev.stats.tx_packets, dev.stats.tx_bytes) == (packets, size + 14 * packets)
        assert (dev.stats.rx_packets, dev.stats.rx_bytes) == (packets, size + 14 * packets)


def test_routers_are_asked_for_again_and_again() -> None:
    kernel = Kernel()
    one, _ = pair(kernel, NetkitMode.L3)
    counts = []
    for _ in range(6):
        kernel.advance(4.5)
        counts.append(one.stats.tx_packets)
    assert counts[0] == 2 and counts[-1] == 3, "after 4 seconds, after 12, then after 28"
    flags.close_device(one)
    kernel.advance(3600)
    assert one.stats.tx_packets == counts[-1]


def test_a_policy_drops_what_it_is_for() -> None:
    kernel = Kernel()
    one, other = pair(kernel, NetkitMode.L3, policy=NetkitAction.DROP)
    assert (one.stats.tx_dropped, one.stats.tx_packets, other.stats.rx_packets) == (1, 0, 0)
    sent, icmp6 = one.inet6.stats, one.inet6.icmp6_stats
    assert sent is not None and icmp6 is not None
    assert icmp6[Icmp6Mib.OUTMSGS] == 0
    assert sent[IpstatsMib.OUTREQUESTS] == 1
    assert (other.stats.tx_packets, one.stats.rx_packets) == (1, 1)


def test_nobody_is_at_the_other_end_of_a_single_device() -> None:
    kernel = Kernel()
    data = NetkitParams(pairing=NetkitPairing.SINGLE)
    dev = new_link(kernel.init_net, kernel.kinds["netkit"], LinkParams(name="nk", data=data))
    flags.open_device(dev)
    kernel.settle()
    assert (dev.stats.tx_dropped, dev.stats.tx_packets) == (1, 0)


def test_what_a_veth_received_goes_with_its_peer() -> None:
    kernel = Kernel()
    one = new_link(kernel.init_net, kernel.kinds["veth"], LinkParams(name="v"))
    other = one.priv.peer
    for dev in (one, other):
        flags.open_device(dev)
        kernel.settle()
    kernel.advance(LATER)
    assert one.stats.rx_packets == other.stats.tx_packets == 6
    kinds = kernel.kinds["veth"]
    kinds.del_link(one, {})
    assert one.stats.rx_packets == one.stats.rx_bytes == 0 and one.stats.tx_packets == 6
