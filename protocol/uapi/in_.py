"""uapi/linux/in.h: protocols of IP, as far as tunnels and rules of NICs are about them."""

from enum import IntEnum


class IpProto(IntEnum):
    """IPPROTO_*."""

    IPIP = 4
    TCP = 6
    UDP = 17
    IPV6 = 41
    GRE = 47
    SCTP = 132
    MPLS = 137
