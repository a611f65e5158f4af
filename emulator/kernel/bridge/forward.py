"""Frames on a bridge, as far as counters and the forwarding table tell of them: br_input.c, br_forward.c, br_device.c.

All frames here are to groups, so they go to every port that forwards. A frame that comes to a port teaches the bridge
where its sender is, and is the bridge's own as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import fdb, snooping
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, PortFlag, port_of
from nlemu.emulator.kernel.devices import qdisc
from nlemu.protocol.uapi.if_bridge import BrState
from nlemu.protocol.uapi.if_ether import ETH_HLEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

LEARNING, FORWARDING = int(BrState.LEARNING), int(BrState.FORWARDING)


def _vid(owner: Bridge | Port, br: Bridge) -> int | None:
    """br_allowed_ingress(): in which VLAN a frame without a tag is, 0 where they do not count; None: it is dropped."""
    if not br.vlan_filtering or owner.vlans is None:
        return 0
    return owner.vlans.pvid or None


def flood(br: Bridge, size: int, vid: int, source: Port | None = None) -> Device | None:
    """br_flood(): a frame of that many bytes goes out by every port that lets it. Returns the device at which it
    arrives behind one of them, if any."""
    arrived = None
    for port in br.ports:
        if (port is source and not port.flags & PortFlag.HAIRPIN_MODE) or port.state != FORWARDING:
            continue
        if source is not None:
            if not port.flags & PortFlag.MCAST_FLOOD:
                continue
            if port.flags & source.flags & PortFlag.ISOLATED:
                continue
        if vid and (port.vlans is None or port.vlans.find(vid) is None):
            continue
        _, receiver = qdisc.transmit(port.dev, size)
        port.dev.changed()
        if receiver is not None:
            arrived = receiver
    return arrived


def transmit(br: Bridge, size: int) -> Device | None:
    """br_dev_xmit(): the bridge itself sends one."""
    br.dev.stats.sent(size)
    vid = _vid(br, br)
    if vid is None:
        return None
    snooping.hear(br, None, vid)
    return flood(br, size, vid)


def arrive(dev: Device, size: int, sender: bytes) -> Device | None:
    """br_handle_frame(): a frame of that many bytes has come to a device, from that address. Returns the device whose
    it is: itself where it is no port, else the bridge, or None when it is dropped."""
    port = port_of(dev)
    if port is None:
        return dev
    br = port.bridge
    vid = _vid(port, br)
    if port.state not in (LEARNING, FORWARDING) or vid is None:
        return None
    if port.flags & PortFlag.LOCKED:
        known = br.fdb.get((sender, vid))
        if known is None or known.port is not port:
            return None
    if port.flags & PortFlag.LEARNING:
        fdb.update(br, port, sender, vid)
    if br.dev.up:
        snooping.hear(br, port, vid)
    if port.state != FORWARDING or not br.dev.up:
        return None
    flood(br, size, vid, port)
    br.dev.stats.received(size - ETH_HLEN)
    br.dev.stats.multicast += 1
    br.dev.changed()
    return br.dev
