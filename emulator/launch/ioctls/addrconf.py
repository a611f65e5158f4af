"""Addresses of IPv6 before rtnetlink: SIOCSIFADDR and SIOCDIFADDR of a socket of IPv6, which `ifconfig DEV add` asks
(addrconf_add_ifaddr(), addrconf_del_ifaddr() of net/ipv6/addrconf.c)."""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv6 import address
from nlemu.emulator.kernel.ipv6.address import Wanted
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.launch.ioctls.caller import Caller

IN6_IFREQ = struct.Struct("=16sIi")
"""struct in6_ifreq: an address, the length of its prefix, and a device's index."""
COMPATIBLE = 2
"""IPV6_ADDR_COMPATv4: the last four bytes are an address of IPv4, the others 0; 0 and 1 are something else."""
COMMANDS = frozenset({Sioc.SIFADDR, Sioc.DIFADDR, Sioc.SIFDSTADDR})


def ioctl(caller: Caller, command: int, place: int) -> int:
    """OSError EPERM, EFAULT, ENODEV, and what is wrong with the address."""
    if command != Sioc.SIFDSTADDR:
        caller.want_admin()
    raw, length, ifindex = IN6_IFREQ.unpack(caller.memory.read(place, IN6_IFREQ.size))
    local = int.from_bytes(raw, "big")
    if command == Sioc.DIFADDR:
        address.delete(caller.net, ifindex, local, length)
        return 0
    dev = caller.net.device(ifindex)
    if dev is None or (command == Sioc.SIFDSTADDR and dev.type != ARPHRD.SIT):
        raise OSError(errno.ENODEV, "no such device")
    if command == Sioc.SIFDSTADDR:  # addrconf_set_sit_dstaddr()
        raise OSError(
            errno.EADDRNOTAVAIL if local >> 32 or local < COMPATIBLE else errno.EOPNOTSUPP,
            "tunnels to addresses that hold one of IPv4 are not made",
        )
    address.add(dev, Wanted(local, length), None)
    return 0
