"""uapi/linux/wireguard.h: the commands of the wireguard family, and their flags."""

from enum import IntEnum, IntFlag

WG_GENL_NAME = "wireguard"
WG_GENL_VERSION = 1
WG_KEY_LEN = 32


class WgCmd(IntEnum):
    """WG_CMD_*."""

    GET_DEVICE = 0
    SET_DEVICE = 1


class WgdeviceFlag(IntFlag):
    """WGDEVICE_F_*."""

    REPLACE_PEERS = 1 << 0


class WgpeerFlag(IntFlag):
    """WGPEER_F_*."""

    REMOVE_ME = 1 << 0
    REPLACE_ALLOWEDIPS = 1 << 1
    UPDATE_ONLY = 1 << 2


class WgallowedipFlag(IntFlag):
    """WGALLOWEDIP_F_*."""

    REMOVE_ME = 1 << 0
