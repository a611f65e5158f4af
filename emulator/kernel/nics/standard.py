"""What NICs count of standards' counters (`ethtool -S eth0 --groups ...`, `-I`): which, by driver. Frames and octets of
the MAC are those of the queues; there were never errors, and nobody counts by length here, so all else is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.standard_stats import NOTHING_COUNTED, Bucket, StandardStats
from nlemu.emulator.kernel.nics.link import is_virtual
from nlemu.protocol.uapi.ethtool import Stats

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ethtool.settings import PauseStats

FROM_QUEUES = {
    "FramesTransmittedOK": ("tx", "packets"), "FramesReceivedOK": ("rx", "packets"),
    "OctetsTransmittedOK": ("tx", "bytes"), "OctetsReceivedOK": ("rx", "bytes"),
}
FRAMES = ("FramesTransmittedOK", "FramesReceivedOK", "FrameCheckSequenceErrors")
OCTETS = ("OctetsTransmittedOK", "OctetsReceivedOK")
CASTS = tuple(f"{cast}Frames{how}OK" for cast in ("Multicast", "Broadcast") for how in ("Xmitted", "Received"))
UNDERSIZE, OVERSIZE, FRAGMENTS, JABBERS = (
    "etherStatsUndersizePkts", "etherStatsOversizePkts", "etherStatsFragments", "etherStatsJabbers",
)
SENT, HEARD, UNSUPPORTED = "MACControlFramesTransmitted", "MACControlFramesReceived", "UnsupportedOpcodesReceived"
SHORT = (64, 127, 255, 511, 1023)
"""Where the first buckets of all drivers end."""


@dataclass(frozen=True, slots=True)
class StandardFacts:
    """mac, ctrl, rmon: the names that a driver tells; phy: whether it counts errors of symbols; ends: where buckets of
    lengths end; tx: whether there are any of what was sent; pause: the names of PauseStats; whole: a virtual function
    is told it, too; downs: the driver counts how often the link went down."""

    mac: tuple[str, ...] = ()
    ctrl: tuple[str, ...] = ()
    rmon: tuple[str, ...] = ()
    phy: bool = False
    ends: tuple[int, ...] = ()
    tx: bool = False
    pause: tuple[str, ...] = ()
    whole: bool = True
    downs: bool = True


FACTS = {
    # mlx5e_stats_eth_mac_get() and its like, mlx5e_rmon_ranges, mlx5e_stats_pause_get()
    "mlx5_core": StandardFacts(
        mac=(*FRAMES, *OCTETS, *CASTS, "InRangeLengthErrors", "OutOfRangeLengthField", "FrameTooLongErrors"),
        ctrl=(SENT, HEARD, UNSUPPORTED), rmon=(UNDERSIZE, FRAGMENTS, JABBERS), phy=True,
        ends=(*SHORT, 1518, 2047, 4095, 8191, 10239), pause=("tx_frames", "rx_frames", "tx_pause_storm_events"),
    ),
    # bnxt_get_eth_mac_stats() and its like, bnxt_rmon_ranges, bnxt_get_pause_stats()
    "bnxt_en": StandardFacts(
        mac=(*FRAMES, "AlignmentErrors", "OutOfRangeLengthField"), ctrl=(HEARD,), rmon=(JABBERS, OVERSIZE, UNDERSIZE),
        phy=True, ends=(*SHORT, 1518, 2047, 4095, 9216, 16383), tx=True, pause=("tx_frames", "rx_frames"), whole=False,
    ),
    # fbnic_get_eth_mac_stats() and its like, fbnic_rmon_ranges, fbnic_get_pause_stats()
    "fbnic": StandardFacts(
        mac=(*FRAMES, *OCTETS, *CASTS, "AlignmentErrors", "FramesLostDueToIntMACXmitError",
             "FramesLostDueToIntMACRcvError", "FrameTooLongErrors"),
        ctrl=(SENT, HEARD), rmon=(UNDERSIZE, OVERSIZE, FRAGMENTS, JABBERS), phy=True,
        ends=(*SHORT, 1518, 2047, 4095, 8191, 9216, 9742), tx=True,
        pause=("tx_frames", "rx_frames", "tx_pause_storm_events"),
    ),
    # ice_get_eth_mac_stats(), ice_get_rmon_stats(), ice_rmon_ranges, ice_get_pause_stats()
    "ice": StandardFacts(
        mac=(*FRAMES, *OCTETS, *CASTS, "InRangeLengthErrors", "FrameTooLongErrors"),
        rmon=(UNDERSIZE, OVERSIZE, FRAGMENTS, JABBERS), ends=(*SHORT, 1522, 9522), tx=True,
        pause=("tx_frames", "rx_frames"),
    ),
    # i40e_get_link_ext_stats() alone
    "i40e": StandardFacts(),
}
NO_FACTS = StandardFacts(downs=False)


class NicStandard(DeviceOps):
    """get_eth_mac_stats and its like of ethtool_ops, get_pause_stats and get_link_ext_stats."""

    standard: StandardFacts

    def get_standard_stats(self, dev: Device, group: Stats) -> StandardStats:
        facts = self._told(dev)
        if group == Stats.ETH_PHY:
            return StandardStats({"SymbolErrorDuringCarrier": 0}) if facts.phy else NOTHING_COUNTED
        if group == Stats.RMON:
            starts = (0, *(end + 1 for end in facts.ends[:-1]))
            buckets = tuple(Bucket(low, high) for low, high in zip(starts, facts.ends, strict=False))
            return StandardStats(dict.fromkeys(facts.rmon, 0), buckets, buckets if facts.tx else ())
        names = {Stats.ETH_MAC: facts.mac, Stats.ETH_CTRL: facts.ctrl}.get(group, ())
        return StandardStats({name: _of_queues(dev, name) for name in names})

    def get_pause_stats(self, dev: Device, stats: PauseStats) -> None:
        for name in self._told(dev).pause:
            setattr(stats, name, 0)

    def get_link_down_events(self, dev: Device) -> int | None:
        return dev.carrier_down_count if self._told(dev).downs else None

    def _told(self, dev: Device) -> StandardFacts:
        return self.standard if self.standard.whole or not is_virtual(dev) else NO_FACTS


def _of_queues(dev: Device, name: str) -> int:
    if name not in FROM_QUEUES:
        return 0
    side, what = FROM_QUEUES[name]
    return sum(getattr(kept, what, 0) or 0 for kept in getattr(dev.priv, side).values())
