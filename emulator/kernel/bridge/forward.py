"""Frames on a bridge, as far as counters and the forwarding table tell of them: br_input.c, br_forward.c, br_device.c.

All frames here are to groups, so they go to every port that forwards. A frame that comes to a port teaches the bridge
where its sender is, and is the bridge's own as well. Where VLANs are looked at, it is in that of frames without a tag,
which has a state of its own on each port, and counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import fdb, snooping
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, PortFlag, Vlan, port_of
from nlemu.emulator.kernel.devices import qdisc, rx_handler
from nlemu.protocol.uapi.if_bridge import BrBoolopt, BrState
from nlemu.protocol.uapi.if_ether import ETH_HLEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

LEARNING, FORWARDING = int(BrState.LEARNING), int(BrState.FORWARDING)
LET_IN = (LEARNING, FORWARDING)
MST = BrBoolopt.MST_ENABLE


def _filters(owner: Bridge | Port, br: Bridge) -> bool:
    return br.vlan_filtering and owner.vlans is not None


def _enter(owner: Bridge | Port, br: Bridge, state: int, size: int) -> tuple[Vlan | None, int] | None:
    """br_allowed_ingress(): in which VLAN a frame without a tag is, and which state holds for it, where the port's own
    is that one; None: it is dropped."""
    if not _filters(owner, br):
        return None, state
    assert owner.vlans is not None
    vlan = owner.vlans.find(owner.vlans.pvid)
    if vlan is None or not vlan.used:
        return None
    if state == FORWARDING:
        state = vlan.state
        if state not in LET_IN:
            return None
    if br.vlan_stats:
        vlan.counts.rx_bytes += size - ETH_HLEN
        vlan.counts.rx_packets += 1
    return vlan, state


def _lets_out(port: Port, br: Bridge, vid: int) -> bool:
    """The states that should_deliver() and br_allowed_egress() look at."""
    if port.state != FORWARDING and not br.has(MST):
        return False
    vlan = None if port.vlans is None else port.vlans.find(vid)
    return not vid or (vlan is not None and vlan.state == FORWARDING)


def _leave(owner: Bridge | Port, br: Bridge, vid: int, size: int) -> None:
    """br_handle_vlan(): it is counted."""
    vlan = None if not vid or not br.vlan_stats or owner.vlans is None else owner.vlans.find(vid)
    if vlan is not None:
        vlan.counts.tx_bytes += size - ETH_HLEN
        vlan.counts.tx_packets += 1


def flood(br: Bridge, size: int, vid: int, source: Port | None = None) -> list[Device]:
    """br_flood(): a frame of that many bytes goes out by every port that lets it, also by which it came where it is a
    hairpin. Returns the devices at which it arrives behind them."""
    arrived = []
    for port in br.ports:
        if port is source and not port.flags & PortFlag.HAIRPIN_MODE:
            continue
        if source is not None:
            if not port.flags & PortFlag.MCAST_FLOOD:
                continue
            if port.flags & source.flags & PortFlag.ISOLATED:
                continue
        if port.flags & PortFlag.PROXYARP:
            continue  # whoever asks there is to be answered by the bridge
        if not _lets_out(port, br, vid):
            continue
        _leave(port, br, vid, size)
        _, receiver = qdisc.transmit(port.dev, size)
        port.dev.changed()
        if receiver is not None:
            arrived.append(receiver)
    return arrived


def transmit(br: Bridge, size: int) -> Device | None:
    """br_dev_xmit(): the bridge itself sends one."""
    br.dev.stats.sent(size)
    entered = _enter(br, br, FORWARDING, size)
    if entered is None:
        return None
    vlan, _ = entered
    snooping.hear(br, None, vlan)
    return rx_handler.receive_all(br.dev, flood(br, size, 0 if vlan is None else vlan.vid), size)


def arrive(dev: Device, size: int, sender: bytes) -> Device | None:
    """br_handle_frame(): a frame of that many bytes has come to a device, from that address. Returns the device whose
    it is: itself where it is no port, else the bridge, or None when it is dropped."""
    port = port_of(dev)
    if port is None:
        return dev
    br = port.bridge
    state = FORWARDING if br.has(MST) else port.state
    entered = _enter(port, br, state, size) if state in LET_IN else None
    if entered is None:
        return None
    vlan, state = entered
    vid = 0 if vlan is None else vlan.vid
    if port.flags & PortFlag.LOCKED:
        known = br.fdb.get((sender, vid))
        if known is None or known.port is not port:
            return None
    if port.flags & PortFlag.LEARNING:
        fdb.update(br, port, sender, vid)
    if br.dev.up:
        snooping.hear(br, port, vlan)
    if state != FORWARDING or not br.dev.up or dev in dev.kernel.bridged:
        return None
    behind = flood(br, size, vid, port)
    _leave(br, br, vid, size)
    br.dev.stats.received(size - ETH_HLEN)
    br.dev.stats.multicast += 1
    br.dev.changed()
    _pass_on(port, behind, size, sender)
    return br.dev


def _pass_on(port: Port, receivers: list[Device], size: int, sender: bytes) -> None:
    """A frame that came to a port arrives behind the others, one after the other and in turn with those that come of
    it there (process_backlog()). Where it comes to the same port again, in a ring, it is not let in: it would go
    round for ever, as on Linux."""
    kernel = port.dev.kernel
    first = not kernel.bridged
    kernel.bridged.add(port.dev)
    kernel.backlog.extend((receiver, size, sender) for receiver in receivers)
    if not first:
        return
    try:
        while kernel.backlog:
            rx_handler.receive(*kernel.backlog.popleft())
    finally:
        kernel.bridged.clear()
        kernel.backlog.clear()
