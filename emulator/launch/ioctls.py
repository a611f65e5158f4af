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
from nlemu.emulator.launch.trap.call import PASS, Answer, Call

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

IFNAMSIZ = 16
IFREQ = 40  # sizeof(struct ifreq)
SIOCGIFNAME, SIOCGIFCONF, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8910, 0x8912, 0x8913, 0x8914
SIOCGIFMETRIC, SIOCGIFMTU, SIOCSIFMTU, SIOCSIFNAME = 0x891D, 0x8921, 0x8922, 0x8923
SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFTXQLEN, SIOCSIFTXQLEN, SIOCETHTOOL = 0x8927, 0x8933, 0x8942, 0x8943, 0x8946

ETHTOOL_GDRVINFO, ETHTOOL_GLINK, ETHTOOL_GSTRINGS, ETHTOOL_GSTATS, ETHTOOL_GSSET_INFO = 0x3, 0xA, 0x1B, 0x1D, 0x37
DRVINFO = struct.Struct("=I32s32s32s32s32s12s5I")  # struct ethtool_drvinfo
ETH_SS_STATS = 1
GSTRING_LEN = 32
KERNEL_RELEASE = b"7.2.13"


def ioctl(call: Call) -> Answer:
    """An ioctl of the interface range. On anything but a socket it is none of ours."""
    with call.borrow(call.cint(0)) as borrowed:
        if not stat.S_ISSOCK(borrowed.mode):
            return PASS
    command = call.args[1] & 0xFFFFFFFF
    net = call.supervisor.tasks.net(call.tid)
    if command == SIOCGIFNAME:
        request = bytearray(call.read(call.args[2], IFREQ))
        dev = net.device(struct.unpack_from("=i", request, IFNAMSIZ)[0])
        if dev is None:
            raise OSError(errno.ENODEV, "no such index")
        request[:IFNAMSIZ] = name_of(dev)
        call.write(call.args[2], bytes(request))
        return 0
    if command == SIOCETHTOOL:
        request = bytearray(call.read(call.args[2], IFREQ))
        dev = device(call, request)
        return ethtool(call, dev, int.from_bytes(request[IFNAMSIZ : IFNAMSIZ + 8], "little"))
    read, write = READS.get(command), WRITES.get(command)
    if read is None and write is None:
        raise OSError(errno.ENOTTY if command != SIOCGIFCONF else errno.EOPNOTSUPP, "not played")
    request = bytearray(call.read(call.args[2], IFREQ))
    dev = device(call, request)
    if read is not None:
        value = read(dev)
        request[IFNAMSIZ : IFNAMSIZ + len(value)] = value
        call.write(call.args[2], bytes(request))
    elif write is not None:
        if not call.supervisor.root:
            raise OSError(errno.EPERM, "CAP_NET_ADMIN")
        write(dev, bytes(request[IFNAMSIZ:]))
        call.supervisor.settle()
    return 0


def name_of(dev: Device) -> bytes:
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
    SIOCGIFFLAGS: lambda dev: struct.pack("=H", flags.get_flags(dev) & 0xFFFF),
    SIOCGIFMETRIC: lambda dev: struct.pack("=i", 0),
    SIOCGIFMTU: lambda dev: struct.pack("=i", dev.mtu),
    SIOCGIFHWADDR: _hardware_address,
    SIOCGIFINDEX: lambda dev: struct.pack("=i", dev.ifindex),
    SIOCGIFTXQLEN: lambda dev: struct.pack("=i", dev.txqlen),
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
    SIOCSIFFLAGS: _set_flags,
    SIOCSIFMTU: _set_mtu,
    SIOCSIFTXQLEN: _set_txqlen,
}


# SIOCETHTOOL


def ethtool(call: Call, dev: Device, place: int) -> Answer:
    """dev_ethtool(): drvinfo, string sets, statistics, the carrier."""
    command = call.number(place) & 0xFFFFFFFF
    match command:
        case 0x3:  # ETHTOOL_GDRVINFO
            call.write(place, driver_info(dev))
        case 0xA:  # ETHTOOL_GLINK
            call.write(place + 4, struct.pack("=I", int(dev.running and dev.carrier)))
        case 0x37:  # ETHTOOL_GSSET_INFO
            string_set_info(call, dev, place)
        case 0x1B:  # ETHTOOL_GSTRINGS
            _, kind, _room = struct.unpack("=III", call.read(place, 12))
            strings = dev.ops.get_strings(dev, kind)
            if not strings:
                raise OSError(errno.EOPNOTSUPP, "no such strings")
            call.write(place + 8, struct.pack("=I", len(strings)))
            call.write(place + 12, b"".join(string.encode()[:31].ljust(GSTRING_LEN, b"\0") for string in strings))
        case 0x1D:  # ETHTOOL_GSTATS
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
        ETHTOOL_GDRVINFO, driver.encode(), KERNEL_RELEASE if version is None else str(version).encode(),
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
    strings = dev.ops.get_strings(dev, ETH_SS_STATS)
    values = getattr(dev.ops, "get_ethtool_stats", None)
    return list(values(dev)) if values is not None else [0] * len(strings)


CALLS = {"ioctl": ioctl}
