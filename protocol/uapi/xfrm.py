"""uapi/linux/xfrm.h: messages, groups, attributes' structures by their sizes, and what a default policy may be."""

from enum import IntEnum

XFRMA_MAX = 41


class XfrmMsg(IntEnum):
    """nlmsg_type: XFRM_MSG_*."""

    NEWSA = 0x10
    DELSA = 0x11
    GETSA = 0x12
    NEWPOLICY = 0x13
    DELPOLICY = 0x14
    GETPOLICY = 0x15
    ALLOCSPI = 0x16
    ACQUIRE = 0x17
    EXPIRE = 0x18
    UPDPOLICY = 0x19
    UPDSA = 0x1A
    POLEXPIRE = 0x1B
    FLUSHSA = 0x1C
    FLUSHPOLICY = 0x1D
    NEWAE = 0x1E
    GETAE = 0x1F
    REPORT = 0x20
    MIGRATE = 0x21
    NEWSADINFO = 0x22
    GETSADINFO = 0x23
    NEWSPDINFO = 0x24
    GETSPDINFO = 0x25
    MAPPING = 0x26
    SETDEFAULT = 0x27
    GETDEFAULT = 0x28
    MIGRATE_STATE = 0x29


XFRM_MSG_MAX = max(XfrmMsg)


class XfrmGroup(IntEnum):
    """Multicast groups: XFRMNLGRP_*."""

    ACQUIRE = 1
    EXPIRE = 2
    SA = 3
    POLICY = 4
    AEVENTS = 5
    REPORT = 6
    MIGRATE = 7
    MAPPING = 8


class XfrmPolicyType(IntEnum):
    """XFRM_POLICY_TYPE_*."""

    MAIN = 0
    SUB = 1


class XfrmPolicyDir(IntEnum):
    """XFRM_POLICY_*: which way the packets go that a policy is for."""

    IN = 0
    OUT = 1
    FWD = 2


class XfrmUserpolicy(IntEnum):
    """XFRM_USERPOLICY_*: what becomes of packets that no policy is for."""

    UNSPEC = 0
    BLOCK = 1
    ACCEPT = 2


class IpsecProto(IntEnum):
    """IPPROTO_* of what xfrm_id_proto_match() calls IPsec."""

    ESP = 50
    AH = 51
    COMP = 108
