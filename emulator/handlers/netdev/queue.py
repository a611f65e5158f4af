"""queue-get and queue-create: queues, and whom they are leased to (net/core/netdev-genl.c)."""

from __future__ import annotations

import errno
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.devices import chosen_devices
from nlemu.emulator.kernel.devices.queue import virtual_queue
from nlemu.emulator.kernel.queues import lease
from nlemu.emulator.kernel.queues.provider import MemoryProvider, ProviderKind
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.netdev import QUEUE_CREATE, QUEUE_GET, IoUringProviderInfo, Lease, Queue, QueueId
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Values
from nlemu.protocol.uapi.netdev import QueueType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.queue import RxQueue
    from nlemu.emulator.kernel.queues.napi import Napi as NapiInstance

RX, TX = int(QueueType.RX), int(QueueType.TX)


REMEMBERED = 4096

Numbers = tuple[int, int, int | None]
"""A lessee: its queue's index, its device's, and its namespace's id where that is another."""


def provider_facts(provider: MemoryProvider | None) -> tuple[int | None, int | None]:
    """What a memory provider says of itself (memory_provider_ops.nl_fill()): the number of a dmabuf, or how large a
    buffer of io_uring's is."""
    if provider is None:
        return None, None
    if provider.kind is ProviderKind.DMABUF:
        return provider.dmabuf_id, None
    return None, provider.rx_buf_len


def fill_io_uring(rx_buf_len: int | None) -> Values | None:
    """io_uring_provider_info, of a queue or a page pool."""
    return None if rx_buf_len is None else {IoUringProviderInfo.rx_buf_len: rx_buf_len}


def fill_queue(dev: Device, index: int, kind: int) -> bytes:
    """netdev_nl_queue_fill_one(). A queue that nobody ever did anything with has nothing to add."""
    if kind == TX:
        transmit = dev.tx.get(index)
        if transmit is None:
            return queue_body(index, kind, dev.ifindex)
        return queue_body(index, kind, dev.ifindex, shown_id(transmit.napi), transmit.pool is not None)
    queue = dev.rx.get(index)
    if queue is None:
        return queue_body(index, kind, dev.ifindex)
    lessee, feeds = None, queue
    if queue.lease is not None:
        virtual = virtual_queue(queue)
        if virtual is not None:
            lessee = lessee_numbers(dev, virtual)
        else:  # what feeds a leased queue is told by the physical one, to either side
            feeds = queue.lease
    dmabuf, rx_buf_len = provider_facts(feeds.mp)
    return queue_body(
        index, kind, dev.ifindex, shown_id(queue.napi), feeds.pool is not None, lessee, dmabuf, rx_buf_len
    )


@lru_cache(maxsize=REMEMBERED)
def queue_body(
    index: int,
    kind: int,
    ifindex: int,
    napi_id: int | None = None,
    xsk: bool = False,
    lessee: Numbers | None = None,
    dmabuf: int | None = None,
    rx_buf_len: int | None = None,
) -> bytes:
    """What there is to tell of a queue, encoded. It is remembered by all of that, so it is never out of date.

    xsk: it has an AF_XDP pool; dmabuf, rx_buf_len: see `provider_facts()` (__netdev_nl_queue_fill_mp()).
    """
    return QUEUE_GET.body(
        {
            Queue.id: index,
            Queue.type: kind,
            Queue.ifindex: ifindex,
            Queue.napi_id: napi_id,
            Queue.lease: None if lessee is None else fill_lease(*lessee),
            Queue.dmabuf: dmabuf,
            Queue.io_uring: fill_io_uring(rx_buf_len),
            Queue.xsk: {} if xsk else None,
        }
    )


def shown_id(napi: NapiInstance | None) -> int | None:
    """nla_put_napi_id()."""
    return napi.napi_id if napi is not None and napi.valid else None


def lessee_numbers(dev: Device, queue: RxQueue) -> Numbers:
    """Whom a queue of the device is leased to. The lessee's namespace gets an id if it has none."""
    net = queue.dev.net
    return queue.index, queue.dev.ifindex, None if net is dev.net else dev.net.id_alloc(net)


def fill_lease(index: int, ifindex: int, nsid: int | None) -> Values:
    """netdev_nl_queue_fill_lease()."""
    return {
        Lease.queue: {QueueId.id: index, QueueId.type: RX},
        Lease.ifindex: ifindex,
        Lease.netns_id: nsid,
    }


@doit(QUEUE_GET)
def queue_get(call: Call) -> bytes:
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
    """netdev_nl_queue_create_doit(): what the attributes say; the rules are the model's
    (emulator/kernel/queues/lease.py)."""
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
