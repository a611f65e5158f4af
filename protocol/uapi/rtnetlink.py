"""uapi/linux/rtnetlink.h: message types, groups, and the words of routes."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

RTNL_FAMILY_IPMR = 128
RTNL_FAMILY_IP6MR = 129
RTNL_FAMILY_MAX = 129
RTM_BASE = 16
RTM_MAX = 123
"""The highest type of a block of four (new, del, get, set), whether used or not."""
RTNLGRP_MAX = 39

RT_TABLE_MAX = 0xFFFFFFFF
# The highest metric in RTA_METRICS.
RTAX_MAX = 17
RTAX_FEATURE_MASK = 0x1F


class RTAX(IntEnum):
    """RTAX_*: metrics of a route, as far as something is made of them."""

    LOCK = 1
    MTU = 2
    WINDOW = 3
    RTT = 4
    CWND = 7
    ADVMSS = 8
    HOPLIMIT = 10
    FEATURES = 12
    CC_ALGO = 16


class RTM(IntEnum):
    """nlmsg_type: RTM_*."""

    NEWLINK = 16
    DELLINK = 17
    GETLINK = 18
    SETLINK = 19
    NEWADDR = 20
    DELADDR = 21
    GETADDR = 22
    NEWROUTE = 24
    DELROUTE = 25
    GETROUTE = 26
    NEWNEIGH = 28
    DELNEIGH = 29
    GETNEIGH = 30
    NEWRULE = 32
    DELRULE = 33
    GETRULE = 34
    NEWQDISC = 36
    DELQDISC = 37
    GETQDISC = 38
    NEWTCLASS = 40
    DELTCLASS = 41
    GETTCLASS = 42
    NEWTFILTER = 44
    DELTFILTER = 45
    GETTFILTER = 46
    NEWACTION = 48
    DELACTION = 49
    GETACTION = 50
    NEWPREFIX = 52
    NEWMULTICAST = 56
    DELMULTICAST = 57
    GETMULTICAST = 58
    NEWANYCAST = 60
    DELANYCAST = 61
    GETANYCAST = 62
    NEWNEIGHTBL = 64
    GETNEIGHTBL = 66
    SETNEIGHTBL = 67
    NEWNDUSEROPT = 68
    NEWADDRLABEL = 72
    DELADDRLABEL = 73
    GETADDRLABEL = 74
    GETDCB = 78
    SETDCB = 79
    NEWNETCONF = 80
    DELNETCONF = 81
    GETNETCONF = 82
    NEWMDB = 84
    DELMDB = 85
    GETMDB = 86
    NEWNSID = 88
    DELNSID = 89
    GETNSID = 90
    NEWSTATS = 92
    GETSTATS = 94
    SETSTATS = 95
    NEWCACHEREPORT = 96
    NEWCHAIN = 100
    DELCHAIN = 101
    GETCHAIN = 102
    NEWNEXTHOP = 104
    DELNEXTHOP = 105
    GETNEXTHOP = 106
    NEWLINKPROP = 108
    DELLINKPROP = 109
    GETLINKPROP = 110
    NEWVLAN = 112
    DELVLAN = 113
    GETVLAN = 114
    NEWNEXTHOPBUCKET = 116
    DELNEXTHOPBUCKET = 117
    GETNEXTHOPBUCKET = 118
    NEWTUNNEL = 120
    DELTUNNEL = 121
    GETTUNNEL = 122


class RTNLGRP(IntEnum):
    """Multicast groups: RTNLGRP_*."""

    NONE = 0
    LINK = 1
    NOTIFY = 2
    NEIGH = 3
    TC = 4
    IPV4_IFADDR = 5
    IPV4_MROUTE = 6
    IPV4_ROUTE = 7
    IPV4_RULE = 8
    IPV6_IFADDR = 9
    IPV6_MROUTE = 10
    IPV6_ROUTE = 11
    IPV6_IFINFO = 12
    DECnet_IFADDR = 13
    NOP2 = 14
    DECnet_ROUTE = 15
    DECnet_RULE = 16
    NOP4 = 17
    IPV6_PREFIX = 18
    IPV6_RULE = 19
    ND_USEROPT = 20
    PHONET_IFADDR = 21
    PHONET_ROUTE = 22
    DCB = 23
    IPV4_NETCONF = 24
    IPV6_NETCONF = 25
    MDB = 26
    MPLS_ROUTE = 27
    NSID = 28
    MPLS_NETCONF = 29
    IPV4_MROUTE_R = 30
    IPV6_MROUTE_R = 31
    NEXTHOP = 32
    BRVLAN = 33
    MCTP_IFADDR = 34
    TUNNEL = 35
    STATS = 36
    IPV4_MCADDR = 37
    IPV6_MCADDR = 38
    IPV6_ACADDR = 39


class RTEXT_FILTER(Bits):
    """What a dump of links should show or leave out: RTEXT_FILTER_*, in IFLA_EXT_MASK."""

    VF = 1 << 0
    BRVLAN = 1 << 1
    BRVLAN_COMPRESSED = 1 << 2
    SKIP_STATS = 1 << 3
    MRP = 1 << 4
    CFM_CONFIG = 1 << 5
    CFM_STATUS = 1 << 6
    MST = 1 << 7
    NAME_ONLY = 1 << 8


class RtDelReason(IntEnum):
    """enum rt_del_reason, since 7.3: why the kernel took a route away."""

    UNSPEC = 0
    EXPIRED = 1
    RA_WITHDRAWN = 2


class RTN(IntEnum):
    """rtm_type: RTN_*."""

    UNSPEC = 0
    UNICAST = 1
    LOCAL = 2
    BROADCAST = 3
    ANYCAST = 4
    MULTICAST = 5
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8
    THROW = 9
    NAT = 10
    XRESOLVE = 11


class RTPROT(IntEnum):
    """rtm_protocol: RTPROT_*. From STATIC up the kernel only hands them through."""

    UNSPEC = 0
    REDIRECT = 1
    KERNEL = 2
    BOOT = 3
    STATIC = 4
    GATED = 8
    RA = 9
    MRT = 10
    ZEBRA = 11
    BIRD = 12
    DNROUTED = 13
    XORP = 14
    NTK = 15
    DHCP = 16
    MROUTED = 17
    KEEPALIVED = 18
    BABEL = 42
    OVN = 84
    OPENR = 99
    BGP = 186
    ISIS = 187
    OSPF = 188
    RIP = 189
    EIGRP = 192


class RT_SCOPE(IntEnum):
    """rtm_scope and ifa_scope: enum rt_scope_t."""

    UNIVERSE = 0
    SITE = 200
    LINK = 253
    HOST = 254
    NOWHERE = 255


class RT_TABLE(IntEnum):
    """rtm_table: enum rt_class_t."""

    UNSPEC = 0
    COMPAT = 252
    DEFAULT = 253
    MAIN = 254
    LOCAL = 255


class RTM_F(Bits):
    """rtm_flags: RTM_F_*."""

    NOTIFY = 0x100
    CLONED = 0x200
    EQUALIZE = 0x400
    PREFIX = 0x800
    LOOKUP_TABLE = 0x1000
    FIB_MATCH = 0x2000
    OFFLOAD = 0x4000
    TRAP = 0x8000
    OFFLOAD_FAILED = 0x20000000


class RTNH_F(Bits):
    """rtnh_flags, and the low bits of rtm_flags: RTNH_F_*."""

    DEAD = 1 << 0
    PERVASIVE = 1 << 1
    ONLINK = 1 << 2
    OFFLOAD = 1 << 3
    LINKDOWN = 1 << 4
    UNRESOLVED = 1 << 5
    TRAP = 1 << 6
