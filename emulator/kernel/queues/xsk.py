"""AF_XDP: sockets that take the packets of a queue into memory of their own (net/xdp/xsk.c, xsk_buff_pool.c).

A socket has a umem (memory in chunks of one size), and binding it to a queue makes a buffer pool of that umem, which
is what the queue knows. Sockets that share a umem have a pool each when they are bound to different queues, and one
pool together on the same queue. A pool is registered with the queue before anybody asks whether the device can do
zero-copy; a refusal takes it back, unless copy mode will do, in which case it stays.

Through a leased queue the pool goes to the physical queue, while the socket is bound to the virtual device: so the
socket's end and the virtual device's end both take it from there. A socket holds its namespace, the more so as a
namespace with a device that is in use cannot go before its program does. A device that leaves a namespace, be it to
another, ends the binding, and the socket is of no use any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from errno import EBADF, EBUSY, EINVAL, ENETDOWN, ENODEV, ENXIO, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices.queue import is_leased, is_leasee, min_provider_channels, xsk_pool
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_xdp import XDP, XDP_UMEM
from nlemu.protocol.uapi.netdev import XdpAct

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

ACT_XSK = int(XdpAct.BASIC | XdpAct.REDIRECT | XdpAct.XSK_ZEROCOPY)
"""NETDEV_XDP_ACT_XSK (include/net/xdp.h): what a device must be able to do for zero-copy."""
PAGE_SIZE = 4096
UMEM_MIN_CHUNK_SIZE = 2048
"""XDP_UMEM_MIN_CHUNK_SIZE (include/net/xdp_sock.h)."""
PACKET_HEADROOM = 256
"""XDP_PACKET_HEADROOM (uapi/linux/bpf.h): before every packet."""
SHARED_INFO = 320
"""SKB_DATA_ALIGN(sizeof(struct skb_shared_info)): behind every packet that may have fragments."""
PAD_LEN = 14 + 2 * 4 + 4
"""ETH_PAD_LEN: an Ethernet header, two VLAN tags and a checksum beside the MTU."""
FRAME_ALIGN = 128
"""What a frame's size is rounded down to, as receive buffers of hardware are."""
BIND_FLAGS = int(XDP.SHARED_UMEM | XDP.COPY | XDP.ZEROCOPY | XDP.USE_NEED_WAKEUP | XDP.USE_SG)
KNOWN_UMEM_FLAGS = int(XDP_UMEM.UNALIGNED_CHUNK_FLAG | XDP_UMEM.TX_SW_CSUM | XDP_UMEM.TX_METADATA_LEN)
"""XDP_UMEM_FLAGS_VALID"""
METADATA, METADATA_ALIGN = range(16, 256), 8
"""How long metadata may be (sizeof(struct xsk_tx_metadata) at least), and what of that it is a multiple, in bytes."""
OWN_FLAGS = BIND_FLAGS & ~int(XDP.SHARED_UMEM)


class Umem:
    """struct xdp_umem: memory in chunks of `chunk_size` bytes, of which `headroom` are the program's own.

    Refuses (EINVAL) what setsockopt(XDP_UMEM_REG) would (xdp_umem_reg()): a chunk below 2048 bytes or above a page;
    flags (XDP_UMEM_*) that are not known; a chunk that is no power of two, and a last one that is not whole, unless
    they may lie anyhow (UNALIGNED_CHUNK_FLAG); an address that is no page's, or memory that ends beyond the last one;
    headroom that leaves no room for a packet; metadata of an odd length. address, size: where it is and how long, in
    bytes; metadata: how much there is before each packet that is sent, in bytes."""

    __slots__ = ("chunk_size", "headroom", "segmented", "zero_copy")

    def __init__(
        self, chunk_size: int = PAGE_SIZE, headroom: int = 0, flags: int = 0, *, address: int = 0,
        size: int | None = None, metadata: int = 0,
    ) -> None:
        size = chunk_size if size is None else size
        if not UMEM_MIN_CHUNK_SIZE <= chunk_size <= PAGE_SIZE or flags & ~KNOWN_UMEM_FLAGS:
            raise Refusal(EINVAL)
        anyhow = flags & XDP_UMEM.UNALIGNED_CHUNK_FLAG
        if (chunk_size & (chunk_size - 1) and not anyhow) or address % PAGE_SIZE or address + size >= 1 << 64:
            raise Refusal(EINVAL)
        if not 0 < size // chunk_size < 1 << 32 or (size % chunk_size and not anyhow):
            raise Refusal(EINVAL)
        if headroom > chunk_size - PACKET_HEADROOM - SHARED_INFO - FRAME_ALIGN:
            raise Refusal(EINVAL)
        if flags & XDP_UMEM.TX_METADATA_LEN and (metadata not in METADATA or metadata % METADATA_ALIGN):
            raise Refusal(EINVAL)
        self.chunk_size = chunk_size
        self.headroom = headroom
        self.zero_copy = False
        """A pool of it was taken by a driver. It stays so, as the kernel never takes it back."""
        self.segmented = False
        """XDP_UMEM_SG_FLAG."""


