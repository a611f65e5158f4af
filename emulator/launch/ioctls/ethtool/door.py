"""Where SIOCETHTOOL comes in: dev_ethtool(), __dev_ethtool(), dev_ethtool_locked().

The order is the kernel's: a command that cannot be read, a device that is not there, a right that is missing, a device
that is away. Drivers here have no `begin`, which would come next.
"""

from __future__ import annotations

import errno

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.launch.ioctls.caller import Caller, Ifreq
from nlemu.emulator.launch.ioctls.ethtool.commands import COMMANDS, UNKNOWN
from nlemu.emulator.launch.ioctls.ethtool.driver import FLASH
from nlemu.emulator.launch.ioctls.ethtool.request import Request
from nlemu.protocol.uapi.ethtool import EthtoolIoctl

U32 = 4


def ioctl(caller: Caller, place: int) -> int:
    """Answers one: what it returns. OSError EFAULT, ENODEV, EPERM, EOPNOTSUPP and what the command refuses; Refusal."""
    ifreq = Ifreq(caller, place)
    at = ifreq.pointer
    command = _number(caller, at)
    if command == EthtoolIoctl.FLASHDEV:
        caller.memory.read(at, FLASH.size)
    dev = ifreq.device()
    # PERQUEUE is about another command, whose rule of who may ask is followed.
    asked = _number(caller, at + U32) if command == EthtoolIoctl.PERQUEUE else command
    if COMMANDS.get(asked, UNKNOWN).admin:
        caller.want_admin()
    if not dev.present:
        raise OSError(errno.ENODEV, "not present")
    if caller.faults:
        caller.faults.refuse_ioctl(command, caller.net)
    old = dev.features
    try:
        return COMMANDS.get(command, UNKNOWN).answer(Request(caller, dev, command, at)) or 0
    finally:
        if dev.features != old:
            dev.kernel.notify(NetdevEvent.FEAT_CHANGE, dev)


def _number(caller: Caller, at: int) -> int:
    return int.from_bytes(caller.memory.read(at, U32), "little")
