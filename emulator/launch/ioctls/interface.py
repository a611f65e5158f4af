"""What of a device is read and set by its name: dev_ioctl() of net/core/dev_ioctl.c.

What a command needs is looked at in this order: whether there is such a command, what the caller may, whether there is
such a device, whether the value will do.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bonding.bond import bond_of
from nlemu.emulator.kernel.bridge.bridge import bridge_of
from nlemu.emulator.kernel.devices import address, flags, rename, rx_mode, settings
from nlemu.emulator.launch.ioctls import bonding, bridge, tunnel
from nlemu.emulator.launch.ioctls.caller import Caller, Ifreq, name_of, text_of
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.net_tstamp import HwtstampFilter, HwtstampFlag, HwtstampTx
from nlemu.protocol.uapi.socket import AF_UNSPEC
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

INT = struct.Struct("=i")
SHORT = struct.Struct("=H")
SOCKADDR = struct.Struct("=H14s")
"""struct sockaddr: family and address."""
IFMAP = struct.Struct("=QQHBBB3x")
"""struct ifmap: memory from and to, base address, interrupt, DMA, port."""
HWTSTAMP_CONFIG = struct.Struct("=3i")


def ifname(caller: Caller, place: int) -> int:
    """dev_ifname(): the name that goes with an index. OSError EFAULT, ENODEV."""
    request = Ifreq(caller, place)
    dev = caller.net.device(INT.unpack_from(request.value)[0])
    if dev is None:
        raise OSError(errno.ENODEV, "no such index")
    caller.memory.write(place, name_of(dev.name))
    return 0


# What all may read


def hardware_address(dev: Device) -> bytes:
    """netif_get_mac_address(): a struct sockaddr."""
    return SOCKADDR.pack(dev.type, dev.address[:14])


def _slave(dev: Device) -> bytes:
    raise OSError(errno.EINVAL, "SIOCGIFSLAVE")


READS: dict[int, Callable[[Device], bytes]] = {
    Sioc.GIFFLAGS: lambda dev: SHORT.pack(flags.get_flags(dev) & 0xFFFF),
    Sioc.GIFMETRIC: lambda dev: INT.pack(0),
    Sioc.GIFMTU: lambda dev: INT.pack(dev.mtu),
    Sioc.GIFHWADDR: hardware_address,
    Sioc.GIFSLAVE: _slave,
    Sioc.GIFMAP: lambda dev: IFMAP.pack(0, 0, 0, 0, 0, 0),
    Sioc.GIFINDEX: lambda dev: INT.pack(dev.ifindex),
    Sioc.GIFTXQLEN: lambda dev: INT.pack(dev.txqlen),
}


# What is set


def _set_flags(dev: Device, request: Ifreq) -> None:
    flags.change_flags(dev, SHORT.unpack_from(request.value)[0])


def _set_mtu(dev: Device, request: Ifreq) -> None:
    settings.set_mtu(dev, INT.unpack_from(request.value)[0] & 0xFFFFFFFF)


def _set_txqlen(dev: Device, request: Ifreq) -> None:
    length = INT.unpack_from(request.value)[0]
    if length < 0:
        raise OSError(errno.EINVAL, "a negative length")
    settings.set_txqlen(dev, length)


def _set_hardware_address(dev: Device, request: Ifreq) -> None:
    set_hardware_address(dev, request.value)


def set_hardware_address(dev: Device, told: bytes) -> None:
    """netif_set_mac_address(): a struct sockaddr, of the device's own family. OSError, Refusal."""
    family, value = SOCKADDR.unpack_from(told)
    if dev.addr_len > SOCKADDR.size:
        raise OSError(errno.EINVAL, "an address longer than there is room for")
    if dev.ops.has("set_mac") and family != dev.type:
        raise OSError(errno.EINVAL, "another kind of address")
    address.set_mac(dev, value)


def _set_broadcast(dev: Device, request: Ifreq) -> None:
    family, value = SOCKADDR.unpack_from(request.value)
    if family != dev.type:
        raise OSError(errno.EINVAL, "another kind of address")
    address.set_broadcast(dev, value)


def _group(dev: Device, request: Ifreq) -> bytes:
    family, value = SOCKADDR.unpack_from(request.value)
    if not dev.ops.has_rx_mode or family != AF_UNSPEC:
        raise OSError(errno.EINVAL, "no filter of groups")
    if not dev.present:
        raise OSError(errno.ENODEV, "not present")
    return bytes(value[: dev.addr_len])


def _add_group(dev: Device, request: Ifreq) -> None:
    rx_mode.add_global_group(dev, _group(dev, request))


def _delete_group(dev: Device, request: Ifreq) -> None:
    rx_mode.delete_global_group(dev, _group(dev, request))


