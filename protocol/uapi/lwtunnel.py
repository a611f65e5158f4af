"""uapi/linux/lwtunnel.h: light-weight tunnels."""

from enum import IntEnum


class LwtunnelEncap(IntEnum):
    """enum lwtunnel_encap_types: LWTUNNEL_ENCAP_*."""

    NONE = 0
    MPLS = 1
    IP = 2
    ILA = 3
    IP6 = 4
    SEG6 = 5
    BPF = 6
    SEG6_LOCAL = 7
    RPL = 8
    IOAM6 = 9
    XFRM = 10
