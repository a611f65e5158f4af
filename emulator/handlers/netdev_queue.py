"""queue-get and queue-create: queues, and whom they are leased to (net/core/netdev-genl.c)."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from emulator.call import Call, Messages
from emulator.handlers.netdev_device import chosen_devices
from emulator.handlers.registry import doit, dumpit
from emulator.kernel import lease
from emulator.kernel.provider import MemoryProvider, ProviderKind
from emulator.kernel.queue import virtual_queue
from protocol.attributes import Attr, Values
from protocol.families.netdev import QUEUE_CREATE, QUEUE_GET, IoUringProviderInfo, Lease, Queue, QueueId
from protocol.refusal import Refusal
from protocol.uapi.netdev import QueueType

if TYPE_CHECKING:
    from emulator.kernel.device import Device
    from emulator.kernel.napi import Napi as NapiInstance

RX, TX = int(QueueType.RX), int(QueueType.TX)


def provider_values(
    provider: MemoryProvider | None, dmabuf: Attr[int], io_uring: Attr[Any]
) -> dict[Attr[Any], Any]:
    """What a memory provider says of itself (memory_provider_ops.nl_fill())."""
    if provider is None:
        return {}
    if provider.kind is ProviderKind.DMABUF:
        return {dmabuf: provider.dmabuf_id}
    return {io_uring: {IoUringProviderInfo.rx_buf_len: provider.rx_buf_len}}


def fill_queue(dev: Device, index: int, kind: int) -> Values:
    """netdev_nl_queue_fill_one(). A queue that nobody ever did anything with has nothing to add."""
    values: dict[Attr[Any], Any] = {Queue.id: index, Queue.type: kind, Queue.ifindex: dev.ifindex}
    if kind == TX:
        transmit = dev.tx.get(index)
        if transmit is not None:
            add_napi(values, transmit.napi)
            add_provider(values, None, transmit.pool)
        return values
    queue = dev.rx.get(index)
    if queue is not None:
        add_napi(values, queue.napi)
        feeds = queue
        if queue.lease is not None:
            lessee = virtual_queue(queue)
            if lessee is not None:
                values[Queue.lease] = fill_lease(dev, lessee.dev, lessee.index)
            else:  # what feeds a leased queue is told by the physical one, to either side
                feeds = queue.lease
        add_provider(values, feeds.mp, feeds.pool)
    return values


def add_napi(values: dict[Attr[Any], Any], napi: NapiInstance | None) -> None:
    """nla_put_napi_id()."""
    if napi is not None and napi.valid:
        values[Queue.napi_id] = napi.napi_id


def add_provider(values: dict[Attr[Any], Any], provider: MemoryProvider | None, pool: object | None) -> None:
    """__netdev_nl_queue_fill_mp(): a memory provider, an AF_XDP pool."""
    if provider is not None:
        values |= provider_values(provider, Queue.dmabuf, Queue.io_uring)
    if pool is not None:
        values[Queue.xsk] = {}


def fill_lease(dev: Device, lessee: Device, index: int) -> Values:
    """netdev_nl_queue_fill_lease(): whom the queue is leased to. The lessee's namespace gets an id if it has none."""
    return {
        Lease.queue: {QueueId.id: index, QueueId.type: RX},
        Lease.ifindex: lessee.ifindex,
        Lease.netns_id: None if lessee.net is dev.net else dev.net.id_alloc(lessee.net),
    }


@doit(QUEUE_GET)
def queue_get(call: Call) -> Values:
    """netdev_nl_queue_get_doit()."""
    attrs = call.attrs
    dev = call.net.device(attrs[Queue.ifindex])
    if dev is None:
        raise Refusal(errno.ENODEV)
    if not dev.running:
        raise Refusal(errno.ENOENT)
    index, kind = attrs[Queue.id], attrs[Queue.type]
    if index >= (dev.real_num_rx_queues if kind == RX else dev.real_num_tx_queues):
        raise Refusal(errno.EINVAL)
    return fill_queue(dev, index, kind)


@dumpit(QUEUE_GET)
def queue_get_dump(call: Call) -> Messages:
    """netdev_nl_queue_get_dumpit(): receive queues before transmit queues, of devices that are up."""
    for dev in chosen_devices(call, call.attrs.get(Queue.ifindex)):
        index = 0
        while dev.running and index < dev.real_num_rx_queues:
            yield partial(fill_queue, dev, index, RX)
            index += 1
        index = 0
        while dev.running and index < dev.real_num_tx_queues:
            yield partial(fill_queue, dev, index, TX)
            index += 1


@doit(QUEUE_CREATE)
def queue_create(call: Call) -> Values:
    """netdev_nl_queue_create_doit(): what the attributes say; the rules are the model's (emulator/kernel/lease.py)."""
    attrs = call.attrs
    if attrs[Queue.type] != RX:
        raise Refusal(errno.EINVAL, at=attrs.offset(Queue.type))
    wanted = attrs[Queue.lease]
    wanted.require((Lease.ifindex, Lease.queue))
    nsid = wanted.get(Lease.netns_id)
    if nsid is not None and not call.capable():
        raise Refusal(errno.EPERM)
    queue = wanted[Lease.queue]
    queue.require((QueueId.id, QueueId.type))
    if queue[QueueId.type] != RX:
        raise Refusal(errno.EINVAL, at=queue.offset(QueueId.type))
    try:
        index = lease.create_queue(
            call.net, attrs[Queue.ifindex], wanted[Lease.ifindex], queue[QueueId.id], nsid
        )
    except Refusal as refusal:
        if refusal.at == "queue-id":
            refusal.at = queue.offset(QueueId.id)
        raise
    return {Queue.id: index}
