"""uapi/linux/if_macsec.h: the commands of the macsec family, and the suites of ciphers."""

from enum import IntEnum

MACSEC_GENL_NAME = "macsec"
MACSEC_GENL_VERSION = 1
MACSEC_MAX_KEY_LEN = 128
MACSEC_KEYID_LEN = 16
MACSEC_SALT_LEN = 12
MACSEC_MIN_ICV_LEN = 8
MACSEC_STD_ICV_LEN = 16


class MacsecCmd(IntEnum):
    """MACSEC_CMD_*."""

    GET_TXSC = 0
    ADD_RXSC = 1
    DEL_RXSC = 2
    UPD_RXSC = 3
    ADD_TXSA = 4
    DEL_TXSA = 5
    UPD_TXSA = 6
    ADD_RXSA = 7
    DEL_RXSA = 8
    UPD_RXSA = 9
    UPD_OFFLOAD = 10


class MacsecCipherId(IntEnum):
    """MACSEC_CIPHER_ID_*, and the deprecated number of the first, which is the one that is told."""

    GCM_AES_128 = 0x0080C20001000001
    GCM_AES_256 = 0x0080C20001000002
    GCM_AES_XPN_128 = 0x0080C20001000003
    GCM_AES_XPN_256 = 0x0080C20001000004
    DEFAULT = 0x0080020001000001
