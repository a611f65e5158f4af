"""How NICs hold interrupts back, by driver: what is taken, rounded and refused, of a device and of one queue."""

from __future__ import annotations

from dataclasses import replace
from errno import EBUSY, EINVAL, EOPNOTSUPP, ERANGE

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.ethtool import settings
from nlemu.emulator.kernel.ethtool.settings import Channels, Coalesce
from tests.emulator.kernel.nics.rules import plugged, refused
from tests.emulator.kernel.world import set_up

STILL = {"use_adaptive_rx": 0, "use_adaptive_tx": 0}


def up(driver: str, queues: int = 4) -> Device:
    dev = plugged(driver, queues=queues)
    if not dev.running:
        set_up(dev)
    return dev


def set_queue(dev: Device, queue: int, **said: int) -> None:
    dev.ops.set_per_queue_coalesce(dev, queue, replace(dev.ops.get_per_queue_coalesce(dev, queue), **said))


def queue_refuses(errno: int, dev: Device, queue: int, **said: int) -> None:
    refused(errno, lambda: set_queue(dev, queue, **said))


@pytest.mark.parametrize("driver", ["ice", "i40e", "idpf"])
def test_whoever_adapts_is_not_told_how_long(driver: str) -> None:
    dev = up(driver)
    told = settings.get_coalesce(dev)
    assert (told.rx_usecs, told.tx_usecs, told.use_adaptive_rx, told.use_adaptive_tx) == (50, 50, 1, 1)
    refused(EINVAL, settings.set_coalesce, dev, {"rx_usecs": 20})
    refused(EINVAL, settings.set_coalesce, dev, {"tx_usecs": 20, "use_adaptive_rx": 0})
    settings.set_coalesce(dev, STILL | {"rx_usecs": 8160, "tx_usecs": 20})
    refused(EINVAL, settings.set_coalesce, dev, {"rx_usecs": 8161})
    assert settings.get_coalesce(dev).rx_usecs == 8160


def test_ice_limits_the_rate_while_nothing_adapts() -> None:
    dev = up("ice")
    refused(EINVAL, settings.set_coalesce, dev, {"rx_usecs_high": 100})
    settings.set_coalesce(dev, STILL)
    for high in (1, 3, 237):
        refused(EINVAL, settings.set_coalesce, dev, {"rx_usecs_high": high})
    settings.set_coalesce(dev, {"rx_usecs_high": 4})
    set_queue(dev, 1, rx_usecs_high=236)
    assert [dev.ops.get_per_queue_coalesce(dev, queue).rx_usecs_high for queue in range(3)] == [4, 236, 4]


def test_i40e_has_one_rate_and_even_microseconds() -> None:
    dev = up("i40e")
    settings.set_coalesce(dev, STILL | {"rx_usecs": 21, "rx_usecs_high": 102})
    told = settings.get_coalesce(dev)
    assert (told.rx_usecs, told.rx_usecs_high, told.tx_usecs_high, told.tx_max_frames_irq) == (22, 100, 100, 256)
    refused(EINVAL, settings.set_coalesce, dev, {"tx_usecs_high": 8})
    set_queue(dev, 2, rx_usecs_high=40, rx_usecs=10)
    of = [dev.ops.get_per_queue_coalesce(dev, queue) for queue in range(4)]
    assert [one.rx_usecs for one in of] == [22, 22, 10, 22] and {one.rx_usecs_high for one in of} == {40}
    settings.set_coalesce(dev, {"tx_max_frames_irq": 0})
    assert settings.get_coalesce(dev).tx_max_frames_irq == 256
    settings.set_coalesce(dev, {"rx_usecs": 0})
    settings.set_coalesce(dev, {"use_adaptive_rx": 1})
    assert settings.get_coalesce(dev).rx_usecs == 2


def test_idpf_knows_even_numbers_and_nothing_while_it_is_down() -> None:
    dev = up("idpf")
    settings.set_coalesce(dev, STILL | {"rx_usecs": 21})
    assert settings.get_coalesce(dev).rx_usecs == 20
    set_up(dev, False)
    assert settings.get_coalesce(dev) == Coalesce() and dev.ops.get_per_queue_coalesce(dev, 99) == Coalesce()
    settings.set_coalesce(dev, {"rx_usecs": 40})
    set_up(dev)
    assert settings.get_coalesce(dev).rx_usecs == 20


