"""The netdev family (net/core/netdev-genl.c, the netlink part of net/core/page_pool_user.c)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from emulator.call import Call, Messages
from emulator.handlers.registry import doit, dumpit
from emulator.kernel import lease, qstats
from emulator.kernel.page_pool import PagePool as Pool
from emulator.kernel.provider import MemoryProvider, ProviderKind
from emulator.kernel.queue import virtual_queue
from protocol.attributes import Attr, Values
from protocol.families.netdev import (
    BIND_RX,
    BIND_TX,
    DEV_GET,
    NAPI_GET,
    NAPI_SET,
    PAGE_POOL_GET,
    PAGE_POOL_STATS_GET,
    QSTATS_GET,
    QUEUE_CREATE,
    QUEUE_GET,
    Dev,
    Dmabuf,
    IoUringProviderInfo,
    Lease,
    Napi,
    PagePool,
    PagePoolInfo,
    PagePoolStats,
    Qstats,
    Queue,
    QueueId,
)
from protocol.refusal import Refusal
from protocol.uapi.netdev import NapiThreaded, QstatsScope, QueueType, XdpAct

if TYPE_CHECKING:
    from emulator.kernel.device import Device
    from emulator.kernel.napi import Napi as NapiInstance
    from emulator.kernel.net import Net

RX, TX = int(QueueType.RX), int(QueueType.TX)
ZEROCOPY = int(XdpAct.XSK_ZEROCOPY)


def device(net: Net, ifindex: int) -> Device:
    """The device of that index (netdev_get_by_index_lock()). Refusal ENODEV."""
    dev = net.device(ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV)
    return dev


def devices(net: Net) -> Iterator[Device]:
    """All devices, in the order of their indexes, with room for change in between (for_each_netdev_lock_scoped())."""
    dev = net.after(0)
    while dev is not None:
        yield dev
        dev = net.after(dev.ifindex)


# -- devices ----------------------------------------------------------------------------------


def fill_dev(dev: Device) -> Values:
    """netdev_nl_dev_fill(). No device here has AF_XDP transmit offloads."""
    return {
        Dev.ifindex: dev.ifindex,
        Dev.xdp_features: dev.xdp_features,
        Dev.xdp_rx_metadata_features: dev.ops.xdp_rx_metadata,
        Dev.xsk_features: 0,
        Dev.xdp_zc_max_segs: dev.xdp_zc_max_segs if dev.xdp_features & ZEROCOPY else None,
    }


@doit(DEV_GET)
def dev_get(call: Call) -> Values:
    """netdev_nl_dev_get_doit()."""
    return fill_dev(device(call.net, call.attrs[Dev.ifindex]))


@dumpit(DEV_GET)
def dev_get_dump(call: Call) -> Messages:
    """netdev_nl_dev_get_dumpit()."""
    for dev in devices(call.net):
        yield partial(fill_dev, dev)


# -- page pools -------------------------------------------------------------------------------


def provider_values(provider: MemoryProvider | None, dmabuf: Attr[int], io_uring: Attr[Any]) -> dict[Attr[Any], Any]:
    """What a memory provider says of itself (memory_provider_ops.nl_fill())."""
    if provider is None:
        return {}
    if provider.kind is ProviderKind.DMABUF:
        return {dmabuf: provider.dmabuf_id}
    return {io_uring: {IoUringProviderInfo.rx_buf_len: provider.rx_buf_len}}


def fill_page_pool(pool: Pool) -> Values:
    """page_pool_nl_fill()."""
    return {
        PagePool.id: pool.id,
        PagePool.ifindex: pool.ifindex,
        PagePool.napi_id: pool.napi_id,
        PagePool.inflight: pool.inflight,
        PagePool.inflight_mem: pool.inflight_mem,
        PagePool.detach_time: pool.detach_time,
    } | provider_values(pool.provider, PagePool.dmabuf, PagePool.io_uring)


def fill_page_pool_stats(pool: Pool) -> Values:
    """page_pool_nl_stats_fill(): the counters have the attributes' names."""
    values: dict[Attr[Any], Any] = {
        PagePoolStats.info: {PagePoolInfo.id: pool.id, PagePoolInfo.ifindex: pool.ifindex}
    }
    for counter in fields(pool.stats):
        values[vars(PagePoolStats)[counter.name]] = getattr(pool.stats, counter.name)
    return values


