"""Who takes the frames that come to a device before its protocols do: netdev_rx_handler_register() of net/core/dev.c.

A port of a bridge, and a device that macvlans stand on, have one. There is one at most, so a device cannot be both. It
is a function of the device, the frame's length in bytes and its sender, which answers whose the frame is then, if
anybody's; it stands in what is attached to the device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from errno import EBUSY, EINVAL
from typing import TYPE_CHECKING, Optional

from nlemu.emulator.kernel.devices.device import RX_HANDLER
from nlemu.emulator.kernel.devices.qdisc import tagged
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


def receive_all(dev: Device, receivers: Sequence[Device], size: int) -> Device | None:
    """A frame of that many bytes that a device sends has gone out by several, and comes to each of those behind them.
    Returns the last of them, at which who sends it has it arrive as if it were the only one."""
    sending = dev.kernel.sending
    with tagged(dev.kernel, 0):
        for receiver in receivers[:-1]:
            receive(receiver, size, dev.address if sending is None else sending.sender)
    return receivers[-1] if receivers else None


def receive(dev: Device, size: int, sender: bytes) -> None:
    """__netif_receive_skb(): a frame to a group, of that many bytes with its header, has come to a device."""
    handler = dev.attached.get(RX_HANDLER)
    receiver = dev if handler is None else handler(dev, size, sender)
    if receiver is not None:
        dev.kernel.receive(receiver, size - ETH_HLEN)
