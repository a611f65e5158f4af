"""linux/sockios.h: ioctls about a device that is named in a struct ifreq."""

from enum import IntEnum


class Sioc(IntEnum):
    """SIOC*."""

    ADDRT = 0x890B
    GIFNAME = 0x8910
    GIFCONF = 0x8912
    GIFFLAGS = 0x8913
    SIFFLAGS = 0x8914
    GIFMETRIC = 0x891D
    GIFMTU = 0x8921
    SIFMTU = 0x8922
    SIFNAME = 0x8923
    GIFHWADDR = 0x8927
    GIFINDEX = 0x8933
    GIFTXQLEN = 0x8942
    SIFTXQLEN = 0x8943
    ETHTOOL = 0x8946
    GSKNS = 0x894C