def page_pool(call: Call, pool_id: int) -> Pool:
    """netdev_nl_page_pool_get_do(). Refusal ENOENT."""
    pool = call.machine.page_pools.get(call.net, pool_id)
    if pool is None:
        raise Refusal(errno.ENOENT)
    return pool


def page_pools(net: Net, ifindex: int | None) -> Iterator[Pool]:
    """netdev_nl_page_pool_get_dump(): of one device, or of all.

    The dump remembers where it was by the last pool's id and expects falling ids, which those of a device are. Orphans
    on lo may rise, and then the kernel leaves them out.
    """
    for dev in devices(net):
        if ifindex is None or dev.ifindex == ifindex:
            last = 0
            for pool in tuple(dev.page_pools):
                if not last or pool.id <= last:
                    last = pool.id
                    yield pool


@doit(PAGE_POOL_GET)
def page_pool_get(call: Call) -> Values:
    """netdev_nl_page_pool_get_doit()."""
    return fill_page_pool(page_pool(call, call.attrs[PagePool.id]))


@dumpit(PAGE_POOL_GET)
def page_pool_get_dump(call: Call) -> Messages:
    """netdev_nl_page_pool_get_dumpit()."""
    for pool in page_pools(call.net, call.attrs.get(PagePool.ifindex)):
        yield partial(fill_page_pool, pool)


@doit(PAGE_POOL_STATS_GET)
def page_pool_stats_get(call: Call) -> Values:
    """netdev_nl_page_pool_stats_get_doit()."""
    info = call.attrs[PagePoolStats.info]
    info.require((PagePoolInfo.id,))
    if PagePoolInfo.ifindex in info:
        raise Refusal(errno.EINVAL, "selecting by ifindex not supported", at=info.offset(PagePoolInfo.ifindex))
    return fill_page_pool_stats(page_pool(call, info[PagePoolInfo.id]))


@dumpit(PAGE_POOL_STATS_GET)
def page_pool_stats_get_dump(call: Call) -> Messages:
    """netdev_nl_page_pool_stats_get_dumpit(): a device may be chosen, a pool may not."""
    ifindex = None
    info = call.attrs.get(PagePoolStats.info)
    if info is not None:
        # Here the kernel parses with a policy of its own that does not mention the id.
        offset = info.offset(PagePoolInfo.id)
        if offset is not None:
            raise Refusal(errno.EINVAL, "Unsupported attribute", at=offset)
        ifindex = info.get(PagePoolInfo.ifindex)
    for pool in page_pools(call.net, ifindex):
        yield partial(fill_page_pool_stats, pool)


# -- queues -----------------------------------------------------------------------------------


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


def chosen_devices(call: Call, ifindex: int | None) -> Iterator[Device]:
    """One device, or all of them where none is named. Refusal ENODEV."""
    return devices(call.net) if ifindex is None else iter((device(call.net, ifindex),))


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
        index = lease.create_queue(call.net, attrs[Queue.ifindex], wanted[Lease.ifindex], queue[QueueId.id], nsid)
    except Refusal as refusal:
        if refusal.at == "queue-id":
            refusal.at = queue.offset(QueueId.id)
        raise
    return {Queue.id: index}


# -- NAPI -------------------------------------------------------------------------------------


