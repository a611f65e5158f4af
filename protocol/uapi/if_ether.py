"""uapi/linux/if_ether.h: sizes of Ethernet, and the protocol numbers that link attributes carry."""

from enum import IntEnum

ETH_ALEN = 6
ETH_HLEN = 14
ETH_ZLEN = 60
ETH_DATA_LEN = 1500
ETH_FRAME_LEN = 1514
VLAN_HLEN = 4
"""linux/if_vlan.h, of the kernel itself: a tag beside the header."""
ETH_FCS_LEN = 4
ETH_MIN_MTU = 68
ETH_MAX_MTU = 65535


class ETH_P(IntEnum):
    """ETH_P_*."""

    IP = 0x0800
    ARP = 0x0806
    VLAN_8021Q = 0x8100
    IPV6 = 0x86DD
    MPLS_UC = 0x8847
    VLAN_8021AD = 0x88A8
    ALL = 0x0003
