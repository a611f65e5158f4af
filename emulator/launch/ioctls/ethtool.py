"""SIOCETHTOOL: which command it is, and whether the caller may (dev_ethtool() of net/ethtool/ioctl.c)."""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.launch.ioctls.caller import Caller, Ifreq, Memory
from nlemu.protocol.uapi.ethtool import ETH_GSTRING_LEN, EthtoolIoctl, StringSet

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

DRVINFO = struct.Struct("=I32s32s32s32s32s12s5I")  # struct ethtool_drvinfo
KERNEL_RELEASE = b"7.2.13"


def ioctl(caller: Caller, at: int) -> int:
    """dev_ethtool(): drvinfo, string sets, statistics, the carrier."""
    request = Ifreq(caller, at)
    dev, place, call = request.device(), request.pointer, caller.memory
    command = int.from_bytes(call.read(place, 4), "little")
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


def string_set_info(call: Memory, dev: Device, place: int) -> None:
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