def fill_napi(napi: NapiInstance) -> Values | None:
    """netdev_nl_napi_fill_one(); None while the device is down."""
    if napi.dev is None or not napi.dev.running:
        return None
    return {
        Napi.id: napi.napi_id,
        Napi.ifindex: napi.dev.ifindex,
        Napi.irq: napi.irq if napi.irq >= 0 else None,
        Napi.threaded: napi.threaded,
        Napi.pid: napi.pid,
        Napi.defer_hard_irqs: napi.defer_hard_irqs,
        Napi.irq_suspend_timeout: napi.irq_suspend_timeout,
        Napi.gro_flush_timeout: napi.gro_flush_timeout,
    }


def find_napi(call: Call) -> NapiInstance:
    """netdev_napi_by_id_lock(). Refusal ENOENT."""
    napi = call.machine.napis.find(call.net, call.attrs[Napi.id])
    if napi is None:
        raise Refusal(errno.ENOENT, at=call.attrs.offset(Napi.id))
    return napi


@doit(NAPI_GET)
def napi_get(call: Call) -> Values:
    """netdev_nl_napi_get_doit()."""
    values = fill_napi(find_napi(call))
    if values is None:
        raise Refusal(errno.ENOENT)
    return values


@dumpit(NAPI_GET)
def napi_get_dump(call: Call) -> Messages:
    """netdev_nl_napi_get_dumpit()."""
    for dev in chosen_devices(call, call.attrs.get(Napi.ifindex)):
        if dev.running:
            for napi in tuple(dev.napi_list):
                if napi.valid:
                    yield partial(fill_napi, napi)


@doit(NAPI_SET)
def napi_set(call: Call) -> None:
    """netdev_nl_napi_set_doit()."""
    napi, attrs = find_napi(call), call.attrs
    threaded = attrs.get(Napi.threaded)
    if threaded is not None:
        napi.set_threaded(NapiThreaded(threaded))
    for attr, change in (
        (Napi.defer_hard_irqs, napi.set_defer_hard_irqs),
        (Napi.irq_suspend_timeout, napi.set_irq_suspend_timeout),
        (Napi.gro_flush_timeout, napi.set_gro_flush_timeout),
    ):
        value = attrs.get(attr)
        if value is not None:
            change(value)


# -- queue statistics -------------------------------------------------------------------------


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
    head: dict[Attr[Any], Any] = {Qstats.ifindex: dev.ifindex, Qstats.queue_type: kind, Qstats.queue_id: index}
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


# -- device memory ----------------------------------------------------------------------------


@doit(BIND_RX)
def bind_rx(call: Call) -> Values:
    """netdev_nl_bind_rx_doit()."""
    attrs = call.attrs
    dev = device(call.net, attrs[Dmabuf.ifindex])
    if not dev.present:
        raise Refusal(errno.ENODEV, at=attrs.offset(Dmabuf.ifindex))
    if not dev.ops_locked:
        raise Refusal(errno.EOPNOTSUPP, at=attrs.offset(Dmabuf.ifindex))
    queues = []
    for _, queue in attrs.all(Dmabuf.queues):
        queue.require((QueueId.id, QueueId.type))
        if queue[QueueId.type] != RX:
            raise Refusal(errno.EINVAL, at=queue.offset(QueueId.type))
        index = queue[QueueId.id]
        if index >= dev.real_num_rx_queues:
            raise Refusal(errno.EINVAL, at=queue.offset(QueueId.id))
        queues.append(index)
    dmabuf = call.endpoint.descriptors.get(attrs[Dmabuf.fd])
    return {Dmabuf.id: call.machine.devmem.bind_rx(dev, queues, dmabuf, call.endpoint).dmabuf_id}


@doit(BIND_TX)
def bind_tx(call: Call) -> Values:
    """netdev_nl_bind_tx_doit()."""
    attrs = call.attrs
    dev = device(call.net, attrs[Dmabuf.ifindex])
    if not dev.present:
        raise Refusal(errno.ENODEV)
    dmabuf = call.endpoint.descriptors.get(attrs[Dmabuf.fd])
    return {Dmabuf.id: call.machine.devmem.bind_tx(dev, dmabuf, call.endpoint).dmabuf_id}
