"""macvlans: who hears what, what stays after refusals, and the character devices of macvtaps, beyond the recorded."""

from __future__ import annotations

from errno import EADDRINUSE, EADDRNOTAVAIL, EBUSY, EINVAL

import pytest

from nlemu.emulator.kernel.devices import address, flags, links, rx_handler, rx_mode
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links import tap
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.macvlan import KIND as MACVLAN
from nlemu.emulator.kernel.links.macvlan import MacvlanParams
from nlemu.emulator.kernel.links.macvlan_port import bucket, port_of
from nlemu.emulator.kernel.links.macvtap import KIND as MACVTAP
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.emulator.kernel.links.veth import VethParams
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_link import MacvlanFlag, MacvlanMacaddrMode, MacvlanMode

PROMISC, ALLMULTI = int(IFF.PROMISC), int(IFF.ALLMULTI)
PRIVATE, VEPA, BRIDGE = int(MacvlanMode.PRIVATE), int(MacvlanMode.VEPA), int(MacvlanMode.BRIDGE)
PASSTHRU, SOURCE = int(MacvlanMode.PASSTHRU), int(MacvlanMode.SOURCE)
SIZE = 90


def mac(last: int) -> bytes:
    return bytes((2, 0, 0, 0, 0, last))


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def dummy(kernel: Kernel) -> Device:
    return links.new_link(kernel.init_net, DUMMY, LinkParams(name="d", address=mac(1)))


def veth(kernel: Kernel) -> tuple[Device, Device]:
    params = LinkParams(name="v", address=mac(1), data=VethParams(LinkParams(name="w", address=mac(0x99))))
    dev = links.new_link(kernel.init_net, VETH, params)
    return dev, dev.priv.peer


def macvlan(below: Device, last: int, mode: int = VEPA, kind: object = MACVLAN, **data: object) -> Device:
    params = LinkParams(
        name=f"m{last}", link=below.ifindex, link_net=below.net, address=mac(last),
        data=MacvlanParams(mode=mode, **data),  # type: ignore[arg-type]
    )
    MACVLAN.validate(params)
    return links.new_link(below.net, kind, params)  # type: ignore[arg-type]


def up(*devices: Device) -> None:
    for dev in devices:
        flags.open_device(dev)


def refused(verb: object, *args: object, **kwargs: object) -> int:
    with pytest.raises(Refusal) as caught:
        verb(*args, **kwargs)  # type: ignore[operator]
    return caught.value.errno


def heard(*devices: Device) -> list[int]:
    """How many frames each has received since it was last asked."""
    counts = [dev.stats.rx_packets for dev in devices]
    for dev in devices:
        dev.stats.rx_packets = 0
    return counts


