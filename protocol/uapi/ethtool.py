"""uapi/linux/ethtool.h and ethtool_netlink.h (with its generated part): the ethtool family.

Commands to the kernel and from it are numbered apart, and only ethtool does that: UserMsg and KernelMsg.
"""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

ETHTOOL_GENL_NAME = "ethtool"
ETHTOOL_GENL_VERSION = 1
ETHTOOL_MCGRP_MONITOR_NAME = "monitor"
ETH_GSTRING_LEN = 32
"""Room for a name in a string set, its NUL included."""
LINK_MODE_MASK_NBITS = 125
"""__ETHTOOL_LINK_MODE_MASK_NBITS: how many link modes there are."""
SPEED_UNKNOWN = -1
MAX_NUM_QUEUE = 4096
"""How many queues ETHTOOL_PERQUEUE can name."""
ETHTOOL_FLASH_MAX_FILENAME = 128


class UserMsg(IntEnum):
    """Commands to the kernel: the user half of ETHTOOL_MSG_*."""

    STRSET_GET = 1
    LINKINFO_GET = 2
    LINKINFO_SET = 3
    LINKMODES_GET = 4
    LINKMODES_SET = 5
    LINKSTATE_GET = 6
    DEBUG_GET = 7
    DEBUG_SET = 8
    WOL_GET = 9
    WOL_SET = 10
    FEATURES_GET = 11
    FEATURES_SET = 12
    PRIVFLAGS_GET = 13
    PRIVFLAGS_SET = 14
    RINGS_GET = 15
    RINGS_SET = 16
    CHANNELS_GET = 17
    CHANNELS_SET = 18
    COALESCE_GET = 19
    COALESCE_SET = 20
    PAUSE_GET = 21
    PAUSE_SET = 22
    EEE_GET = 23
    EEE_SET = 24
    TSINFO_GET = 25
    CABLE_TEST_ACT = 26
    CABLE_TEST_TDR_ACT = 27
    TUNNEL_INFO_GET = 28
    FEC_GET = 29
    FEC_SET = 30
    MODULE_EEPROM_GET = 31
    STATS_GET = 32
    PHC_VCLOCKS_GET = 33
    MODULE_GET = 34
    MODULE_SET = 35
    PSE_GET = 36
    PSE_SET = 37
    RSS_GET = 38
    PLCA_GET_CFG = 39
    PLCA_SET_CFG = 40
    PLCA_GET_STATUS = 41
    MM_GET = 42
    MM_SET = 43
    MODULE_FW_FLASH_ACT = 44
    PHY_GET = 45
    TSCONFIG_GET = 46
    TSCONFIG_SET = 47
    RSS_SET = 48
    RSS_CREATE_ACT = 49
    RSS_DELETE_ACT = 50
    MSE_GET = 51


class KernelMsg(IntEnum):
    """Replies and notifications: the kernel half of ETHTOOL_MSG_*."""

    STRSET_GET_REPLY = 1
    LINKINFO_GET_REPLY = 2
    LINKINFO_NTF = 3
    LINKMODES_GET_REPLY = 4
    LINKMODES_NTF = 5
    LINKSTATE_GET_REPLY = 6
    DEBUG_GET_REPLY = 7
    DEBUG_NTF = 8
    WOL_GET_REPLY = 9
    WOL_NTF = 10
    FEATURES_GET_REPLY = 11
    FEATURES_SET_REPLY = 12
    FEATURES_NTF = 13
    PRIVFLAGS_GET_REPLY = 14
    PRIVFLAGS_NTF = 15
    RINGS_GET_REPLY = 16
    RINGS_NTF = 17
    CHANNELS_GET_REPLY = 18
    CHANNELS_NTF = 19
    COALESCE_GET_REPLY = 20
    COALESCE_NTF = 21
    PAUSE_GET_REPLY = 22
    PAUSE_NTF = 23
    EEE_GET_REPLY = 24
    EEE_NTF = 25
    TSINFO_GET_REPLY = 26
    CABLE_TEST_NTF = 27
    CABLE_TEST_TDR_NTF = 28
    TUNNEL_INFO_GET_REPLY = 29
    FEC_GET_REPLY = 30
    FEC_NTF = 31
    MODULE_EEPROM_GET_REPLY = 32
    STATS_GET_REPLY = 33
    PHC_VCLOCKS_GET_REPLY = 34
    MODULE_GET_REPLY = 35
    MODULE_NTF = 36
    PSE_GET_REPLY = 37
    RSS_GET_REPLY = 38
    PLCA_GET_CFG_REPLY = 39
    PLCA_GET_STATUS_REPLY = 40
    PLCA_NTF = 41
    MM_GET_REPLY = 42
    MM_NTF = 43
    MODULE_FW_FLASH_NTF = 44
    PHY_GET_REPLY = 45
    PHY_NTF = 46
    TSCONFIG_GET_REPLY = 47
    TSCONFIG_SET_REPLY = 48
    PSE_NTF = 49
    RSS_NTF = 50
    RSS_CREATE_ACT_REPLY = 51
    RSS_CREATE_NTF = 52
    RSS_DELETE_NTF = 53
    MSE_GET_REPLY = 54


