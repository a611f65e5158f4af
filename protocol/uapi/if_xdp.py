"""uapi/linux/if_xdp.h: AF_XDP, as far as programs that bind a queue need it."""

from enum import IntEnum

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


class XdpOption(IntEnum):
    """Options of SOL_XDP: XDP_*."""

    MMAP_OFFSETS = 1
    RX_RING = 2
    TX_RING = 3
    UMEM_REG = 4
    UMEM_FILL_RING = 5
    UMEM_COMPLETION_RING = 6
    STATISTICS = 7
    OPTIONS = 8
    MAX_TX_SKB_BUDGET = 9


class XdpPgoff(IntEnum):
    """Where a socket's rings are mapped: XDP_PGOFF_*, XDP_UMEM_PGOFF_*."""

    RX_RING = 0
    TX_RING = 0x80000000
    FILL_RING = 0x100000000
    COMPLETION_RING = 0x180000000


XDP_OPTIONS_ZEROCOPY = 1 << 0
XDP_RING_NEED_WAKEUP = 1 << 0
