"""uapi/linux/mptcp_pm.h and mptcp.h: the path manager of Multipath TCP."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

MPTCP_PM_NAME = "mptcp_pm"
MPTCP_PM_VER = 1
MPTCP_PM_CMD_GRP_NAME = "mptcp_pm_cmds"
MPTCP_PM_EV_GRP_NAME = "mptcp_pm_events"


class MptcpPmCmd(IntEnum):
    """MPTCP_PM_CMD_*."""

    ADD_ADDR = 1
    DEL_ADDR = 2
    GET_ADDR = 3
    FLUSH_ADDRS = 4
    SET_LIMITS = 5
    GET_LIMITS = 6
    SET_FLAGS = 7
    ANNOUNCE = 8
    REMOVE = 9
    SUBFLOW_CREATE = 10
    SUBFLOW_DESTROY = 11


class MptcpPmAddrFlag(Bits):
    """MPTCP_PM_ADDR_FLAG_*."""

    SIGNAL = 1 << 0
    SUBFLOW = 1 << 1
    BACKUP = 1 << 2
    FULLMESH = 1 << 3
    IMPLICIT = 1 << 4
    LAMINAR = 1 << 5
