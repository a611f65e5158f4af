"""Bridges: what the traces do not reach. Frames that teach where their senders are, and what becomes of the rest."""

from __future__ import annotations

from contextlib import AbstractContextManager
from errno import EBUSY, EINVAL, ELOOP, ENOMEM, EOPNOTSUPP
from itertools import pairwise

import pytest

from nlemu.emulator.kernel.bridge import fdb, forward, settings, stp, vlans
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, PortFlag, port_of
from nlemu.emulator.kernel.bridge.params import BridgeParams, PortParams
from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2, RECORDED_7_2
from nlemu.emulator.kernel.devices import adjacency, flags, links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.bridge import KIND as BRIDGE
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.emulator.kernel.links.vlan import KIND as VLAN
from nlemu.emulator.kernel.links.vlan import VlanParams
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrState

MAC = b"\2\0\0\0\1\1"
QUIET = 1000
"""An MTU with which there is no IPv6."""


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(build=DISTRIBUTION_7_2)


@pytest.fixture
def br(kernel: Kernel) -> Bridge:
    dev = links.new_link(kernel.init_net, BRIDGE, LinkParams(name="br0"))
    made: Bridge = dev.priv
    return made


def port(br: Bridge, name: str, *, up: bool = True) -> Port:
    dev = links.new_link(br.dev.net, DUMMY, LinkParams(name=name))
    adjacency.set_master(dev, br.dev.ifindex)
    if up:
        flags.open_device(dev)
    made = port_of(dev)
    assert made is not None
    return made


def running(br: Bridge) -> tuple[Port, Port]:
    flags.open_device(br.dev)
    return port(br, "a"), port(br, "b")


def refused(errno: int) -> AbstractContextManager[pytest.ExceptionInfo[Refusal]]:
    return pytest.raises(Refusal, check=lambda refusal: refusal.errno == errno)


def test_a_frame_teaches_where_its_sender_is(br: Bridge) -> None:
    one, other = running(br)
    before = other.dev.stats.tx_packets
    assert forward.arrive(one.dev, 60, MAC) is br.dev
    entry = br.fdb[MAC, 0]
    assert (entry.port, fdb.state_of(br, entry), fdb.learned(br)) == (one, fdb.REACHABLE, 1)
    assert other.dev.stats.tx_packets == before + 1
    assert br.dev.stats.rx_packets == 1
    forward.arrive(other.dev, 60, MAC)
    assert br.fdb[MAC, 0].port is other


def pair(one: Bridge, other: Bridge | None, name: str) -> Device:
    """The first end of a pair, which is a port of the one bridge; its other end is one of the other, if any."""
    first = links.new_link(one.dev.net, VETH, LinkParams(name=name))
    second = first.ops.get_peer(first)
    assert second is not None
    for end, br in ((first, one), (second, other)):
        end.mtu = QUIET
        if br is not None:
            adjacency.set_master(end, br.dev.ifindex)
        flags.open_device(end)
    return first


def bridge(kernel: Kernel) -> Bridge:
    dev = links.new_link(kernel.init_net, BRIDGE, LinkParams())
    dev.mtu = QUIET
    flags.open_device(dev)
    made: Bridge = dev.priv
    return made


def sent_by(*devices: Device) -> list[int]:
    return [dev.stats.tx_packets for dev in devices]


def test_a_frame_comes_to_all_bridges(kernel: Kernel) -> None:
    """Also where many stand one behind the other."""
    row = [bridge(kernel) for _ in range(100)]
    for number, (one, other) in enumerate(pairwise(row)):
        pair(one, other, f"v{number}")
    last = pair(row[-1], None, "last")
    kernel.advance(60)
    [before] = sent_by(last)
    forward.arrive(port(row[0], "first").dev, 60, MAC)
    assert sent_by(last) == [before + 1]
    assert all(br.fdb[MAC, 0].port is not None for br in row)


def test_a_ring_ends(kernel: Kernel) -> None:
    """Where Linux has a frame go round for ever it comes once to each port."""
    one, other = bridge(kernel), bridge(kernel)
    ways = [pair(one, other, f"v{number}") for number in range(12)]
    first = port(one, "first").dev
    kernel.advance(60)
    before = sent_by(*ways)
    forward.arrive(first, 60, MAC)
    counted = [now - was for now, was in zip(sent_by(*ways), before, strict=True)]
    assert all(0 < count <= len(ways) for count in counted)


def test_what_was_learned_is_forgotten(kernel: Kernel, br: Bridge) -> None:
    one, _ = running(br)
    forward.arrive(one.dev, 60, MAC)
    kernel.advance(299)
    assert (MAC, 0) in br.fdb
    kernel.advance(2)
    assert (MAC, 0) not in br.fdb


def test_a_port_that_goes_down_is_forgotten(br: Bridge) -> None:
    one, _ = running(br)
    forward.arrive(one.dev, 60, MAC)
    fdb.add_entry(br, one, MAC[:5] + b"\2", 0, state=fdb.NOARP, sticky=False, notify=0, refresh=True, create=True,
                  exclusive=True)
    flags.close_device(one.dev)
    assert (MAC, 0) not in br.fdb
    assert (MAC[:5] + b"\2", 0) in br.fdb


