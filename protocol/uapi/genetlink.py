"""uapi/linux/genetlink.h: generic netlink and its controller."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

GENL_NAMSIZ = 16
"""Room for a family's name, its NUL included."""
GENL_HDRLEN = 4
"""sizeof(struct genlmsghdr), which is aligned."""
GENL_MIN_ID = 16
GENL_MAX_ID = 1023
GENL_ID_CTRL = 16
GENL_ID_VFS_DQUOT = 17
GENL_ID_PMCRAID = 18
GENL_START_ALLOC = 19
"""The first number that is given out rather than reserved."""


class GenlFlag(Bits):
    """What an operation wants and can do: GENL_*, as in CTRL_ATTR_OP_FLAGS."""

    ADMIN_PERM = 0x01
    CMD_CAP_DO = 0x02
    CMD_CAP_DUMP = 0x04
    CMD_CAP_HASPOL = 0x08
    UNS_ADMIN_PERM = 0x10


class CtrlCmd(IntEnum):
    """Commands of the controller, nlctrl: CTRL_CMD_*."""

    UNSPEC = 0
    NEWFAMILY = 1
    DELFAMILY = 2
    GETFAMILY = 3
    NEWOPS = 4
    DELOPS = 5
    GETOPS = 6
    NEWMCAST_GRP = 7
    DELMCAST_GRP = 8
    GETMCAST_GRP = 9
    GETPOLICY = 10
