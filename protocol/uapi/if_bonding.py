"""uapi/linux/if_bonding.h: modes of bonds, states of their slaves, and what LACP says of a port."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class BondMode(IntEnum):
    """BOND_MODE_*: how a bond spreads frames over its slaves."""

    ROUNDROBIN = 0
    ACTIVEBACKUP = 1
    XOR = 2
    BROADCAST = 3
    B8023AD = 4  # BOND_MODE_8023AD
    TLB = 5
    ALB = 6


class BondLink(IntEnum):
    """BOND_LINK_*: what a bond believes of a slave's link."""

    UP = 0
    FAIL = 1
    DOWN = 2
    BACK = 3


class BondState(IntEnum):
    """BOND_STATE_*: whether frames go out through a slave."""

    ACTIVE = 0
    BACKUP = 1


class BondXmitPolicy(IntEnum):
    """BOND_XMIT_POLICY_*: what of a frame decides through which slave it goes."""

    LAYER2 = 0
    LAYER34 = 1
    LAYER23 = 2
    ENCAP23 = 3
    ENCAP34 = 4
    VLAN_SRCMAC = 5


class LacpState(Bits):
    """LACP_STATE_*: the state of a port in LACP."""

    LACP_ACTIVITY = 0x1
    LACP_TIMEOUT = 0x2
    AGGREGATION = 0x4
    SYNCHRONIZATION = 0x8
    COLLECTING = 0x10
    DISTRIBUTING = 0x20
    DEFAULTED = 0x40
    EXPIRED = 0x80


BOND_DEFAULT_TX_QUEUES = 16