class EthtoolFlag(Bits):
    """enum ethtool_header_flags: ETHTOOL_FLAG_*."""

    COMPACT_BITSETS = 1 << 0
    OMIT_REPLY = 1 << 1
    STATS = 1 << 2


class EthtoolIoctl(IntEnum):
    """What SIOCETHTOOL may ask for: ETHTOOL_*."""

    GSET = 0x01
    SSET = 0x02
    GDRVINFO = 0x03
    GREGS = 0x04
    GWOL = 0x05
    SWOL = 0x06
    GMSGLVL = 0x07
    SMSGLVL = 0x08
    NWAY_RST = 0x09
    GLINK = 0x0A
    GEEPROM = 0x0B
    SEEPROM = 0x0C
    GCOALESCE = 0x0E
    SCOALESCE = 0x0F
    GRINGPARAM = 0x10
    SRINGPARAM = 0x11
    GPAUSEPARAM = 0x12
    SPAUSEPARAM = 0x13
    GRXCSUM = 0x14
    SRXCSUM = 0x15
    GTXCSUM = 0x16
    STXCSUM = 0x17
    GSG = 0x18
    SSG = 0x19
    TEST = 0x1A
    GSTRINGS = 0x1B
    PHYS_ID = 0x1C
    GSTATS = 0x1D
    GTSO = 0x1E
    STSO = 0x1F
    GPERMADDR = 0x20
    GUFO = 0x21
    SUFO = 0x22
    GGSO = 0x23
    SGSO = 0x24
    GFLAGS = 0x25
    SFLAGS = 0x26
    GPFLAGS = 0x27
    SPFLAGS = 0x28
    GRXFH = 0x29
    SRXFH = 0x2A
    GGRO = 0x2B
    SGRO = 0x2C
    GRXRINGS = 0x2D
    GRXCLSRLCNT = 0x2E
    GRXCLSRULE = 0x2F
    GRXCLSRLALL = 0x30
    SRXCLSRLDEL = 0x31
    SRXCLSRLINS = 0x32
    FLASHDEV = 0x33
    RESET = 0x34
    SRXNTUPLE = 0x35
    GRXNTUPLE = 0x36
    GSSET_INFO = 0x37
    GRXFHINDIR = 0x38
    SRXFHINDIR = 0x39
    GFEATURES = 0x3A
    SFEATURES = 0x3B
    GCHANNELS = 0x3C
    SCHANNELS = 0x3D
    SET_DUMP = 0x3E
    GET_DUMP_FLAG = 0x3F
    GET_DUMP_DATA = 0x40
    GET_TS_INFO = 0x41
    GMODULEINFO = 0x42
    GMODULEEEPROM = 0x43
    GEEE = 0x44
    SEEE = 0x45
    GRSSH = 0x46
    SRSSH = 0x47
    GTUNABLE = 0x48
    STUNABLE = 0x49
    GPHYSTATS = 0x4A
    PERQUEUE = 0x4B
    GLINKSETTINGS = 0x4C
    SLINKSETTINGS = 0x4D
    PHY_GTUNABLE = 0x4E
    PHY_STUNABLE = 0x4F
    GFECPARAM = 0x50
    SFECPARAM = 0x51


class TcpDataSplit(IntEnum):
    """enum ethtool_tcp_data_split."""

    UNKNOWN = 0
    DISABLED = 1
    ENABLED = 2


