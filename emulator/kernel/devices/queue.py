"""Queues: struct netdev_rx_queue and struct netdev_queue, and the rules of who may use one.

A receive queue of a physical device may be leased to a queue of a virtual one. Both then point at each other, and
everything else follows from one rule of direction: whoever comes by the virtual queue is led to the physical one, and
whoever comes by the physical queue is turned away. What makes a device virtual is that it has no parent on a bus.

A queue is in use when AF_XDP has a buffer pool on it, when it is leased, or when a memory provider (io_uring, a
dmabuf) feeds it: one at a time.

A device may have thousands of queues and most are never looked at, so they are made when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from nlemu.protocol.uapi.netdev import QueueType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.napi import Napi
    from nlemu.emulator.kernel.queues.provider import MemoryProvider


MAX_QUEUES = 0xFFFF
"""netif_alloc_netdev_queues() makes no more."""


class RxQueue:
    """struct netdev_rx_queue."""

    __slots__ = ("_mp", "dev", "index", "lease", "napi", "pool")

    def __init__(self, dev: Device, index: int) -> None:
        self.dev = dev
        self.index = index
        self.napi: Napi | None = None
        self.pool: object | None = None
        """The AF_XDP buffer pool (struct xsk_buff_pool); whoever registers it says what it is."""
        self._mp: MemoryProvider | None = None
        self.lease: RxQueue | None = None
        """The queue at the other end: of the virtual device as seen from the physical one, and the other way round."""

    @property
    def mp(self) -> MemoryProvider | None:
        """mp_params: the memory provider. On a leased pair it is on the physical queue only."""
        return self._mp

    @mp.setter
    def mp(self, provider: MemoryProvider | None) -> None:
        self._mp = provider
        if provider is None:
            self.dev.rx.fed.discard(self.index)
        else:
            self.dev.rx.fed.add(self.index)

    def __repr__(self) -> str:
        return f"<RxQueue {self.index} of {self.dev.name!r}>"


class TxQueue:
    """struct netdev_queue."""

    __slots__ = ("dev", "index", "napi", "pool")

    def __init__(self, dev: Device, index: int) -> None:
        self.dev = dev
        self.index = index
        self.napi: Napi | None = None
        self.pool: object | None = None

    def __repr__(self) -> str:
        return f"<TxQueue {self.index} of {self.dev.name!r}>"


Q = TypeVar("Q", RxQueue, TxQueue)


class Queues(dict[int, Q], Generic[Q]):
    """dev->_rx or dev->_tx: `queues[7]` is queue 7, made now if it was never asked for. Walking it walks only the
    queues that were; the others have nothing to tell."""

    __slots__ = ("_dev", "_kind", "fed")

    def __init__(self, dev: Device, kind: type[Q]) -> None:
        super().__init__()
        self.fed: set[int] = set()
        """Those that have a memory provider, so that nobody has to look at all of them."""
        self._dev = dev
        self._kind: type[Q] = kind

    def __missing__(self, index: int) -> Q:
        dev = self._dev
        count = dev.num_rx_queues if self._kind is RxQueue else dev.num_tx_queues
        if not 0 <= index < count:
            raise IndexError(f"{dev.name} has no queue {index}")
        queue: Q = self._kind(dev, index)
        self[index] = queue
        return queue

    def made(self, count: int) -> list[Q]:
        """Those below `count` that were ever asked for, in the order of their indexes."""
        return [self[index] for index in sorted(self) if index < count]


def is_leasee(dev: Device) -> bool:
    """netif_is_queue_leasee(): a device whose queues lead to those of another."""
    return dev.parent is None


def is_leased(dev: Device, index: int) -> bool:
    """netif_rxq_is_leased(), from either end."""
    if index >= dev.real_num_rx_queues:
        return False
    queue = dev.rx.get(index)
    return queue is not None and queue.lease is not None


def has_provider(dev: Device, index: int) -> bool:
    """netif_rxq_has_mp()."""
    return index < dev.real_num_rx_queues and index in dev.rx.fed


def physical_queue(queue: RxQueue) -> RxQueue | None:
    """__netif_get_rx_queue_lease(.., NETIF_VIRT_TO_PHYS): the queue that does the work: this one, or what it leases.
    None when it is a physical queue that is leased to someone."""
    if queue.lease is None:
        return queue
    return queue.lease if is_leasee(queue.dev) else None


def virtual_queue(queue: RxQueue) -> RxQueue | None:
    """__netif_get_rx_queue_lease(.., NETIF_PHYS_TO_VIRT): whom a physical queue is leased to, which is all that
    queue-get shows as a lease. None when it is not leased, or is itself the virtual end."""
    return None if is_leasee(queue.dev) else queue.lease


def xsk_pool(dev: Device, index: int) -> object | None:
    """xsk_get_pool_from_qid(): receive and transmit share a pool, found on whichever queue there is."""
    if index < dev.real_num_rx_queues:
        rxq = dev.rx.get(index)
        return None if rxq is None else rxq.pool
    if index < dev.real_num_tx_queues:
        txq = dev.tx.get(index)
        return None if txq is None else txq.pool
    return None


def queue_busy(dev: Device, index: int, kind: QueueType) -> str | None:
    """netdev_queue_busy(): why a queue may be neither leased nor taken away, in the kernel's words; None when it is
    free. The errno is the caller's: EBUSY for a lease, EINVAL for ethtool's channels."""
    if xsk_pool(dev, index) is not None:
        return "Device queue in use by AF_XDP"
    if kind == QueueType.TX:
        return None
    if is_leased(dev, index):
        return "Device queue in use due to queue leasing"
    if has_provider(dev, index):
        return "Device queue in use by memory provider"
    return None


def min_provider_channels(dev: Device) -> int:
    """dev_get_min_mp_channel_count(): one more than the index of the last queue that has a memory provider, or 0."""
    return max((index + 1 for index in dev.rx.fed if index < dev.real_num_rx_queues), default=0)
