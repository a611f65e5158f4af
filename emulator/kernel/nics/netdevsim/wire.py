"""netdevsim: wires between ports, which the bus's files link_device and unlink_device make
(drivers/net/netdevsim/bus.c)."""

from __future__ import annotations

from errno import EBUSY, EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.link_watch import carrier_off, carrier_on
from nlemu.emulator.kernel.nics.netdevsim.ethtool import state_of
from nlemu.emulator.kernel.nics.netdevsim.port import is_netdevsim
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def link_ports(first: Device, second: Device) -> None:
    """link_device: a wire between two ports. EINVAL: not two ports; EBUSY: one has a wire already."""
    if first is second or not (is_netdevsim(first) and is_netdevsim(second)):
        raise Refusal(EINVAL)
    if state_of(first).peer is not None or state_of(second).peer is not None:
        raise Refusal(EBUSY)
    for dev, peer in ((first, second), (second, first)):
        state_of(dev).peer = peer
        dev.seen_by = peer
        dev.changed()
    if first.running and second.running:
        carrier_on(first)
        carrier_on(second)


def unlink_port(dev: Device) -> None:
    """unlink_device: the wire goes, and the carrier of both. EINVAL: not a port, or without a wire."""
    peer = state_of(dev).peer if is_netdevsim(dev) else None
    if peer is None:
        raise Refusal(EINVAL)
    carrier_off(dev)
    carrier_off(peer)
    part(dev, peer)


def part(first: Device, second: Device) -> None:
    """The wire between two ports goes."""
    for dev in (first, second):
        state_of(dev).peer = None
        dev.seen_by = None
        dev.changed()
