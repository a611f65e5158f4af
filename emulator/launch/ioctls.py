"""The interface ioctls (net/core/dev_ioctl.c, net/ethtool/ioctl.c), on whatever socket they are made.

They name a device in struct ifreq by name, and are about the namespace of the caller. (The kernel's are about that of
the socket; programs make the socket where they are.)
"""

from __future__ import annotations

import errno
import stat
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import flags, settings
from nlemu.emulator.launch.namespaces import nsfs
from nlemu.emulator.launch.trap.call import PASS, Answer, Call
from nlemu.emulator.launch.trap.credentials import CAP_NET_ADMIN
from nlemu.protocol.uapi.ethtool import ETH_GSTRING_LEN, EthtoolIoctl, StringSet
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

IFREQ = 40  # sizeof(struct ifreq)
DRVINFO = struct.Struct("=I32s32s32s32s32s12s5I")  # struct ethtool_drvinfo
KERNEL_RELEASE = b"7.2.13"


def ioctl(call: Call) -> Answer:
    """An ioctl of a namespace's file, or of the interface range. On anything but a socket that is none of ours."""
    if call.args[1] & 0xFFFFFFFF in nsfs.COMMANDS:
        return nsfs.ioctl(call)
    with call.borrow(call.cint(0)) as borrowed:
        if not stat.S_ISSOCK(borrowed.mode):
            return PASS
    command = call.args[1] & 0xFFFFFFFF
    net = call.supervisor.tasks.net(call.tid)
    if command == Sioc.GIFNAME:
        request = bytearray(call.read(call.args[2], IFREQ))
        dev = net.device(struct.unpack_from("=i", request, IFNAMSIZ)[0])
        if dev is None:
            raise OSError(errno.ENODEV, "no such index")
        request[:IFNAMSIZ] = name_of(dev)
        call.write(call.args[2], bytes(request))
        return 0
    if command == Sioc.ETHTOOL:
        request = bytearray(call.read(call.args[2], IFREQ))
        dev = device(call, request)
        return ethtool(call, dev, int.from_bytes(request[IFNAMSIZ : IFNAMSIZ + 8], "little"))
    read, write = READS.get(command), WRITES.get(command)
    if read is None and write is None:
        raise OSError(errno.ENOTTY if command != Sioc.GIFCONF else errno.EOPNOTSUPP, "not played")
    request = bytearray(call.read(call.args[2], IFREQ))
    dev = device(call, request)
    if read is not None:
        value = read(dev)
        request[IFNAMSIZ : IFNAMSIZ + len(value)] = value
        call.write(call.args[2], bytes(request))
    elif write is not None:
        if not call.supervisor.capable(call.tid, CAP_NET_ADMIN, net):
            raise OSError(errno.EPERM, "CAP_NET_ADMIN")
        write(dev, bytes(request[IFNAMSIZ:]))
        call.supervisor.settle()
    return 0


def name_of(dev: Device) -> bytes:
    """A device's name as in struct ifreq: IFNAMSIZ bytes."""
    return dev.name.encode("utf-8", "surrogateescape")[: IFNAMSIZ - 1].ljust(IFNAMSIZ, b"\0")


def device(call: Call, request: bytearray) -> Device:
    """The device that a struct ifreq names; what follows a colon is of the days of aliases. OSError ENODEV."""
    name = bytes(request[: IFNAMSIZ - 1]).split(b"\0")[0].split(b":")[0].decode("utf-8", "surrogateescape")
    dev = call.supervisor.tasks.net(call.tid).by_name(name)
    if dev is None:
        raise OSError(errno.ENODEV, name)
    return dev


def _hardware_address(dev: Device) -> bytes:
    return struct.pack("=H14s", dev.type, dev.address[:14])


READS: dict[int, Callable[[Device], bytes]] = {
    Sioc.GIFFLAGS: lambda dev: struct.pack("=H", flags.get_flags(dev) & 0xFFFF),
    Sioc.GIFMETRIC: lambda dev: struct.pack("=i", 0),
    Sioc.GIFMTU: lambda dev: struct.pack("=i", dev.mtu),
    Sioc.GIFHWADDR: _hardware_address,
    Sioc.GIFINDEX: lambda dev: struct.pack("=i", dev.ifindex),
    Sioc.GIFTXQLEN: lambda dev: struct.pack("=i", dev.txqlen),
}


