"""uapi/linux/if_arp.h: the hardware types a device may have, of which most are history and left out."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class ARPHRD(IntEnum):
    """ifi_type: ARPHRD_*."""

    NETROM = 0
    ETHER = 1
    IEEE802 = 6
    INFINIBAND = 32
    ROSE = 270
    CAN = 280
    PPP = 512
    RAWIP = 519
    TUNNEL = 768
    TUNNEL6 = 769
    LOOPBACK = 772
    LOCALTLK = 773
    FDDI = 774
    SIT = 776
    IPGRE = 778
    HIPPI = 780
    IEEE80211 = 801
    IEEE802154 = 804
    IEEE802154_MONITOR = 805
    IP6GRE = 823
    NETLINK = 824
    LOWPAN = 825
    """ARPHRD_6LOWPAN"""
    VSOCKMON = 826
    VOID = 65535
    NONE = 65534


class ATF(Bits):
    """ATF_*: what an ioctl says of a neighbour."""

    COM = 0x02
    PERM = 0x04
    PUBL = 0x08
    NETMASK = 0x20
    DONTPUB = 0x40
