"""uapi/linux/l2tp.h: the commands of the l2tp family."""

from enum import IntEnum

L2TP_GENL_NAME = "l2tp"
L2TP_GENL_VERSION = 1
L2TP_GENL_MCGROUP = "l2tp"


class L2tpCmd(IntEnum):
    """L2TP_CMD_*."""

    NOOP = 0
    TUNNEL_CREATE = 1
    TUNNEL_DELETE = 2
    TUNNEL_MODIFY = 3
    TUNNEL_GET = 4
    SESSION_CREATE = 5
    SESSION_DELETE = 6
    SESSION_MODIFY = 7
    SESSION_GET = 8
