"""VLANs: what is made, what follows the device below, and what stands in the maps, beyond the recorded ones."""

from __future__ import annotations

from collections import namedtuple
from errno import EEXIST, EINVAL, ENETDOWN, ENODEV, EOPNOTSUPP, EPERM, ERANGE

import pytest

from nlemu.emulator.kernel.core.events import NetdevEvent, Stage
from nlemu.emulator.kernel.devices import address, features, flags, link_watch, links, move, qdisc, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.states import AddressAssignment, Xmit
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.emulator.kernel.links.vlan import KIND as VLAN
from nlemu.emulator.kernel.links.vlan import VlanParams, vlans_on
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF, IfOper
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.if_vlan import VlanFlag

MAC = bytes((2, 0, 0, 0, 0, 1))
OTHER = bytes((2, 0, 0, 0, 0, 2))
PROMISC = int(IFF.PROMISC)
Flags = namedtuple("Flags", ["flags", "mask"])
Pair = namedtuple("Pair", ["from_", "to"])


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def dummy(kernel: Kernel, name: str = "d") -> Device:
    return links.new_link(kernel.init_net, DUMMY, LinkParams(name=name, address=MAC))


def vlan(below: Device, number: int, *, mtu: int | None = None, mac: bytes | None = None, **data: object) -> Device:
    params = LinkParams(
        name=f"{below.name}.{number}", link=below.ifindex, link_net=below.net, mtu=mtu, address=mac,
        data=VlanParams(id=number, **data),  # type: ignore[arg-type]
    )
    VLAN.validate(params)
    return links.new_link(below.net, VLAN, params)


