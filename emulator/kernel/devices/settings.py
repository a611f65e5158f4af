"""The plain settings of a device: sizes, group, alias, queue length, carrier, proto-down (net/core/dev.c).

Some raise an event, and so an announcement; the others leave it to do_setlink() to announce at its end.
"""

from __future__ import annotations

from errno import EBUSY, EINVAL, ENODEV, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import link_watch, steering, uevents
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFALIASZ
from nlemu.protocol.uapi.netdevice import GRO_LEGACY_MAX_SIZE, GSO_LEGACY_MAX_SIZE, GSO_MAX_SIZE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

S16_MAX = 0x7FFF
S32_MAX = 0x7FFFFFFF


def check_mtu(dev: Device, mtu: int) -> None:
    """dev_validate_mtu(). The kernel takes the number for a signed one: what is beyond is too small."""
    if mtu > S32_MAX or mtu < dev.min_mtu:
        raise Refusal(EINVAL, "mtu less than device minimum")
    if dev.max_mtu > 0 and mtu > dev.max_mtu:
        raise Refusal(EINVAL, "mtu greater than device maximum")


def set_mtu(dev: Device, mtu: int) -> None:
    """dev_set_mtu(): nothing happens when it is that already. EINVAL with a text, ENODEV, what a notifier or the driver
    refuses."""
    if mtu == dev.mtu:
        return
    check_mtu(dev, mtu)
    if not dev.present:
        raise Refusal(ENODEV)
    dev.kernel.notify(NetdevEvent.PRECHANGEMTU, dev)
    old = dev.mtu
    dev.ops.change_mtu(dev, mtu)
    dev.changed()
    try:
        dev.kernel.notify(NetdevEvent.CHANGEMTU, dev, Info(mtu=old))
    except Refusal:
        dev.ops.change_mtu(dev, old)
        dev.changed()
        dev.kernel.notify(NetdevEvent.CHANGEMTU, dev, Info(mtu=mtu))
        raise


def set_txqlen(dev: Device, length: int) -> None:
    """dev_change_tx_queue_len(): ERANGE."""
    if length > S16_MAX:
        raise Refusal(ERANGE)
    if length != dev.txqlen:
        dev.txqlen = length
        dev.changed()
        dev.kernel.notify(NetdevEvent.CHANGE_TX_QUEUE_LEN, dev)


def set_group(dev: Device, group: int) -> None:
    """dev_set_group()."""
    dev.group = group
    dev.changed()


def set_alias(dev: Device, alias: str) -> None:
    """dev_set_alias(): "" takes it away. It is shown up to the first NUL, but counts up to its end. EINVAL when it is
    too long."""
    if len(alias.encode("utf-8", "surrogateescape")) >= IFALIASZ:
        raise Refusal(EINVAL)
    dev.ifalias = alias.partition("\0")[0]
    dev.changed()


def set_link_mode(dev: Device, mode: int) -> None:
    """What do_setlink() does with IFLA_LINKMODE."""
    dev.link_mode = mode
    dev.changed()


def change_carrier(dev: Device, carrier: bool) -> None:
    """dev_change_carrier(): EOPNOTSUPP, ENODEV."""
    if not dev.ops.has("change_carrier"):
        raise Refusal(EOPNOTSUPP)
    if not dev.present:
        raise Refusal(ENODEV)
    dev.ops.change_carrier(dev, carrier)


def set_proto_down(dev: Device, down: bool | None, reason: tuple[int, int] | None = None) -> None:
    """do_set_proto_down(): the carrier follows. reason: a mask, 0 for all, and the bits of
    IFLA_PROTO_DOWN_REASON_VALUE; down: None leaves it. EOPNOTSUPP, EBUSY, ENODEV."""
    if not dev.change_proto_down:
        raise Refusal(EOPNOTSUPP, "Protodown not supported by device")
    if reason is not None:
        mask, value = reason
        dev.proto_down_reason = dev.proto_down_reason & ~mask | value & mask if mask else value
        dev.changed()
    if down is None:
        return
    if not down and dev.proto_down_reason:
        raise Refusal(EBUSY, "Cannot clear protodown, active reasons")
    if not dev.present:
        raise Refusal(ENODEV)
    link_net = None if dev.kind is None else dev.kind.get_link_net(dev)
    lower = dev if link_net is None else link_net.device(dev.iflink)
    if lower is None:
        raise Refusal(ENODEV)
    dev.proto_down = down
    dev.changed()
    if down:
        link_watch.carrier_off(dev)
    elif lower is dev or lower.carrier:
        link_watch.carrier_on(dev)


