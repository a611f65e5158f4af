"""io_uring zero-copy receive: a ring that feeds a receive queue with memory of its program (io_uring/zcrx.c).

A registration is a memory provider. Everything is checked in the kernel's order: the capability, the device, its DMA
device (which, for a leased queue, is the physical queue's), the memory, and only then the queue itself. A refusal has
no text: the system call has nowhere to put one. `refusal_text` keeps what the kernel would have said on netlink, for
people.

The provider lives as long as the ring; but when the queue goes away first, or the lease it came through, the ring
keeps nothing but its memory.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EINVAL, ENODEV, EOPNOTSUPP, EPERM, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.queues import provider
from nlemu.emulator.kernel.queues.devmem import dma_device
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.queue import RxQueue
    from nlemu.emulator.kernel.queues.page_pool import PagePool

PAGE_SIZE = 4096
NO_QUEUE = 0xFFFFFFFF
"""Of which io_register_zcrx() says at once that there is none."""


class Registration(provider.MemoryProvider):
    """struct io_zcrx_ifq. Made by `register()`."""

    kind = provider.ProviderKind.IO_URING

    def __init__(self, dev: Device, queue: int, rx_buf_len: int) -> None:
        self.dev: Device | None = dev
        self.queue = queue
        self.rx_buf_len = rx_buf_len or PAGE_SIZE
        # Asking for the size that it would have anyway is asking all the same.
        self.rx_page_size = rx_buf_len

    def init(self, pool: PagePool) -> None:
        """io_pp_zc_init(): EINVAL when the driver's pool has pages of another size than the buffers."""
        if pool.page_size != self.rx_buf_len:
            raise Refusal(EINVAL)

    def uninstall(self, queue: RxQueue) -> None:
        """io_pp_uninstall()."""
        self.dev = None
        queue.mp = None

    def close(self) -> None:
        """io_close_queue(): the ring ends, and the queue goes on without it."""
        dev, self.dev = self.dev, None
        if dev is not None:
            provider.close_queue(dev, self.queue, self)


def check_length(rx_buf_len: int) -> None:
    """What io_zcrx_create_area() makes of the length of a buffer, in bytes; 0 is the default's. EINVAL: no power of
    two, or less than a page."""
    if rx_buf_len and (rx_buf_len & (rx_buf_len - 1) or rx_buf_len < PAGE_SIZE):
        raise Refusal(EINVAL)


def register(net: Net, ifindex: int, queue: int, rx_buf_len: int = 0, *,
             contiguous: Callable[[], int] = lambda: PAGE_SIZE, capable: bool = True) -> Registration:
    """io_register_zcrx() of a ring that is set up as it must be. rx_buf_len: in bytes, 0 for the default; contiguous:
    looks at the program's memory when its turn has come, raises what is wrong with it, and returns in how large pieces
    it lies in a row, a power of two in bytes; capable: CAP_NET_ADMIN, in the first user namespace. EPERM, EINVAL,
    ENODEV, EOPNOTSUPP, ERANGE, and what `provider.open_queue()` refuses."""
    if not capable:
        raise Refusal(EPERM)
    if queue == NO_QUEUE:
        raise Refusal(EINVAL)
    dev = net.device(ifindex)
    if dev is None:
        raise Refusal(ENODEV)
    if dma_device(dev, queue) is None:
        raise Refusal(EOPNOTSUPP)
    check_length(rx_buf_len)
    if rx_buf_len > contiguous():
        raise Refusal(ERANGE)
    registration = Registration(dev, queue, rx_buf_len)
    provider.open_queue(dev, queue, registration)
    return registration
