"""uapi/linux/seg6.h, seg6_iptunnel.h and seg6_local.h: segment routing over IPv6."""

from enum import IntEnum

IPV6_SRCRT_TYPE_4 = 4
"""The type of a routing header that holds segments."""


class Seg6IptunMode(IntEnum):
    """SEG6_IPTUN_MODE_*."""

    INLINE = 0
    ENCAP = 1
    L2ENCAP = 2
    ENCAP_RED = 3
    L2ENCAP_RED = 4


class Seg6LocalAction(IntEnum):
    """SEG6_LOCAL_ACTION_*."""

    UNSPEC = 0
    END = 1
    END_X = 2
    END_T = 3
    END_DX2 = 4
    END_DX6 = 5
    END_DX4 = 6
    END_DT6 = 7
    END_DT4 = 8
    END_B6 = 9
    END_B6_ENCAP = 10
    END_BM = 11
    END_S = 12
    END_AS = 13
    END_AM = 14
    END_BPF = 15
    END_DT46 = 16


class Seg6LocalFlavor(IntEnum):
    """SEG6_LOCAL_FLV_OP_*: numbers of bits."""

    UNSPEC = 0
    PSP = 1
    USP = 2
    USD = 3
    NEXT_CSID = 4
