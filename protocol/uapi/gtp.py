"""uapi/linux/gtp.h: the commands of the gtp family, and versions of the protocol."""

from enum import IntEnum

GTP_GENL_MCGRP_NAME = "gtp"


class GtpCmd(IntEnum):
    """enum gtp_genl_cmds."""

    NEWPDP = 0
    DELPDP = 1
    GETPDP = 2
    ECHOREQ = 3


class GtpVersion(IntEnum):
    """enum gtp_version."""

    V0 = 0
    V1 = 1
