"""uapi/linux/nexthop.h: next hop objects."""

from enum import IntEnum

NHA_OP_FLAG_DUMP_STATS = 1 << 0
NHA_OP_FLAG_DUMP_HW_STATS = 1 << 1
NHA_OP_FLAG_RESP_GRP_RESVD_0 = 1 << 31
"""Said of every group: what is reserved in its entries is 0."""


class NEXTHOP_GRP_TYPE(IntEnum):
    """NHA_GROUP_TYPE: NEXTHOP_GRP_TYPE_*."""

    MPATH = 0
    RES = 1
