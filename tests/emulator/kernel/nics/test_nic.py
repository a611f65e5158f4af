"""NICs from profiles: coming up and going down, channels, restarts, large pages, statistics, bus devices."""

from __future__ import annotations

import dataclasses
from errno import EEXIST, EINVAL, ENOENT
from typing import Any

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.ethtool import settings
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics.nic import state_of
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.kernel.queues import qstats
from nlemu.emulator.kernel.queues.page_pool import PagePool
from nlemu.emulator.kernel.queues.provider import MemoryProvider, ProviderKind, close_queue, open_queue
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import TcpDataSplit
from tests.emulator.kernel.pool_events import PoolEvents
from tests.emulator.kernel.world import set_up

AT = "0000:08:00.0"


class Provider(MemoryProvider):
    kind = ProviderKind.IO_URING

    def __init__(self, rx_page_size: int = 0) -> None:
        self.rx_page_size = rx_page_size
        self.pools: list[PagePool] = []

    def init(self, pool: PagePool) -> None:
        self.pools.append(pool)


def plugged(profile: str = "mlx5_core", queues: int = 4, up: bool = True, **changes: Any) -> tuple[Device, PoolEvents]:
    kernel = Kernel()
    events = PoolEvents()
    kernel.announcer = events
    dev = kernel.nics.plug(AT, dataclasses.replace(PROFILES[profile], **changes), kernel.init_net, queues=queues)
    if up:
        set_up(dev)
        events.taken()
    return dev, events


@pytest.mark.parametrize("name", [name for name in PROFILES if name != "virtio_net"])  # whose queues are always there
def test_every_profile_comes_up_and_goes_down(name: str) -> None:
    dev, events = plugged(name, queues=0, up=False)
    profile = PROFILES[name]
    assert (dev.ops.driver, dev.parent and dev.parent.name, dev.parent and dev.parent.bus) == (name, AT, profile.bus)
    assert dev.real_num_rx_queues == dev.real_num_tx_queues == profile.queues
    assert (dev.carrier, dev.running) == (False, False)
    set_up(dev)
    assert dev.carrier
    assert len(dev.napi_list) == len(dev.page_pools) == profile.queues
    assert [dev.rx[i].napi for i in range(profile.queues)] == [dev.tx[i].napi for i in range(profile.queues)]
    ids = [napi.napi_id for napi in dev.napi_list]
    set_up(dev, False)
    assert (dev.carrier, dev.napi_list, dev.page_pools, dev.rx[0].napi) == (False, [], [], None)
    set_up(dev)
    assert [napi.napi_id for napi in dev.napi_list] == ids, "the numbers stay with the channels"
    dev.kernel.nics.unplug(AT)
    assert dev.kernel.init_net.device(dev.ifindex) is None
    assert [event[0] for event in events.taken()].count("del") == 2 * profile.queues


def test_addresses_and_interrupts_are_each_ones_own() -> None:
    dev, _ = plugged()
    other = dev.kernel.nics.plug("0000:09:00.0", PROFILES["gve"], dev.net)
    set_up(other)
    assert dev.address != other.address and dev.address == dev.perm_address
    numbers = [napi.irq for one in (dev, other) for napi in one.napi_list]
    assert len(set(numbers)) == len(numbers)


def test_one_nic_an_address() -> None:
    dev, _ = plugged()
    with pytest.raises(Refusal) as caught:
        dev.kernel.nics.plug(AT, PROFILES["gve"], dev.net)
    assert caught.value.errno == EEXIST and len(dev.net) == 2
    with pytest.raises(Refusal) as caught:
        dev.kernel.nics.unplug("0000:09:00.0")
    assert caught.value.errno == ENOENT


def test_a_restart_keeps_the_napi_instance_and_makes_a_new_pool_first() -> None:
    dev, events = plugged()
    dev.cfg.hds_config = TcpDataSplit.ENABLED
    napi, provider = dev.rx[1].napi, Provider()
    open_queue(dev, 1, provider)
    assert [event[:2] for event in events.taken()] == [("add", 7), ("del", 4)]
    assert dev.rx[1].napi is napi and [pool.id for pool in provider.pools] == [7]
    close_queue(dev, 1, provider)
    assert [event[:2] for event in events.taken()] == [("add", 8), ("del", 7)]


def test_large_pages() -> None:
    dev, _ = plugged("bnxt_en")
    dev.cfg.hds_config, dev.cfg.hds_thresh = TcpDataSplit.ENABLED, 0
    provider = Provider(32768)
    open_queue(dev, 0, provider)
    (pool,) = provider.pools
    pool.alloc()
    assert (pool.page_size, pool.inflight_mem) == (32768, 32768 * pool.inflight)
    set_up(dev, False)
    set_up(dev)
    assert dev.rx[0].mp is provider and provider.pools[-1].page_size == 32768, "and so after down and up"
    assert dev.page_pools[0].page_size == 4096, "other queues have the usual ones"


def test_channels_restart_everything_and_keep_the_numbers() -> None:
    dev, events = plugged()
    ids = [napi.napi_id for napi in dev.napi_list]
    assert settings.set_channels(dev, {"combined_count": 2})
    assert (dev.real_num_rx_queues, [napi.napi_id for napi in dev.napi_list]) == (2, ids[2:])
    assert [event[0] for event in events.taken()] == ["del"] * 4 + ["add"] * 2
    settings.set_channels(dev, {"combined_count": 4})
    assert [napi.napi_id for napi in dev.napi_list] == ids


def test_channels_of_either_direction() -> None:
    dev, _ = plugged("gve")
    assert settings.get_channels(dev).rx_count == settings.get_channels(dev).tx_count == 4
    settings.set_channels(dev, {"rx_count": 2, "tx_count": 2})
    assert dev.real_num_rx_queues == 2
    with pytest.raises(Refusal) as caught:
        settings.set_channels(dev, {"rx_count": 3})
    assert caught.value.errno == EINVAL


def test_statistics_of_queues_that_are_not_in_use_any_more_go_to_the_base() -> None:
    dev, _ = plugged()
    state = state_of(dev)
    for index in (0, 3):
        state.rx[index] = qstats.RxStats(packets=10 + index, bytes=1000)
    state.base_rx.packets = 5
    total = qstats.device_stats(dev)
    assert total is not None and (total[0].packets, total[0].bytes, total[0].hw_drops) == (28, 2000, None)
    settings.set_channels(dev, {"combined_count": 2})
    again = qstats.device_stats(dev)
    assert again is not None and again[0].packets == 28
    third = qstats.rx_stats(dev, 1)
    assert third is not None and third.packets == 0


def test_a_driver_without_statistics_says_nothing() -> None:
    dev, _ = plugged("ice")
    assert not qstats.has_stats(dev) and qstats.device_stats(dev) is None


def test_queues_take_turns_over_the_functions() -> None:
    dev, _ = plugged(functions=2)
    devices = [dev.ops.queue_dma_device(dev, index) for index in range(4)]
    assert devices[0] is devices[2] is not devices[1] is devices[3]
    assert dev.ops.queue_dma_device(dev, 4) is None, "there is no such channel"
    set_up(dev, False)
    assert dev.ops.queue_dma_device(dev, 0) is None
