"""uapi/linux/seg6_genl.h and seg6_hmac.h: the settings of segment routing."""

from enum import IntEnum

SEG6_GENL_NAME = "SEG6"
SEG6_GENL_VERSION = 1
SEG6_HMAC_SECRET_LEN = 64
"""In bytes."""


class Seg6Cmd(IntEnum):
    """SEG6_CMD_*."""

    SETHMAC = 1
    DUMPHMAC = 2
    SET_TUNSRC = 3
    GET_TUNSRC = 4


class Seg6HmacAlgo(IntEnum):
    """SEG6_HMAC_ALGO_*."""

    SHA1 = 1
    SHA256 = 2
