"""Frames of HSR and PRP: what is sent goes out by both ports, what comes in goes on (net/hsr/hsr_forward.c).

A frame of HSR has a tag, and travels the ring until it comes home; one of PRP has a trailer, and is an ordinary frame
to everybody else. Supervision frames say which node an address is of. Frames are to groups here, so each is also for
the device itself. What is tagged is known as such at a device that is a port as well; what stands between does not hand
it on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import qdisc, rx_handler
from nlemu.emulator.kernel.devices.device import RX_HANDLER
from nlemu.emulator.kernel.hsr.hsr import (
    HSR_HLEN,
    SLAVES,
    Hsr,
    Port,
    PortType,
    Version,
    add_node,
    find,
    port_of,
    sender_of,
)
from nlemu.protocol.uapi.if_ether import ETH_HLEN
from nlemu.protocol.uapi.if_link import HsrProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.hsr.hsr import Node

ETH_ZLEN = 60
"""The least length of a frame."""


class Tag(Enum):
    """What a frame bears."""

    NONE = 0
    HSR = 1
    PRP = 2


@dataclass(slots=True, frozen=True)
class Frame:
    """struct hsr_frame_info. size: with all that it bears; number: without a tag it has none yet; about: of a
    supervision frame, the address of the node that it is about; redbox: and of who says so in its place."""

    sender: bytes
    size: int
    tag: Tag = Tag.NONE
    number: int = 0
    about: bytes | None = None
    redbox: bytes | None = None


def forward(port: Port, frame: Frame) -> None:
    """hsr_forward_skb(): a frame has come to a port, the device itself among them."""
    hsr = port.hsr
    now = hsr.dev.kernel.clock.now
    nodes = hsr.proxy_nodes if port.type == PortType.INTERLINK else hsr.nodes
    # Of PRP a supervision frame has no header of HSR, and is taken for one that is cut short.
    introduced = frame.about is None or hsr.protocol == HsrProtocol.HSR
    node = sender_of(hsr, nodes, frame.sender, introduced=introduced)
    if node is None:
        port.dev.own_stats.tx_dropped += 1
        port.dev.changed()
        return
    from_san = False
    if frame.tag is Tag.NONE:
        from_san = port.type != PortType.MASTER
        if port.type in (PortType.MASTER, PortType.INTERLINK):
            frame = replace(frame, number=hsr.take_number())
    node.time_in[port.type] = now
    for out in tuple(hsr.ports):
        if out is port or (not from_san and _is_duplicate(port, out, node, frame.number, now)):
            continue
        if frame.about is not None and out.type == PortType.MASTER and find(hsr.proxy_nodes, frame.about) is None:
            _learn(port, node, frame)
        elif not _is_dropped(port, out, frame):
            _send(port, out, frame)
    if port.type in (PortType.MASTER, PortType.INTERLINK):
        port.dev.own_stats.sent(frame.size)
        port.dev.changed()


def _is_duplicate(port: Port, out: Port, node: Node, number: int, now: int) -> bool:
    """hsr_register_frame_out(), prp_register_frame_out()."""
    if out.hsr.protocol == HsrProtocol.HSR:
        return node.is_duplicate(number, out.type - 1, now)
    if port.type == PortType.MASTER:
        return False
    return out.type != PortType.MASTER or node.is_duplicate(number, 0, now)


def _is_dropped(port: Port, out: Port, frame: Frame) -> bool:
    """prp_drop_frame(), and what hsr_drop_frame() drops of frames to groups."""
    if out.hsr.protocol == HsrProtocol.PRP:
        return port.type in SLAVES and out.type in SLAVES
    return frame.about is not None and out.type == PortType.INTERLINK


def _learn(port: Port, node: Node, frame: Frame) -> None:
    """hsr_handle_sup_frame(): the sender is the second port of another node, maybe."""
    hsr = port.hsr
    assert frame.about is not None
    real = find(hsr.nodes, frame.about) or add_node(hsr, hsr.nodes, frame.about)
    if real is node or (frame.redbox is not None and frame.redbox != real.address_a):
        return
    real.address_b = frame.sender
    for one, time in node.time_in.items():
        real.time_in[one] = max(real.time_in[one], time)
    now = hsr.dev.kernel.clock.now
    for index, block in tuple(node.blocks.items()):
        merged = real.block(index, now)
        merged.time = min(merged.time, block.time)
        for number, seen in block.seen.items():
            merged.seen[number] = merged.seen.get(number, 0) | seen
    real.addr_b_port = port.type
    if node in hsr.nodes:
        hsr.nodes.remove(node)


def _send(port: Port, out: Port, frame: Frame) -> None:
    """hsr_forward_do() with one port: tagged to the ring, plain to all others."""
    hsr, plain = port.hsr, frame.size if frame.tag is Tag.NONE else frame.size - HSR_HLEN
    if out.type == PortType.MASTER:
        _deliver(hsr, plain, frame.sender)
        return
    if out.type == PortType.INTERLINK:
        _, receiver = qdisc.transmit(out.dev, plain)
        out.dev.changed()
        if receiver is not None:
            rx_handler.receive(receiver, plain, hsr.redbox or out.dev.address)
        return
    tagged = frame if frame.tag is not Tag.NONE else _tagged(hsr, frame)
    if port.type == PortType.MASTER:
        tagged = replace(tagged, sender=out.dev.address)
    _, receiver = qdisc.transmit(out.dev, tagged.size)
    out.dev.changed()
    if receiver is not None:
        receive(receiver, tagged)


def _tagged(hsr: Hsr, frame: Frame) -> Frame:
    """hsr_fill_tag(), prp_fill_rct()."""
    tag = Tag.PRP if hsr.protocol == HsrProtocol.PRP else Tag.HSR
    return replace(frame, tag=tag, size=max(frame.size, ETH_ZLEN) + HSR_HLEN)


def _deliver(hsr: Hsr, size: int, sender: bytes) -> None:
    """hsr_deliver_master()."""
    dev = hsr.dev
    dev.changed()
    if not dev.running:
        dev.stats.rx_dropped += 2  # netif_rx() counts it, and who called that
        return
    dev.stats.received(size - ETH_HLEN)
    dev.stats.multicast += 1
    rx_handler.receive(dev, size, sender)


def receive(dev: Device, frame: Frame) -> None:
    """A tagged frame has come to a device: hsr_handle_frame() of a port."""
    dev.changed()
    handler = dev.attached.get(RX_HANDLER)
    if handler is arrive:
        port = port_of(dev)
        assert port is not None
        if frame.sender not in port.hsr.self_addresses:
            forward(port, frame)
    elif frame.tag is Tag.PRP and frame.about is None:
        rx_handler.receive(dev, frame.size, frame.sender)
    elif handler is None:
        dev.stats.rx_dropped += 1  # nobody knows its protocol


def arrive(dev: Device, size: int, sender: bytes) -> Device | None:
    """hsr_handle_frame() of an ordinary frame: of PRP, and where nodes without the protocol are, it goes on."""
    port = port_of(dev)
    assert port is not None
    if sender in port.hsr.self_addresses:
        return None
    if port.type != PortType.INTERLINK and port.hsr.protocol == HsrProtocol.HSR:
        return dev
    forward(port, Frame(sender, size))
    return None


def announce(port: Port, address: bytes) -> None:
    """send_hsr_supervision_frame(), send_prp_supervision_frame(): says that the node of that address is there."""
    hsr = port.hsr
    redbox = hsr.redbox if find(hsr.proxy_nodes, address) is not None else None
    frame = Frame(hsr.dev.address, ETH_ZLEN, about=address, redbox=redbox)
    if hsr.version == Version.HSR_V0:
        frame = replace(frame, tag=Tag.HSR, number=hsr.take_number())  # it is its own tag
    else:
        hsr.sup_sequence_nr = hsr.sup_sequence_nr + 1 & 0xFFFF
    forward(port, frame)
