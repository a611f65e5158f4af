"""VLANs before rtnetlink: SIOCGIFVLAN and SIOCSIFVLAN, which `vconfig` asks (vlan_ioctl_handler() of net/8021q/vlan.c).

A VLAN made so is called after the device below and its number, in one of four ways that a namespace is told of.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.links import delete_link
from nlemu.emulator.kernel.devices.states import NameAssignment
from nlemu.emulator.kernel.links.vlan import KIND, Vlan, change_flags, name_by, names_of, set_egress
from nlemu.emulator.launch.ioctls.caller import text_of
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.if_vlan import VLAN_VID_MASK, VlanCommand, VlanNames
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.launch.ioctls.caller import Caller

ARGS = struct.Struct("=i24s24sh2x")
"""struct vlan_ioctl_args: a command, a device, what is said of it, and a priority in a tag."""
NUMBER = struct.Struct("=I20x")
COMMANDS = frozenset({Sioc.GIFVLAN, Sioc.SIFVLAN})
OF_ONE = frozenset(VlanCommand) - {VlanCommand.SET_NAME_TYPE}
"""Those that name a device."""
NAMES = {
    VlanNames.PLUS_VID: "vlan{1:04}", VlanNames.RAW_PLUS_VID: "{0}.{1:04}", VlanNames.PLUS_VID_NO_PAD: "vlan{1}",
    VlanNames.RAW_PLUS_VID_NO_PAD: "{0}.{1}",
}


def ioctl(caller: Caller, place: int) -> int:
    """OSError EFAULT, ENODEV, EINVAL, EPERM, EOPNOTSUPP, ERANGE, and what a VLAN refuses."""
    number, name, said, qos = ARGS.unpack(caller.memory.read(place, ARGS.size))
    if number not in list(VlanCommand):
        raise OSError(errno.EOPNOTSUPP, "no such command")
    command = VlanCommand(number)
    value: int = NUMBER.unpack(said)[0]
    if command == VlanCommand.SET_NAME_TYPE:
        caller.want_admin()
        if value not in list(VlanNames):
            raise OSError(errno.EINVAL, "no such way to name them")
        name_by(caller.net, VlanNames(value))
        return 0
    dev = caller.net.by_name(text_of(name[:-1]))
    if dev is None:
        raise OSError(errno.ENODEV, "no such device")
    if command != VlanCommand.ADD and dev.kind is not KIND:
        raise OSError(errno.EINVAL, "no VLAN")
    if command in (VlanCommand.GET_REALDEV_NAME, VlanCommand.GET_VID):
        vlan: Vlan = dev.priv
        if command == VlanCommand.GET_VID:
            said = NUMBER.pack(vlan.id)
        else:
            said = vlan.below.name.encode("utf-8", "surrogateescape").ljust(len(said), b"\0")
        caller.memory.write(place, ARGS.pack(number, name, said, qos))
        return 0
    caller.want_admin()
    if command == VlanCommand.ADD:
        _add(dev, value)
    elif command == VlanCommand.DEL:
        delete_link(dev)
    else:
        _set(dev, command, value, qos)
    return 0


def _add(below: Device, number: int) -> None:
    """register_vlan_device()."""
    number &= 0xFFFF
    if number >= VLAN_VID_MASK:
        raise OSError(errno.ERANGE, "no such VLAN")
    vlan = Vlan(below, ETH_P.VLAN_8021Q, number)
    KIND.check_below(below, vlan)
    name = NAMES[names_of(below.net)].format(below.name, number)[: IFNAMSIZ - 1]
    dev = KIND.alloc(below.net, name, NameAssignment.UNKNOWN, 1, 1)
    dev.kind, dev.priv, dev.mtu = KIND, vlan, below.mtu
    KIND.register(dev, vlan)


def _set(dev: Device, command: VlanCommand, value: int, qos: int) -> None:
    """vlan_dev_set_ingress_priority(), vlan_dev_set_egress_priority(), vlan_dev_change_flags()."""
    vlan: Vlan = dev.priv
    if command == VlanCommand.SET_INGRESS_PRIORITY:
        vlan.ingress[qos % len(vlan.ingress)] = value
    elif command == VlanCommand.SET_EGRESS_PRIORITY:
        set_egress(vlan, value, qos)
    else:
        change_flags(vlan, value if qos else 0, value)
    dev.changed()
