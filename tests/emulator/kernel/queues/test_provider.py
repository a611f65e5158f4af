"""Memory providers: what installing one restarts, what it refuses, and the detour through a lease."""

from __future__ import annotations

from errno import E2BIG, EBUSY, EEXIST, EINVAL, ENODATA, EOPNOTSUPP, ERANGE

import pytest

from nlemu.emulator.kernel.devices.queue import RxQueue
from nlemu.emulator.kernel.nics.netdevsim.port import queue_reset
from nlemu.emulator.kernel.queues.devmem import Binding, Dmabuf
from nlemu.emulator.kernel.queues.lease import lease, unlease
from nlemu.emulator.kernel.queues.page_pool import PagePool
from nlemu.emulator.kernel.queues.provider import (
    MemoryProvider,
    ProviderKind,
    close_queue,
    open_queue,
    uninstall_all,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import TcpDataSplit
from tests.emulator.kernel.world import World, set_up, world


class Provider(MemoryProvider):
    kind = ProviderKind.IO_URING
    rx_buf_len = 4096

    def __init__(self) -> None:
        self.pools: list[int] = []
        self.uninstalled: list[RxQueue] = []

    def init(self, pool: PagePool) -> None:
        self.pools.append(pool.id)

    def destroy(self, pool: PagePool) -> None:
        self.pools.remove(pool.id)

    def uninstall(self, queue: RxQueue) -> None:
        self.uninstalled.append(queue)


def split_world(netdevsim: str = "dma", queues: int = 2) -> World:
    w = world(queues, netdevsim)
    w.port.cfg.hds_config = TcpDataSplit.ENABLED
    return w


def refused(w: World, index: int = 0) -> tuple[int, str | None]:
    with pytest.raises(Refusal) as caught:
        open_queue(w.port, index, Provider())
    return caught.value.errno, caught.value.text


def test_a_queue_gets_a_new_pool_and_keeps_its_napi_id() -> None:
    w = split_world()
    provider = Provider()
    open_queue(w.port, 0, provider)
    assert w.events.taken() == [("add", 5, 2, None, 0), ("del", 3, 2, None, 0)]
    assert [(pool.id, pool.napi_id) for pool in w.port.page_pools] == [(5, 65), (4, 66)]
    assert w.port.page_pools[0].provider is provider
    assert [napi.napi_id for napi in w.port.napi_list] == [66, 65]
    assert provider.pools == [5]
    close_queue(w.port, 0, provider)
    assert w.events.taken() == [("add", 6, 2, None, 0), ("del", 5, 2, None, 0)]
    assert provider.pools == []
    assert w.port.rx[0].mp is None


def test_a_driver_that_does_not_take_the_provider() -> None:
    w = split_world("plain")
    assert refused(w) == (ENODATA, None)
    # The plain driver's new pool belongs to no device yet, so nobody heard of it; but it had an id.
    assert w.events.taken() == []
    assert w.port.rx[0].mp is None
    set_up(w.port, False)
    set_up(w.port)
    assert [event[1] for event in w.events.taken()] == [3, 4, 6, 7]


def test_refusals() -> None:
    w = world(2, "dma")
    assert refused(w) == (EINVAL, "tcp-data-split is disabled")
    w.port.cfg.hds_config = TcpDataSplit.ENABLED
    w.port.cfg.hds_thresh = 1
    assert refused(w) == (EINVAL, "hds-thresh is not zero")
    w.port.cfg.hds_thresh = 0
    assert refused(w, 2) == (ERANGE, "rx queue index out of range")
    open_queue(w.port, 0, Provider())
    assert refused(w) == (EEXIST, "designated queue already memory provider bound")
    w.port.rx[1].pool = object()
    assert refused(w, 1) == (EBUSY, "designated queue already in use by AF_XDP")
    paged = Provider()
    paged.rx_page_size = 8192
    with pytest.raises(Refusal) as caught:
        open_queue(w.port, 0, paged)
    assert (caught.value.errno, caught.value.text) == (EOPNOTSUPP, "device does not support: rx_page_size")
    with pytest.raises(Refusal) as caught:
        open_queue(w.kernel.init_net.loopback, 0, Provider())
    assert (caught.value.errno, caught.value.text) == (EOPNOTSUPP, None)


def test_through_a_lease_and_never_past_it() -> None:
    w = split_world()
    lo = w.kernel.init_net.loopback
    lo.queue_mgmt_ops = True
    lease(lo.rx[0], w.port.rx[1])
    assert refused(w, 1) == (EBUSY, "rx queue leased to a virtual netdev")
    provider = Provider()
    open_queue(lo, 0, provider)
    assert (w.port.rx[1].mp, lo.rx[0].mp) == (provider, None)
    unlease(lo.rx[0])
    assert w.port.rx[1].mp is None
    assert provider.uninstalled == [lo.rx[0]]
    assert [event[:2] for event in w.events.taken()] == [("add", 5), ("del", 4), ("add", 6), ("del", 5)]


def test_a_lease_that_ends_while_the_lessor_is_down() -> None:
    w = split_world()
    lo = w.kernel.init_net.loopback
    lo.queue_mgmt_ops = True
    lease(lo.rx[0], w.port.rx[1])
    open_queue(lo, 0, Provider())
    set_up(w.port, False)
    w.events.taken()
    unlease(lo.rx[0])
    # A pool only to see whether one could be made.
    assert w.events.taken() == [("add", 6, 2, None, 0), ("del", 6, 2, None, 0)]


def test_a_device_that_goes_uninstalls_in_the_order_of_queues() -> None:
    w = split_world(queues=3)
    provider = Provider()
    for index in (2, 0):
        open_queue(w.port, index, provider)
    uninstall_all(w.port)
    assert [queue.index for queue in provider.uninstalled] == [0, 2]


@pytest.mark.parametrize(
    ("mode", "plain", "dma"),
    [
        (0, [("del", 4)], [("add", 5), ("del", 4)]),
        (1, [("add", 5), ("del", 4)], [("add", 5), ("del", 4)]),
        (2, [("del", 4)], [("add", 5), ("del", 4)]),
        (3, [("del", 4)], [("add", 5), ("del", 4)]),
    ],
)
def test_restarts_in_other_orders(
    mode: int, plain: list[tuple[str, int]], dma: list[tuple[str, int]]
) -> None:
    for netdevsim, expected in (("plain", plain), ("dma", dma)):
        w = world(2, netdevsim)
        queue_reset(w.port, 1, mode)
        assert [event[:2] for event in w.events.taken()] == expected
        assert [napi.napi_id for napi in w.port.napi_list] == [66, 65]
        assert w.kernel.napis.find(w.kernel.init_net, 66) is w.port.rx[1].napi


def test_restarts_that_are_refused() -> None:
    w = world()
    for queue, mode in ((7, 0), (1, 4)):
        with pytest.raises(Refusal) as caught:
            queue_reset(w.port, queue, mode)
        assert caught.value.errno == EINVAL
    assert w.events.taken() == []


def test_a_dmabuf_fills_no_pool_of_larger_pages() -> None:
    # mp_dmabuf_devmem_init(): no recorded machine makes such a pool of its own accord.
    w = split_world()
    binding = Binding(1, w.port, Dmabuf(), None)
    binding.init(PagePool(w.kernel.page_pools, 1, w.port, None, 0, None, 0))
    with pytest.raises(Refusal) as caught:
        binding.init(PagePool(w.kernel.page_pools, 2, w.port, None, 0, None, 1))
    assert caught.value.errno == E2BIG
