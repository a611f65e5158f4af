"""How `ifenslave` gives a bond its slaves, and asks for them: bond_do_ioctl(), bond_siocdevprivate() and
bond_eth_ioctl() of drivers/net/bonding/bond_main.c.

A slave is named where the value of a struct ifreq stands. Each command has an older number, a private one.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bonding import active, options, slaves
from nlemu.emulator.kernel.bonding.bond import Bond
from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.launch.ioctls.caller import Ifreq, name_of
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

IFBOND = struct.Struct("=3i")
IFSLAVE = struct.Struct("=i16sbb2xI")
MII = struct.Struct("=4H")
"""struct mii_ioctl_data"""
STATUS, LINK_STATUS = 1, 0x0004
"""MII_BMSR, BMSR_LSTATUS"""
OLD = {
    Sioc.DEVPRIVATE: Sioc.BONDENSLAVE, Sioc.DEVPRIVATE + 1: Sioc.BONDRELEASE,
    Sioc.DEVPRIVATE + 2: Sioc.BONDSETHWADDR, Sioc.DEVPRIVATE + 11: Sioc.BONDSLAVEINFOQUERY,
    Sioc.DEVPRIVATE + 12: Sioc.BONDINFOQUERY, Sioc.DEVPRIVATE + 13: Sioc.BONDCHANGEACTIVE,
}


def ioctl(dev: Device, command: int, request: Ifreq) -> int:
    """bond_do_ioctl(), by either number. OSError EFAULT, EPERM, ENODEV, EOPNOTSUPP; and what the bond refuses."""
    command = OLD.get(command, command)
    bond: Bond = dev.priv
    memory = request.caller.memory
    if command == Sioc.BONDINFOQUERY:
        memory.write(request.pointer, IFBOND.pack(bond.mode, len(bond.members), bond.params.miimon))
        return 0
    if command == Sioc.BONDSLAVEINFOQUERY:
        number = IFSLAVE.unpack(memory.read(request.pointer, IFSLAVE.size))[0]
        members = list(bond.slaves)
        if not 0 <= number < len(members):
            raise OSError(errno.ENODEV, "no such slave")
        one = members[number]
        memory.write(
            request.pointer, IFSLAVE.pack(number, name_of(one.dev.name), one.link, one.backup, one.link_failure_count)
        )
        return 0
    if command not in OLD.values():
        raise OSError(errno.EOPNOTSUPP, "no such command")
    request.caller.want_admin()
    name = request.value[: IFNAMSIZ - 1].split(b"\0")[0].decode("utf-8", "surrogateescape")
    slave = dev.net.by_name(name)
    if slave is None:
        raise OSError(errno.ENODEV, name)
    if command == Sioc.BONDENSLAVE:
        slaves.enslave(bond, slave)
    elif command == Sioc.BONDRELEASE:
        slaves.release(bond, slave)
    elif command == Sioc.BONDSETHWADDR:
        active.set_device_address(bond, slave)
    else:
        options.set_raw(bond, "active_slave", name)
        dev.kernel.notify(NetdevEvent.CHANGEINFODATA, dev)
    return 0


def mii(dev: Device, command: int, request: Ifreq) -> int:
    """bond_eth_ioctl(): whether it has a carrier, as a transceiver says it. OSError EOPNOTSUPP."""
    if command not in (Sioc.GMIIPHY, Sioc.GMIIREG):
        raise OSError(errno.EOPNOTSUPP, "no such command")
    phy, register, given, told = MII.unpack_from(request.value)
    phy = 0 if command == Sioc.GMIIPHY else phy
    if register == STATUS:
        told = LINK_STATUS if dev.carrier else 0
    request.answer(MII.pack(phy, register, given, told))
    return 0
