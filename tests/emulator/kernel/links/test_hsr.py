"""HSR and PRP: what traces do not reach: numbers that come twice, nodes that are forgotten, or behind an interlink."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.core.events import NullAnnouncer
from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.devices import flags, links, qdisc
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.hsr import forward, timers
from nlemu.emulator.kernel.hsr.forward import Frame, Tag
from nlemu.emulator.kernel.hsr.hsr import (
    MAX_BLOCKS,
    NSEC_PER_MSEC,
    Hsr,
    Node,
    PortType,
    find,
    port_of,
    state_of,
)
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.hsr import KIND, HsrParams
from nlemu.protocol.uapi.hsr_netlink import HsrCmd

OTHER, SECOND = b"\2\0\0\0\0\x91", b"\2\0\0\0\0\x92"
FRAME = 90


class News(NullAnnouncer):
    """What was told of nodes."""

    def __init__(self) -> None:
        self.told: list[tuple[HsrCmd, bytes, int | None]] = []

    def hsr(self, net: Net, command: HsrCmd, address: bytes, ifindex: int | None = None) -> None:
        self.told.append((command, address, ifindex))


def made(kernel: Kernel, *, interlink: bool = False, version: int | None = None, protocol: int | None = None) -> Hsr:
    """A device on dummies, all of which are up."""
    net = kernel.init_net
    slaves = [links.new_link(net, kernel.kinds["dummy"], LinkParams(name=name)) for name in "abc"]
    params = HsrParams(slaves[0].ifindex, slaves[1].ifindex, version=version, protocol=protocol)
    if interlink:
        params.interlink = slaves[2].ifindex
    dev = links.new_link(net, KIND, LinkParams(name="h", link_net=net, data=params))
    for one in (*slaves, dev):
        flags.change_flags(one, 1)
        qdisc.activate(one)
    return state_of(dev)


def slave(hsr: Hsr, kind: PortType) -> Device:
    port = hsr.port(kind)
    assert port is not None
    return port.dev


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def test_a_number_goes_out_once() -> None:
    """As long as it is remembered; the newest block says which was the last."""
    node = Node(OTHER, {})
    assert [node.is_duplicate(300, 0, now) for now in (0, 400 * NSEC_PER_MSEC, 401 * NSEC_PER_MSEC)] == [
        False, True, False,
    ]
    assert not node.is_duplicate(300, 1, 402 * NSEC_PER_MSEC)
    assert (node.last_number(PortType.SLAVE_A), node.last_number(PortType.INTERLINK)) == (300, 0)


def test_old_blocks_make_room() -> None:
    node = Node(OTHER, {})
    for index in range(MAX_BLOCKS + 1):
        node.is_duplicate(index << 7, 0, 0)
    assert (len(node.blocks), 0 in node.blocks, node.is_duplicate(0, 0, 0)) == (MAX_BLOCKS, False, False)


@pytest.mark.parametrize("version", [0, 1])
def test_what_comes_twice_is_taken_once(kernel: Kernel, version: int) -> None:
    hsr = made(kernel, version=version)
    before = hsr.dev.stats.rx_packets
    for kind in (PortType.SLAVE_A, PortType.SLAVE_B):
        forward.receive(slave(hsr, kind), Frame(OTHER, FRAME + 6, Tag.HSR, 77))
    assert hsr.dev.stats.rx_packets - before == 1
    node = find(hsr.nodes, OTHER)
    assert node is not None
    assert node.last_number(PortType.SLAVE_B) == 77  # it went on there


def test_what_was_sent_comes_home(kernel: Kernel) -> None:
    hsr = made(kernel, version=1)
    before = hsr.dev.stats.rx_packets
    forward.receive(slave(hsr, PortType.SLAVE_B), Frame(slave(hsr, PortType.SLAVE_B).address, FRAME, Tag.HSR, 1))
    assert (hsr.dev.stats.rx_packets - before, find(hsr.nodes, slave(hsr, PortType.SLAVE_B).address)) == (0, None)


def test_a_second_port_is_no_node_of_its_own(kernel: Kernel) -> None:
    hsr = made(kernel, version=1)
    forward.receive(slave(hsr, PortType.SLAVE_A), Frame(OTHER, FRAME, Tag.HSR, 1))
    forward.receive(slave(hsr, PortType.SLAVE_B), Frame(SECOND, FRAME, Tag.HSR, 1))
    assert {OTHER, SECOND} <= {node.address_a for node in hsr.nodes}
    forward.receive(slave(hsr, PortType.SLAVE_B), Frame(SECOND, 66, Tag.HSR, 2, about=OTHER))
    node = find(hsr.nodes, OTHER)
    assert node is not None
    assert (node.address_b, node.addr_b_port, find(hsr.nodes, SECOND)) == (SECOND, PortType.SLAVE_B, None)
    before = hsr.dev.stats.rx_packets
    forward.receive(slave(hsr, PortType.SLAVE_B), Frame(SECOND, FRAME, Tag.HSR, 1))
    assert hsr.dev.stats.rx_packets == before


def test_of_prp_ordinary_frames_are_taken(kernel: Kernel) -> None:
    """And of HSR they are the slave's own."""
    prp, ring = made(kernel, protocol=1), made(Kernel(), version=1)
    for hsr, own in ((prp, None), (ring, slave(ring, PortType.SLAVE_A))):
        assert forward.arrive(slave(hsr, PortType.SLAVE_A), FRAME, OTHER) is own


