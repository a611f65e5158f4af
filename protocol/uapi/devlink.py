"""uapi/linux/devlink.h: the devlink family."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

DEVLINK_GENL_NAME = "devlink"
DEVLINK_GENL_VERSION = 1
DEVLINK_GENL_MCGRP_CONFIG_NAME = "config"
DEVLINK_RATE_TCS_MAX = 8


class DevlinkCmd(IntEnum):
    """DEVLINK_CMD_*."""

    GET = 1
    SET = 2
    NEW = 3
    DEL = 4
    PORT_GET = 5
    PORT_SET = 6
    PORT_NEW = 7
    PORT_DEL = 8
    PORT_SPLIT = 9
    PORT_UNSPLIT = 10
    SB_GET = 11
    SB_SET = 12
    SB_NEW = 13
    SB_DEL = 14
    SB_POOL_GET = 15
    SB_POOL_SET = 16
    SB_POOL_NEW = 17
    SB_POOL_DEL = 18
    SB_PORT_POOL_GET = 19
    SB_PORT_POOL_SET = 20
    SB_PORT_POOL_NEW = 21
    SB_PORT_POOL_DEL = 22
    SB_TC_POOL_BIND_GET = 23
    SB_TC_POOL_BIND_SET = 24
    SB_TC_POOL_BIND_NEW = 25
    SB_TC_POOL_BIND_DEL = 26
    SB_OCC_SNAPSHOT = 27
    SB_OCC_MAX_CLEAR = 28
    ESWITCH_GET = 29
    ESWITCH_SET = 30
    DPIPE_TABLE_GET = 31
    DPIPE_ENTRIES_GET = 32
    DPIPE_HEADERS_GET = 33
    DPIPE_TABLE_COUNTERS_SET = 34
    RESOURCE_SET = 35
    RESOURCE_DUMP = 36
    RELOAD = 37
    PARAM_GET = 38
    PARAM_SET = 39
    PARAM_NEW = 40
    PARAM_DEL = 41
    REGION_GET = 42
    REGION_SET = 43
    REGION_NEW = 44
    REGION_DEL = 45
    REGION_READ = 46
    PORT_PARAM_GET = 47
    PORT_PARAM_SET = 48
    PORT_PARAM_NEW = 49
    PORT_PARAM_DEL = 50
    INFO_GET = 51
    HEALTH_REPORTER_GET = 52
    HEALTH_REPORTER_SET = 53
    HEALTH_REPORTER_RECOVER = 54
    HEALTH_REPORTER_DIAGNOSE = 55
    HEALTH_REPORTER_DUMP_GET = 56
    HEALTH_REPORTER_DUMP_CLEAR = 57
    FLASH_UPDATE = 58
    FLASH_UPDATE_END = 59
    FLASH_UPDATE_STATUS = 60
    TRAP_GET = 61
    TRAP_SET = 62
    TRAP_NEW = 63
    TRAP_DEL = 64
    TRAP_GROUP_GET = 65
    TRAP_GROUP_SET = 66
    TRAP_GROUP_NEW = 67
    TRAP_GROUP_DEL = 68
    TRAP_POLICER_GET = 69
    TRAP_POLICER_SET = 70
    TRAP_POLICER_NEW = 71
    TRAP_POLICER_DEL = 72
    HEALTH_REPORTER_TEST = 73
    RATE_GET = 74
    RATE_SET = 75
    RATE_NEW = 76
    RATE_DEL = 77
    LINECARD_GET = 78
    LINECARD_SET = 79
    LINECARD_NEW = 80
    LINECARD_DEL = 81
    SELFTESTS_GET = 82
    SELFTESTS_RUN = 83
    NOTIFY_FILTER_SET = 84


class DevlinkSbPoolType(IntEnum):
    """enum devlink_sb_pool_type: which way a pool of buffers goes."""

    INGRESS = 0
    EGRESS = 1


class DevlinkSbThresholdType(IntEnum):
    """enum devlink_sb_threshold_type: what a threshold is."""

    STATIC = 0
    DYNAMIC = 1


class DevlinkPortType(IntEnum):
    """enum devlink_port_type: what a port is a port of."""

    NOTSET = 0
    AUTO = 1
    ETH = 2
    IB = 3


class DevlinkPortFlavour(IntEnum):
    """enum devlink_port_flavour: what a port is for."""

    PHYSICAL = 0
    CPU = 1
    DSA = 2
    PCI_PF = 3
    PCI_VF = 4
    VIRTUAL = 5
    UNUSED = 6
    PCI_SF = 7


class DevlinkPortFnState(IntEnum):
    """enum devlink_port_fn_state: whether a function is to be active."""

    INACTIVE = 0
    ACTIVE = 1


class DevlinkPortFnOpstate(IntEnum):
    """enum devlink_port_fn_opstate: whether a driver is on a function."""

    DETACHED = 0
    ATTACHED = 1


class DevlinkEswitchMode(IntEnum):
    """enum devlink_eswitch_mode: how the switch in a NIC works."""

    LEGACY = 0
    SWITCHDEV = 1
    SWITCHDEV_INACTIVE = 2


class DevlinkEswitchInlineMode(IntEnum):
    """enum devlink_eswitch_inline_mode: what is inlined of packets to the switch."""

    NONE = 0
    LINK = 1
    NETWORK = 2
    TRANSPORT = 3


class DevlinkEswitchEncapMode(IntEnum):
    """enum devlink_eswitch_encap_mode: whether the switch encapsulates."""

    NONE = 0
    BASIC = 1


class DevlinkDpipeHeaderId(IntEnum):
    """enum devlink_dpipe_header_id: headers of packets."""

    ETHERNET = 0
    IPV4 = 1
    IPV6 = 2


class DevlinkDpipeMatchType(IntEnum):
    """enum devlink_dpipe_match_type: how tables match."""

    FIELD_EXACT = 0


class DevlinkDpipeActionType(IntEnum):
    """enum devlink_dpipe_action_type: what tables do."""

    FIELD_MODIFY = 0


class DevlinkDpipeFieldMappingType(IntEnum):
    """enum devlink_dpipe_field_mapping_type: what a field stands for."""

    NONE = 0
    IFINDEX = 1


class DevlinkResourceUnit(IntEnum):
    """enum devlink_resource_unit: what a resource is counted in."""

    ENTRY = 0


class DevlinkResourceScope(Bits):
    """DEVLINK_RESOURCE_SCOPE_*: whose resources."""

    DEV = 1
    PORT = 2


class DevlinkReloadAction(IntEnum):
    """enum devlink_reload_action: what a reload does."""

    DRIVER_REINIT = 1
    FW_ACTIVATE = 2


class DevlinkReloadLimit(IntEnum):
    """enum devlink_reload_limit: what a reload must not do."""

    UNSPEC = 0
    NO_RESET = 1


class DevlinkParamCmode(IntEnum):
    """enum devlink_param_cmode: when a parameter takes effect."""

    RUNTIME = 0
    DRIVERINIT = 1
    PERMANENT = 2


class DevlinkVarAttrType(IntEnum):
    """enum devlink_var_attr_type: types of values, as netlink has them."""

    U8 = 1
    U16 = 2
    U32 = 3
    U64 = 4
    STRING = 5
    FLAG = 6
    NUL_STRING = 10
    BINARY = 11
    U64_ARRAY = 129


class DevlinkTrapAction(IntEnum):
    """enum devlink_trap_action: what becomes of a trapped packet."""

    DROP = 0
    TRAP = 1
    MIRROR = 2


class DevlinkTrapType(IntEnum):
    """enum devlink_trap_type: why a packet is trapped."""

    DROP = 0
    EXCEPTION = 1
    CONTROL = 2


class DevlinkRateType(IntEnum):
    """enum devlink_rate_type: what a rate is of."""

    LEAF = 0
    NODE = 1
