"""uapi/linux/hsr_netlink.h: the commands of the HSR family."""

from enum import IntEnum

HSR_GENL_NAME = "HSR"
HSR_GENL_VERSION = 1
HSR_GROUP = "hsr-network"


class HsrCmd(IntEnum):
    """HSR_C_*: what is told, and asked."""

    RING_ERROR = 1
    NODE_DOWN = 2
    GET_NODE_STATUS = 3
    SET_NODE_STATUS = 4
    GET_NODE_LIST = 5
    SET_NODE_LIST = 6