def _set_flags(dev: Device, value: bytes) -> None:
    flags.change_flags(dev, struct.unpack_from("=H", value)[0])


def _set_mtu(dev: Device, value: bytes) -> None:
    settings.set_mtu(dev, struct.unpack_from("=i", value)[0] & 0xFFFFFFFF)


def _set_txqlen(dev: Device, value: bytes) -> None:
    length = struct.unpack_from("=i", value)[0]
    if length < 0:
        raise OSError(errno.EINVAL, "a negative length")
    settings.set_txqlen(dev, length)


WRITES: dict[int, Callable[[Device, bytes], None]] = {
    Sioc.SIFFLAGS: _set_flags,
    Sioc.SIFMTU: _set_mtu,
    Sioc.SIFTXQLEN: _set_txqlen,
}


# SIOCETHTOOL


def ethtool(call: Call, dev: Device, place: int) -> Answer:
    """dev_ethtool(): drvinfo, string sets, statistics, the carrier."""
    command = call.number(place) & 0xFFFFFFFF
    match command:
        case EthtoolIoctl.GDRVINFO:
            call.write(place, driver_info(dev))
        case EthtoolIoctl.GLINK:
            call.write(place + 4, struct.pack("=I", int(dev.running and dev.carrier)))
        case EthtoolIoctl.GSSET_INFO:
            string_set_info(call, dev, place)
        case EthtoolIoctl.GSTRINGS:
            _, kind, _room = struct.unpack("=III", call.read(place, 12))
            strings = dev.ops.get_strings(dev, kind)
            if not strings:
                raise OSError(errno.EOPNOTSUPP, "no such strings")
            call.write(place + 8, struct.pack("=I", len(strings)))
            call.write(place + 12, b"".join(string.encode()[:31].ljust(ETH_GSTRING_LEN, b"\0") for string in strings))
        case EthtoolIoctl.GSTATS:
            values = statistics(dev)
            if not values:
                raise OSError(errno.EOPNOTSUPP, "no statistics")
            call.write(place + 4, struct.pack("=I", len(values)))
            call.write(place + 8, struct.pack(f"={len(values)}Q", *values))
        case _:
            raise OSError(errno.EOPNOTSUPP, f"ethtool command {command:#x}")
    return 0


def driver_info(dev: Device) -> bytes:
    """ethtool_get_drvinfo(). OSError EOPNOTSUPP."""
    driver = dev.ops.driver
    bus = dev.parent.name if dev.parent is not None else ""
    if not driver and not bus:
        raise OSError(errno.EOPNOTSUPP, "the driver does not say")
    count = len(statistics(dev))
    version = getattr(dev.ops, "driver_version", None)
    return DRVINFO.pack(
        EthtoolIoctl.GDRVINFO, driver.encode(), KERNEL_RELEASE if version is None else str(version).encode(),
        dev.ops.firmware.encode(), bus.encode(), b"", b"", 0, count, 0, 0, 0,
    )


def string_set_info(call: Call, dev: Device, place: int) -> None:
    """ethtool_get_sset_info(): how many strings there are of each set asked for."""
    (wanted,) = struct.unpack("=Q", call.read(place + 8, 8))
    found, sizes = 0, []
    for bit in range(64):
        if wanted >> bit & 1:
            strings = dev.ops.get_strings(dev, bit)
            if strings:
                found |= 1 << bit
                sizes.append(len(strings))
    call.write(place + 8, struct.pack("=Q", found))
    call.write(place + 16, struct.pack(f"={len(sizes)}I", *sizes))


def statistics(dev: Device) -> list[int]:
    """ethtool -S: the driver's counters, in the order of its strings. Nothing sends packets, so they are what the
    driver says, or zero."""
    strings = dev.ops.get_strings(dev, StringSet.STATS)
    values = getattr(dev.ops, "get_ethtool_stats", None)
    return list(values(dev)) if values is not None else [0] * len(strings)


CALLS = {"ioctl": ioctl}
