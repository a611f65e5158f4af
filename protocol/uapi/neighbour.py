"""uapi/linux/neighbour.h: flags and states of neighbours."""

from nlemu.protocol.uapi.bits import Bits


class NTF(Bits):
    """ndm_flags: NTF_*."""

    USE = 1 << 0
    SELF = 1 << 1
    MASTER = 1 << 2
    PROXY = 1 << 3
    EXT_LEARNED = 1 << 4
    OFFLOADED = 1 << 5
    STICKY = 1 << 6
    ROUTER = 1 << 7


class NTF_EXT(Bits):
    """NTF_EXT_*, in NDA_FLAGS_EXT."""

    MANAGED = 1 << 0
    LOCKED = 1 << 1
    EXT_VALIDATED = 1 << 2


class NUD(Bits):
    """ndm_state: NUD_*."""

    NONE = 0x00
    INCOMPLETE = 0x01
    REACHABLE = 0x02
    STALE = 0x04
    DELAY = 0x08
    PROBE = 0x10
    FAILED = 0x20
    NOARP = 0x40
    PERMANENT = 0x80
