"""Addresses of IPv4, one at a time: devinet_ioctl() and inet_gifconf() of net/ipv4/devinet.c.

They are from when a device had one address, and an alias (`eth0:1`) for every other. An alias is the label of an
address, and a label is how these commands find one. There is no word for the length of a prefix but the netmask, and an
address that comes gets that of its class; what changes one takes the address away and puts it back, so routes of it go
and come, and listeners hear of all of that.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.lifetime import INFINITY
from nlemu.emulator.kernel.devices import flags
from nlemu.emulator.kernel.ipv4 import address as model
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.launch.ioctls.caller import IFREQ, Caller, Ifreq, name_of
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE
from nlemu.protocol.uapi.socket import AF_INET
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

SOCKADDR_IN = struct.Struct("=HH4s8x")
IFCONF = struct.Struct("=i4xQ")
"""struct ifconf: the size of a buffer, and where it is."""
POINTOPOINT, BROADCAST, UP = int(IFF.POINTOPOINT), int(IFF.BROADCAST), int(IFF.UP)
NO_BROADCAST = 31
"""Of a prefix of that length (RFC 3021), or of more, no address is left for everybody."""

GETS: dict[int, Callable[[model.Address4], int]] = {
    Sioc.GIFADDR: lambda ifa: ifa.local,
    Sioc.GIFDSTADDR: lambda ifa: ifa.address,
    Sioc.GIFBRDADDR: lambda ifa: ifa.broadcast,
    Sioc.GIFNETMASK: lambda ifa: ip4.mask_of(ifa.length),
}
SETS = (Sioc.SIFADDR, Sioc.SIFDSTADDR, Sioc.SIFBRDADDR, Sioc.SIFNETMASK)
COMMANDS = frozenset((*GETS, *SETS, Sioc.SIFFLAGS))


def sockaddr(address: int) -> bytes:
    """struct sockaddr_in."""
    return SOCKADDR_IN.pack(AF_INET, 0, address.to_bytes(4, "big"))


# SIOCGIFCONF


def ifconf(caller: Caller, place: int) -> int:
    """dev_ifconf(): the addresses of all devices, as many as there is room for; without a buffer, their size. OSError
    EFAULT."""
    room, buffer = IFCONF.unpack(caller.memory.read(place, IFCONF.size))
    listed = [
        (name_of(ifa.label) + sockaddr(ifa.local)).ljust(IFREQ, b"\0")
        for dev in caller.net
        if dev.ip4 is not None
        for ifa in dev.inet.addresses
    ]
    if buffer:
        listed = listed[: max(room, 0) // IFREQ]
        if listed:
            caller.memory.write(buffer, b"".join(listed))
    caller.memory.write(place, struct.pack("=i", len(listed) * IFREQ))
    return 0


# One address


def ioctl(caller: Caller, command: int, place: int) -> int:
    """devinet_ioctl(). OSError EFAULT, EPERM, EINVAL, ENODEV, EADDRNOTAVAIL, ENOBUFS, and what the model refuses."""
    request = Ifreq(caller, place)
    family, _, value = SOCKADDR_IN.unpack_from(request.value)
    address = int.from_bytes(value, "big")
    if command not in GETS:
        caller.want_admin()
        if command != Sioc.SIFFLAGS and family != AF_INET:
            raise OSError(errno.EINVAL, "not an address of IPv4")
    dev = request.device()
    ifa = find(dev, request.label, address if command in GETS and family == AF_INET else None)
    if ifa is None and command not in (Sioc.SIFADDR, Sioc.SIFFLAGS):
        raise OSError(errno.EADDRNOTAVAIL, request.label)
    if command == Sioc.SIFFLAGS:
        set_flags(dev, request, ifa)
    elif command == Sioc.SIFADDR:
        set_address(dev, request.label, ifa, address)
    else:
        assert ifa is not None
        if command in GETS:
            request.answer(sockaddr(GETS[command](ifa)))
        elif command == Sioc.SIFBRDADDR:
            set_broadcast(ifa, address)
        elif command == Sioc.SIFDSTADDR:
            set_destination(ifa, address)
        else:
            set_netmask(dev, ifa, address)
    return 0


def find(dev: Device, label: str, local: int | None) -> model.Address4 | None:
    """The address of a device with that label, and if there is one, of that value (as of 4.4BSD)."""
    if dev.ip4 is None:
        return None
    labelled = [ifa for ifa in dev.inet.addresses if ifa.label == label]
    return next((ifa for ifa in labelled if ifa.local == local), labelled[0] if labelled else None)


def class_length(address: int) -> int:
    """inet_abc_len(): the length of the network of its class. OSError EINVAL: it is a group."""
    if address in (0, ip4.BROADCAST):
        return 0
    if address >> 28 == 0xE:
        raise OSError(errno.EINVAL, "a group")
    if not address >> 31:
        return 8
    if address >> 30 == 0b10:
        return 16
    return 24 if address >> 29 == 0b110 else 32


def set_flags(dev: Device, request: Ifreq, ifa: model.Address4 | None) -> None:
    """Of a device; an alias without IFF_UP is an address that goes."""
    wanted = int.from_bytes(request.value[:2], "little")
    if not request.aliased:
        flags.change_flags(dev, wanted)
    elif ifa is None:
        raise OSError(errno.EADDRNOTAVAIL, request.label)
    elif not wanted & UP:
        model.remove(ifa)


def set_address(dev: Device, label: str, ifa: model.Address4 | None, local: int) -> None:
    """SIOCSIFADDR: a new address of that label, or another one in the place of that which has it."""
    length = class_length(local)
    if ifa is None:
        if dev.ip4 is None:
            raise OSError(errno.ENOBUFS, "no IPv4 here")
        ifa = model.Address4(dev, local, local, length, label=label)
    else:
        if ifa.local == local:
            return
        model.remove(ifa)
        ifa.broadcast = ifa.scope = 0
    ifa.local = ifa.address = local
    if dev.flags & POINTOPOINT:
        ifa.length = 32
    else:
        ifa.length = length
        if dev.flags & BROADCAST and length < NO_BROADCAST:
            ifa.broadcast = ifa.last
    ifa.set_lifetime(INFINITY, INFINITY)
    if local >> 24 == ip4.LOOPBACK >> 24:
        ifa.scope = int(RT_SCOPE.HOST)
    insert(ifa)


def set_broadcast(ifa: model.Address4, address: int) -> None:
    """SIOCSIFBRDADDR."""
    if ifa.broadcast != address:
        model.remove(ifa)
        ifa.broadcast = address
        insert(ifa)


def set_destination(ifa: model.Address4, address: int) -> None:
    """SIOCSIFDSTADDR: of the other end."""
    if ifa.address != address:
        class_length(address)
        model.remove(ifa)
        ifa.address = address
        insert(ifa)


def set_netmask(dev: Device, ifa: model.Address4, mask: int) -> None:
    """SIOCSIFNETMASK: the broadcast address follows, if it was the usual one."""
    length = mask.bit_count()
    if mask != ip4.mask_of(length):
        raise OSError(errno.EINVAL, "holes in a mask")
    if ifa.length == length:
        return
    model.remove(ifa)
    usual = ifa.local | ~ip4.mask_of(ifa.length) & ip4.BROADCAST
    ifa.length = length
    if dev.flags & BROADCAST and length < NO_BROADCAST and ifa.broadcast == usual:
        ifa.broadcast = ifa.local | ~mask & ip4.BROADCAST
    insert(ifa)


def insert(ifa: model.Address4) -> None:
    """inet_insert_ifa(): 0.0.0.0 is no address, and so is left away."""
    if ifa.local:
        model.insert(ifa)
