"""uapi/linux/net_tstamp.h: what a device can time-stamp."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class SOF_TIMESTAMPING(Bits):
    """SOF_TIMESTAMPING_*."""

    TX_HARDWARE = 1 << 0
    TX_SOFTWARE = 1 << 1
    RX_HARDWARE = 1 << 2
    RX_SOFTWARE = 1 << 3
    SOFTWARE = 1 << 4
    SYS_HARDWARE = 1 << 5
    RAW_HARDWARE = 1 << 6
    OPT_ID = 1 << 7
    TX_SCHED = 1 << 8
    TX_ACK = 1 << 9
    OPT_CMSG = 1 << 10
    OPT_TSONLY = 1 << 11
    OPT_STATS = 1 << 12
    OPT_PKTINFO = 1 << 13
    OPT_TX_SWHW = 1 << 14
    BIND_PHC = 1 << 15
    OPT_ID_TCP = 1 << 16
    OPT_RX_FILTER = 1 << 17
    TX_COMPLETION = 1 << 18


class HwtstampTx(IntEnum):
    """enum hwtstamp_tx_types: HWTSTAMP_TX_*."""

    OFF = 0
    ON = 1
    ONESTEP_SYNC = 2
    ONESTEP_P2P = 3


class HwtstampFilter(IntEnum):
    """enum hwtstamp_rx_filters: HWTSTAMP_FILTER_*."""

    NONE = 0
    ALL = 1
    SOME = 2
    PTP_V1_L4_EVENT = 3
    PTP_V1_L4_SYNC = 4
    PTP_V1_L4_DELAY_REQ = 5
    PTP_V2_L4_EVENT = 6
    PTP_V2_L4_SYNC = 7
    PTP_V2_L4_DELAY_REQ = 8
    PTP_V2_L2_EVENT = 9
    PTP_V2_L2_SYNC = 10
    PTP_V2_L2_DELAY_REQ = 11
    PTP_V2_EVENT = 12
    PTP_V2_SYNC = 13
    PTP_V2_DELAY_REQ = 14
    NTP_ALL = 15


class HwtstampSource(IntEnum):
    """enum hwtstamp_source (ethtool_netlink_generated.h)."""

    NETDEV = 1
    PHYLIB = 2


class HwtstampFlag(IntEnum):
    """enum hwtstamp_flags, as bit numbers."""

    BONDED_PHC_INDEX = 0


class HwtstampQualifier(IntEnum):
    """enum hwtstamp_provider_qualifier."""

    PRECISE = 0
    APPROX = 1