def test_bnxt_rounds_what_its_statistics_wait() -> None:
    dev = up("bnxt_en")
    for said, told in ((1, 250000), (700000, 500000), (5000000, 1000000), (0, 0)):
        settings.set_coalesce(dev, {"stats_block_usecs": said})
        assert settings.get_coalesce(dev).stats_block_usecs == told
    settings.set_coalesce(dev, {"use_adaptive_rx": 1, "rx_usecs": 12})
    settings.set_coalesce(dev, {"use_adaptive_rx": 0, "rx_usecs": 99})
    assert settings.get_coalesce(dev).rx_usecs == 12


def test_e1000e_keeps_interrupts_a_second() -> None:
    dev = up("e1000e", 1)
    for wrong in (2, 5, 9, 10001):
        refused(EINVAL, settings.set_coalesce, dev, {"rx_usecs": wrong})
    for said, told in ((0, 0), (1, 1), (4, 4), (10, 10), (300, 300), (7000, 7142)):
        settings.set_coalesce(dev, {"rx_usecs": said})
        assert settings.get_coalesce(dev).rx_usecs == told


@pytest.mark.parametrize("driver", ["ice", "i40e", "idpf", "mlx5_core"])
def test_a_queue_apart(driver: str) -> None:
    dev = up(driver)
    still = {"use_adaptive_rx": 0} | ({"use_cqe_mode_rx": 0} if driver == "mlx5_core" else {})
    set_queue(dev, 1, rx_usecs=30, **still)
    before = dev.ops.get_per_queue_coalesce(dev, 0).rx_usecs
    assert dev.ops.get_per_queue_coalesce(dev, 1).rx_usecs == 30 != before == settings.get_coalesce(dev).rx_usecs
    queue_refuses(EINVAL, dev, 4)
    settings.set_coalesce(dev, STILL | {"rx_usecs": 44})
    assert dev.ops.get_per_queue_coalesce(dev, 1).rx_usecs == settings.get_coalesce(dev).rx_usecs


def test_what_is_told_of_intels_is_what_is_so_of_the_first_queue() -> None:
    dev = up("ice")
    set_queue(dev, 0, rx_usecs=30, use_adaptive_rx=0)
    assert settings.get_coalesce(dev).rx_usecs == 30 and dev.ops.get_per_queue_coalesce(dev, 1).rx_usecs == 50


def test_the_queues_before_the_one_that_refuses_are_set() -> None:
    dev = up("ice")
    set_queue(dev, 0, rx_usecs=30, use_adaptive_rx=0)
    set_queue(dev, 0, use_adaptive_rx=1)
    refused(EINVAL, settings.set_coalesce, dev, {"use_adaptive_tx": 0})  # the second one is told 30 while it adapts
    assert not dev.ops.get_per_queue_coalesce(dev, 0).use_adaptive_tx
    assert dev.ops.get_per_queue_coalesce(dev, 1).use_adaptive_tx


def test_channels_of_mlx5_begin_as_the_device_is_set() -> None:
    dev = up("mlx5_core")
    queue_refuses(ERANGE, dev, 0, rx_usecs=4096)
    queue_refuses(ERANGE, dev, 0, tx_max_frames=65536)
    set_queue(dev, 1, rx_usecs=30, use_adaptive_rx=0)
    settings.set_channels(dev, {"combined_count": 3})
    assert dev.ops.get_per_queue_coalesce(dev, 1).use_adaptive_rx
    set_up(dev, False)
    refused(EINVAL, dev.ops.get_per_queue_coalesce, dev, 0)


def test_virtio_decides_of_each_queue_who_polls() -> None:
    dev = plugged("virtio_net", queues=2)
    if dev.running:
        set_up(dev, False)
    set_queue(dev, 1, tx_max_frames=0)
    assert settings.get_coalesce(dev).tx_max_frames == 1
    assert dev.ops.get_per_queue_coalesce(dev, 1).tx_max_frames == 0
    set_up(dev)
    queue_refuses(EBUSY, dev, 1, tx_max_frames=1)
    queue_refuses(EOPNOTSUPP, dev, 0, rx_usecs=5)
    queue_refuses(EINVAL, dev, dev.num_rx_queues)


@pytest.mark.parametrize("driver", ["bnxt_en", "fbnic", "gve", "ena", "mana", "e1000e"])
def test_whose_queues_are_all_alike(driver: str) -> None:
    dev = plugged(driver, queues=1)
    assert not dev.ops.has("get_per_queue_coalesce") and not dev.ops.has("set_per_queue_coalesce")
    assert isinstance(dev.ops.get_channels(dev), Channels)
