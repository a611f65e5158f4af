"""Rings of NICs: what each driver tells, refuses and rounds, and what header split and XDP have to do with it."""

from __future__ import annotations

from errno import EBUSY, EINVAL, ENODEV, EOPNOTSUPP, ERANGE
from typing import Any

import pytest

from nlemu.emulator.kernel.devices import settings as device_settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.features import GRO, GRO_HW, LRO, recompute
from nlemu.emulator.kernel.ethtool import rules, settings
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.queues.provider import restart_queue
from nlemu.emulator.kernel.queues.xdp import XdpLink, XdpProgram
from nlemu.protocol.uapi.ethtool import TcpDataSplit
from nlemu.protocol.uapi.netdev import XdpAct
from tests.emulator.kernel.nics.rules import anywhere, plugged, refused
from tests.emulator.kernel.world import set_up

ON, OFF = TcpDataSplit.ENABLED, TcpDataSplit.DISABLED


def told(dev: Device) -> tuple[int, int, int]:
    rings = settings.get_rings(dev)
    return rings.rx, rings.tx, rings.tcp_data_split


def switch(dev: Device, on: int = 0, off: int = 0) -> None:
    dev.wanted_features = (dev.wanted_features | on) & ~off
    recompute(dev)


def load(dev: Device, fragments: bool = False) -> XdpLink:
    return XdpLink(dev.net, dev.ifindex, XdpProgram(1, fragments))


def pools(dev: Device) -> list[int]:
    return [pool.id for pool in dev.page_pools]


def test_mlx5_rounds_and_starts_again_for_another_size() -> None:
    dev = plugged("mlx5_core")
    before = pools(dev)
    settings.set_rings(dev, {"rx": 1000})
    assert (told(dev), pools(dev)) == ((1024, 1024, 0), before)
    settings.set_rings(dev, {"rx": 2000})
    assert told(dev) == (2048, 1024, 0) and pools(dev) != before
    assert refused(EINVAL, settings.set_rings, dev, {"rx": 15}) == "mlx5_core: rx (15) < min (16)"
    assert refused(EINVAL, settings.set_rings, dev, {"tx": 63}) == "mlx5_core: tx (63) < min (64)"
    refused(EINVAL, settings.set_rings, dev, {"hds_thresh": 1})


def test_mlx5_keeps_gro_while_it_splits() -> None:
    dev = plugged("mlx5_core")
    switch(dev, on=GRO_HW)
    settings.set_rings(dev, {"tcp_data_split": ON})
    switch(dev, off=GRO_HW)
    assert dev.features & GRO_HW
    settings.set_rings(dev, {"tcp_data_split": OFF})
    assert not dev.features & GRO_HW and dev.cfg.hds_config == OFF
    load(dev, fragments=True)
    switch(dev, on=GRO_HW)
    assert not dev.features & GRO_HW


def test_mlx5_takes_no_program_beside_gro() -> None:
    dev = plugged("mlx5_core")
    switch(dev, on=GRO_HW)
    refused(EINVAL, load, dev, True)


def test_bnxt_has_a_ring_for_data_while_it_needs_one() -> None:
    dev = plugged("bnxt_en")
    rings = settings.get_rings(dev)
    assert (rings.rx_max, rings.rx_jumbo, rings.rx_jumbo_max, rings.tcp_data_split) == (2047, 2044, 8191, ON)
    switch(dev, off=GRO_HW)
    rings = settings.get_rings(dev)
    assert (rings.rx_max, rings.rx_jumbo, rings.rx_jumbo_max, rings.tcp_data_split) == (8191, 0, 0, OFF)
    settings.set_rings(dev, {"rx": 8191})
    device_settings.set_mtu(dev, 9000)
    rings = settings.get_rings(dev)
    assert (rings.rx, rings.rx_jumbo, rings.tcp_data_split) == (2047, 6141, ON)


def test_what_bnxt_refuses_of_rings() -> None:
    dev = plugged("bnxt_en")
    refused(EINVAL, settings.set_rings, dev, {"tx": 18})
    refused(EINVAL, settings.set_rings, dev, {"tcp_data_split": OFF})
    program = load(dev, fragments=True)
    assert not dev.features & GRO_HW
    text = refused(EINVAL, settings.set_rings, dev, {"tcp_data_split": ON})
    assert text == "bnxt_en: tcp-data-split is disallowed when XDP is attached"
    program.close()
    assert dev.features & GRO_HW
    settings.set_rings(dev, {"tcp_data_split": ON})
    refused(EINVAL, settings.set_rings, dev, {"tcp_data_split": OFF})
    refused(EOPNOTSUPP, load, dev, True)