def refused(verb: object, *args: object, **kwargs: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        verb(*args, **kwargs)  # type: ignore[operator]
    return caught.value


class TestMaking:
    def test_what_it_has_of_the_device_below(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        settings.set_mtu(below, 9000)
        dev = vlan(below, 5)
        assert (dev.mtu, dev.address, dev.addr_assign_type) == (9000, MAC, AddressAssignment.STOLEN)
        assert dev.flags == below.flags and dev.broadcast == below.broadcast
        assert (dev.needed_headroom, dev.iflink) == (4, below.ifindex)
        assert list(below.uppers) == [dev] and list(dev.lowers) == [below]

    def test_refusals_leave_nothing_behind(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        vlan(below, 5)
        count = len(kernel.init_net)
        assert refused(vlan, below, 5).errno == EEXIST
        assert refused(vlan, below, 4095).errno == ERANGE
        assert refused(vlan, below, 6, mtu=1501).errno == EINVAL
        assert refused(vlan, below, 6, flags=Flags(0, 0x20)).errno == EINVAL
        assert refused(vlan, kernel.init_net.loopback, 5).errno == EOPNOTSUPP
        params = LinkParams(link=99, link_net=kernel.init_net, data=VlanParams(id=7))
        assert refused(links.new_link, kernel.init_net, VLAN, params).errno == ENODEV
        assert len(kernel.init_net) == count and vlans_on(below) == list(below.uppers)

    def test_numbers_of_two_protocols_are_apart(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        devices = [
            vlan(below, 7, protocol=ETH_P.VLAN_8021AD), vlan(below, 9), vlan(below, 3),
        ]
        assert vlans_on(below) == [devices[2], devices[1], devices[0]]

    def test_one_that_cannot_come_up_is_gone(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        params = LinkParams(
            link=below.ifindex, link_net=below.net, data=VlanParams(id=5), flags=flags.UP, change=flags.UP
        )
        assert refused(links.new_link, kernel.init_net, VLAN, params).errno == ENETDOWN
        assert vlans_on(below) == [] and not below.uppers and not below.attached


class TestMaps:
    def told(self, dev: Device, name: str) -> list[tuple[int, int]]:
        told = VLAN.fill_info(dev)[name]
        return [] if told is None else [(pair["from_"], pair["to"]) for pair in told["mapping"]]

    def test_outgoing_priorities_show_by_bucket_the_newest_first(self, kernel: Kernel) -> None:
        dev = vlan(dummy(kernel), 5)
        pairs = [Pair(1, 1), Pair(17, 2), Pair(0, 3), Pair(33, 4), Pair(17, 5), Pair(4, 8)]
        VLAN.change_link(dev, VlanParams(egress_qos={"mapping": pairs}))
        assert self.told(dev, "egress_qos") == [(0, 3), (33, 4), (17, 5), (1, 1)]
        VLAN.change_link(dev, VlanParams(egress_qos={"mapping": [Pair(17, 0), Pair(0, 8)]}))
        assert self.told(dev, "egress_qos") == [(33, 4), (1, 1)]

    def test_incoming_priorities_are_three_bits(self, kernel: Kernel) -> None:
        dev = vlan(dummy(kernel), 5)
        VLAN.change_link(dev, VlanParams(ingress_qos={"mapping": [Pair(9, 7), Pair(0, 1)]}))
        assert self.told(dev, "ingress_qos") == [(0, 1), (1, 7)]
        VLAN.change_link(dev, VlanParams(ingress_qos={"mapping": [Pair(1, 0), Pair(0, 0)]}))
        assert self.told(dev, "ingress_qos") == []

    def test_flags_change_under_their_mask(self, kernel: Kernel) -> None:
        dev = vlan(dummy(kernel), 5)
        VLAN.change_link(dev, VlanParams(flags=Flags(VlanFlag.GVRP, VlanFlag.GVRP | VlanFlag.REORDER_HDR)))
        assert dev.priv.flags == VlanFlag.GVRP
        assert refused(VLAN.change_link, dev, VlanParams(flags=Flags(0, 0x20))).errno == EINVAL
        VLAN.change_link(dev, VlanParams(flags=Flags(0, VlanFlag.GVRP)))
        assert VLAN.fill_info(dev)["flags"] is None


class TestFollowing:
    def test_up_and_down(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        tight, loose = vlan(below, 5), vlan(below, 6, flags=Flags(VlanFlag.LOOSE_BINDING, VlanFlag.LOOSE_BINDING))
        assert refused(flags.open_device, tight).errno == ENETDOWN
        flags.open_device(loose)
        flags.open_device(below)
        assert [dev.up for dev in (tight, loose)] == [False, True]
        kernel.settle()
        assert [dev.up for dev in (tight, loose)] == [True, True]
        flags.close_device(below)
        kernel.settle()
        assert [dev.up for dev in (tight, loose)] == [False, True]

    def test_a_request_of_its_own_takes_precedence(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev = vlan(below, 5)
        flags.open_device(below)
        flags.open_device(dev)
        flags.close_device(dev)
        kernel.settle()
        assert not dev.up

    def test_states(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev, bridged = vlan(below, 5), vlan(below, 6, flags=Flags(VlanFlag.BRIDGE_BINDING, VlanFlag.BRIDGE_BINDING))
        flags.open_device(below)
        kernel.advance(2)
        assert (dev.carrier, bridged.carrier) == (True, False)
        link_watch.carrier_off(below)
        kernel.advance(2)
        assert (dev.carrier, dev.operstate) == (False, IfOper.LOWERLAYERDOWN)
        link_watch.carrier_on(below)
        link_watch.set_testing(below, True)
        kernel.advance(2)
        assert (dev.carrier, dev.dormant, dev.testing) == (True, False, True)
        link_watch.set_testing(below, False)
        link_watch.set_dormant(below, True)
        kernel.advance(2)
        assert (dev.carrier, dev.dormant, dev.testing) == (True, True, False)

    def test_mtu_shrinks_and_does_not_grow(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev, small = vlan(below, 5), vlan(below, 6, mtu=1000)
        assert refused(settings.set_mtu, dev, 1501).errno == ERANGE
        settings.set_mtu(below, 1200)
        kernel.settle()
        assert (dev.mtu, small.mtu) == (1200, 1000)
        settings.set_mtu(below, 1500)
        kernel.settle()
        assert (dev.mtu, small.mtu) == (1200, 1000)

    def test_an_address_of_its_own_is_let_in_below(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev = vlan(below, 5, mac=OTHER)
        flags.open_device(below)
        kernel.settle()
        assert dict(below.unicast) == {OTHER: 1} and below.promiscuity == 1
        address.set_mac(below, OTHER)
        kernel.settle()
        assert not below.unicast and below.promiscuity == 0
        address.set_mac(below, MAC)
        kernel.settle()
        assert dict(below.unicast) == {OTHER: 1}
        flags.close_device(dev)
        kernel.settle()
        assert not below.unicast and below.promiscuity == 0

    def test_a_stolen_address_follows_once_it_is_up(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev = vlan(below, 5)
        address.set_mac(below, OTHER)
        assert dev.address == MAC
        flags.open_device(below)
        kernel.settle()
        assert dev.address == OTHER
        address.set_mac(below, MAC)
        assert dev.address == MAC
        address.set_mac(dev, OTHER)
        address.set_mac(below, OTHER)
        address.set_mac(below, MAC)
        assert dev.address == OTHER

    def test_addresses_go_down_through_several(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        outer = vlan(below, 5)
        inner = vlan(outer, 6, mac=OTHER)
        flags.open_device(below)
        kernel.settle()
        assert inner.up and outer.unicast == {OTHER: 1} and below.unicast == {OTHER: 1}
        assert (outer.promiscuity, below.promiscuity) == (0, 1)
        links.delete_link(inner)
        kernel.settle()
        assert not outer.unicast and not below.unicast and below.promiscuity == 0

    def test_promiscuity_goes_down(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev = vlan(vlan(below, 5), 6)
        flags.change_flags(dev, dev.flags | PROMISC)
        assert below.promiscuity == 1 and below.flags & PROMISC
        flags.change_flags(dev, dev.flags & ~PROMISC)
        assert below.promiscuity == 0

    def test_features(self, kernel: Kernel) -> None:
        below = links.new_link(kernel.init_net, VETH, LinkParams(name="v"))
        dev = vlan(below, 5)
        assert dev.features & features.HW_CSUM and dev.features & features.SG
        below.wanted_features &= ~features.HW_CSUM
        features.update_features(below)
        assert dev.features & features.HW_CSUM
        kernel.settle()
        assert not dev.features & features.HW_CSUM

    def test_what_is_off_above_cannot_be_on_below(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        below.hw_features |= features.LRO
        vlan(below, 5)
        below.wanted_features |= features.LRO
        features.update_features(below)
        assert not below.features & features.LRO

    def test_the_type_below_is_fixed(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        kernel.notify(NetdevEvent.PRE_TYPE_CHANGE, below)
        vlan(below, 5)
        assert refused(kernel.notify, NetdevEvent.PRE_TYPE_CHANGE, below).errno == EPERM

    def test_what_is_passed_on(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev = vlan(below, 5)
        heard: list[Device] = []
        kernel.register_notifier(
            Stage.VLAN, lambda event, one, info: heard.append(one), (NetdevEvent.NOTIFY_PEERS,)
        )
        kernel.notify(NetdevEvent.NOTIFY_PEERS, below)
        assert heard == [dev, below]


class TestGoing:
    def test_all_that_stand_on_it(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        vlan(vlan(below, 5), 6)
        vlan(below, 7)
        links.delete_link(below)
        assert len(kernel.init_net) == 1

    def test_from_another_namespace(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev = vlan(below, 5)
        other = kernel.new_net("other")
        move.change_net_namespace(dev, other)
        assert VLAN.get_link_net(dev) is kernel.init_net and other.device(dev.ifindex) is dev
        links.delete_link(below)
        assert len(other) == 1

    def test_with_its_namespace(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev = vlan(below, 5)
        kernel.new_net("other")
        move.change_net_namespace(dev, kernel.nets["other"])
        kernel.delete_net("other")
        kernel.settle()
        assert not below.uppers and vlans_on(below) == []
        assert vlan(below, 5).up is False

    def test_put_off_work_of_one_that_went_is_not_done(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev = vlan(below, 5)
        flags.open_device(below)
        links.delete_link(dev)
        kernel.settle()
        assert not dev.up


class TestFrames:
    def test_to_the_other_end(self, kernel: Kernel) -> None:
        below = links.new_link(kernel.init_net, VETH, LinkParams(name="v"))
        peer = below.ops.get_peer(below)
        assert peer is not None
        near, far = vlan(below, 5), vlan(peer, 5)
        for end in (below, peer):
            flags.open_device(end)
        kernel.settle()
        before = far.stats.rx_packets, below.stats.tx_bytes
        assert qdisc.transmit(near, 100) == (Xmit.SUCCESS, far)
        assert far.stats.rx_packets == before[0] + 1 and far.stats.multicast == far.stats.rx_packets
        assert below.stats.tx_bytes == before[1] + 100
        links.delete_link(far)
        lost = peer.stats.rx_otherhost_dropped
        assert qdisc.transmit(near, 100) == (Xmit.SUCCESS, None)
        assert peer.stats.rx_otherhost_dropped == lost + 1

    def test_what_says_a_priority_alone_is_the_other_end_s(self, kernel: Kernel) -> None:
        below = links.new_link(kernel.init_net, VETH, LinkParams(name="a"))
        peer = below.ops.get_peer(below)
        dev = vlan(below, 0)
        assert peer is not None
        for one in (below, peer, dev):
            flags.open_device(one)
        kernel.advance(2)
        assert qdisc.transmit(dev, 60) == (Xmit.SUCCESS, peer)
        assert peer.stats.rx_otherhost_dropped == 0

    def test_a_tag_makes_them_longer_where_the_device_does_not_put_it_in(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        inner = vlan(vlan(below, 5), 6)
        flags.open_device(below)
        kernel.settle()
        sent = below.stats.tx_bytes
        qdisc.transmit(inner, 100)
        assert below.stats.tx_bytes == sent + 108

    def test_a_device_below_that_is_down_drops_them(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        loose = Flags(VlanFlag.LOOSE_BINDING, VlanFlag.LOOSE_BINDING)
        dev = vlan(below, 5, flags=loose)
        flags.open_device(dev)
        assert qdisc.transmit(dev, 100)[0] == Xmit.CN
        assert below.stats.tx_dropped and not dev.stats.tx_dropped
