"""What ethtool reads of a device beside its queues: its link, error correction, time stamps, and names of its own.

A driver fills these records (its methods are in ops.py); a method that it lacks is EOPNOTSUPP, unless the stack has an
answer of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import ENODEV, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import (
    Autoneg,
    Duplex,
    FecFlag,
    MasterSlaveCfg,
    MasterSlaveState,
    Port,
    TpMdi,
    Transceiver,
)
from nlemu.protocol.uapi.net_tstamp import SOF_TIMESTAMPING, HwtstampQualifier

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(slots=True)
class LinkSettings:
    """struct ethtool_link_ksettings; sets of link modes are integers with a bit a mode."""

    speed: int = 0
    duplex: int = Duplex.HALF
    port: int = Port.TP
    phy_address: int = 0
    autoneg: int = Autoneg.DISABLE
    tp_mdix: int = TpMdi.INVALID
    tp_mdix_ctrl: int = TpMdi.INVALID
    transceiver: int = Transceiver.INTERNAL
    master_slave_cfg: int = MasterSlaveCfg.UNSUPPORTED
    master_slave_state: int = MasterSlaveState.UNSUPPORTED
    rate_matching: int = 0
    lanes: int = 0
    supported: int = 0
    advertising: int = 0
    lp_advertising: int = 0


@dataclass(slots=True)
class TsInfo:
    """struct kernel_ethtool_ts_info; phc_index: the clock's number, -1 for none."""

    so_timestamping: int = 0
    tx_types: int = 0
    rx_filters: int = 0
    phc_index: int = -1
    phc_qualifier: int = HwtstampQualifier.PRECISE


@dataclass(slots=True)
class TsStats:
    """struct ethtool_ts_stats, of what was sent; None: not counted."""

    tx_pkts: int | None = None
    tx_onestep_pkts_unconfirmed: int | None = None
    tx_lost: int | None = None
    tx_err: int | None = None


@dataclass(slots=True)
class Fec:
    """struct ethtool_fecparam, as FecFlag: what may be used, and what is."""

    fec: int = FecFlag.NONE
    active: int = FecFlag.NONE
    command: int | None = None
    """cmd, where the driver keeps what it was told: ioctls show that."""


@dataclass(frozen=True, slots=True)
class FecCounter:
    """struct ethtool_fec_stat: a total, or a number for each lane; neither: not counted."""

    total: int | None = None
    lanes: tuple[int, ...] = ()


@dataclass(slots=True)
class FecBin:
    """One of struct ethtool_fec_hist: how often from ``low`` to ``high`` errors were corrected in a block."""

    low: int
    high: int
    sum: int | None = None
    lanes: tuple[int, ...] = ()


@dataclass(slots=True)
class FecStats:
    """struct ethtool_fec_stats and ethtool_fec_hist."""

    corrected: FecCounter = FecCounter()
    uncorrectable: FecCounter = FecCounter()
    corrected_bits: FecCounter = FecCounter()
    histogram: tuple[FecBin, ...] = ()


def get_link(dev: Device) -> bool | None:
    """__ethtool_get_link(); None: the driver does not say."""
    if not dev.ops.has("get_link"):
        return None
    return dev.running and dev.ops.get_link(dev)


def carrier_as_link(dev: Device) -> bool:
    """ethtool_op_get_link(): the carrier, after link-watch has caught up with it."""
    dev.kernel.link_watch.sync(dev)
    return dev.carrier


def get_link_settings(dev: Device) -> LinkSettings:
    """netif_get_link_ksettings(). EOPNOTSUPP."""
    return dev.ops.get_link_ksettings(dev)


STACK_STAMPS = int(SOF_TIMESTAMPING.RX_SOFTWARE | SOF_TIMESTAMPING.SOFTWARE)
"""What the stack can stamp for every device."""
SOFTWARE_STAMPS = STACK_STAMPS | int(SOF_TIMESTAMPING.TX_SOFTWARE)
"""ethtool_op_get_ts_info(): and what a driver adds that stamps what it sends."""


def get_ts_info(dev: Device) -> TsInfo:
    """__ethtool_get_ts_info()."""
    info = TsInfo()
    dev.ops.get_ts_info(dev, info)
    info.so_timestamping |= STACK_STAMPS
    return info


def get_ts_info_of(dev: Device, clock: int, qualifier: int) -> TsInfo:
    """ethtool_get_ts_info_by_phc(): of one clock. ENODEV: it is not the device's. No driver here has approximate
    time stamps, and no device a PHY with a clock."""
    info = get_ts_info(dev)
    info.phc_qualifier = qualifier
    if info.phc_index != clock or qualifier != HwtstampQualifier.PRECISE:
        raise Refusal(ENODEV)
    return info


def get_fec(dev: Device) -> Fec:
    """fec_prepare_data(). EOPNOTSUPP."""
    return dev.ops.get_fecparam(dev)


def check_fec_settable(dev: Device) -> None:
    """ethnl_set_fec_validate(): EOPNOTSUPP."""
    if not (dev.ops.has("get_fecparam") and dev.ops.has("set_fecparam")):
        raise Refusal(EOPNOTSUPP)


def get_fec_stats(dev: Device) -> FecStats:
    """get_fec_stats(): nothing is counted without the method."""
    return dev.ops.get_fec_stats(dev) if dev.ops.has("get_fec_stats") else FecStats()


def get_strings(dev: Device, string_set: int) -> tuple[str, ...]:
    """strset_prepare_set(): a driver's own strings (ETH_SS_*), none where it has no such set."""
    return dev.ops.get_strings(dev, string_set)