def test_bnxt_without_gro_merges_nothing_and_without_ntuple_has_no_rules() -> None:
    dev = plugged("bnxt_en")
    rules.insert(dev, anywhere(pdst=1))
    switch(dev, on=LRO, off=NTUPLE)
    assert dev.features & GRO_HW and not dev.features & LRO and not dev.priv.rules
    switch(dev, off=GRO)
    assert dev.features & LRO and not dev.features & GRO_HW


def test_rings_of_gve() -> None:
    dev = plugged("gve")
    assert told(dev) == (1024, 1024, OFF) and settings.get_rings(dev).rx_buf_len == 2048
    settings.set_rings(dev, {"tcp_data_split": ON, "rx_buf_len": 4096})
    assert told(dev)[2] == ON and settings.get_rings(dev).rx_buf_len == 4096
    text = refused(EINVAL, settings.set_rings, dev, {"rx_buf_len": 1024})
    assert text == "gve: Rx buf len can only be 2048 or 4096"
    for wanted in ({"rx": 256}, {"tx": 128}, {"rx": 1000}):
        refused(EINVAL, settings.set_rings, dev, wanted)
    refused(EINVAL, settings.set_coalesce, dev, {"rx_usecs": 8191})
    settings.set_coalesce(dev, {"rx_usecs": 8190})


def test_when_gve_takes_a_program() -> None:
    dev = plugged("gve")
    assert dev.mtu == dev.max_mtu
    assert refused(EOPNOTSUPP, load, dev) == "gve: XDP is not supported when HW-GRO is on."
    switch(dev, off=GRO_HW)
    settings.set_rings(dev, {"tcp_data_split": ON})
    assert refused(EOPNOTSUPP, load, dev, True) == "gve: XDP is not supported when header-data split is enabled."
    settings.set_rings(dev, {"tcp_data_split": OFF, "rx_buf_len": 4096})
    assert refused(EOPNOTSUPP, load, dev) == "gve: XDP is not supported for Rx buf len 4096, only 2048 supported."
    settings.set_rings(dev, {"rx_buf_len": 2048})
    dev.max_mtu = 8896
    device_settings.set_mtu(dev, 2035)
    assert refused(EOPNOTSUPP, load, dev) == "gve: XDP is not supported for mtu 2035."
    device_settings.set_mtu(dev, 2034)
    settings.set_channels(dev, {"rx_count": 9, "tx_count": 9})
    assert refused(EINVAL, load, dev).startswith("gve: XDP load failed: The number of configured RX queues")
    settings.set_channels(dev, {"rx_count": 8, "tx_count": 8})
    load(dev)
    assert told(dev)[2] == TcpDataSplit.UNKNOWN
    refused(EOPNOTSUPP, settings.set_rings, dev, {"rx": 2048})
    text = refused(EINVAL, settings.set_rings, dev, {"rx_buf_len": 4096})
    assert text == "gve: Rx buf len can only be 2048 when XDP is on"
    switch(dev, on=GRO_HW)
    assert not dev.features & GRO_HW


def test_rings_of_fbnic() -> None:
    dev = plugged("fbnic")
    rings = settings.get_rings(dev)
    assert (rings.rx, rings.rx_mini, rings.rx_jumbo, rings.tx, rings.tcp_data_split) == (1024, 256, 256, 1024, ON)
    assert (rings.rx_mini_max, rings.hds_thresh, rings.hds_thresh_max) == (65536, 1536, 3584)
    settings.set_rings(dev, {"rx_mini": 500, "hds_thresh": 0})
    assert settings.get_rings(dev).rx_mini == 512
    assert refused(EINVAL, settings.set_rings, dev, {"rx_jumbo": 32}) == "fbnic: requested ring size too small"
    text = refused(EINVAL, settings.set_rings, dev, {"tcp_data_split": OFF})
    assert text == "fbnic: Cannot disable TCP data split"


def test_fbnic_shows_whole_frames_to_a_program() -> None:
    dev = plugged("fbnic")
    settings.set_rings(dev, {"hds_thresh": 1513})
    text = refused(EOPNOTSUPP, load, dev)
    assert text == "fbnic: MTU too high, or HDS threshold is too low for single buffer XDP"
    settings.set_rings(dev, {"hds_thresh": 1514})
    program = load(dev)
    text = refused(EINVAL, settings.set_rings, dev, {"hds_thresh": 1513})
    assert text == "fbnic: Use higher HDS threshold or multi-buf capable program"
    refused(EINVAL, device_settings.set_mtu, dev, 1501)
    program.close()
    load(dev, fragments=True)
    device_settings.set_mtu(dev, 1501)


