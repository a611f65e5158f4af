"""uapi/linux/if_vlan.h: how a VLAN behaves; and of linux/if_vlan.h, of the kernel itself, the bits of a tag."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class VlanFlag(Bits):
    """enum vlan_flags: VLAN_FLAG_*."""

    REORDER_HDR = 0x1
    GVRP = 0x2
    LOOSE_BINDING = 0x4
    MVRP = 0x8
    BRIDGE_BINDING = 0x10


class VlanCommand(IntEnum):
    """enum vlan_ioctl_cmds: what SIOCSIFVLAN is asked to do (*_CMD)."""

    ADD = 0
    DEL = 1
    SET_INGRESS_PRIORITY = 2
    SET_EGRESS_PRIORITY = 3
    SET_NAME_TYPE = 6
    SET_FLAG = 7
    GET_REALDEV_NAME = 8
    GET_VID = 9


class VlanNames(IntEnum):
    """enum vlan_name_types: VLAN_NAME_TYPE_*."""

    PLUS_VID = 0
    RAW_PLUS_VID = 1
    PLUS_VID_NO_PAD = 2
    RAW_PLUS_VID_NO_PAD = 3


VLAN_VID_MASK = 0x0FFF
VLAN_PRIO_MASK = 0xE000
VLAN_PRIO_SHIFT = 13
