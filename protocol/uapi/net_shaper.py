"""uapi/linux/net_shaper.h: the net-shaper family."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

NET_SHAPER_FAMILY_NAME = "net-shaper"
NET_SHAPER_FAMILY_VERSION = 1


class NetShaperCmd(IntEnum):
    """NET_SHAPER_CMD_*."""

    GET = 1
    SET = 2
    DELETE = 3
    GROUP = 4
    CAP_GET = 5


class NetShaperScope(IntEnum):
    """enum net_shaper_scope: what a shaper holds back."""

    UNSPEC = 0
    NETDEV = 1
    QUEUE = 2
    NODE = 3


class NetShaperCaps(Bits):
    """What a device can do for a scope: bits numbered as the attributes NET_SHAPER_A_CAPS_SUPPORT_*."""

    METRIC_BPS = 1 << 3
    METRIC_PPS = 1 << 4
    NESTING = 1 << 5
    BW_MIN = 1 << 6
    BW_MAX = 1 << 7
    BURST = 1 << 8
    PRIORITY = 1 << 9
    WEIGHT = 1 << 10