class BufferPool:
    """struct xsk_buff_pool: a umem as a queue knows it. dev is None when it is registered nowhere."""

    __slots__ = ("dev", "queue", "umem", "users")

    def __init__(self, umem: Umem) -> None:
        self.umem = umem
        self.dev: Device | None = None
        self.queue = 0
        self.users = 1

    def assign(self, dev: Device, queue: int, flags: int) -> None:
        """xp_assign_dev(): the pool is the queue's from now on, in zero-copy mode if that is asked for or possible.
        EINVAL, EBUSY, EOPNOTSUPP, and what the driver refuses."""
        umem = self.umem
        force_zero_copy, force_copy = flags & XDP.ZEROCOPY, flags & XDP.COPY
        if force_zero_copy and force_copy:
            raise Refusal(EINVAL)
        if xsk_pool(dev, queue) is not None:
            raise Refusal(EBUSY)
        register_pool(dev, queue, self)
        self.dev, self.queue = dev, queue
        if flags & XDP.USE_SG:
            umem.segmented = True
        if force_copy:
            return
        try:
            self._set_up_zero_copy(dev, queue, bool(flags & XDP.USE_SG))
        except Refusal:
            if force_zero_copy:
                clear_pool(dev, queue)
                self.dev = None
                raise
            return
        umem.zero_copy = True

    def _set_up_zero_copy(self, dev: Device, queue: int, segmented: bool) -> None:
        if dev.xdp_features & ACT_XSK != ACT_XSK:
            raise Refusal(EOPNOTSUPP)
        segments = dev.xdp_zc_max_segs if segmented else 1
        if segmented and segments == 1:
            raise Refusal(EOPNOTSUPP)
        size = self.umem.chunk_size - self.umem.headroom - PACKET_HEADROOM - (SHARED_INFO if segmented else 0)
        if dev.mtu + PAD_LEN > size // FRAME_ALIGN * FRAME_ALIGN * segments:
            raise Refusal(EINVAL)
        if min_provider_channels(dev):
            raise Refusal(EBUSY)
        dev.ops.setup_xsk_pool(dev, queue, self)

    def clear(self) -> None:
        """xp_clear_dev(): the queue is free again."""
        dev = self.dev
        if dev is None:
            return
        if self.umem.zero_copy:
            dev.ops.setup_xsk_pool(dev, self.queue, None)
        clear_pool(dev, self.queue)
        self.dev = None


def register_pool(dev: Device, index: int, pool: BufferPool) -> None:
    """xsk_reg_pool_at_qid(): with the queue of that number, or the physical one that it leases. EINVAL: there is none;
    EBUSY: it is in use, or it is physical and leased to somebody."""
    if index >= max(dev.real_num_rx_queues, dev.real_num_tx_queues):
        raise Refusal(EINVAL)
    if is_leased(dev, index):
        if not is_leasee(dev):
            raise Refusal(EBUSY)
        physical = dev.rx[index].lease
        assert physical is not None
        dev, index = physical.dev, physical.index
    if xsk_pool(dev, index) is not None:
        raise Refusal(EBUSY)
    # Nobody knows whether the device has more queues of the one kind or of the other, so the pool is put on both.
    if index < dev.real_num_rx_queues:
        dev.rx[index].pool = pool
    if index < dev.real_num_tx_queues:
        dev.tx[index].pool = pool


def clear_pool(dev: Device, index: int) -> None:
    """xsk_clear_pool_at_qid()."""
    if is_leased(dev, index):
        physical = dev.rx[index].lease
        assert physical is not None
        dev, index = physical.dev, physical.index
    if index < dev.num_rx_queues:
        dev.rx[index].pool = None
    if index < dev.num_tx_queues:
        dev.tx[index].pool = None


@dataclass
class Rings:
    """Which rings a socket has, and how many entries each has room for; 0 where it has none. rx, tx: packets received
    and to be sent; fill, completion: chunks that are given to be received into, and back when they have been sent."""

    rx: int = 0
    tx: int = 0
    fill: int = 0
    completion: int = 0


