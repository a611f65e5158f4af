"""Numbers inside the kernel that show on the wire: include/linux/netdevice.h and netdev_features.h."""

from enum import IntEnum

MAX_ADDR_LEN = 32
"""The longest hardware address (uapi/linux/netdevice.h)."""

GSO_MAX_SEGS = 65535
GSO_LEGACY_MAX_SIZE = 65536
GSO_MAX_SIZE = 8 * GSO_MAX_SEGS
GRO_LEGACY_MAX_SIZE = 65536
GRO_MAX_SIZE = 8 * 65535
TSO_LEGACY_MAX_SIZE = 65536
TSO_MAX_SIZE = 0xFFFFFFFF
TSO_MAX_SEGS = 65535

NETDEV_FEATURE_COUNT = 64
"""The size of a feature bit set: the string set of feature names has that many, some of them empty."""


class NetifF(IntEnum):
    """NETIF_F_*_BIT: feature bit numbers. The missing ones are unused, or without a name for user space."""

    SG = 0
    IP_CSUM = 1
    HW_CSUM = 3
    IPV6_CSUM = 4
    HIGHDMA = 5
    FRAGLIST = 6
    HW_VLAN_CTAG_TX = 7
    HW_VLAN_CTAG_RX = 8
    HW_VLAN_CTAG_FILTER = 9
    VLAN_CHALLENGED = 10
    GSO = 11
    GRO = 14
    LRO = 15
    TSO = 16
    GSO_ROBUST = 17
    TSO_ECN = 18
    TSO_MANGLEID = 19
    TSO6 = 20
    FSO = 21
    GSO_GRE = 22
    GSO_GRE_CSUM = 23
    GSO_IPXIP4 = 24
    GSO_IPXIP6 = 25
    GSO_UDP_TUNNEL = 26
    GSO_UDP_TUNNEL_CSUM = 27
    GSO_PARTIAL = 28
    GSO_TUNNEL_REMCSUM = 29
    GSO_SCTP = 30
    GSO_ESP = 31
    GSO_UDP_L4 = 33
    GSO_FRAGLIST = 34
    GSO_ACCECN = 35
    FCOE_CRC = 36
    SCTP_CRC = 37
    NTUPLE = 38
    RXHASH = 39
    RXCSUM = 40
    NOCACHE_COPY = 41
    LOOPBACK = 42
    RXFCS = 43
    RXALL = 44
    HW_VLAN_STAG_TX = 45
    HW_VLAN_STAG_RX = 46
    HW_VLAN_STAG_FILTER = 47
    HW_L2FW_DOFFLOAD = 48
    HW_TC = 49
    HW_ESP = 50
    HW_ESP_TX_CSUM = 51
    RX_UDP_TUNNEL_PORT = 52
    HW_TLS_TX = 53
    HW_TLS_RX = 54
    GRO_HW = 55
    GRO_FRAGLIST = 57
    HW_MACSEC = 58
    GRO_UDP_FWD = 59
    HW_HSR_TAG_INS = 60
    HW_HSR_TAG_RM = 61
    HW_HSR_FWD = 62
    HW_HSR_DUP = 63
