"""uapi/linux/wireguard.h: the commands of the wireguard family, and their flags."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

WG_GENL_NAME = "wireguard"
WG_GENL_VERSION = 1
WG_KEY_LEN = 32


class WgCmd(IntEnum):
    """WG_CMD_*."""

    GET_DEVICE = 0
    SET_DEVICE = 1


class WgdeviceFlag(Bits):
    """WGDEVICE_F_*."""

    REPLACE_PEERS = 1 << 0


class WgpeerFlag(Bits):
    """WGPEER_F_*."""

    REMOVE_ME = 1 << 0
    REPLACE_ALLOWEDIPS = 1 << 1
    UPDATE_ONLY = 1 << 2


class WgallowedipFlag(Bits):
    """WGALLOWEDIP_F_*."""

    REMOVE_ME = 1 << 0