def test_no_more_is_learned_than_may_be(br: Bridge) -> None:
    one, _ = running(br)
    settings.change_bridge(br, BridgeParams(fdb_max_learned=1))
    for last in range(3):
        forward.arrive(one.dev, 60, MAC[:5] + bytes([last]))
    assert fdb.learned(br) == 1
    with refused(ENOMEM):
        fdb._create(br, one, MAC[:5] + b"\7", 0, 0)


def test_isolated_ports_do_not_reach_each_other(br: Bridge) -> None:
    one, other = running(br)
    for each in (one, other):
        settings.change_port(each, PortParams(isolated=1))
    before = other.dev.stats.tx_packets
    forward.arrive(one.dev, 60, MAC)
    assert other.dev.stats.tx_packets == before


def test_a_locked_port_lets_only_known_senders_in(br: Bridge) -> None:
    one, _ = running(br)
    settings.change_port(one, PortParams(locked=1))
    assert forward.arrive(one.dev, 60, MAC) is None
    assert (MAC, 0) not in br.fdb


def test_frames_without_a_tag_need_a_vlan_where_they_count(br: Bridge) -> None:
    one, other = running(br)
    settings.change_bridge(br, BridgeParams(vlan_filtering=1))
    assert forward.arrive(one.dev, 60, MAC) is br.dev
    assert br.fdb[MAC, 1].port is one
    vlans.delete_from_port(one, 1)
    assert forward.arrive(one.dev, 60, MAC[:5] + b"\2") is None
    vlans.delete_from_port(other, 1)
    before = other.dev.stats.tx_packets
    forward.transmit(br, 60)
    assert other.dev.stats.tx_packets == before


def test_a_port_that_does_not_learn_is_not_promiscuous_where_vlans_count(br: Bridge) -> None:
    below = links.new_link(br.dev.net, DUMMY, LinkParams(name="d"))
    dev = links.new_link(
        br.dev.net, VLAN, LinkParams(name="v", link=below.ifindex, link_net=br.dev.net, data=VlanParams(id=5))
    )
    adjacency.set_master(dev, br.dev.ifindex)
    one = port_of(dev)
    assert one is not None and dev.promiscuity == 1
    settings.change_bridge(br, BridgeParams(vlan_filtering=1))
    assert (dev.promiscuity, bool(one.flags & PortFlag.PROMISC)) == (0, False)
    assert dev.address in dev.unicast
    settings.change_bridge(br, BridgeParams(vlan_filtering=0))
    assert (dev.promiscuity, dev.unicast) == (1, {})


def test_what_the_other_end_of_a_port_sends_is_the_bridge_s(kernel: Kernel, br: Bridge) -> None:
    dev = links.new_link(kernel.init_net, VETH, LinkParams(name="v"))
    peer = dev.ops.get_peer(dev)
    assert isinstance(peer, Device)
    adjacency.set_master(dev, br.dev.ifindex)
    for each in (br.dev, dev, peer):
        flags.open_device(each)
    kernel.advance(10)
    assert br.fdb[peer.address, 0].port is port_of(dev)
    assert br.dev.stats.rx_packets > 0


def test_a_port_becomes_ready_after_twice_the_delay_with_the_protocol(kernel: Kernel, br: Bridge) -> None:
    settings.change_bridge(br, BridgeParams(stp_state=1, forward_delay=200))
    one, _ = running(br)
    assert (one.state, br.dev.carrier) == (BrState.LISTENING, False)
    kernel.advance(2.1)
    assert one.state == BrState.LEARNING
    kernel.advance(2)
    assert (one.state, br.dev.carrier, br.topology_change) == (BrState.FORWARDING, True, True)
    assert br.hold_time == 200
    kernel.advance(30)
    assert (br.topology_change, br.hold_time) == (False, 30000)


def test_user_space_may_run_the_protocol(br: Bridge) -> None:
    settings.change_bridge(br, BridgeParams(stp_mode=1, stp_state=1))
    one, _ = running(br)
    assert one.state == BrState.BLOCKING
    stp.set_port_state(one, BrState.FORWARDING)
    assert br.dev.carrier
    with refused(EBUSY):
        settings.change_bridge(br, BridgeParams(stp_mode=0))


def test_it_cannot_be_a_port_of_a_bridge_nor_of_itself(kernel: Kernel, br: Bridge) -> None:
    other = links.new_link(kernel.init_net, BRIDGE, LinkParams())
    with refused(ELOOP):
        adjacency.set_master(other, br.dev.ifindex)
    with refused(EINVAL):
        adjacency.set_master(kernel.init_net.loopback, br.dev.ifindex)


def test_a_kernel_without_vlans_of_bridges_has_none() -> None:
    kernel = Kernel(build=RECORDED_7_2)
    dev = links.new_link(kernel.init_net, BRIDGE, LinkParams(name="br0"))
    assert dev.priv.vlans is None
    assert "vlan_protocol" not in BRIDGE.fill_info(dev)
    assert port(dev.priv, "a").vlans is None
    with refused(EOPNOTSUPP):
        settings.change_bridge(dev.priv, BridgeParams(vlan_filtering=1))


def test_nothing_is_left_when_it_goes(kernel: Kernel, br: Bridge) -> None:
    one, other = running(br)
    links.delete_link(br.dev)
    for each in (one, other):
        dev = each.dev
        assert (dev.master, dev.attached, dev.promiscuity, dev.allmulti, dev.uppers) == (None, {}, 0, 0, {})
    kernel.advance(400)
