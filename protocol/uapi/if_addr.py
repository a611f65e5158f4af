"""uapi/linux/if_addr.h: flags and origins of addresses."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class IFA_F(Bits):
    """IFA_F_*: ifa_flags holds the low eight, IFA_FLAGS all. SECONDARY is IPv4's, TEMPORARY IPv6's."""

    SECONDARY = 0x01
    TEMPORARY = 0x01
    NODAD = 0x02
    OPTIMISTIC = 0x04
    DADFAILED = 0x08
    HOMEADDRESS = 0x10
    DEPRECATED = 0x20
    TENTATIVE = 0x40
    PERMANENT = 0x80
    MANAGETEMPADDR = 0x100
    NOPREFIXROUTE = 0x200
    MCAUTOJOIN = 0x400
    STABLE_PRIVACY = 0x800


class IFAPROT(IntEnum):
    """IFAPROT_*: who made an address."""

    UNSPEC = 0
    KERNEL_LO = 1
    KERNEL_RA = 2
    KERNEL_LL = 3
