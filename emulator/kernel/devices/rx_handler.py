"""Who takes the frames that come to a device before its protocols do: netdev_rx_handler_register() of net/core/dev.c.

A port of a bridge, and a device that macvlans stand on, have one. There is one at most, so a device cannot be both. It
is a function of the device, the frame's length in bytes and its sender, which answers whose the frame is then, if
anybody's; it stands in what is attached to the device.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EBUSY, EINVAL
from typing import TYPE_CHECKING, Optional

from nlemu.emulator.kernel.devices.device import RX_HANDLER
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ether import ETH_HLEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

RxHandler = Callable[["Device", int, bytes], Optional["Device"]]


def is_busy(dev: Device) -> bool:
    """netdev_is_rx_handler_busy()."""
    return RX_HANDLER in dev.attached


def register(dev: Device, handler: RxHandler) -> None:
    """netdev_rx_handler_register(): EBUSY, and EINVAL of a device that has none."""
    if is_busy(dev):
        raise Refusal(EBUSY)
    if dev.no_rx_handler:
        raise Refusal(EINVAL)
    dev.attach(RX_HANDLER, handler)


def unregister(dev: Device) -> None:
    """netdev_rx_handler_unregister()."""
    dev.attach(RX_HANDLER, None)


def receive(dev: Device, size: int, sender: bytes) -> None:
    """__netif_receive_skb(): a frame to a group, of that many bytes with its header, has come to a device."""
    handler = dev.attached.get(RX_HANDLER)
    receiver = dev if handler is None else handler(dev, size, sender)
    if receiver is not None:
        dev.kernel.receive(receiver, size - ETH_HLEN)
