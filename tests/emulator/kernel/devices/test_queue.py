"""Queues that are made when asked for, what keeps one busy, and the directions of a lease."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.devices.queue import (
    has_provider,
    is_leased,
    is_leasee,
    min_provider_channels,
    physical_queue,
    queue_busy,
    virtual_queue,
)
from nlemu.emulator.kernel.devices.settings import set_real_num_queues
from nlemu.emulator.kernel.queues.lease import lease, unlease
from nlemu.emulator.kernel.queues.provider import MemoryProvider, ProviderKind
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netdev import QueueType
from tests.emulator.kernel.world import world


class Provider(MemoryProvider):
    kind = ProviderKind.DMABUF


def test_queues_are_made_when_they_are_asked_for() -> None:
    w = world(queues=4, up=False)
    assert w.port.rx.made(4) == []
    assert w.port.rx[3] is w.port.rx[3]
    assert w.port.rx[1].index == 1
    assert [queue.index for queue in w.port.rx.made(4)] == [1, 3]
    assert [queue.index for queue in w.port.rx.made(3)] == [1]
    with pytest.raises(IndexError):
        w.port.rx[4]
    with pytest.raises(IndexError):
        w.port.tx[-1]


def test_what_keeps_a_queue_busy() -> None:
    w = world(queues=4)
    port, lo = w.port, w.kernel.init_net.loopback
    assert queue_busy(port, 0, QueueType.RX) is None
    port.rx[0].mp = Provider()
    lease(lo.rx[0], port.rx[1])
    port.rx[2].pool = object()
    assert queue_busy(port, 0, QueueType.RX) == "Device queue in use by memory provider"
    assert queue_busy(port, 1, QueueType.RX) == "Device queue in use due to queue leasing"
    assert queue_busy(port, 2, QueueType.RX) == "Device queue in use by AF_XDP"
    assert queue_busy(port, 0, QueueType.TX) is None
    assert queue_busy(port, 1, QueueType.TX) is None
    assert queue_busy(port, 2, QueueType.TX) == "Device queue in use by AF_XDP"


def test_directions_of_a_lease() -> None:
    w = world()
    virtual, physical = w.kernel.init_net.loopback.rx[0], w.port.rx[1]
    assert is_leasee(virtual.dev)
    assert not is_leasee(physical.dev)
    assert physical_queue(virtual) is virtual
    assert physical_queue(physical) is physical
    lease(virtual, physical)
    assert is_leased(w.port, 1)
    assert not is_leased(w.port, 0)
    assert physical_queue(virtual) is physical
    assert physical_queue(physical) is None
    assert virtual_queue(physical) is virtual
    assert virtual_queue(virtual) is None
    unlease(virtual)
    assert not is_leased(w.port, 1)
    assert virtual.lease is None


def test_queues_beyond_those_in_use_hold_nothing() -> None:
    w = world(queues=4)
    w.port.rx[1].mp = Provider()
    assert min_provider_channels(w.port) == 2
    w.port.rx[3].mp = Provider()
    assert min_provider_channels(w.port) == 4
    set_real_num_queues(w.port, 2, 2)
    assert min_provider_channels(w.port) == 2
    assert not has_provider(w.port, 3)
    assert not is_leased(w.port, 3)


@pytest.mark.parametrize(("tx", "rx"), [(0, 1), (1, 0), (3, 1), (1, 3)])
def test_a_device_uses_some_of_its_queues_and_no_others(tx: int, rx: int) -> None:
    w = world(queues=2)
    with pytest.raises(Refusal):
        set_real_num_queues(w.port, tx, rx)
    assert (w.port.real_num_tx_queues, w.port.real_num_rx_queues) == (2, 2)