class TestFrames:
    def test_bridges_hear_each_other_and_nobody_else_does(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two, other = macvlan(below, 2, BRIDGE), macvlan(below, 3, BRIDGE), macvlan(below, 4, PRIVATE)
        up(below, one, two, other)
        for dev in (one, two, other):
            flags.change_flags(dev, dev.flags | ALLMULTI)
        heard(one, two, other)
        one.ops.transmit(one, SIZE)
        assert heard(one, two, other) == [0, 1, 0]
        assert (two.stats.rx_bytes, two.stats.multicast) == (SIZE + 14, 1)

    def test_one_that_does_not_take_all_hears_nothing_of_groups(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = macvlan(below, 2, BRIDGE), macvlan(below, 3, BRIDGE)
        up(below, one, two)
        one.ops.transmit(one, SIZE)
        assert heard(two) == [0]

    def test_what_comes_from_outside_is_for_all_but_those_with_lists(self, kernel: Kernel) -> None:
        below, peer = veth(kernel)
        devices = [macvlan(below, last, mode) for last, mode in enumerate((PRIVATE, VEPA, BRIDGE, SOURCE), 2)]
        up(below, peer, *devices)
        for dev in devices:
            flags.change_flags(dev, dev.flags | PROMISC)
        heard(*devices)
        rx_handler.receive(below, SIZE, peer.address)
        assert heard(*devices) == [1, 1, 1, 0]

    def test_what_one_of_them_sent_and_comes_back(self, kernel: Kernel) -> None:
        below, peer = veth(kernel)
        private, vepa, bridge = macvlan(below, 2, PRIVATE), macvlan(below, 3, VEPA), macvlan(below, 4, BRIDGE)
        up(below, peer, private, vepa, bridge)
        for dev in (private, vepa, bridge):
            flags.change_flags(dev, dev.flags | PROMISC)
        heard(private, vepa, bridge)
        rx_handler.receive(below, SIZE, vepa.address)
        assert heard(private, vepa, bridge) == [0, 0, 1]
        rx_handler.receive(below, SIZE, bridge.address)
        assert heard(private, vepa, bridge) == [0, 1, 1]
        rx_handler.receive(below, SIZE, private.address)
        assert heard(private, vepa, bridge) == [1, 0, 0]

    def test_lists_of_senders(self, kernel: Kernel) -> None:
        below, peer = veth(kernel)
        listens = macvlan(below, 2, SOURCE, macaddr_mode=int(MacvlanMacaddrMode.ADD), macaddr=peer.address)
        other = macvlan(below, 3)
        up(below, peer, listens, other)
        flags.change_flags(other, other.flags | PROMISC)
        heard(listens, other)
        rx_handler.receive(below, SIZE, peer.address)
        assert heard(listens, other) == [1, 1]
        MACVLAN.change_link(listens, MacvlanParams(flags=int(MacvlanFlag.NODST)))
        rx_handler.receive(below, SIZE, peer.address)
        assert heard(listens, other) == [1, 0]
        flags.close_device(listens)
        rx_handler.receive(below, SIZE, peer.address)
        assert heard(listens, other) == [0, 0]

    def test_one_too_small_for_a_frame_counts_an_error(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = macvlan(below, 2, BRIDGE), macvlan(below, 3, BRIDGE)
        up(below, one, two)
        flags.change_flags(two, two.flags | PROMISC)
        one.ops.transmit(one, 2000)
        assert (two.stats.rx_packets, two.stats.rx_errors) == (0, 1)


class TestPorts:
    def test_a_refusal_leaves_no_port_behind(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        assert refused(macvlan, below, 2, BRIDGE, macaddr_mode=0, macaddr=mac(9)) == EINVAL
        assert port_of(below) is None and not rx_handler.is_busy(below)
        kernel.init_net.by_name("d")
        params = LinkParams(name="lo", link=below.ifindex, link_net=below.net)
        refused(links.new_link, below.net, MACVLAN, params)
        assert port_of(below) is None and not below.uppers

    def test_a_refusal_beside_others_leaves_the_port(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        macvlan(below, 2)
        assert refused(macvlan, below, 3, PASSTHRU) == EINVAL
        port = port_of(below)
        assert port is not None and port.count == 1 and not port.passthru

    def test_nobody_takes_the_frames_of_a_port(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        rx_handler.register(below, lambda dev, size, sender: dev)
        assert refused(macvlan, below, 2) == EBUSY

    def test_the_last_one_takes_the_port_along(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = macvlan(below, 2), macvlan(below, 3)
        links.delete_link(one)
        assert port_of(below) is not None
        links.delete_link(two)
        assert port_of(below) is None and not rx_handler.is_busy(below)


class TestAddresses:
    def test_one_that_is_up_is_let_in_below(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one = macvlan(below, 2)
        up(below, one)
        assert below.unicast == {mac(2): 1}
        address.set_mac(one, mac(3))
        assert below.unicast == {mac(3): 1}
        flags.close_device(one)
        assert not below.unicast

    def test_two_of_an_address_cannot_both_be_up(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = macvlan(below, 2), macvlan(below, 3)
        up(below, one)
        address.set_mac(two, mac(3))
        assert refused(address.set_mac, two, mac(2)) == EADDRINUSE
        assert refused(address.set_mac, two, mac(1)) == EADDRINUSE
        assert refused(address.set_mac, two, b"\1" + mac(2)[1:]) == EADDRNOTAVAIL

    def test_groups_are_handed_down_and_taken_back(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one = macvlan(below, 2)
        up(below, one)
        group = bytes.fromhex("01005e010203")
        rx_mode.add_group(one, group)
        kernel.settle()
        assert below.multicast.get(group) == 1
        flags.close_device(one)
        assert group not in below.multicast

    def test_a_device_taken_over_has_its_own_address_back(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one = macvlan(below, 2, PASSTHRU)
        up(below, one)
        address.set_mac(one, mac(7))
        assert below.address == one.address == mac(7)
        links.delete_link(one)
        assert below.address == mac(1)


def test_senders_are_told_by_their_buckets(kernel: Kernel) -> None:
    below = dummy(kernel)
    senders = [mac(last) for last in range(1, 100)]
    one = macvlan(below, 0xAA, SOURCE, macaddr_mode=3, macaddr_data=[(4, sender) for sender in senders])
    info = MACVLAN.fill_info(one)
    told = [sender for _, sender in info["macaddr_data"]]
    assert sorted(told) == senders and info["macaddr_count"] == 99
    assert [bucket(one) for one in told] == sorted(bucket(one) for one in told)


class TestCharacterDevices:
    def test_numbers_are_given_and_given_back(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one, two = macvlan(below, 2, kind=MACVTAP), macvlan(below, 3, kind=MACVTAP)
        assert [tap.number_of(dev) for dev in (one, two)] == [(247, 1), (247, 2)]
        assert tap.number_of(below) is None
        links.delete_link(one)
        assert tap.number_of(macvlan(below, 4, kind=MACVTAP)) == (247, 1)

    def test_frames_pass_by(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        one = macvlan(below, 2, kind=MACVTAP)
        assert tap.pass_by(one, SIZE, mac(1)) is one