class StringSet(IntEnum):
    """enum ethtool_stringset: ETH_SS_*."""

    TEST = 0
    STATS = 1
    PRIV_FLAGS = 2
    NTUPLE_FILTERS = 3
    FEATURES = 4
    RSS_HASH_FUNCS = 5
    TUNABLES = 6
    PHY_STATS = 7
    PHY_TUNABLES = 8
    LINK_MODES = 9
    MSG_CLASSES = 10
    WOL_MODES = 11
    SOF_TIMESTAMPING = 12
    TS_TX_TYPES = 13
    TS_RX_FILTERS = 14
    UDP_TUNNEL_TYPES = 15
    STATS_STD = 16
    STATS_ETH_PHY = 17
    STATS_ETH_MAC = 18
    STATS_ETH_CTRL = 19
    STATS_RMON = 20
    STATS_PHY = 21
    TS_FLAGS = 22


class Stats(IntEnum):
    """Groups of standard statistics: ETHTOOL_STATS_*."""

    ETH_PHY = 0
    ETH_MAC = 1
    ETH_CTRL = 2
    RMON = 3
    PHY = 4


class EthFlag(Bits):
    """enum ethtool_flags: ETH_FLAG_*, the features that ETHTOOL_GFLAGS knows."""

    TXVLAN = 1 << 7
    RXVLAN = 1 << 8
    LRO = 1 << 15
    NTUPLE = 1 << 27
    RXHASH = 1 << 28


class SfeaturesResult(Bits):
    """ETHTOOL_F_*: what ETHTOOL_SFEATURES returns."""

    UNSUPPORTED = 1 << 0
    WISH = 1 << 1
    COMPAT = 1 << 2


class Duplex(IntEnum):
    """DUPLEX_*."""

    HALF = 0x00
    FULL = 0x01
    UNKNOWN = 0xFF


class Port(IntEnum):
    """PORT_*: the connector in use."""

    TP = 0x00
    AUI = 0x01
    MII = 0x02
    FIBRE = 0x03
    BNC = 0x04
    DA = 0x05
    NONE = 0xEF
    OTHER = 0xFF


class Transceiver(IntEnum):
    """XCVR_*."""

    INTERNAL = 0
    EXTERNAL = 1


class Autoneg(IntEnum):
    """AUTONEG_*."""

    DISABLE = 0
    ENABLE = 1


class TpMdi(IntEnum):
    """ETH_TP_MDI*: how a twisted pair is crossed."""

    INVALID = 0
    MDI = 1
    MDI_X = 2
    AUTO = 3


class MasterSlaveCfg(IntEnum):
    """MASTER_SLAVE_CFG_*."""

    UNSUPPORTED = 0
    UNKNOWN = 1
    MASTER_PREFERRED = 2
    SLAVE_PREFERRED = 3
    MASTER_FORCE = 4
    SLAVE_FORCE = 5


class MasterSlaveState(IntEnum):
    """MASTER_SLAVE_STATE_*."""

    UNSUPPORTED = 0
    UNKNOWN = 1
    MASTER = 2
    SLAVE = 3
    ERR = 4


class LinkExtState(IntEnum):
    """enum ethtool_link_ext_state: why there is no link."""

    AUTONEG = 0
    LINK_TRAINING_FAILURE = 1
    LINK_LOGICAL_MISMATCH = 2
    BAD_SIGNAL_INTEGRITY = 3
    NO_CABLE = 4
    CABLE_ISSUE = 5
    EEPROM_ISSUE = 6
    CALIBRATION_FAILURE = 7
    POWER_BUDGET_EXCEEDED = 8
    OVERHEAT = 9
    MODULE = 10
    OTP_SPEED_VIOLATION = 11
    BMC_REQUEST_DOWN = 12


class FecBit(IntEnum):
    """enum ethtool_fec_config_bits: bit numbers."""

    NONE = 0
    AUTO = 1
    OFF = 2
    RS = 3
    BASER = 4
    LLRS = 5


class UdpTunnelType(IntEnum):
    """ETHTOOL_UDP_TUNNEL_TYPE_*."""

    VXLAN = 0
    GENEVE = 1
    VXLAN_GPE = 2


SOPASS_MAX = 6
"""The length of a Wake-on-LAN password."""
class Wake(Bits):
    """WAKE_*: what wakes a machine up, by the bits that name it in StringSet.WOL_MODES."""

    PHY = 1 << 0
    UCAST = 1 << 1
    MCAST = 1 << 2
    BCAST = 1 << 3
    ARP = 1 << 4
    MAGIC = 1 << 5
    MAGICSECURE = 1 << 6
    FILTER = 1 << 7