def test_channels_of_fbnic() -> None:
    dev = plugged("fbnic")
    channels = settings.get_channels(dev)
    assert (channels.rx_max, channels.other_max, channels.other_count) == (128, 2, 2)
    refused(EINVAL, settings.set_channels, dev, {"other_count": 1})
    settings.set_channels(dev, {"combined_count": 2})


def test_rings_of_ice() -> None:
    dev = plugged("ice")
    assert told(dev) == (2048, 256, OFF)
    settings.set_rings(dev, {"rx": 1000, "tcp_data_split": ON})
    assert told(dev) == (1024, 256, ON)
    refused(EINVAL, settings.set_rings, dev, {"tx": 63})
    before = pools(dev)
    settings.set_rings(dev, {"rx": 1023})
    assert pools(dev) == before
    dev.rx[0].pool = object()
    refused(EBUSY, settings.set_rings, dev, {"rx": 2048})


def test_ice_transmits_for_others_while_it_has_a_program() -> None:
    dev = plugged("ice")
    before = dev.xdp_features
    device_settings.set_mtu(dev, 3047)
    text = refused(EOPNOTSUPP, load, dev)
    assert text == "ice: MTU is too large for linear frames and XDP prog does not support frags"
    program = load(dev, fragments=True)
    assert dev.xdp_features == before | XdpAct.NDO_XMIT | XdpAct.NDO_XMIT_SG
    program.close()
    assert dev.xdp_features == before


@pytest.mark.parametrize("driver", ["e1000e", "virtio_net"])
def test_drivers_that_do_not_split(driver: str) -> None:
    dev = plugged(driver)
    text = refused(EOPNOTSUPP, settings.set_rings, dev, {"tcp_data_split": ON})
    assert text == "setting TCP data split is not supported"


class Umem:
    def __init__(self, chunk_size: int) -> None:
        self.chunk_size, self.headroom = chunk_size, 0


class Pool:
    def __init__(self, chunk_size: int) -> None:
        self.umem = Umem(chunk_size)


def test_how_long_frames_of_af_xdp_are() -> None:
    dev = plugged("gve")
    pools_of: Any = (Pool(1460 + 14 + 256), Pool(1460 + 13 + 256))
    switch(dev, off=GRO_HW)
    dev.ops.setup_xsk_pool(dev, 0, pools_of[0])
    refused(EINVAL, dev.ops.setup_xsk_pool, dev, 0, pools_of[1])
    dev = plugged("mlx5_core")
    pools_of = (Pool(4096), Pool(8192))
    dev.ops.setup_xsk_pool(dev, 0, pools_of[0])
    refused(EINVAL, dev.ops.setup_xsk_pool, dev, 0, pools_of[1])


def test_mlx5_makes_no_queue_beside_a_program_or_while_it_is_down() -> None:
    dev = plugged("mlx5_core")
    program = load(dev, fragments=True)
    refused(EOPNOTSUPP, restart_queue, dev, 0)
    program.close()
    restart_queue(dev, 0)
    refused(EINVAL, dev.ops.validate_queue_config, dev, 12288)
    set_up(dev, False)
    refused(ENODEV, restart_queue, dev, 0)


def test_mlx5_adapts_or_is_told() -> None:
    dev = plugged("mlx5_core")
    settings.set_coalesce(dev, {"rx_usecs": 50, "tx_usecs": 60})
    told_of = settings.get_coalesce(dev)
    assert (told_of.rx_usecs, told_of.tx_usecs) == (8, 8)
    settings.set_coalesce(dev, {"use_adaptive_rx": 0, "rx_usecs": 50})
    told_of = settings.get_coalesce(dev)
    assert (told_of.rx_usecs, told_of.rx_max_frames) == (3, 32)
    settings.set_coalesce(dev, {"rx_usecs": 50})
    assert settings.get_coalesce(dev).rx_usecs == 50
    text = refused(ERANGE, settings.set_coalesce, dev, {"rx_usecs": 4096})
    assert text == "mlx5_core: Max coalesce time 4095 usecs, tx-usecs (8) rx-usecs (4096)"
    text = refused(ERANGE, settings.set_coalesce, dev, {"tx_max_frames": 65536})
    assert text == "mlx5_core: Max coalesce frames 65535, tx-frames (65536) rx-frames (32)"
