"""ipvlans: numbers, modes and frames, and what stays after refusals, beyond the recorded."""

from __future__ import annotations

from errno import EADDRINUSE, EBUSY, EINVAL

import pytest

from nlemu.emulator.kernel.core.build import RECORDED_7_2
from nlemu.emulator.kernel.devices import flags, links, rx_handler, rx_mode
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.ipv4 import address
from nlemu.emulator.kernel.ipv6.interface_id import eui48
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links import tap
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.ipvlan import ENOTSUPP, L2, L3, L3S, IpvlanParams, port_of
from nlemu.emulator.kernel.links.ipvlan import KIND as IPVLAN
from nlemu.emulator.kernel.links.ipvtap import KIND as IPVTAP
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.snmp import Icmp6Mib

ALLMULTI, NOARP = int(IFF.ALLMULTI), int(IFF.NOARP)
SIZE = 90
HERE = 0x0A000001


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def dummy(kernel: Kernel, name: str = "d") -> Device:
    return links.new_link(kernel.init_net, DUMMY, LinkParams(name=name, address=bytes((2, 0, 0, 0, 0, 1))))


def ipvlan(below: Device, name: str, mode: int | None = None, kind: object = IPVLAN) -> Device:
    params = LinkParams(name=name, link=below.ifindex, link_net=below.net, data=IpvlanParams(mode))
    return links.new_link(below.net, kind, params)  # type: ignore[arg-type]


def refused(verb: object, *args: object) -> int:
    with pytest.raises(Refusal) as caught:
        verb(*args)  # type: ignore[operator]
    return caught.value.errno


def give(dev: Device, local: int = HERE) -> None:
    address.insert(address.Address4(dev, local, local, 24, flags=address.PERMANENT))


class TestPorts:
    def test_numbers_go_round(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = ipvlan(below, "i1"), ipvlan(below, "i2")
        assert (one.dev_id, two.dev_id) == (1, 2)
        links.delete_link(one)
        assert ipvlan(below, "i3").dev_id == 3
        port = port_of(below)
        assert port is not None
        port.next_id = 0xFFFE
        assert ipvlan(below, "i4").dev_id == 1

    def test_the_last_one_takes_the_port_along(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one = ipvlan(below, "i1")
        assert rx_handler.is_busy(below)
        links.delete_link(one)
        assert port_of(below) is None and not rx_handler.is_busy(below)

    def test_a_refusal_leaves_nothing_behind(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        refused(ipvlan, below, "d")
        assert port_of(below) is None and not below.uppers
        rx_handler.register(below, tap.pass_by)
        assert refused(ipvlan, below, "i1") == EBUSY
        assert refused(ipvlan, kernel.init_net.loopback, "i1") == EINVAL

    def test_one_on_another_is_beside_it(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        other = ipvlan(ipvlan(below, "i1"), "i2")
        assert list(other.lowers) == [below]

    def test_a_mode_that_the_kernel_has_not(self) -> None:
        kernel = Kernel(build=RECORDED_7_2)
        below = dummy(kernel)
        one = ipvlan(below, "i1", L3)
        assert refused(IPVLAN.change_link, one, IpvlanParams(L3S)) == ENOTSUPP
        assert refused(ipvlan, below, "i2", L3S) == ENOTSUPP
        port = port_of(below)
        assert port is not None and port.ids == {1} and port.ipvlans == [one] and list(below.uppers) == [one]


class TestModes:
    def test_all_change_with_one(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = ipvlan(below, "i1", L2), ipvlan(below, "i2", L2)
        for dev in (below, one, two):
            flags.open_device(dev)
        assert not one.flags & NOARP
        IPVLAN.change_link(two, IpvlanParams(L3))
        assert one.flags & NOARP and two.flags & NOARP
        assert IPVLAN.fill_info(one) == {"mode": L3, "flags": 0}

    def test_frames_to_groups_are_switched_and_not_routed(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = ipvlan(below, "i1", L2), ipvlan(below, "i2", L2)
        for dev in (below, one, two):
            flags.open_device(dev)
        flags.change_flags(two, two.flags | ALLMULTI)
        before = two.stats.rx_packets
        assert one.ops.transmit(one, SIZE) == (Xmit.SUCCESS, None)
        assert two.stats.rx_packets == before + 1
        rx_handler.receive(below, SIZE, bytes(6))
        assert two.stats.rx_packets == before + 2
        IPVLAN.change_link(one, IpvlanParams(L3))
        assert one.ops.transmit(one, SIZE) == (Xmit.DROP, None)
        rx_handler.receive(below, SIZE, bytes(6))
        assert two.stats.rx_packets == before + 2

    def test_groups_are_handed_down(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one = ipvlan(below, "i1", L2)
        flags.open_device(below)
        flags.open_device(one)
        group = bytes.fromhex("01005e010203")
        rx_mode.add_group(one, group)
        kernel.settle()
        assert group in below.multicast
        flags.close_device(one)
        assert group not in below.multicast


class TestAddresses:
    def test_an_address_is_on_one_of_them(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = ipvlan(below, "i1"), ipvlan(below, "i2")
        give(one)
        assert refused(give, two) == EADDRINUSE
        give(below)
        links.delete_link(one)
        give(two)

    def test_the_number_makes_up_for_the_address(self) -> None:
        mac = bytes.fromhex("020000000001")
        assert f"{eui48(mac):016x}" == "000000fffe000001"
        assert f"{eui48(mac, 0x102):016x}" == "0200000102000001"

    def test_character_devices_have_numbers_of_their_own(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = ipvlan(below, "t1", kind=IPVTAP), ipvlan(below, "t2", kind=IPVTAP)
        assert [tap.number_of(dev) for dev in (one, two)] == [(248, 1), (248, 2)]
        assert IPVTAP.get_link_net(one) is None and IPVLAN.get_link_net(two) is below.net


def test_a_group_is_heard_by_who_listens_to_it(kernel: Kernel) -> None:
    """All ipvlans of a device end alike, so each asks the others whether its address of the link is theirs."""
    below = dummy(kernel)
    below.flags &= ~NOARP
    one, two = ipvlan(below, "i1", L2), ipvlan(below, "i2", L2)
    for dev in (below, two):
        flags.open_device(dev)
    kernel.advance(20)
    heard = two.stats.rx_packets
    flags.open_device(one)
    kernel.advance(20)
    assert two.stats.rx_packets == heard + 1
    icmp = two.inet6.icmp6_stats
    assert icmp is not None and icmp[Icmp6Mib.INMSGS] == 1