class Tunable(IntEnum):
    """enum tunable_id: numbers that a driver can be told."""

    RX_COPYBREAK = 1
    TX_COPYBREAK = 2
    PFC_PREVENTION_TOUT = 3
    TX_COPYBREAK_BUF_SIZE = 4


class TunableType(IntEnum):
    """enum tunable_type_id."""

    U8 = 1
    U16 = 2
    U32 = 3
    U64 = 4
    STRING = 5
    S8 = 6
    S16 = 7
    S32 = 8
    S64 = 9


class TestFlag(Bits):
    """ETH_TEST_FL_*."""

    OFFLINE = 1 << 0
    FAILED = 1 << 1
    EXTERNAL_LB = 1 << 2
    EXTERNAL_LB_DONE = 1 << 3


class NetifMsg(Bits):
    """NETIF_MSG_*: classes of messages that a driver logs."""

    DRV = 1 << 0
    PROBE = 1 << 1
    LINK = 1 << 2
    TIMER = 1 << 3
    IFDOWN = 1 << 4
    IFUP = 1 << 5
    RX_ERR = 1 << 6
    TX_ERR = 1 << 7
    TX_QUEUED = 1 << 8
    INTR = 1 << 9
    TX_DONE = 1 << 10
    RX_STATUS = 1 << 11
    PKTDATA = 1 << 12
    HW = 1 << 13
    WOL = 1 << 14


PFC_STORM_PREVENTION_AUTO, PFC_STORM_PREVENTION_DISABLE = 0xFFFF, 0
ETH_RESET_ALL = 0xFFFFFFFF


class EthModule(IntEnum):
    """ETH_MODULE_SFF_*: which standard says where what stands in a module's memory."""

    SFF_8079 = 1
    SFF_8472 = 2
    SFF_8636 = 3
    SFF_8436 = 4


ETH_MODULE_SFF_8079_LEN = 256
ETH_MODULE_SFF_8472_LEN = 512
ETH_MODULE_SFF_8636_LEN = 256
ETH_MODULE_SFF_8436_LEN = 256
ETH_MODULE_SFF_8636_MAX_LEN = 640
ETH_MODULE_SFF_8436_MAX_LEN = 640
ETH_MODULE_EEPROM_PAGE_LEN = 128
ETH_MODULE_MAX_I2C_ADDRESS = 0x7F
MAX_LANES = 8
"""ETHTOOL_MAX_LANES."""
MAX_CABLE_LENGTH_CM = 150 * 100
"""net/ethtool/cabletest.c."""
NETIF_MSG_CLASS_COUNT = 15


class MacStatsSrc(IntEnum):
    """enum ethtool_mac_stats_src: which half of a MAC that merges frames is counted."""

    AGGREGATE = 0
    EMAC = 1
    PMAC = 2


class FecFlag(Bits):
    """ETHTOOL_FEC_*: struct ethtool_fecparam has FecBit's bits as flags."""

    NONE = 1 << FecBit.NONE
    AUTO = 1 << FecBit.AUTO
    OFF = 1 << FecBit.OFF
    RS = 1 << FecBit.RS
    BASER = 1 << FecBit.BASER
    LLRS = 1 << FecBit.LLRS


class LinkModeFec(IntEnum):
    """ETHTOOL_LINK_MODE_FEC_*_BIT: the link modes that stand for an error correction."""

    NONE = 49
    RS = 50
    BASER = 51
    LLRS = 74


class ModulePowerModePolicy(IntEnum):
    """enum ethtool_module_power_mode_policy."""

    HIGH = 1
    AUTO = 2


class ModulePowerMode(IntEnum):
    """enum ethtool_module_power_mode."""

    LOW = 1
    HIGH = 2


class PsePodlAdminState(IntEnum):
    """enum ethtool_podl_pse_admin_state; those of C33 have the same numbers."""

    UNKNOWN = 1
    DISABLED = 2
    ENABLED = 3


