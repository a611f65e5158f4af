"""uapi/linux/netdev.h: the netdev family."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

NETDEV_FAMILY_NAME = "netdev"
NETDEV_FAMILY_VERSION = 1
NETDEV_MCGRP_MGMT = "mgmt"
NETDEV_MCGRP_PAGE_POOL = "page-pool"


class NetdevCmd(IntEnum):
    """NETDEV_CMD_*."""

    DEV_GET = 1
    DEV_ADD_NTF = 2
    DEV_DEL_NTF = 3
    DEV_CHANGE_NTF = 4
    PAGE_POOL_GET = 5
    PAGE_POOL_ADD_NTF = 6
    PAGE_POOL_DEL_NTF = 7
    PAGE_POOL_CHANGE_NTF = 8
    PAGE_POOL_STATS_GET = 9
    QUEUE_GET = 10
    NAPI_GET = 11
    QSTATS_GET = 12
    BIND_RX = 13
    NAPI_SET = 14
    BIND_TX = 15
    QUEUE_CREATE = 16


class XdpAct(Bits):
    """enum netdev_xdp_act: what XDP can do on a device."""

    BASIC = 1 << 0
    REDIRECT = 1 << 1
    NDO_XMIT = 1 << 2
    XSK_ZEROCOPY = 1 << 3
    HW_OFFLOAD = 1 << 4
    RX_SG = 1 << 5
    NDO_XMIT_SG = 1 << 6


class XdpRxMetadata(Bits):
    """enum netdev_xdp_rx_metadata."""

    TIMESTAMP = 1 << 0
    HASH = 1 << 1
    VLAN_TAG = 1 << 2


class XskFlags(Bits):
    """enum netdev_xsk_flags: what AF_XDP can offload."""

    TX_TIMESTAMP = 1 << 0
    TX_CHECKSUM = 1 << 1
    TX_LAUNCH_TIME_FIFO = 1 << 2


class QueueType(IntEnum):
    """enum netdev_queue_type."""

    RX = 0
    TX = 1


class QstatsScope(Bits):
    """enum netdev_qstats_scope."""

    QUEUE = 1 << 0


class NapiThreaded(IntEnum):
    """enum netdev_napi_threaded."""

    DISABLED = 0
    ENABLED = 1
    BUSY_POLL = 2