# Sizes of segmentation: setting the general one brings the IPv4 one along as long as it is an old-fashioned size.


def set_gso_max_size(dev: Device, size: int) -> None:
    """netif_set_gso_max_size()."""
    dev.gso_max_size = size
    if size <= GSO_LEGACY_MAX_SIZE:
        dev.gso_ipv4_max_size = size
    dev.changed()


def set_gso_max_segs(dev: Device, segments: int) -> None:
    """netif_set_gso_max_segs()."""
    dev.gso_max_segs = segments
    dev.changed()


def set_gro_max_size(dev: Device, size: int) -> None:
    """netif_set_gro_max_size()."""
    dev.gro_max_size = size
    if size <= GRO_LEGACY_MAX_SIZE:
        dev.gro_ipv4_max_size = size
    dev.changed()


def set_gso_ipv4_max_size(dev: Device, size: int) -> None:
    """netif_set_gso_ipv4_max_size()."""
    dev.gso_ipv4_max_size = size
    dev.changed()


def set_gro_ipv4_max_size(dev: Device, size: int) -> None:
    """netif_set_gro_ipv4_max_size()."""
    dev.gro_ipv4_max_size = size
    dev.changed()


def set_tso_max_size(dev: Device, size: int) -> None:
    """netif_set_tso_max_size()."""
    dev.tso_max_size = min(GSO_MAX_SIZE, size)
    if size < dev.gso_max_size:
        set_gso_max_size(dev, size)
    if size < dev.gso_ipv4_max_size:
        set_gso_ipv4_max_size(dev, size)
    dev.changed()


def set_tso_max_segs(dev: Device, segments: int) -> None:
    """netif_set_tso_max_segs()."""
    dev.tso_max_segs = segments
    if segments < dev.gso_max_segs:
        set_gso_max_segs(dev, segments)
    dev.changed()


def inherit_tso_max(dev: Device, source: Device) -> None:
    """netif_inherit_tso_max()."""
    set_tso_max_size(dev, source.tso_max_size)
    set_tso_max_segs(dev, source.tso_max_segs)


def inherit_room(dev: Device, source: Device) -> None:
    """A device wants the room in front of packets, and behind them, that another wants."""
    dev.needed_headroom, dev.needed_tailroom = source.needed_headroom, source.needed_tailroom


# How many of its queues a device uses


def set_real_num_rx_queues(dev: Device, count: int) -> None:
    """netif_set_real_num_rx_queues(): EINVAL."""
    if not 1 <= count <= dev.num_rx_queues:
        raise Refusal(EINVAL)
    uevents.queues_changed(dev, "rx", dev.real_num_rx_queues, count)
    steering.forget(dev, "rx", count)
    dev.real_num_rx_queues = count
    dev.changed()


def set_real_num_tx_queues(dev: Device, count: int) -> None:
    """netif_set_real_num_tx_queues(): EINVAL."""
    if not 1 <= count <= dev.num_tx_queues:
        raise Refusal(EINVAL)
    uevents.queues_changed(dev, "tx", dev.real_num_tx_queues, count)
    steering.forget(dev, "tx", count)
    dev.real_num_tx_queues = count
    dev.changed()


def set_real_num_queues(dev: Device, tx: int, rx: int) -> None:
    """netif_set_real_num_queues(): both or none, and what grows first. EINVAL: no queue, or more than it has."""
    if not 1 <= tx <= dev.num_tx_queues or not 1 <= rx <= dev.num_rx_queues:
        raise Refusal(EINVAL)
    grown = rx >= dev.real_num_rx_queues
    if grown:
        set_real_num_rx_queues(dev, rx)
    if tx >= dev.real_num_tx_queues:
        set_real_num_tx_queues(dev, tx)
    if not grown:
        set_real_num_rx_queues(dev, rx)
    if tx < dev.real_num_tx_queues:
        set_real_num_tx_queues(dev, tx)