class C33PseExtState(IntEnum):
    """enum ethtool_c33_pse_ext_state: why power is not delivered."""

    ERROR_CONDITION = 1
    MR_MPS_VALID = 2
    MR_PSE_ENABLE = 3
    OPTION_DETECT_TED = 4
    OPTION_VPORT_LIM = 5
    OVLD_DETECTED = 6
    PD_DLL_POWER_TYPE = 7
    POWER_NOT_AVAILABLE = 8
    SHORT_DETECTED = 9


class PseEvent(Bits):
    """enum ethtool_pse_event: ETHTOOL_PSE_EVENT_*, ETHTOOL_C33_PSE_EVENT_*."""

    PSE_EVENT_OVER_CURRENT = 1 << 0
    PSE_EVENT_OVER_TEMP = 1 << 1
    C33_PSE_EVENT_DETECTION = 1 << 2
    C33_PSE_EVENT_CLASSIFICATION = 1 << 3
    C33_PSE_EVENT_DISCONNECTION = 1 << 4
    PSE_EVENT_OVER_BUDGET = 1 << 5
    PSE_EVENT_SW_PW_CONTROL_ERROR = 1 << 6


class ModuleFwFlashStatus(IntEnum):
    """enum ethtool_module_fw_flash_status."""

    STARTED = 1
    IN_PROGRESS = 2
    COMPLETED = 3
    ERROR = 4


class PhyUpstream(IntEnum):
    """enum phy_upstream: what a PHY hangs on."""

    MAC = 0
    PHY = 1


class CablePair(IntEnum):
    """ETHTOOL_A_CABLE_PAIR_*."""

    A = 0
    B = 1
    C = 2
    D = 3


class Rxh(Bits):
    """RXH_*: what of a packet is hashed."""

    L2DA = 1 << 1
    VLAN = 1 << 2
    L3_PROTO = 1 << 3
    IP_SRC = 1 << 4
    IP_DST = 1 << 5
    L4_B_0_1 = 1 << 6
    L4_B_2_3 = 1 << 7
    GTP_TEID = 1 << 8
    IP6_FL = 1 << 9
    DISCARD = 1 << 31


class FlowType(IntEnum):
    """*_FLOW: kinds of packets, that are hashed or that rules match; FLOW_EXT and the like are flags beside them."""

    TCP_V4 = 0x01
    UDP_V4 = 0x02
    SCTP_V4 = 0x03
    AH_ESP_V4 = 0x04
    TCP_V6 = 0x05
    UDP_V6 = 0x06
    SCTP_V6 = 0x07
    AH_ESP_V6 = 0x08
    AH_V4 = 0x09
    ESP_V4 = 0x0A
    AH_V6 = 0x0B
    ESP_V6 = 0x0C
    IPV4_USER = 0x0D
    IPV6_USER = 0x0E
    IPV4 = 0x10
    IPV6 = 0x11
    ETHER = 0x12
    GTPU_V4 = 0x13
    GTPU_V6 = 0x14
    GTPC_V4 = 0x15
    GTPC_V6 = 0x16
    GTPC_TEID_V4 = 0x17
    GTPC_TEID_V6 = 0x18
    GTPU_EH_V4 = 0x19
    GTPU_EH_V6 = 0x1A
    GTPU_UL_V4 = 0x1B
    GTPU_UL_V6 = 0x1C
    GTPU_DL_V4 = 0x1D
    GTPU_DL_V6 = 0x1E


class RssHash(Bits):
    """ETH_RSS_HASH_*: functions that hash."""

    TOP = 1 << 0
    XOR = 1 << 1
    CRC32 = 1 << 2


FLOW_RSS = 0x20000000
"""That a rule sends to a context, or that what is hashed is asked of one."""
FLOW_EXT, FLOW_MAC_EXT = 0x80000000, 0x40000000
"""That a rule looks at VLANs, and at the receiver's address."""
RX_CLS_FLOW_DISC, RX_CLS_FLOW_WAKE = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFE
RX_CLS_LOC_SPECIAL, RX_CLS_LOC_ANY = 0x80000000, 0xFFFFFFFF
ETH_RX_NFC_IP4 = 1
ETH_RXFH_CONTEXT_ALLOC = ETH_RXFH_INDIR_NO_CHANGE = 0xFFFFFFFF
RXH_XFRM_NO_CHANGE = 0xFF


class RxhXfrm(Bits):
    """RXH_XFRM_*: how the hashed fields are made symmetric."""

    SYM_XOR = 1 << 0
    SYM_OR_XOR = 1 << 1
