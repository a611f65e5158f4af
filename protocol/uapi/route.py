"""linux/route.h, linux/ipv6_route.h: what routes looked like before rtnetlink."""

from nlemu.protocol.uapi.bits import Bits


class RTF(Bits):
    """RTF_*."""

    UP = 0x1
    GATEWAY = 0x2
    HOST = 0x4
    MTU = 0x40
    WINDOW = 0x80
    IRTT = 0x100
    REJECT = 0x200
    ANYCAST = 0x00100000
    NONEXTHOP = 0x00200000
    EXPIRES = 0x00400000
    CACHE = 0x01000000
    PCPU = 0x40000000
    LOCAL = 0x80000000
