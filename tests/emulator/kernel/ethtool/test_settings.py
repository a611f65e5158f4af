"""Channels, rings, coalescing and pause of a netdevsim port, and the stack's rules around them."""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP

import pytest

from nlemu.emulator.kernel.ethtool.settings import (
    Channels,
    get_channels,
    get_coalesce,
    get_pause,
    get_rings,
    set_channels,
    set_coalesce,
    set_pause,
    set_rings,
)
from nlemu.emulator.kernel.queues.lease import lease, unlease
from nlemu.emulator.kernel.queues.provider import MemoryProvider, ProviderKind
from nlemu.protocol.refusal import Refusal
from tests.emulator.kernel.world import set_up, world


class Provider(MemoryProvider):
    kind = ProviderKind.DMABUF


def test_channels() -> None:
    w = world(queues=4)
    assert get_channels(w.port) == Channels(combined_max=4, combined_count=4)
    assert set_channels(w.port, {"combined_count": 3})
    assert not set_channels(w.port, {"combined_count": 3})
    assert get_channels(w.port).combined_count == 3
    assert (w.port.real_num_rx_queues, w.port.real_num_tx_queues) == (3, 3)
    set_up(w.port, False)
    set_up(w.port)
    # A NAPI instance and a pool for each queue there could be.
    assert len(w.port.napi_list) == len(w.port.page_pools) == 4


@pytest.mark.parametrize(
    ("wanted", "text", "at"),
    [
        ({"combined_count": 99}, "requested channel count exceeds maximum", "combined-count"),
        ({"rx_count": 1}, "requested channel count exceeds maximum", "rx-count"),
        (
            {"combined_count": 0},
            "requested channel counts would result in no RX or TX channel being configured",
            "combined-count",
        ),
    ],
)
def test_channels_out_of_limits(wanted: dict[str, int], text: str, at: str) -> None:
    with pytest.raises(Refusal) as caught:
        set_channels(world().port, wanted)
    assert (caught.value.errno, caught.value.text, caught.value.at) == (EINVAL, text, at)


def test_channels_in_use_cannot_be_taken_away() -> None:
    w = world(queues=4)
    lo = w.kernel.init_net.loopback
    lease(lo.rx[0], w.port.rx[2])
    with pytest.raises(Refusal) as caught:
        set_channels(w.port, {"combined_count": 2})
    refusal = caught.value
    assert (refusal.errno, refusal.text) == (EINVAL, "Device queue in use due to queue leasing")
    assert set_channels(w.port, {"combined_count": 3})
    unlease(lo.rx[0])
    w.port.rx[1].mp = Provider()
    with pytest.raises(Refusal) as caught:
        set_channels(w.port, {"combined_count": 1})
    text = "requested channel counts are too low for existing memory provider setting (2)"
    assert (caught.value.errno, caught.value.text) == (EINVAL, text)


def test_rings() -> None:
    w = world()
    rings = get_rings(w.port)
    assert (rings.rx_max, rings.rx, rings.tx_max, rings.tx) == (4096, 512, 4096, 512)
    # Nobody chose a split: the driver splits, and the configuration does not know.
    assert (rings.tcp_data_split, rings.hds_thresh, rings.hds_thresh_max) == (2, 0, 1024)
    assert w.port.cfg.hds_config == 0
    assert set_rings(w.port, {"tcp_data_split": 2})
    assert not set_rings(w.port, {"tcp_data_split": 2})
    assert set_rings(w.port, {"hds_thresh": 100})
    assert get_rings(w.port).hds_thresh == 100
    assert not set_rings(w.port, {})
    assert set_rings(w.port, {"rx": 4096})
    assert get_rings(w.port).rx == 4096


@pytest.mark.parametrize(
    ("wanted", "errno", "text", "at"),
    [
        ({"hds_thresh": 1025}, EINVAL, "requested ring size exceeds maximum", "hds-thresh"),
        ({"tx": 4097}, EINVAL, "requested ring size exceeds maximum", "tx"),
        ({"cqe_size": 1}, EOPNOTSUPP, "setting cqe size not supported", "cqe-size"),
        ({"tx_push": 1}, EOPNOTSUPP, "setting tx push not supported", "tx-push"),
        ({"rx_buf_len": 1, "cqe_size": 1}, EOPNOTSUPP, "setting rx buf len not supported", "rx-buf-len"),
    ],
)
def test_rings_refused(wanted: dict[str, int], errno: int, text: str, at: str) -> None:
    with pytest.raises(Refusal) as caught:
        set_rings(world().port, wanted)
    assert (caught.value.errno, caught.value.text, caught.value.at) == (errno, text, at)


def test_a_provider_needs_the_split() -> None:
    w = world()
    set_rings(w.port, {"tcp_data_split": 2})
    w.port.rx[0].mp = Provider()
    for wanted, text in (
        ({"tcp_data_split": 1}, "can't disable tcp-data-split while device has memory provider enabled"),
        ({"hds_thresh": 10}, "can't set non-zero hds_thresh while device is memory provider enabled"),
    ):
        with pytest.raises(Refusal) as caught:
            set_rings(w.port, wanted)
        assert (caught.value.errno, caught.value.text, caught.value.at) == (EINVAL, text, None)
    assert (w.port.cfg.hds_config, w.port.cfg.hds_thresh) == (2, 0)


def test_coalescing_keeps_what_the_driver_keeps() -> None:
    w = world()
    assert set_coalesce(w.port, {"rx_usecs": 7, "use_adaptive_rx": 1, "tx_aggr_max_bytes": 5})
    coalesce = get_coalesce(w.port)
    assert (coalesce.rx_usecs, coalesce.use_adaptive_rx, coalesce.tx_aggr_max_bytes) == (7, 1, 0)
    assert not set_coalesce(w.port, {"rx_usecs": 7})


def test_pause() -> None:
    w = world()
    assert set_pause(w.port, {"rx": True})
    assert not set_pause(w.port, {"rx": True})
    with pytest.raises(Refusal):
        set_pause(w.port, {"autoneg": True})
    pause = get_pause(w.port)
    assert (pause.autoneg, pause.rx, pause.tx) == (False, True, False)


def test_a_device_without_any_of_it() -> None:
    lo = world(up=False).kernel.init_net.loopback
    for verb in (get_channels, get_rings, get_coalesce, get_pause):
        with pytest.raises(Refusal) as caught:
            verb(lo)
        assert (caught.value.errno, caught.value.text) == (EOPNOTSUPP, None)
    for set_verb in (set_channels, set_rings, set_coalesce, set_pause):
        with pytest.raises(Refusal) as caught:
            set_verb(lo, {})
        assert caught.value.errno == EOPNOTSUPP
