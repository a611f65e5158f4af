"""uapi/linux/netlink.h: message headers, flags, socket options, attribute headers.

Alignment is spelled out where it is used as arithmetic: ``(n + 3) & ~3``.
"""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

NLMSG_ALIGNTO = 4
NLMSG_HDRLEN = 16
"""sizeof(struct nlmsghdr), which is aligned."""
NLMSG_MIN_TYPE = 0x10
"""Types below are control messages of netlink itself."""

NLA_ALIGNTO = 4
NLA_HDRLEN = 4
NLA_F_NESTED = 1 << 15
NLA_F_NET_BYTEORDER = 1 << 14
NLA_TYPE_MASK = 0x3FFF

# Not uapi: include/linux/netlink.h.
NETLINK_MAX_COOKIE_LEN = 8
NETLINK_MAX_FMTMSG_LEN = 80
"""Room for a formatted extack text, its NUL included."""


class NLMSGERR_ATTR(IntEnum):
    """Attributes of errors and acks: NLMSGERR_ATTR_*."""

    MSG = 1
    OFFS = 2
    COOKIE = 3
    POLICY = 4
    MISS_TYPE = 5
    MISS_NEST = 6


class NetlinkProtocol(IntEnum):
    """The third argument of socket(AF_NETLINK, ...): NETLINK_*."""

    ROUTE = 0
    USERSOCK = 2
    FIREWALL = 3
    SOCK_DIAG = 4
    NFLOG = 5
    XFRM = 6
    SELINUX = 7
    ISCSI = 8
    AUDIT = 9
    FIB_LOOKUP = 10
    CONNECTOR = 11
    NETFILTER = 12
    IP6_FW = 13
    DNRTMSG = 14
    KOBJECT_UEVENT = 15
    GENERIC = 16
    SCSITRANSPORT = 18
    ECRYPTFS = 19
    RDMA = 20
    CRYPTO = 21


class NlmsgType(IntEnum):
    """nlmsg_type below NLMSG_MIN_TYPE: NLMSG_*."""

    NOOP = 1
    ERROR = 2
    DONE = 3
    OVERRUN = 4


class NLM_F(Bits):
    """nlmsg_flags. From 0x100 up, what a bit means depends on the request: get, new, delete, or an ack."""

    REQUEST = 0x01
    MULTI = 0x02
    ACK = 0x04
    ECHO = 0x08
    DUMP_INTR = 0x10
    DUMP_FILTERED = 0x20
    # of a get
    ROOT = 0x100
    MATCH = 0x200
    ATOMIC = 0x400
    DUMP = ROOT | MATCH
    # of a new
    REPLACE = 0x100
    EXCL = 0x200
    CREATE = 0x400
    APPEND = 0x800
    # of a delete
    NONREC = 0x100
    BULK = 0x200
    # of an ack
    CAPPED = 0x100
    ACK_TLVS = 0x200


class NetlinkOpt(IntEnum):
    """Options of SOL_NETLINK: NETLINK_*."""

    ADD_MEMBERSHIP = 1
    DROP_MEMBERSHIP = 2
    PKTINFO = 3
    BROADCAST_ERROR = 4
    NO_ENOBUFS = 5
    RX_RING = 6
    TX_RING = 7
    LISTEN_ALL_NSID = 8
    LIST_MEMBERSHIPS = 9
    CAP_ACK = 10
    EXT_ACK = 11
    GET_STRICT_CHK = 12


class AttrType(IntEnum):
    """enum netlink_attribute_type, as policies are dumped."""

    INVALID = 0
    FLAG = 1
    U8 = 2
    U16 = 3
    U32 = 4
    U64 = 5
    S8 = 6
    S16 = 7
    S32 = 8
    S64 = 9
    BINARY = 10
    STRING = 11
    NUL_STRING = 12
    NESTED = 13
    NESTED_ARRAY = 14
    BITFIELD32 = 15
    SINT = 16
    UINT = 17
