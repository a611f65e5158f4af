"""What `ethtool -S` shows of NICs."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.ethtool import settings
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.kernel.queues.qstats import RxStats, TxStats
from nlemu.protocol.uapi.ethtool import StringSet
from tests.emulator.kernel.nics.rules import plugged

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
        ("idpf", {"rx_q-1_pkts": 3, "tx_q-2_bytes": 40, "rx_q-127_rx_gro_hw_pkts": 0}),
    ],
)
def test_packets_are_counted(driver: str, expected: dict[str, int]) -> None:
    dev = plugged(driver)
    dev.priv.rx[1], dev.priv.tx[2] = RxStats(packets=3, bytes=300), TxStats(packets=4, bytes=40)
    told = dict(zip(dev.ops.get_strings(dev, StringSet.STATS), dev.ops.get_ethtool_stats(dev), strict=True))
    assert {name: told[name] for name in expected} == expected