def test_nodes_behind_an_interlink(kernel: Kernel) -> None:
    """What they send goes round, they are announced, and forgotten by themselves."""
    hsr = made(kernel, interlink=True, version=1)
    number, sent = hsr.sequence_nr, slave(hsr, PortType.SLAVE_A).stats.tx_packets
    assert forward.arrive(slave(hsr, PortType.INTERLINK), FRAME, OTHER) is None
    assert (hsr.sequence_nr - number, slave(hsr, PortType.SLAVE_A).stats.tx_packets - sent) == (1, 1)
    assert [node.address_a for node in hsr.proxy_nodes] == [OTHER]
    kernel.work.advance(0.2)
    sent = hsr.sup_sequence_nr
    kernel.work.advance(10)
    assert hsr.sup_sequence_nr - sent == 12  # each two seconds of itself, of the other, and of who announced that
    kernel.announcer = news = News()
    kernel.work.advance(60)
    assert [node.address_a for node in hsr.proxy_nodes] == [hsr.dev.address]
    assert news.told == [(HsrCmd.NODE_DOWN, OTHER, None)]


def test_who_is_heard_on_one_side_only_is_told_of(kernel: Kernel) -> None:
    hsr = made(kernel, version=1)
    kernel.announcer = news = News()
    for number in range(4):
        forward.receive(slave(hsr, PortType.SLAVE_A), Frame(OTHER, FRAME, Tag.HSR, number))
        kernel.work.advance(2)
    assert set(news.told) == {(HsrCmd.RING_ERROR, OTHER, slave(hsr, PortType.SLAVE_B).ifindex)}
    news.told.clear()
    kernel.work.advance(64)
    assert (news.told[-1], find(hsr.nodes, OTHER)) == ((HsrCmd.NODE_DOWN, OTHER, None), None)


def test_a_device_that_is_down_drops(kernel: Kernel) -> None:
    hsr = made(kernel, protocol=1)
    flags.change_flags(hsr.dev, 0)
    dropped = hsr.dev.stats.rx_dropped
    forward.receive(slave(hsr, PortType.SLAVE_A), Frame(OTHER, FRAME, Tag.PRP, 1))
    assert (hsr.dev.stats.rx_dropped - dropped, timers.ANNOUNCE in hsr.jobs) == (2, False)


def test_the_last_slave_takes_it_along(kernel: Kernel) -> None:
    hsr = made(kernel)
    first, second = slave(hsr, PortType.SLAVE_A), slave(hsr, PortType.SLAVE_B)
    links.delete_link(first)
    assert (hsr.dev.net is not None, port_of(second) is not None) == (True, True)
    links.delete_link(second)
    assert (kernel.init_net.by_name("h"), hsr.jobs) == (None, {})
