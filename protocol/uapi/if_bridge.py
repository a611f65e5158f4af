"""uapi/linux/if_bridge.h: states, flags and options of bridges; and what if_link.h has of them."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class BrState(IntEnum):
    """BR_STATE_*: what a port does with frames."""

    DISABLED = 0
    LISTENING = 1
    LEARNING = 2
    FORWARDING = 3
    BLOCKING = 4


class BridgeFlags(Bits):
    """BRIDGE_FLAGS_*: whom IFLA_BRIDGE_FLAGS means."""

    MASTER = 1
    SELF = 2


class BrVlanInfo(Bits):
    """BRIDGE_VLAN_INFO_*."""

    MASTER = 1 << 0
    PVID = 1 << 1
    UNTAGGED = 1 << 2
    RANGE_BEGIN = 1 << 3
    RANGE_END = 1 << 4
    BRENTRY = 1 << 5
    ONLY_OPTS = 1 << 6


class BrBoolopt(IntEnum):
    """enum br_boolopt_id."""

    NO_LL_LEARN = 0
    MCAST_VLAN_SNOOPING = 1
    MST_ENABLE = 2
    MDB_OFFLOAD_FAIL_NOTIFICATION = 3
    FDB_LOCAL_VLAN_0 = 4


class MdbRtrType(IntEnum):
    """MDB_RTR_TYPE_*: whether a router is believed to be there."""

    DISABLED = 0
    TEMP_QUERY = 1
    PERM = 2
    TEMP = 3


class BrStpMode(IntEnum):
    """enum br_stp_mode (uapi/linux/if_link.h): who speaks the spanning tree protocol."""

    AUTO = 0
    USER = 1
    KERNEL = 2


class Brctl(IntEnum):
    """BRCTL_*: what ioctls do with bridges."""

    GET_VERSION = 0
    GET_BRIDGES = 1
    ADD_BRIDGE = 2
    DEL_BRIDGE = 3
    ADD_IF = 4
    DEL_IF = 5
    GET_BRIDGE_INFO = 6
    GET_PORT_LIST = 7
    SET_BRIDGE_FORWARD_DELAY = 8
    SET_BRIDGE_HELLO_TIME = 9
    SET_BRIDGE_MAX_AGE = 10
    SET_AGEING_TIME = 11
    SET_GC_INTERVAL = 12
    GET_PORT_INFO = 13
    SET_BRIDGE_STP_STATE = 14
    SET_BRIDGE_PRIORITY = 15
    SET_PORT_PRIORITY = 16
    SET_PATH_COST = 17
    GET_FDB_ENTRIES = 18


MCAST_COUNTS = tuple(
    f"{name}_{way}" if way else name
    for name, ways in (
        *((f"igmp_{what}", ("rx", "tx")) for what in (
            "v1queries", "v2queries", "v3queries", "leaves", "v1reports", "v2reports", "v3reports",
        )),
        ("igmp_parse_errors", ("",)),
        *((f"mld_{what}", ("rx", "tx")) for what in ("v1queries", "v2queries", "leaves", "v1reports", "v2reports")),
        ("mld_parse_errors", ("",)),
        ("mcast_bytes", ("rx", "tx")), ("mcast_packets", ("rx", "tx")),
    )
    for way in ways
)
"""struct br_mcast_stats of include/uapi/linux/if_bridge.h, in its order"""
