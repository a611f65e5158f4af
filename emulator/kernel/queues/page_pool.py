"""Page pools: where a receive queue takes its pages from, and what user space sees of them.

A pool is listed under the device it was made for, newest first. One that is made for no device has an id and is never
seen; the kernel itself makes such a pool for every processor when it boots, so the first id a driver gets is higher
than 1. A pool that is destroyed while pages of it are still out lingers: it is *detached*, says so, and looks again
every second whether the pages have come back. When its device goes meanwhile, it is *orphaned* to the loopback device
of the namespace; when even that goes, nobody sees it any more.

The statistics follow a page through the two stores of a pool: the cache, filled 64 pages at a time by the allocator
or from the ring, and the ring, where a page goes that is given back from elsewhere. `inflight` is all the pages that
the allocator does not have back, so the pages in the stores count too.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.core.events import Info, NetdevEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel
    from nlemu.emulator.kernel.queues.napi import Napi
    from nlemu.emulator.kernel.queues.provider import MemoryProvider

PAGE_SIZE = 4096
ALLOC_CACHE_REFILL = 64
"""PP_ALLOC_CACHE_REFILL (include/net/page_pool/types.h): pages taken from the allocator or the ring at a time."""
DEFER_TIME = NSEC_PER_SEC
"""Of net/core/page_pool.c: between two looks whether the pages are back."""
LOOPBACK_IFINDEX = 1
MAX_ID = 0xFFFFFFFF


class PagePoolEvent(Enum):
    """What is announced of a pool: NETDEV_CMD_PAGE_POOL_ADD_NTF, _DEL_NTF, _CHANGE_NTF."""

    ADD = "add"
    DEL = "del"
    CHANGE = "change"


@dataclass(slots=True)
class PagePoolStats:
    """struct page_pool_stats, in the order in which messages show it."""

    alloc_fast: int = 0
    alloc_slow: int = 0
    alloc_slow_high_order: int = 0
    alloc_empty: int = 0
    alloc_refill: int = 0
    alloc_waive: int = 0
    recycle_cached: int = 0
    recycle_cache_full: int = 0
    recycle_ring: int = 0
    recycle_ring_full: int = 0
    recycle_released_refcnt: int = 0


class PagePool:
    """struct page_pool."""

    __slots__ = (
        "cache", "destroyed", "detach_time", "dev", "id", "listed", "napi", "order", "out", "pools", "provider",
        "queue_index", "ring", "stats",
    )

    def __init__(
        self,
        pools: PagePools,
        pool_id: int,
        dev: Device | None,
        napi: Napi | None,
        queue_index: int,
        provider: MemoryProvider | None,
        order: int = 0,
    ) -> None:
        self.pools = pools
        self.order = order
        self.id = pool_id
        self.dev = dev
        """The device it shows: its own, or the loopback device that it was orphaned to."""
        self.listed = dev is not None
        """User space can see it."""
        self.napi = napi
        """The NAPI instance that may recycle directly, until the pool is destroyed."""
        self.queue_index = queue_index
        self.provider = provider
        self.detach_time: int | None = None
        """Seconds since boot when it was destroyed with pages out; None: it was not."""
        self.stats = PagePoolStats()
        self.cache = 0
        self.ring = 0
        self.out = 0
        """Pages that somebody holds."""
        self.destroyed = False

    def __repr__(self) -> str:
        return f"<PagePool {self.id}>"

    @property
    def ifindex(self) -> int | None:
        """What messages show; None for an orphan, and for the loopback device itself."""
        if self.dev is None or self.dev.ifindex == LOOPBACK_IFINDEX:
            return None
        return self.dev.ifindex

    @property
    def napi_id(self) -> int | None:
        """What messages show; None while there is no valid id."""
        return self.napi.napi_id if self.napi is not None and self.napi.valid else None

    @property
    def inflight(self) -> int:
        """page_pool_inflight(), in pages of the pool's size."""
        return self.cache + self.ring + self.out

    @property
    def page_size(self) -> int:
        """In bytes, of what the pool hands out."""
        return PAGE_SIZE << self.order

    @property
    def inflight_mem(self) -> int:
        """In bytes."""
        return self.inflight * self.page_size

    def alloc(self) -> None:
        """page_pool_alloc_pages(): somebody holds one more page."""
        stats = self.stats
        if self.cache:
            stats.alloc_fast += 1
        elif self.ring:
            self.cache = min(self.ring, ALLOC_CACHE_REFILL)
            self.ring -= self.cache
            stats.alloc_refill += 1
        else:
            stats.alloc_empty += 1
            stats.alloc_slow += 1
            self.cache = ALLOC_CACHE_REFILL
        self.cache -= 1
        self.out += 1

    def put(self) -> None:
        """page_pool_put_full_page() from outside the poll: a page comes back, into the ring."""
        self.out -= 1
        self.ring += 1
        self.stats.recycle_ring += 1

    def destroy(self) -> None:
        """page_pool_destroy(): the queue has no more use for it. Gone at once when no page is out."""
        self.napi = None
        self.destroyed = True
        if self._release():
            return
        self.detach_time = self.pools.kernel.clock.now // NSEC_PER_SEC
        self._announce(PagePoolEvent.CHANGE)
        self._look_again()

    def _release(self) -> bool:
        """page_pool_release(): empties the stores; True when that was all, and the pool is gone."""
        self.cache = 0
        self.ring = 0
        if self.inflight:
            return False
        self._announce(PagePoolEvent.DEL)
        self.pools.forget(self)
        if self.provider is not None:
            self.provider.destroy(self)
        return True

    def _retry(self) -> None:
        """page_pool_release_retry()."""
        if not self._release():
            self._look_again()

    def _look_again(self) -> None:
        kernel = self.pools.kernel
        kernel.work.at(kernel.clock.now + DEFER_TIME, self._retry)

    def _announce(self, event: PagePoolEvent) -> None:
        if self.listed:
            self.pools.kernel.announcer.page_pool(event, self)


