"""uapi/linux/fou.h: foo over UDP."""

from enum import IntEnum

FOU_GENL_NAME = "fou"
FOU_GENL_VERSION = 1


class FouCmd(IntEnum):
    """FOU_CMD_*."""

    ADD = 1
    DEL = 2
    GET = 3


class FouEncap(IntEnum):
    """FOU_ENCAP_*."""

    UNSPEC = 0
    DIRECT = 1
    GUE = 2
