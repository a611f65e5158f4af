"""qstats-get: what queues have counted, a queue or a device at a time (net/core/netdev-genl.c)."""

from __future__ import annotations

import errno
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.devices import chosen_devices
from nlemu.emulator.kernel.queues import qstats
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import dumpit
from nlemu.protocol.families.netdev import QSTATS_GET, Qstats
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Values
from nlemu.protocol.uapi.netdev import QstatsScope, QueueType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

RX, TX = int(QueueType.RX), int(QueueType.TX)


def counters(prefix: str, stats: qstats.RxStats | qstats.TxStats) -> dict[Attr[Any], Any]:
    """netdev_nl_stats_write_rx(), _tx(): the counters have the attributes' names; what is not counted is not told."""
    named = vars(Qstats)
    return {named[prefix + counter.name]: getattr(stats, counter.name) for counter in fields(stats)}


def fill_device_stats(dev: Device) -> Values | None:
    """netdev_nl_stats_by_netdev()."""
    both = qstats.device_stats(dev)
    if both is None:
        return None
    return {Qstats.ifindex: dev.ifindex} | counters("rx_", both[0]) | counters("tx_", both[1])


def fill_queue_stats(dev: Device, index: int, kind: int) -> Values | None:
    """netdev_nl_stats_queue()."""
    stats = qstats.rx_stats(dev, index) if kind == RX else qstats.tx_stats(dev, index)
    if stats is None:
        return None
    head: dict[Attr[Any], Any] = {
        Qstats.ifindex: dev.ifindex,
        Qstats.queue_type: kind,
        Qstats.queue_id: index,
    }
    return head | counters("rx_" if kind == RX else "tx_", stats)


@dumpit(QSTATS_GET)
def qstats_get_dump(call: Call) -> Messages:
    """netdev_nl_qstats_get_dumpit()."""
    attrs = call.attrs
    by_queue = attrs.get(Qstats.scope, 0) == QstatsScope.QUEUE
    ifindex = attrs.get(Qstats.ifindex)
    if ifindex is not None:
        dev = call.net.device(ifindex)
        if dev is None:
            raise Refusal(errno.ENODEV, at=attrs.offset(Qstats.ifindex))
        if not qstats.has_stats(dev):
            raise Refusal(errno.EOPNOTSUPP, at=attrs.offset(Qstats.ifindex))
    for dev in chosen_devices(call, ifindex):
        if not qstats.has_stats(dev):
            continue
        if not by_queue:
            yield partial(fill_device_stats, dev)
        elif dev.running:
            for index in range(dev.real_num_rx_queues):
                yield partial(fill_queue_stats, dev, index, RX)
            for index in range(dev.real_num_tx_queues):
                yield partial(fill_queue_stats, dev, index, TX)
