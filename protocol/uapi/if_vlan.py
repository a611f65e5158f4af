"""uapi/linux/if_vlan.h: how a VLAN behaves; and of linux/if_vlan.h, of the kernel itself, the bits of a tag."""

from enum import IntFlag


class VlanFlag(IntFlag):
    """enum vlan_flags: VLAN_FLAG_*."""

    REORDER_HDR = 0x1
    GVRP = 0x2
    LOOSE_BINDING = 0x4
    MVRP = 0x8
    BRIDGE_BINDING = 0x10


VLAN_VID_MASK = 0x0FFF
VLAN_PRIO_MASK = 0xE000
VLAN_PRIO_SHIFT = 13
