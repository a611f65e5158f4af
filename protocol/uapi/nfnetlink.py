"""uapi/linux/netfilter/nfnetlink.h, and the messages of the subsystems from the headers beside it.

A message's type is its subsystem in the upper byte and its number there in the lower one.
"""

from enum import IntEnum

NFNL_SUBSYS_COUNT = 13
NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END = 0x10, 0x11
NFNETLINK_V0 = 0
NFPROTO_UNSPEC = 0


class NfnlGroup(IntEnum):
    """Multicast groups: NFNLGRP_*."""

    CONNTRACK_NEW = 1
    CONNTRACK_UPDATE = 2
    CONNTRACK_DESTROY = 3
    CONNTRACK_EXP_NEW = 4
    CONNTRACK_EXP_UPDATE = 5
    CONNTRACK_EXP_DESTROY = 6
    NFTABLES = 7
    ACCT_QUOTA = 8
    NFTRACE = 9


class Subsys(IntEnum):
    """NFNL_SUBSYS_* of those that a kernel here may have."""

    CTNETLINK = 1
    CTNETLINK_EXP = 2
    QUEUE = 3
    ULOG = 4
    IPSET = 6
    ACCT = 7
    NFTABLES = 10
    HOOK = 12


class CtMsg(IntEnum):
    """IPCTNL_MSG_CT_*."""

    NEW = 0x100
    GET = 0x101
    DELETE = 0x102
    GET_CTRZERO = 0x103
    GET_STATS_CPU = 0x104
    GET_STATS = 0x105
    GET_DYING = 0x106
    GET_UNCONFIRMED = 0x107


class ExpMsg(IntEnum):
    """IPCTNL_MSG_EXP_*."""

    NEW = 0x200
    GET = 0x201
    DELETE = 0x202
    GET_STATS_CPU = 0x203


class QueueMsg(IntEnum):
    """NFQNL_MSG_*."""

    PACKET = 0x300
    VERDICT = 0x301
    CONFIG = 0x302
    VERDICT_BATCH = 0x303


class LogMsg(IntEnum):
    """NFULNL_MSG_*."""

    PACKET = 0x400
    CONFIG = 0x401


class IpsetMsg(IntEnum):
    """IPSET_CMD_*."""

    NONE = 0x600
    PROTOCOL = 0x601
    CREATE = 0x602
    DESTROY = 0x603
    FLUSH = 0x604
    RENAME = 0x605
    SWAP = 0x606
    LIST = 0x607
    SAVE = 0x608
    ADD = 0x609
    DEL = 0x60A
    TEST = 0x60B
    HEADER = 0x60C
    TYPE = 0x60D
    GET_BYNAME = 0x60E
    GET_BYINDEX = 0x60F


class AcctMsg(IntEnum):
    """NFNL_MSG_ACCT_*."""

    NEW = 0x700
    GET = 0x701
    GET_CTRZERO = 0x702
    DEL = 0x703


class NftMsg(IntEnum):
    """NFT_MSG_*."""

    NEWTABLE = 0xA00
    GETTABLE = 0xA01
    DELTABLE = 0xA02
    NEWCHAIN = 0xA03
    GETCHAIN = 0xA04
    DELCHAIN = 0xA05
    NEWRULE = 0xA06
    GETRULE = 0xA07
    DELRULE = 0xA08
    NEWSET = 0xA09
    GETSET = 0xA0A
    DELSET = 0xA0B
    NEWSETELEM = 0xA0C
    GETSETELEM = 0xA0D
    DELSETELEM = 0xA0E
    NEWGEN = 0xA0F
    GETGEN = 0xA10
    NEWOBJ = 0xA12
    GETOBJ = 0xA13
    DELOBJ = 0xA14
    GETOBJ_RESET = 0xA15
    NEWFLOWTABLE = 0xA16
    GETFLOWTABLE = 0xA17
    DELFLOWTABLE = 0xA18
    GETRULE_RESET = 0xA19
    DESTROYTABLE = 0xA1A
    DESTROYCHAIN = 0xA1B
    DESTROYRULE = 0xA1C
    DESTROYSET = 0xA1D
    DESTROYSETELEM = 0xA1E
    DESTROYOBJ = 0xA1F
    DESTROYFLOWTABLE = 0xA20
    GETSETELEM_RESET = 0xA21


class HookMsg(IntEnum):
    """NFNL_MSG_HOOK_*."""

    GET = 0xC00


MESSAGES = {1: 8, 2: 4, 3: 4, 4: 2, 6: 16, 7: 4, 10: 34, 12: 1}
"""How many messages a subsystem has (cb_count), numbers without one included."""
