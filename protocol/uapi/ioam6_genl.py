"""uapi/linux/ioam6_genl.h: the settings of in-situ OAM."""

from enum import IntEnum

IOAM6_GENL_NAME = "IOAM6"
IOAM6_GENL_VERSION = 1
IOAM6_GENL_EV_GRP_NAME = "ioam6_events"
IOAM6_MAX_SCHEMA_DATA_LEN = 255 * 4
"""In bytes."""


class Ioam6Cmd(IntEnum):
    """IOAM6_CMD_*."""

    ADD_NAMESPACE = 1
    DEL_NAMESPACE = 2
    DUMP_NAMESPACES = 3
    ADD_SCHEMA = 4
    DEL_SCHEMA = 5
    DUMP_SCHEMAS = 6
    NS_SET_SCHEMA = 7
