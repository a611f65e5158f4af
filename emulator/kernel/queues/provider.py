"""Memory providers: who feeds a receive queue with memory of its own (io_uring, a dmabuf).

A provider is a property of a physical queue. Installing or removing one means restarting that queue, because only a
new page pool will ask the queue who feeds it; the driver makes the new pool first, and destroys the old one last. If
the driver's new pool did not take the provider, the driver cannot do it, and the request is refused after the pool
came and went.

Whoever installs through a leased queue is led to the physical one. Whoever asks for the physical queue while it is
leased is turned away.
"""

from __future__ import annotations

from enum import Enum
from errno import EBUSY, EEXIST, EINVAL, ENODATA, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.queue import RxQueue, is_leased, physical_queue
from nlemu.emulator.kernel.devices.states import RegState
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import TcpDataSplit

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.page_pool import PagePool


class ProviderKind(Enum):
    """What a provider shows as: the nest of its own in messages."""

    DMABUF = "dmabuf"
    IO_URING = "io-uring"


class MemoryProvider:
    """struct memory_provider_ops and what they belong to (mp_priv). One provider may feed several queues. Whoever
    uses queues subclasses it; identity is what tells providers apart."""

    kind: ProviderKind
    dmabuf_id = 0
    """DMABUF: the binding's id."""
    rx_buf_len = 0
    """IO_URING: the size of a buffer, as messages show it."""
    rx_page_size = 0
    """The page size that is asked of the queue; 0: whatever it has."""

    def init(self, pool: PagePool) -> None:
        """mp_ops->init: a page pool is made with this provider; may refuse."""

    def destroy(self, pool: PagePool) -> None:
        """mp_ops->destroy: that page pool is gone."""

    def uninstall(self, queue: RxQueue) -> None:
        """mp_ops->uninstall: the queue goes away, or the lease does through which the provider came (`queue` is the
        virtual queue then)."""


def restart_queue(dev: Device, index: int) -> None:
    """netdev_rx_queue_restart(), netdev_rx_queue_reconfig(): a new queue in the place of the old one, or, while the
    device is down, only the attempt. EOPNOTSUPP, ENODATA (the provider was not taken), or what the driver refuses."""
    ops = dev.ops
    if not (dev.queue_mgmt_ops and ops.has("queue_mem_alloc")):
        raise Refusal(EOPNOTSUPP)
    new: Any = ops.queue_mem_alloc(dev, index)
    try:
        _check_taken(dev, index)
        if dev.running:
            old: Any = ops.queue_stop(dev, index)
            try:
                ops.queue_start(dev, new, index)
            except Refusal:
                ops.queue_start(dev, old, index)
                raise
        else:
            old = new
    except Refusal:
        ops.queue_mem_free(dev, new)
        raise
    ops.queue_mem_free(dev, old)


def _check_taken(dev: Device, index: int) -> None:
    """page_pool_check_memory_provider()."""
    provider = dev.rx[index].mp
    if provider is None:
        return
    if not any(pool.provider is provider and pool.queue_index == index for pool in dev.page_pools):
        raise Refusal(ENODATA)


def open_queue(dev: Device, index: int, provider: MemoryProvider) -> None:
    """netif_mp_open_rxq(): the provider feeds queue `index` of the device, or the one that it leases. EOPNOTSUPP,
    ERANGE, EBUSY, EINVAL, EEXIST, ENODATA; most with a text."""
    if not dev.ops_locked:
        raise Refusal(EOPNOTSUPP)
    if index >= dev.real_num_rx_queues:
        raise Refusal(ERANGE, "rx queue index out of range")
    queue = dev.rx[index]
    if not is_leased(dev, index):
        return _open(queue, provider)
    physical = physical_queue(queue)
    if physical is None:
        raise Refusal(EBUSY, "rx queue leased to a virtual netdev")
    if physical.dev.parent is None:
        raise Refusal(EOPNOTSUPP, "rx queue belongs to a virtual netdev")
    return _open(physical, provider)


def _open(queue: RxQueue, provider: MemoryProvider) -> None:
    """__netif_mp_open_rxq()."""
    dev = queue.dev
    if not dev.queue_mgmt_ops:
        raise Refusal(EOPNOTSUPP)
    if dev.cfg.hds_config != TcpDataSplit.ENABLED:
        raise Refusal(EINVAL, "tcp-data-split is disabled")
    if dev.cfg.hds_thresh:
        raise Refusal(EINVAL, "hds-thresh is not zero")
    if dev.kernel.xdp.on(dev):
        raise Refusal(EEXIST, "unable to custom memory provider to device with XDP program attached")
    if provider.rx_page_size and not dev.ops.sets_rx_page_size:
        raise Refusal(EOPNOTSUPP, "device does not support: rx_page_size")
    if queue.mp is not None:
        raise Refusal(EEXIST, "designated queue already memory provider bound")
    if queue.pool is not None:
        raise Refusal(EBUSY, "designated queue already in use by AF_XDP")
    queue.mp = provider
    try:
        dev.ops.validate_queue_config(dev, provider.rx_page_size)
        restart_queue(dev, queue.index)
    except Refusal:
        queue.mp = None
        raise


def close_queue(dev: Device, index: int, provider: MemoryProvider) -> None:
    """netif_mp_close_rxq(): the provider feeds the queue, or the one that it leases, no more."""
    physical = physical_queue(dev.rx[index])
    if physical is not None:
        _close(physical, provider)


def _close(queue: RxQueue, provider: MemoryProvider) -> None:
    """__netif_mp_close_rxq(). A refusal to restart is only warned about, as in the kernel."""
    if queue.dev.reg_state > RegState.REGISTERED and queue.mp is None:
        return
    if queue.mp is not provider:
        return
    queue.mp = None
    try:
        restart_queue(queue.dev, queue.index)
    except Refusal:
        return


def cleanup_unlease(physical: RxQueue, virtual: RxQueue) -> None:
    """netif_rxq_cleanup_unlease(): a lease ends, and so does the provider that came through it."""
    provider = physical.mp
    if provider is None:
        return
    _close(physical, provider)
    provider.uninstall(virtual)


def uninstall_all(dev: Device) -> None:
    """dev_memory_provider_uninstall(): the device is being unregistered, after it was closed."""
    for index in sorted(dev.rx.fed):
        queue = dev.rx[index]
        if queue.mp is not None and index < dev.real_num_rx_queues:
            queue.mp.uninstall(queue)
