"""Attributes of the device itself: its queues and rings, features, statistics, hashing, tunnels, private data."""

from nlemu.protocol.families.ethtool.common import BITSET, HEADER
from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import array, be16, binary, nest, u8, u32, u64, uint
from nlemu.protocol.uapi.ethtool import (
    SOPASS_MAX,
    MacStatsSrc,
    Rxh,
    RxhXfrm,
    Stats,
    StringSet,
    TcpDataSplit,
    UdpTunnelType,
)


class Channels(AttrSet):
    """ETHTOOL_A_CHANNELS_*."""

    header = Attr(1, HEADER)
    rx_max = Attr(2, u32)
    tx_max = Attr(3, u32)
    other_max = Attr(4, u32)
    combined_max = Attr(5, u32)
    rx_count = Attr(6, u32)
    tx_count = Attr(7, u32)
    other_count = Attr(8, u32)
    combined_count = Attr(9, u32)


class Rings(AttrSet):
    """ETHTOOL_A_RINGS_*."""

    header = Attr(1, HEADER)
    rx_max = Attr(2, u32)
    rx_mini_max = Attr(3, u32)
    rx_jumbo_max = Attr(4, u32)
    tx_max = Attr(5, u32)
    rx = Attr(6, u32)
    rx_mini = Attr(7, u32)
    rx_jumbo = Attr(8, u32)
    tx = Attr(9, u32)
    rx_buf_len = Attr(10, u32, min=1)
    tcp_data_split = Attr(11, u8, enum=TcpDataSplit)
    cqe_size = Attr(12, u32, min=1)
    tx_push = Attr(13, u8, max=1)
    rx_push = Attr(14, u8, max=1)
    tx_push_buf_len = Attr(15, u32)
    tx_push_buf_len_max = Attr(16, u32)
    hds_thresh = Attr(17, u32)
    hds_thresh_max = Attr(18, u32)


class IrqModeration(AttrSet):
    """ETHTOOL_A_IRQ_MODERATION_*."""

    usec = Attr(1, u32)
    pkts = Attr(2, u32)
    comps = Attr(3, u32)


class Profile(AttrSet):
    """ETHTOOL_A_PROFILE_*."""

    irq_moderation = Attr(1, nest(IrqModeration), multi=True)


class Coalesce(AttrSet):
    """ETHTOOL_A_COALESCE_*."""

    header = Attr(1, HEADER)
    rx_usecs = Attr(2, u32)
    rx_max_frames = Attr(3, u32)
    rx_usecs_irq = Attr(4, u32)
    rx_max_frames_irq = Attr(5, u32)
    tx_usecs = Attr(6, u32)
    tx_max_frames = Attr(7, u32)
    tx_usecs_irq = Attr(8, u32)
    tx_max_frames_irq = Attr(9, u32)
    stats_block_usecs = Attr(10, u32)
    use_adaptive_rx = Attr(11, u8)
    use_adaptive_tx = Attr(12, u8)
    pkt_rate_low = Attr(13, u32)
    rx_usecs_low = Attr(14, u32)
    rx_max_frames_low = Attr(15, u32)
    tx_usecs_low = Attr(16, u32)
    tx_max_frames_low = Attr(17, u32)
    pkt_rate_high = Attr(18, u32)
    rx_usecs_high = Attr(19, u32)
    rx_max_frames_high = Attr(20, u32)
    tx_usecs_high = Attr(21, u32)
    tx_max_frames_high = Attr(22, u32)
    rate_sample_interval = Attr(23, u32)
    use_cqe_mode_tx = Attr(24, u8, max=1)
    use_cqe_mode_rx = Attr(25, u8, max=1)
    tx_aggr_max_bytes = Attr(26, u32)
    tx_aggr_max_frames = Attr(27, u32)
    tx_aggr_time_usecs = Attr(28, u32)
    rx_profile = Attr(29, nest(Profile))
    tx_profile = Attr(30, nest(Profile))
    rx_cqe_frames = Attr(31, u32)
    rx_cqe_nsecs = Attr(32, u32)


class Features(AttrSet):
    """ETHTOOL_A_FEATURES_*."""

    header = Attr(1, HEADER)
    hw = Attr(2, BITSET)
    wanted = Attr(3, BITSET)
    active = Attr(4, BITSET)
    nochange = Attr(5, BITSET)


class Debug(AttrSet):
    """ETHTOOL_A_DEBUG_*."""

    header = Attr(1, HEADER)
    msgmask = Attr(2, BITSET)


class Wol(AttrSet):
    """ETHTOOL_A_WOL_*."""

    header = Attr(1, HEADER)
    modes = Attr(2, BITSET)
    sopass = Attr(3, binary, length=SOPASS_MAX)


class Privflags(AttrSet):
    """ETHTOOL_A_PRIVFLAGS_*."""

    header = Attr(1, HEADER)
    flags = Attr(2, BITSET)


class TunnelUdpEntry(AttrSet):
    """ETHTOOL_A_TUNNEL_UDP_ENTRY_*."""

    port = Attr(1, be16)
    type = Attr(2, u32, shown=UdpTunnelType)


class TunnelUdpTable(AttrSet):
    """ETHTOOL_A_TUNNEL_UDP_TABLE_*."""

    size = Attr(1, u32)
    types = Attr(2, BITSET)
    entry = Attr(3, nest(TunnelUdpEntry), multi=True)