def _rename(dev: Device, request: Ifreq) -> None:
    rename.change_name(dev, text_of(request.value[: IFNAMSIZ - 1]))


def _set_time_stamping(dev: Device, request: Ifreq) -> None:
    """dev_set_hwtstamp(), net_hwtstamp_validate(): no driver here can be told what to stamp."""
    bits, tx_type, rx_filter = HWTSTAMP_CONFIG.unpack(
        request.caller.memory.read(request.pointer, HWTSTAMP_CONFIG.size)
    )
    if bits >> len(HwtstampFlag):
        raise OSError(errno.EINVAL, "unknown flags")
    if tx_type not in list(HwtstampTx) or rx_filter not in list(HwtstampFilter):
        raise OSError(errno.ERANGE, "unknown kinds of time stamps")
    raise OSError(errno.EOPNOTSUPP, "SIOCSHWTSTAMP")


def _unsupported(dev: Device, request: Ifreq) -> None:
    """No driver here has the method: ndo_set_config, ndo_siocwandev ..."""
    raise OSError(errno.EOPNOTSUPP, "no driver here does that")


def _invalid(dev: Device, request: Ifreq) -> None:
    raise OSError(errno.EINVAL, "no longer done")


def _mii(command: int, dev: Device, request: Ifreq) -> int:
    """dev_eth_ioctl(): of a bond."""
    if bond_of(dev) is None:
        raise OSError(errno.EOPNOTSUPP, "no transceiver")
    return bonding.mii(dev, command, request)


def _bond(command: int, dev: Device, request: Ifreq) -> int:
    """dev_siocbond()."""
    if bond_of(dev) is None:
        raise OSError(errno.EOPNOTSUPP, "no bond")
    return bonding.ioctl(dev, command, request)


def _private(command: int, dev: Device, request: Ifreq) -> int:
    """dev_siocdevprivate(): of tunnels, bridges and bonds."""
    if tunnel.is_one(dev):
        return tunnel.private(dev, command, request)
    if bridge_of(dev) is not None:
        return bridge.private(dev, request)
    return _bond(command, dev, request)


Set = Callable[["Device", Ifreq], int | None]

SETS: dict[int, Set] = {
    Sioc.SIFFLAGS: _set_flags,
    Sioc.SIFMETRIC: _unsupported,
    Sioc.SIFMTU: _set_mtu,
    Sioc.SIFHWADDR: _set_hardware_address,
    Sioc.SIFHWBROADCAST: _set_broadcast,
    Sioc.SIFSLAVE: _invalid,
    Sioc.ADDMULTI: _add_group,
    Sioc.DELMULTI: _delete_group,
    Sioc.SIFNAME: _rename,
    Sioc.SHWTSTAMP: _set_time_stamping,
    **{command: partial(_mii, command) for command in (Sioc.GMIIPHY, Sioc.GMIIREG, Sioc.SMIIREG)},
    **{
        command: partial(_bond, command)
        for command in (Sioc.BONDENSLAVE, Sioc.BONDRELEASE, Sioc.BONDSETHWADDR, Sioc.BONDCHANGEACTIVE)
    },
}
"""For which CAP_NET_ADMIN over the namespace is wanted."""

GLOBAL_SETS: dict[int, Set] = {Sioc.SIFMAP: _unsupported, Sioc.SIFTXQLEN: _set_txqlen}
"""And those that want it over the first namespace: capable(CAP_NET_ADMIN)."""

OPEN: dict[int, Set] = {
    Sioc.BONDSLAVEINFOQUERY: partial(_bond, Sioc.BONDSLAVEINFOQUERY),
    Sioc.BONDINFOQUERY: partial(_bond, Sioc.BONDINFOQUERY),
    Sioc.WANDEV: _unsupported,
    Sioc.GHWTSTAMP: _unsupported,
    **{command: partial(_private, command) for command in range(Sioc.DEVPRIVATE, Sioc.DEVPRIVATE + 16)},
}
"""And those that all may ask for."""


def ioctl(caller: Caller, command: int, place: int) -> int:
    """dev_ioctl(), but for SIOCGIFNAME and SIOCETHTOOL. OSError ENOTTY: there is no such command; EFAULT, EPERM,
    ENODEV, and what the model refuses."""
    request = Ifreq(caller, place)
    read = READS.get(command)
    if read is not None:
        request.answer(read(request.device()))
        return 0
    if command in GLOBAL_SETS:
        caller.want_admin(caller.net.kernel.init_net)
        GLOBAL_SETS[command](request.device(), request)
    elif command in SETS:
        caller.want_admin()
        return SETS[command](request.device(), request) or 0
    elif command in OPEN:
        return OPEN[command](request.device(), request) or 0
    else:
        raise OSError(errno.ENOTTY, "not played")
    return 0
