"""What `ethtool -S` shows of NICs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from nlemu.emulator.handlers.ethtool.stats import NAMED_IN
from nlemu.emulator.kernel.devices.standard_stats import NOTHING_COUNTED
from nlemu.emulator.kernel.ethtool import settings
from nlemu.emulator.kernel.nics import sriov
from nlemu.emulator.kernel.nics.ports import function_of
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.kernel.queues.qstats import RxStats, TxStats
from nlemu.protocol.families.ethtool.strings import STRING_SETS
from nlemu.protocol.uapi.ethtool import Stats, StringSet
from tests.emulator.kernel.nics.rules import plugged
from tests.emulator.kernel.world import set_up

ROOM = 32
"""ETH_GSTRING_LEN"""


@pytest.mark.parametrize("driver", PROFILES)
def test_each_name_has_a_number_and_a_place(driver: str) -> None:
    dev = plugged(driver, queues=0)
    names = dev.ops.get_strings(dev, StringSet.STATS)
    assert len(names) == len(dev.ops.get_ethtool_stats(dev)) == len(set(names))
    assert all(len(name) <= ROOM for name in names)


@pytest.mark.parametrize(("driver", "once", "queue"), [("gve", 39, 35), ("ena", 13, 34), ("mana", 83, 20)])
def test_how_many_there_are(driver: str, once: int, queue: int) -> None:
    dev = plugged(driver)
    assert len(dev.ops.get_strings(dev, StringSet.STATS)) == once + 4 * queue
    two = {"rx_count": 2, "tx_count": 2} if driver == "gve" else {"combined_count": 2}
    settings.set_channels(dev, two)
    assert len(dev.ops.get_strings(dev, StringSet.STATS)) == once + 2 * queue


def test_ice_tells_of_all_queues_that_there_could_be() -> None:
    dev = plugged("ice")
    names = dev.ops.get_strings(dev, StringSet.STATS)
    assert len(names) == 16 + 4 * 128 + 47 + 32
    assert names[16:18] == ("tx_queue_0_packets", "tx_queue_0_bytes") and names[-1] == "rx_priority_7_xoff.nic"


def test_e1000e_has_one_list() -> None:
    dev = plugged("e1000e", queues=1)
    names = dev.ops.get_strings(dev, StringSet.STATS)
    assert len(names) == 53
    assert (names[9], names[33], names[52]) == ("tx_errors", "tx_tcp_seg_good", "tx_hwtstamp_skipped")
    dev.priv.rx[0] = RxStats(packets=3, bytes=300)
    assert dev.ops.get_ethtool_stats(dev)[:4] == (3, 0, 300, 0)


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        ("gve", {"rx_packets": 3, "rx_bytes": 300, "rx_bytes[1]": 300, "rx_bytes[0]": 0, "tx_bytes[2]": 40}),
        ("ice", {"rx_bytes": 300, "rx_queue_1_packets": 3, "tx_queue_2_bytes": 40, "rx_queue_127_bytes": 0}),
        ("ena", {"queue_1_rx_cnt": 3, "queue_2_tx_bytes": 40}),
        ("mana", {"rx_1_packets": 3, "tx_2_bytes": 40}),
        ("mlx5_core", {"rx_packets": 3, "tx_bytes": 40, "rx1_packets": 3, "tx2_bytes": 40, "tx1_bytes": 0}),
        ("bnxt_en", {"[1]: rx_ucast_packets": 3, "[2]: tx_ucast_bytes": 40, "[0]: rx_ucast_packets": 0}),
        ("i40e", {"rx_packets": 3, "rx-1.packets": 3, "tx-2.bytes": 40, "port.rx_bytes": 0}),
        ("idpf", {"rx_q-1_pkts": 3, "tx_q-2_bytes": 40, "rx_q-127_rx_gro_hw_pkts": 0}),
    ],
)
def test_packets_are_counted(driver: str, expected: dict[str, int]) -> None:
    dev = plugged(driver)
    dev.priv.rx[1], dev.priv.tx[2] = RxStats(packets=3, bytes=300), TxStats(packets=4, bytes=40)
    told = dict(zip(dev.ops.get_strings(dev, StringSet.STATS), dev.ops.get_ethtool_stats(dev), strict=True))
    assert {name: told[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("driver", "count", "some"),
    [
        ("mlx5_core", 111 + 116 + 6 + 24 + 4 * 88, {0: "rx_packets", 110: "tx_xsk_cqes", 111: "rx_out_of_buffer"}),
        ("bnxt_en", 4 * 26 + 9 + 203,
         {0: "[0]: rx_ucast_packets", 25: "[0]: missed_irqs", 26: "[1]: rx_ucast_packets"}),
        ("fbnic", 17 + 4 * 6 + 8 * 4 + 4 * 4 + 128 * 6,
         {6: "ptp_illegal_req", 17: "rxb_integrity_err0", -1: "xdp_tx_queue_127_dropped"}),
        ("i40e", 30 + 4 * 128 + 44 + 55 + 40,
         {30: "tx-0.packets", 542: "veb.rx_bytes", -1: "port.rx_priority_7_xon_2_xoff"}),
        ("virtio_net", 10 + 4 * 10, {0: "rx_drops", 9: "tx_tx_timeouts", 10: "rx0_drops", -1: "tx3_tx_timeouts"}),
    ],
)
def test_names_in_the_driver_s_order(driver: str, count: int, some: dict[int, str]) -> None:
    dev = plugged(driver)
    names = dev.ops.get_strings(dev, StringSet.STATS)
    assert len(names) == count
    assert {place: names[place] for place in some} == some


def test_mlx5_remembers_channels_and_tells_of_pauses_while_there_are_any() -> None:
    dev = plugged("mlx5_core", up=False)
    assert "ch0_events" not in dev.ops.get_strings(dev, StringSet.STATS)
    set_up(dev)
    settings.set_channels(dev, {"combined_count": 2})
    names = dev.ops.get_strings(dev, StringSet.STATS)
    assert "ch3_events" in names and "rx_global_pause" not in names
    settings.set_pause(dev, {"rx": True})
    assert "rx_global_pause" in dev.ops.get_strings(dev, StringSet.STATS)


def test_a_virtual_function_of_bnxt_has_no_port() -> None:
    card = plugged("bnxt_en")
    sriov.configure(card.kernel.nics, function_of(card), 1)
    dev = card.kernel.nics.functions["0000:08:02.0"].dev
    assert dev is not None
    assert "rx_total_frames" in card.ops.get_strings(card, StringSet.STATS)
    assert "rx_total_frames" not in dev.ops.get_strings(dev, StringSet.STATS)
    assert dev.ops.get_standard_stats(dev, Stats.ETH_MAC) == NOTHING_COUNTED


@pytest.mark.parametrize("driver", PROFILES)
def test_standard_counters(driver: str) -> None:
    dev = plugged(driver, queues=1)
    dev.priv.tx[0] = TxStats(packets=4, bytes=40)
    counted = {group: dev.ops.get_standard_stats(dev, group) for group in Stats}
    told = {"mlx5_core", "bnxt_en", "fbnic", "ice"}
    assert (counted[Stats.ETH_MAC].values.get("FramesTransmittedOK") == 4) == (driver in told)
    assert (counted[Stats.ETH_MAC].values.get("OctetsTransmittedOK") == 40) == (driver in told - {"bnxt_en"})
    assert bool(counted[Stats.ETH_PHY].values) == (driver in told - {"ice"})
    assert bool(counted[Stats.RMON].rx) == (driver in told) and bool(counted[Stats.RMON].tx) == (
        driver in told - {"mlx5_core"}
    )
    for group, one in counted.items():
        assert set(one.values) <= set(STRING_SETS[NAMED_IN[group]])
    for below, above in pairwise(counted[Stats.RMON].rx):
        assert below.low <= below.high == above.low - 1
    pause = settings.PauseStats()
    dev.ops.get_pause_stats(dev, pause)
    assert (pause.tx_frames == 0) == (driver in told)
    assert (pause.tx_pause_storm_events == 0) == (driver in {"mlx5_core", "fbnic"})


def test_a_link_that_went_down_is_counted() -> None:
    dev = plugged("fbnic")
    dev.ops.stop(dev)
    assert dev.ops.get_link_down_events(dev) == 1
    assert plugged("gve").ops.get_link_down_events(dev) is None