class TunnelUdp(AttrSet):
    """ETHTOOL_A_TUNNEL_UDP_*."""

    table = Attr(1, nest(TunnelUdpTable), multi=True)


class TunnelInfo(AttrSet):
    """ETHTOOL_A_TUNNEL_INFO_*."""

    header = Attr(1, HEADER)
    udp_ports = Attr(2, nest(TunnelUdp))


class StatsGrpHist(AttrSet):
    """ETHTOOL_A_STATS_GRP_HIST_*: how many frames had a length between these two."""

    hist_bkt_low = Attr(7, u32)
    hist_bkt_hi = Attr(8, u32)
    hist_val = Attr(9, u64)


class StatsGrp(AttrSet):
    """ETHTOOL_A_STATS_GRP_*. A counter is a nest with one attribute, whose number is that of its name. Of the groups,
    only that with histograms has them, ahead of the rest (stats_put_rmon_stats())."""

    id = Attr(2, u32, shown=Stats)
    ss_id = Attr(3, u32, shown=StringSet)
    stat = Attr(4, array(u64), multi=True)
    hist_rx = Attr(5, nest(StatsGrpHist), multi=True)
    hist_tx = Attr(6, nest(StatsGrpHist), multi=True)
    hist_bkt_low = StatsGrpHist.hist_bkt_low
    hist_bkt_hi = StatsGrpHist.hist_bkt_hi
    hist_val = StatsGrpHist.hist_val
    order = (id, ss_id, hist_rx, hist_tx, stat)


class StatsGet(AttrSet):
    """ETHTOOL_A_STATS_*; the one set whose header is not number 1."""

    header = Attr(2, HEADER)
    groups = Attr(3, BITSET)
    grp = Attr(4, nest(StatsGrp), multi=True)
    src = Attr(5, u32, enum=MacStatsSrc)
    order = (header, src, grp, groups)


HASHED = int(
    Rxh.L2DA | Rxh.VLAN | Rxh.L3_PROTO | Rxh.IP_SRC | Rxh.IP_DST | Rxh.L4_B_0_1 | Rxh.L4_B_2_3 | Rxh.GTP_TEID
    | Rxh.DISCARD
)
HASHED_V6 = HASHED | int(Rxh.IP6_FL)
"""RFH_MASK, RFH_MASKv6."""


class Flow(AttrSet):
    """ETHTOOL_A_FLOW_*: which fields of a kind of packet are hashed."""

    ether = Attr(1, uint, mask=HASHED, shown=Rxh)
    ip4 = Attr(2, uint, mask=HASHED, shown=Rxh)
    ip6 = Attr(3, uint, mask=HASHED_V6, shown=Rxh)
    tcp4 = Attr(4, uint, mask=HASHED, shown=Rxh)
    tcp6 = Attr(5, uint, mask=HASHED_V6, shown=Rxh)
    udp4 = Attr(6, uint, mask=HASHED, shown=Rxh)
    udp6 = Attr(7, uint, mask=HASHED_V6, shown=Rxh)
    sctp4 = Attr(8, uint, mask=HASHED, shown=Rxh)
    sctp6 = Attr(9, uint, mask=HASHED_V6, shown=Rxh)
    ah4 = Attr(10, uint, mask=HASHED, shown=Rxh)
    ah6 = Attr(11, uint, mask=HASHED_V6, shown=Rxh)
    esp4 = Attr(12, uint, mask=HASHED, shown=Rxh)
    esp6 = Attr(13, uint, mask=HASHED_V6, shown=Rxh)
    ah_esp4 = Attr(14, uint, mask=HASHED, shown=Rxh)
    ah_esp6 = Attr(15, uint, mask=HASHED_V6, shown=Rxh)
    gtpu4 = Attr(16, uint, mask=HASHED, shown=Rxh)
    gtpu6 = Attr(17, uint, mask=HASHED_V6, shown=Rxh)
    gtpc4 = Attr(18, uint, mask=HASHED, shown=Rxh)
    gtpc6 = Attr(19, uint, mask=HASHED_V6, shown=Rxh)
    gtpc_teid4 = Attr(20, uint, mask=HASHED, shown=Rxh)
    gtpc_teid6 = Attr(21, uint, mask=HASHED_V6, shown=Rxh)
    gtpu_eh4 = Attr(22, uint, mask=HASHED, shown=Rxh)
    gtpu_eh6 = Attr(23, uint, mask=HASHED_V6, shown=Rxh)
    gtpu_ul4 = Attr(24, uint, mask=HASHED, shown=Rxh)
    gtpu_ul6 = Attr(25, uint, mask=HASHED_V6, shown=Rxh)
    gtpu_dl4 = Attr(26, uint, mask=HASHED, shown=Rxh)
    gtpu_dl6 = Attr(27, uint, mask=HASHED_V6, shown=Rxh)


class Rss(AttrSet):
    """ETHTOOL_A_RSS_*."""

    header = Attr(1, HEADER)
    context = Attr(2, u32)
    hfunc = Attr(3, u32, min=1, max=0xFF)
    indir = Attr(4, binary)
    hkey = Attr(5, binary, min=1)
    input_xfrm = Attr(6, u32, max=int(RxhXfrm.SYM_OR_XOR), shown=RxhXfrm)
    start_context = Attr(7, u32)
    flow_hash = Attr(8, nest(Flow))
    order = (header, context, indir, hfunc, input_xfrm, hkey, flow_hash, start_context)