class XdpSocket:
    """struct xdp_sock. net: where it was opened. Refuses with EPERM without CAP_NET_RAW there (`capable`)."""

    __slots__ = ("closed", "dev", "net", "pool", "queue", "rings", "umem")

    def __init__(self, net: Net, rings: Rings, *, capable: bool = True) -> None:
        if not capable:
            raise Refusal(EPERM)
        net.hold()
        self.net = net
        self.rings = rings
        self.umem: Umem | None = None
        self.pool: BufferPool | None = None
        self.dev: Device | None = None
        """The device it is bound to: the virtual one when the queue is leased."""
        self.queue = 0
        self.closed = False

    @property
    def ready(self) -> bool:
        """XSK_READY: it has never been bound, and what it is to be bound with can be said."""
        return self.pool is None

    def set_umem(self, umem: Umem) -> None:
        """XDP_UMEM_REG. EBUSY: it is bound, or has one."""
        self.check_without_umem()
        self.umem = umem

    def check_without_umem(self) -> None:
        """Before anything is said of the memory. EBUSY."""
        if not self.ready or self.umem is not None:
            raise Refusal(EBUSY)

    def check_state(self) -> None:
        """xsk_check_common(): can packets go? ENXIO: it is not bound; ENETDOWN."""
        if self.dev is None:
            raise Refusal(ENXIO)
        if not self.dev.up:
            raise Refusal(ENETDOWN)

    def bind(
        self, ifindex: int, queue: int, flags: int = 0, shared: Callable[[], XdpSocket] | None = None
    ) -> None:
        """xsk_bind(): XDP_* flags. shared: finds, if they have XDP_SHARED_UMEM, the socket whose umem is shared.
        ENODEV, EINVAL, EBUSY, EBADF (the other is not bound), EOPNOTSUPP."""
        if flags & ~BIND_FLAGS:
            raise Refusal(EINVAL)
        if not self.ready:
            raise Refusal(EBUSY)
        dev = self.net.device(ifindex)
        if dev is None:
            raise Refusal(ENODEV)
        if not self.rings.rx and not self.rings.tx:
            raise Refusal(EINVAL)
        if flags & XDP.SHARED_UMEM:
            pool = self._share(dev, queue, flags, shared)
        elif self.umem is None or not self._can_have_pool:
            raise Refusal(EINVAL)
        else:
            pool = BufferPool(self.umem)
            pool.assign(dev, queue, flags)
        self.pool, self.umem, self.dev, self.queue = pool, pool.umem, dev, queue
        self.net.kernel.xsk.bound.setdefault(dev, {})[self] = None

    @property
    def _can_have_pool(self) -> bool:
        """xsk_validate_queues()"""
        return bool(self.rings.fill and self.rings.completion)

    def _share(self, dev: Device, queue: int, flags: int, find: Callable[[], XdpSocket] | None) -> BufferPool:
        if flags & OWN_FLAGS or self.umem is not None or find is None:
            raise Refusal(EINVAL)
        other = find()
        if other.dev is None or other.pool is None:
            raise Refusal(EBADF)
        if other.dev is dev and other.queue == queue:
            if self.rings.fill or self.rings.completion:
                raise Refusal(EINVAL)
            other.pool.users += 1
            return other.pool
        if not self._can_have_pool:
            raise Refusal(EINVAL)
        shared = other.pool.umem
        pool = BufferPool(shared)
        inherited = int(XDP.ZEROCOPY if shared.zero_copy else XDP.COPY)
        if shared.segmented:
            inherited |= XDP.USE_SG
        pool.assign(dev, queue, inherited)
        return pool

    @property
    def zero_copy(self) -> bool:
        """xs->zc."""
        return self.dev is not None and self.umem is not None and self.umem.zero_copy

    def unbind(self) -> None:
        """xsk_unbind_dev()."""
        dev, self.dev = self.dev, None
        if dev is not None:
            self.net.kernel.xsk.forget(dev, self)

    def close(self) -> None:
        """xsk_release() and xsk_destruct(): the last socket of a pool takes it away, and the namespace is let go."""
        if self.closed:
            return
        self.closed = True
        self.unbind()
        if self.pool is not None:
            self.pool.users -= 1
            if not self.pool.users:
                self.pool.clear()
        self.net.release()


class XdpSockets:
    """The bound AF_XDP sockets of a machine, by the device that they are bound to."""

    __slots__ = ("bound",)

    def __init__(self) -> None:
        self.bound: dict[Device, dict[XdpSocket, None]] = {}

    def forget(self, dev: Device, sock: XdpSocket) -> None:
        """The socket is bound to the device no more."""
        sockets = self.bound.get(dev, {})
        sockets.pop(sock, None)
        if not sockets:
            self.bound.pop(dev, None)

    def on_event(self, event: NetdevEvent, dev: Device, info: Info) -> None:
        """xsk_notifier(): a device goes, or leaves its namespace, and its sockets are bound to nothing."""
        for sock in list(self.bound.get(dev, ())):
            sock.unbind()
            if sock.pool is not None:
                sock.pool.clear()
