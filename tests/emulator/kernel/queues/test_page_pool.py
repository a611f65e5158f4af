"""Page pools: ids, order, announcements, pages that stay out, and devices that go meanwhile."""

from __future__ import annotations

from dataclasses import asdict

from nlemu.emulator.kernel.nics.netdevsim.bus import del_device
from nlemu.emulator.kernel.nics.netdevsim.port import hold_page
from nlemu.emulator.kernel.queues.page_pool import PAGE_SIZE, PagePool
from tests.emulator.kernel.world import set_up, world


def counters(pool: PagePool) -> dict[str, int]:
    return {name: value for name, value in asdict(pool.stats).items() if value}


def test_the_kernels_own_pools_have_the_first_ids_and_nobody_sees_them() -> None:
    w = world(up=False)
    assert [pool.id for pool in w.kernel.page_pools] == [1, 2]
    assert w.kernel.page_pools.get(w.kernel.init_net, 1) is None


def test_pools_come_in_the_order_of_queues_before_their_instances_have_ids() -> None:
    w = world(up=False)
    set_up(w.port)
    assert w.events.taken() == [("add", 3, 2, None, 0), ("add", 4, 2, None, 0)]
    assert [(pool.id, pool.napi_id) for pool in w.port.page_pools] == [(4, 66), (3, 65)]


def test_a_second_start_shows_the_ids_that_the_instances_had() -> None:
    w = world()
    set_up(w.port, False)
    assert w.events.taken() == [("del", 3, 2, None, 0), ("del", 4, 2, None, 0)]
    assert w.port.page_pools == []
    set_up(w.port)
    assert w.events.taken() == [("add", 5, 2, 65, 0), ("add", 6, 2, 66, 0)]


def test_a_page_that_is_held_and_given_back() -> None:
    w = world()
    pool = w.port.page_pools[-1]
    hold_page(w.port, True)
    assert (pool.inflight, pool.inflight_mem) == (64, 64 * PAGE_SIZE)
    assert counters(pool) == {"alloc_slow": 1, "alloc_empty": 1}
    hold_page(w.port, True)
    hold_page(w.port, False)
    assert pool.inflight == 64
    assert counters(pool) == {"alloc_slow": 1, "alloc_empty": 1, "recycle_ring": 1}
    hold_page(w.port, True)
    assert counters(pool) == {"alloc_slow": 1, "alloc_empty": 1, "recycle_ring": 1, "alloc_fast": 1}


def test_a_pool_with_a_page_out_is_detached_and_looks_again_every_second() -> None:
    w = world()
    w.kernel.advance(5.5)
    hold_page(w.port, True)
    pool = w.port.page_pools[-1]
    set_up(w.port, False)
    assert w.events.taken() == [("change", 3, 2, None, 1), ("del", 4, 2, None, 0)]
    assert pool.detach_time == 5
    w.kernel.advance(10)
    assert w.events.taken() == []
    hold_page(w.port, False)
    assert w.events.taken() == []
    assert w.kernel.page_pools.get(w.kernel.init_net, 3) is pool
    w.kernel.advance(1)
    assert w.events.taken() == [("del", 3, 2, None, 0)]
    assert w.kernel.page_pools.get(w.kernel.init_net, 3) is None


def test_a_detached_pool_of_a_device_that_goes_is_orphaned_to_the_loopback_device() -> None:
    w = world()
    hold_page(w.port, True)
    pool = w.port.page_pools[-1]
    del_device(w.kernel, 10)
    assert w.events.taken() == [
        ("change", 3, 2, None, 1),
        ("del", 4, 2, None, 0),
        ("change", 3, None, None, 1),
    ]
    assert w.kernel.init_net.loopback.page_pools == [pool]
    w.kernel.advance(1)
    assert w.events.taken() == [("del", 3, None, None, 0)]
    assert w.kernel.init_net.loopback.page_pools == []


def test_a_pool_is_found_only_in_the_namespace_of_its_device() -> None:
    w = world()
    guest = w.kernel.new_net("guest")
    assert w.kernel.page_pools.get(w.kernel.init_net, 3) is not None
    assert w.kernel.page_pools.get(guest, 3) is None


def test_pages_come_from_the_ring_when_the_cache_is_empty() -> None:
    w = world()
    pool = w.port.page_pools[0]
    for _ in range(64):
        pool.alloc()
    assert counters(pool) == {"alloc_slow": 1, "alloc_empty": 1, "alloc_fast": 63}
    pool.put()
    pool.put()
    pool.alloc()
    assert pool.stats.alloc_refill == 1
    assert (pool.cache, pool.ring, pool.out, pool.inflight) == (1, 0, 63, 64)
