"""Attributes of the link: its connector, speed and modes, its state, flow control, error correction, clocks."""

from nlemu.protocol.families.ethtool.common import BITSET, HEADER, HEADER_STATS
from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import binary, nest, u8, u32, u64, uint
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.ethtool import (
    Autoneg,
    Duplex,
    LinkExtState,
    MacStatsSrc,
    MasterSlaveCfg,
    MasterSlaveState,
    Port,
    TpMdi,
    Transceiver,
)
from nlemu.protocol.uapi.net_tstamp import HwtstampQualifier, HwtstampSource


class Linkinfo(AttrSet):
    """ETHTOOL_A_LINKINFO_*."""

    header = Attr(1, HEADER)
    port = Attr(2, u8, shown=Port)
    phyaddr = Attr(3, u8)
    tp_mdix = Attr(4, u8, shown=TpMdi)
    tp_mdix_ctrl = Attr(5, u8, shown=TpMdi)
    transceiver = Attr(6, u8, shown=Transceiver)


class Linkmodes(AttrSet):
    """ETHTOOL_A_LINKMODES_*."""

    header = Attr(1, HEADER)
    autoneg = Attr(2, u8, shown=Autoneg)
    ours = Attr(3, BITSET)
    peer = Attr(4, BITSET)
    speed = Attr(5, u32)
    duplex = Attr(6, u8, shown=Duplex)
    master_slave_cfg = Attr(7, u8, shown=MasterSlaveCfg)
    master_slave_state = Attr(8, u8, shown=MasterSlaveState)
    lanes = Attr(9, u32, min=1, max=8)
    rate_matching = Attr(10, u8)


class Linkstate(AttrSet):
    """ETHTOOL_A_LINKSTATE_*."""

    header = Attr(1, HEADER_STATS)
    link = Attr(2, u8)
    sqi = Attr(3, u32)
    sqi_max = Attr(4, u32)
    ext_state = Attr(5, u8, shown=LinkExtState)
    ext_substate = Attr(6, u8)
    ext_down_cnt = Attr(7, u32)


class PauseStat(AttrSet):
    """ETHTOOL_A_PAUSE_STAT_*; 1 is for padding, which x86-64 does without."""

    tx_frames = Attr(2, u64)
    rx_frames = Attr(3, u64)
    tx_pause_storm_events = Attr(4, u64)


class Pause(AttrSet):
    """ETHTOOL_A_PAUSE_*."""

    header = Attr(1, HEADER_STATS)
    autoneg = Attr(2, u8)
    rx = Attr(3, u8)
    tx = Attr(4, u8)
    stats = Attr(5, nest(PauseStat))
    stats_src = Attr(6, u32, enum=MacStatsSrc)


class FecHist(AttrSet):
    """ETHTOOL_A_FEC_HIST_*."""

    bin_low = Attr(2, u32)
    bin_high = Attr(3, u32)
    bin_val = Attr(4, uint)
    bin_val_per_lane = Attr(5, binary)


class FecStat(AttrSet):
    """ETHTOOL_A_FEC_STAT_*: arrays of 64-bit counters, the total before those of the lanes."""

    corrected = Attr(2, binary)
    uncorr = Attr(3, binary)
    corr_bits = Attr(4, binary)
    hist = Attr(5, nest(FecHist), multi=True)


class Fec(AttrSet):
    """ETHTOOL_A_FEC_*."""

    header = Attr(1, HEADER_STATS)
    modes = Attr(2, BITSET)
    auto = Attr(3, u8, max=1)
    active = Attr(4, u32)
    stats = Attr(5, nest(FecStat))


class Eee(AttrSet):
    """ETHTOOL_A_EEE_*."""

    header = Attr(1, HEADER)
    modes_ours = Attr(2, BITSET)
    modes_peer = Attr(3, BITSET)
    active = Attr(4, u8)
    enabled = Attr(5, u8)
    tx_lpi_enabled = Attr(6, u8)
    tx_lpi_timer = Attr(7, u32)


class HwtstampProvider(AttrSet):
    """ETHTOOL_A_TS_HWTSTAMP_PROVIDER_*."""

    index = Attr(1, u32)
    qualifier = Attr(2, u32, enum=HwtstampQualifier)


_PROVIDER = (HwtstampProvider.index, HwtstampProvider.qualifier)
# ethnl_ts_hwtst_prov_policy stands in a header, static: whoever includes it has one of his own.
TSINFO_PROVIDER = nest(Policy(*_PROVIDER, chosen_from=HwtstampProvider))
TSCONFIG_PROVIDER = nest(Policy(*_PROVIDER, chosen_from=HwtstampProvider))


class TsStat(AttrSet):
    """ETHTOOL_A_TS_STAT_*, in the order of tsinfo_put_stats()."""

    tx_pkts = Attr(1, uint)
    tx_lost = Attr(2, uint)
    tx_err = Attr(3, uint)
    tx_onestep_pkts_unconfirmed = Attr(4, uint)
    order = (tx_pkts, tx_onestep_pkts_unconfirmed, tx_lost, tx_err)


class Tsinfo(AttrSet):
    """ETHTOOL_A_TSINFO_*."""

    header = Attr(1, HEADER_STATS)
    timestamping = Attr(2, BITSET)
    tx_types = Attr(3, BITSET)
    rx_filters = Attr(4, BITSET)
    phc_index = Attr(5, u32)
    stats = Attr(6, nest(TsStat))
    hwtstamp_provider = Attr(7, TSINFO_PROVIDER)
    hwtstamp_source = Attr(8, u32, shown=HwtstampSource)
    hwtstamp_phyindex = Attr(9, u32)


class Tsconfig(AttrSet):
    """ETHTOOL_A_TSCONFIG_*."""

    header = Attr(1, HEADER)
    hwtstamp_provider = Attr(2, TSCONFIG_PROVIDER)
    tx_types = Attr(3, BITSET)
    rx_filters = Attr(4, BITSET)
    hwtstamp_flags = Attr(5, BITSET)


class PhcVclocks(AttrSet):
    """ETHTOOL_A_PHC_VCLOCKS_*."""

    header = Attr(1, HEADER)
    num = Attr(2, u32)
    index = Attr(3, binary)
    """As many s32."""
