"""uapi/linux/if_link.h: the values of link attributes."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class In6AddrGenMode(IntEnum):
    """enum in6_addr_gen_mode: how IPv6 makes a device's link-local address."""

    EUI64 = 0
    NONE = 1
    STABLE_PRIVACY = 2
    RANDOM = 3


class NetkitAction(IntEnum):
    """enum netkit_action: what becomes of a packet without a program."""

    NEXT = -1
    PASS = 0
    DROP = 2
    REDIRECT = 7


class NetkitMode(IntEnum):
    """enum netkit_mode."""

    L2 = 0
    L3 = 1


class NetkitPairing(IntEnum):
    """enum netkit_pairing."""

    PAIR = 0
    SINGLE = 1


class NetkitScrub(IntEnum):
    """enum netkit_scrub."""

    NONE = 0
    DEFAULT = 1


class VfLinkState(IntEnum):
    """IFLA_VF_LINK_STATE_*: what a virtual function is shown of its link."""

    AUTO = 0
    ENABLE = 1
    DISABLE = 2


class IflaEvent(IntEnum):
    """IFLA_EVENT_*: why a link message was sent."""

    NONE = 0
    REBOOT = 1
    FEATURES = 2
    BONDING_FAILOVER = 3
    NOTIFY_PEERS = 4
    IGMP_RESEND = 5
    BONDING_OPTIONS = 6


class XdpAttached(IntEnum):
    """XDP_ATTACHED_*: where a program hangs."""

    NONE = 0
    DRV = 1
    SKB = 2
    HW = 3
    MULTI = 4


class XDP_FLAGS(Bits):
    """XDP_FLAGS_*, in IFLA_XDP_FLAGS."""

    UPDATE_IF_NOEXIST = 1 << 0
    SKB_MODE = 1 << 1
    DRV_MODE = 1 << 2
    HW_MODE = 1 << 3
    REPLACE = 1 << 4


class VxlanDf(IntEnum):
    """VXLAN_DF_*: whether what a VXLAN sends may be fragmented."""

    UNSET = 0
    SET = 1
    INHERIT = 2


class VxlanLabelPolicy(IntEnum):
    """VXLAN_LABEL_*: which flow label what a VXLAN sends has."""

    FIXED = 0
    INHERIT = 1


class TunnelMsgFlag(Bits):
    """TUNNEL_MSG_FLAG_*, in struct tunnel_msg."""

    STATS = 0x01


class GeneveDf(IntEnum):
    """GENEVE_DF_*: whether what a Geneve tunnel sends may be fragmented."""

    UNSET = 0
    SET = 1
    INHERIT = 2


class GtpRole(IntEnum):
    """enum ifla_gtp_role: which end of a GTP tunnel a device is."""

    GGSN = 0
    SGSN = 1


class MacvlanMode(Bits):
    """enum macvlan_mode: to whom a macvlan talks."""

    PRIVATE = 1
    VEPA = 2
    BRIDGE = 4
    PASSTHRU = 8
    SOURCE = 16


class MacvlanMacaddrMode(IntEnum):
    """enum macvlan_macaddr_mode: what becomes of the senders that a macvlan listens to."""

    ADD = 0
    DEL = 1
    FLUSH = 2
    SET = 3


class MacvlanFlag(Bits):
    """MACVLAN_FLAG_*."""

    NOPROMISC = 1
    NODST = 2


class IpvlanMode(IntEnum):
    """enum ipvlan_mode: at which layer ipvlans are told apart."""

    L2 = 0
    L3 = 1
    L3S = 2


class IpvlanFlag(Bits):
    """IPVLAN_F_*."""

    PRIVATE = 1
    VEPA = 2


class MacsecValidate(IntEnum):
    """enum macsec_validation_type: what becomes of frames that are not protected, or not as they should be."""

    DISABLED = 0
    CHECK = 1
    STRICT = 2


class MacsecOffload(IntEnum):
    """enum macsec_offload: who does the work."""

    OFF = 0
    PHY = 1
    MAC = 2


class HsrProtocol(IntEnum):
    """HSR_PROTOCOL_*: what a device of the kind hsr speaks."""

    HSR = 0
    PRP = 1