def _falling(pool: PagePool) -> int:
    return -pool.id


def _take_out(pool: PagePool, pools: list[PagePool]) -> None:
    """Off a device's list. Ids fall along it, but for orphans and after four thousand million pools."""
    if pools[-1] is pool:  # a device that stops destroys its oldest first
        pools.pop()
        return
    place = bisect_left(pools, -pool.id, key=_falling)
    if place < len(pools) and pools[place] is pool:
        del pools[place]
    else:
        pools.remove(pool)


class PagePools:
    """All page pools of a machine, and the ids they have: page_pools of net/core/page_pool_user.c."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._by_id: dict[int, PagePool] = {}
        self._next = 1
        for _ in range(kernel.cpus):
            self.create(None, None)

    def create(
        self, dev: Device | None, napi: Napi | None, queue_index: int = 0, *, unreadable: bool = False, order: int = 0
    ) -> PagePool:
        """page_pool_create(): a pool for a queue of a device, known to user space from now on; without a device it
        never is. unreadable: PP_FLAG_ALLOW_UNREADABLE_NETMEM, the driver takes the queue's memory provider. order: of
        its pages, as a power of two of PAGE_SIZE. Refuses what the provider refuses."""
        provider = dev.rx[queue_index].mp if dev is not None and unreadable else None
        pool = PagePool(self, self._next_id(), dev, napi, queue_index, provider, order)
        if provider is not None:
            provider.init(pool)
        self._by_id[pool.id] = pool
        self._next = pool.id + 1
        if dev is not None:
            dev.page_pools.insert(0, pool)
            self.kernel.announcer.page_pool(PagePoolEvent.ADD, pool)
        return pool

    def _next_id(self) -> int:
        """xa_alloc_cyclic(): from the last one on, never 0, never one in use."""
        candidate = self._next
        while True:
            if candidate > MAX_ID:
                candidate = 1
            if candidate not in self._by_id:
                return candidate
            candidate += 1

    def get(self, net: Net, pool_id: int) -> PagePool | None:
        """The pool of that id, if user space in that namespace can see it (netdev_nl_page_pool_get_do())."""
        pool = self._by_id.get(pool_id)
        if pool is None or not pool.listed or pool.dev is None or pool.dev.net is not net:
            return None
        return pool

    def forget(self, pool: PagePool) -> None:
        """page_pool_unlist(), after the announcement."""
        del self._by_id[pool.id]
        if pool.listed and pool.dev is not None:
            _take_out(pool, pool.dev.page_pools)
            pool.listed = False

    def __iter__(self) -> Iterator[PagePool]:
        """All of them, the invisible ones too, in the order in which they were made."""
        return iter(self._by_id.values())

    def on_event(self, event: NetdevEvent, dev: Device, info: Info) -> None:
        """page_pool_netdevice_event(): the notifier that orphans a device's pools when it is unregistered."""
        if not dev.page_pools:
            return
        pools, dev.page_pools = dev.page_pools, []
        if dev.ifindex == LOOPBACK_IFINDEX:
            for pool in pools:
                pool.listed = False
                pool.dev = None
            return
        loopback = dev.net.loopback
        for pool in pools:
            pool.dev = loopback
            pool._announce(PagePoolEvent.CHANGE)
        loopback.page_pools = pools + loopback.page_pools
