"""uapi/linux/ip6_tunnel.h: tunnels through IPv6."""

from nlemu.protocol.uapi.bits import Bits


class Ip6TnlFlag(Bits):
    """IP6_TNL_F_*: how a tunnel makes outer headers; the last three are the kernel's, what its ends allow."""

    IGN_ENCAP_LIMIT = 0x1
    USE_ORIG_TCLASS = 0x2
    USE_ORIG_FLOWLABEL = 0x4
    MIP6_DEV = 0x8
    RCV_DSCP_COPY = 0x10
    USE_ORIG_FWMARK = 0x20
    ALLOW_LOCAL_REMOTE = 0x40
    CAP_XMIT = 0x10000
    CAP_RCV = 0x20000
    CAP_PER_PACKET = 0x40000
