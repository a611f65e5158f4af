"""uapi/linux/if_tunnel.h: tunnels of IP."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class TunnelEncap(IntEnum):
    """TUNNEL_ENCAP_*: what is put around a tunnel's packets."""

    NONE = 0
    FOU = 1
    GUE = 2
    MPLS = 3


class TunnelEncapFlag(Bits):
    """TUNNEL_ENCAP_FLAG_*."""

    CSUM = 1 << 0
    CSUM6 = 1 << 1
    REMCSUM = 1 << 2


class GreFlag(Bits):
    """GRE_*: flags of a GRE header, as numbers in host order."""

    CSUM = 0x8000
    ROUTING = 0x4000
    KEY = 0x2000
    SEQ = 0x1000
    STRICT = 0x0800
    REC = 0x0700
    ACK = 0x0080
    FLAGS = 0x0078
    VERSION = 0x0007


class TunnelIoctl(IntEnum):
    """SIOC*TUNNEL, SIOC*PRL and SIOC*6RD: private to the drivers of tunnels."""

    GETTUNNEL = 0x89F0
    ADDTUNNEL = 0x89F1
    DELTUNNEL = 0x89F2
    CHGTUNNEL = 0x89F3
    GETPRL = 0x89F4
    ADDPRL = 0x89F5
    DELPRL = 0x89F6
    CHGPRL = 0x89F7
    GET6RD = 0x89F8
    ADD6RD = 0x89F9
    DEL6RD = 0x89FA
    CHG6RD = 0x89FB
