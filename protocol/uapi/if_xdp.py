"""uapi/linux/if_xdp.h: AF_XDP, as far as programs that bind a queue need it."""

from nlemu.protocol.uapi.bits import Bits


class XDP(Bits):
    """sxdp_flags: XDP_*."""

    SHARED_UMEM = 1 << 0
    COPY = 1 << 1
    ZEROCOPY = 1 << 2
    USE_NEED_WAKEUP = 1 << 3
    USE_SG = 1 << 4


class XDP_UMEM(Bits):
    """flags of struct xdp_umem_reg: XDP_UMEM_*."""

    UNALIGNED_CHUNK_FLAG = 1 << 0
    TX_SW_CSUM = 1 << 1
    TX_METADATA_LEN = 1 << 2
