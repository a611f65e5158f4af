"""uapi/linux/io_uring.h: how a ring is set up, what can be registered with it, and where its parts are mapped."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class Setup(Bits):
    """IORING_SETUP_*, of struct io_uring_params."""

    IOPOLL = 1 << 0
    SQPOLL = 1 << 1
    SQ_AFF = 1 << 2
    CQSIZE = 1 << 3
    CLAMP = 1 << 4
    ATTACH_WQ = 1 << 5
    R_DISABLED = 1 << 6
    SUBMIT_ALL = 1 << 7
    COOP_TASKRUN = 1 << 8
    TASKRUN_FLAG = 1 << 9
    SQE128 = 1 << 10
    CQE32 = 1 << 11
    SINGLE_ISSUER = 1 << 12
    DEFER_TASKRUN = 1 << 13
    NO_MMAP = 1 << 14
    REGISTERED_FD_ONLY = 1 << 15
    NO_SQARRAY = 1 << 16
    HYBRID_IOPOLL = 1 << 17
    CQE_MIXED = 1 << 18
    SQE_MIXED = 1 << 19
    SQ_REWIND = 1 << 20


class Register(IntEnum):
    """IORING_REGISTER_*, the operations of io_uring_register()."""

    PROBE = 8
    ENABLE_RINGS = 12
    ZCRX_IFQ = 32
    LAST = 38


class Enter(Bits):
    """IORING_ENTER_*, flags of io_uring_enter()."""

    GETEVENTS = 1 << 0
    SQ_WAKEUP = 1 << 1
    SQ_WAIT = 1 << 2
    EXT_ARG = 1 << 3
    REGISTERED_RING = 1 << 4
    ABS_TIMER = 1 << 5
    EXT_ARG_REG = 1 << 6
    NO_IOWAIT = 1 << 7


class Zcrx(Bits):
    """ZCRX_REG_*, flags of struct io_uring_zcrx_ifq_reg."""

    IMPORT = 1 << 0
    NODEV = 1 << 1


class Off(IntEnum):
    """IORING_OFF_*: where the parts of a ring are mapped, in its file."""

    SQ_RING = 0
    CQ_RING = 0x8000000
    SQES = 0x10000000
    ZCRX_REGION = 0x30000000


IORING_OP_NOP = 0
IO_URING_OP_SUPPORTED = 1
"""Of struct io_uring_probe_op"""
IORING_MEM_REGION_TYPE_USER = 1
"""Of struct io_uring_region_desc"""
IORING_ZCRX_AREA_DMABUF = 1
"""Of struct io_uring_zcrx_area_reg"""
