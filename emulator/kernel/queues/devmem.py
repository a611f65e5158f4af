"""Device memory: dmabufs bound to queues, as memory providers (net/core/devmem.c).

A binding joins a dmabuf to a device, and for receiving to some of its queues; it belongs to the socket that asked, and
ends with it. A device that goes away first takes its queues out of the binding, which then belongs to no device any
more but lives, id and all, until its socket is closed.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.queue import is_leased, is_leasee
from nlemu.emulator.kernel.devices.states import NetmemTx
from nlemu.emulator.kernel.queues import provider
from nlemu.protocol.refusal import Refusal, formatted
from nlemu.protocol.release import V7_3

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.queue import RxQueue
    from nlemu.emulator.kernel.queues.page_pool import PagePool


PAGE_SIZE = 4096


class Dmabuf:
    """A dmabuf: memory behind a descriptor, of a size in bytes."""

    __slots__ = ("size",)

    def __init__(self, size: int = 16 * PAGE_SIZE) -> None:
        self.size = size


class Binding(provider.MemoryProvider):
    """struct net_devmem_dmabuf_binding. ``queues`` are as the binder named them: a leased pair's virtual end."""

    kind = provider.ProviderKind.DMABUF

    def __init__(
        self, dmabuf_id: int, dev: Device, dmabuf: Dmabuf, owner: object, page_size: int = PAGE_SIZE
    ) -> None:
        self.dmabuf_id, self.dmabuf, self.owner, self.page_size = dmabuf_id, dmabuf, owner, page_size
        if page_size != PAGE_SIZE:
            self.rx_page_size = page_size
        self.dev: Device | None = dev
        self.queues: list[RxQueue] = []

    def init(self, pool: PagePool) -> None:
        """mp_dmabuf_devmem_init(): E2BIG for a pool of other pages than the binding's."""
        if PAGE_SIZE << pool.order != self.page_size:
            raise Refusal(errno.E2BIG)

    def uninstall(self, queue: RxQueue) -> None:
        """mp_dmabuf_devmem_uninstall(): the queue is no longer fed; without queues there is no device either."""
        if queue in self.queues:
            self.queues.remove(queue)
            if not self.queues:
                self.dev = None


def dma_device(dev: Device, index: int) -> Any:
    """netdev_queue_get_dma_dev() of a receive queue: the physical queue's where it is leased. None: no DMA."""
    if not is_leased(dev, index):
        return dev.ops.queue_dma_device(dev, index)
    if not is_leasee(dev):
        return None
    physical = dev.rx[index].lease
    assert physical is not None
    return physical.dev.ops.queue_dma_device(physical.dev, physical.index)


def transmit_device(dev: Device) -> Device | None:
    """netdev_find_netmem_tx_dev(): the device that does the DMA: itself, or the first that it leases a queue from."""
    if dev.netmem_tx == NetmemTx.DMA:
        return dev
    if dev.netmem_tx != NetmemTx.NO_DMA:
        return None
    for queue in dev.rx.made(dev.real_num_rx_queues):
        if queue.lease is not None:
            physical = queue.lease.dev
            if physical.present and physical.netmem_tx == NetmemTx.DMA:
                return physical
    return None


class Devmem:
    """All bindings of a machine, by id."""

    def __init__(self) -> None:
        self.bindings: dict[int, Binding] = {}
        self._owned: dict[object, list[Binding]] = {}
        self._next = 1

    def _bind(
        self, dev: Device, dma: Any, dmabuf: object, owner: object, odd_size: str, page_size: int = PAGE_SIZE
    ) -> Binding:
        """net_devmem_bind_dmabuf(). EOPNOTSUPP without DMA, EBADF without a descriptor, EINVAL for another file's or,
        with a text of its direction's, for a size that is not whole pages of that many bytes."""
        if dma is None:
            raise Refusal(errno.EOPNOTSUPP, "Device doesn't support DMA")
        if dmabuf is None:
            raise Refusal(errno.EBADF)
        if not isinstance(dmabuf, Dmabuf):
            raise Refusal(errno.EINVAL)
        if dmabuf.size % page_size:
            raise Refusal(errno.EINVAL, odd_size)
        while self._next in self.bindings or not self._next:
            self._next = self._next + 1 & 0xFFFFFFFF
        binding = Binding(self._next, dev, dmabuf, owner, page_size)
        self._next = self._next + 1 & 0xFFFFFFFF
        self.bindings[binding.dmabuf_id] = binding
        self._owned.setdefault(owner, []).append(binding)
        return binding

    def bind_rx(
        self, dev: Device, queues: Iterable[int], dmabuf: object, owner: object, page_size: int = PAGE_SIZE
    ) -> Binding:
        """netdev_nl_bind_rx_doit(), from the DMA device on. All queues or none: the first refusal undoes the others.
        page_size: of the buffers, in bytes, a power of two."""
        indexes = sorted(set(queues))
        dma: Any = None
        for index, previous in zip(indexes, [None, *indexes], strict=False):
            other = dma_device(dev, index)
            if dma is not None and other is not dma:
                text = f"DMA device mismatch between queue {index} and {previous} (multi-PF device?)"
                raise Refusal(errno.EOPNOTSUPP, formatted(text))
            dma = other
        odd_size = "dma-buf SG length must be PAGE_SIZE aligned"
        if dev.kernel.build.release >= V7_3:
            # Where a dmabuf lies in memory is nowhere else seen: here each lies at the beginning of it.
            size = dmabuf.size if isinstance(dmabuf, Dmabuf) else 0
            odd_size = formatted(f"dmabuf sg entry (addr=0x{0:016x}, len={size}) not aligned to niov size {page_size}")
        binding = self._bind(dev, dma, dmabuf, owner, odd_size, page_size)
        try:
            for index in indexes:
                provider.open_queue(dev, index, binding)
                binding.queues.append(dev.rx[index])
        except Refusal:
            self.unbind(binding)
            raise
        return binding

    def bind_tx(self, dev: Device, dmabuf: object, owner: object) -> Binding:
        """netdev_nl_bind_tx_doit(), from the device on. EOPNOTSUPP with a text."""
        if dev.netmem_tx == NetmemTx.NONE:
            raise Refusal(errno.EOPNOTSUPP, "Driver does not support netmem TX")
        physical = transmit_device(dev)
        if physical is None:
            raise Refusal(errno.EOPNOTSUPP, "No DMA-capable device found for netmem TX")
        dma = physical.ops.queue_dma_device(physical, 0)
        return self._bind(physical, dma, dmabuf, owner, "TX dma-buf size must be a multiple of PAGE_SIZE")

    def unbind(self, binding: Binding) -> None:
        """net_devmem_unbind_dmabuf(): every queue goes on without it."""
        self.bindings.pop(binding.dmabuf_id, None)
        owned = self._owned.get(binding.owner)
        if owned is not None:
            owned.remove(binding)
            if not owned:
                del self._owned[binding.owner]
        for queue in list(binding.queues):
            provider.close_queue(queue.dev, queue.index, binding)
        binding.queues.clear()

    def released(self, owner: object) -> None:
        """netdev_nl_sock_priv_destroy(): the owner's socket was closed; what it bound last goes first."""
        for binding in self._owned.get(owner, [])[::-1]:
            self.unbind(binding)
