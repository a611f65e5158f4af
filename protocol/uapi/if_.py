"""uapi/linux/if.h: names, flags and states of devices. (``if`` itself is a word of Python's.)"""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

IFNAMSIZ = 16
"""Room for a device's name, its NUL included."""
IFALIASZ = 256
ALTIFNAMSIZ = 128


class IFF(Bits):
    """ifi_flags: enum net_device_flags."""

    UP = 1 << 0
    BROADCAST = 1 << 1
    DEBUG = 1 << 2
    LOOPBACK = 1 << 3
    POINTOPOINT = 1 << 4
    NOTRAILERS = 1 << 5
    RUNNING = 1 << 6
    NOARP = 1 << 7
    PROMISC = 1 << 8
    ALLMULTI = 1 << 9
    MASTER = 1 << 10
    SLAVE = 1 << 11
    MULTICAST = 1 << 12
    PORTSEL = 1 << 13
    AUTOMEDIA = 1 << 14
    DYNAMIC = 1 << 15
    LOWER_UP = 1 << 16
    DORMANT = 1 << 17
    ECHO = 1 << 18
    VOLATILE = LOOPBACK | POINTOPOINT | BROADCAST | ECHO | MASTER | SLAVE | RUNNING | LOWER_UP | DORMANT
    """What user space cannot set."""


class IfOper(IntEnum):
    """RFC 2863 operational state: IF_OPER_*."""

    UNKNOWN = 0
    NOTPRESENT = 1
    DOWN = 2
    LOWERLAYERDOWN = 3
    TESTING = 4
    DORMANT = 5
    UP = 6


class IfLinkMode(IntEnum):
    """IF_LINK_MODE_*: how far up the operational state may go by itself."""

    DEFAULT = 0
    DORMANT = 1
    TESTING = 2
