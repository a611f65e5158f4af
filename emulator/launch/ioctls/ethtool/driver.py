"""The driver: who it is, the strings and counters it has names for, and firmware that it is to load."""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.launch.ioctls.ethtool.request import Request, unsupported, want
from nlemu.protocol.families.ethtool.strings import STRING_SETS
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import ETH_GSTRING_LEN, KernelMsg, StringSet

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

DRVINFO = prepare(structs.ethtool_drvinfo)
SSET_INFO = prepare(structs.ethtool_sset_info)
GSTRINGS = prepare(structs.ethtool_gstrings)
STATS = prepare(structs.ethtool_stats)
FLASH = prepare(structs.ethtool_flash)
COMMON = frozenset(
    (StringSet.FEATURES, StringSet.RSS_HASH_FUNCS, StringSet.TUNABLES, StringSet.PHY_TUNABLES, StringSet.LINK_MODES)
)
"""The sets that are the same for every device; of those that came later, netlink alone tells."""
MASK_BITS = 64


def text(value: str, room: int = 32) -> bytes:
    """strscpy(): cut to the room, its NUL included."""
    return value.encode("utf-8", "surrogateescape")[: room - 1].ljust(room, b"\0")


def strings(dev: Device, number: int) -> tuple[str, ...]:
    """__ethtool_get_sset_count(), __ethtool_get_strings(); none: there is no such set."""
    return STRING_SETS[number] if number in COMMON else dev.ops.get_strings(dev, number)


def get_info(request: Request) -> None:
    """ethtool_get_drvinfo(): a driver that does not say is called as its bus device's, or as the kind of link."""
    dev = request.dev
    ops = dev.ops
    driver = ops.driver
    if not driver:
        if dev.kind is None:
            unsupported(request)
        else:
            driver = dev.kind.name
    count = {number: len(ops.get_strings(dev, number)) for number in StringSet}
    request.write(DRVINFO.pack(
        cmd=request.command,
        driver=text(driver),
        version=text(ops.driver_version or str(dev.kernel.build.release)),
        fw_version=text(ops.firmware),
        bus_info=text(ops.bus_info(dev)),
        erom_version=text(""),
        n_priv_flags=count[StringSet.PRIV_FLAGS],
        n_stats=count[StringSet.STATS],
        testinfo_len=count[StringSet.TEST],
    ))


def get_string_set_info(request: Request) -> None:
    """ethtool_get_sset_info(): which of those sets there are, and how many strings each has."""
    asked: int = request.read(SSET_INFO).sset_mask
    if not asked:
        return
    sizes = {bit: len(strings(request.dev, bit)) for bit in range(MASK_BITS) if asked >> bit & 1}
    found = {bit: size for bit, size in sizes.items() if size}
    request.write(SSET_INFO.pack(cmd=request.command, sset_mask=sum(1 << bit for bit in found)))
    request.write(struct.pack(f"<{len(found)}I", *found.values()), SSET_INFO.size)


def get_strings(request: Request) -> None:
    """ethtool_get_strings(): none where another number is expected."""
    asked = request.read(GSTRINGS)
    found = strings(request.dev, asked.string_set)
    if not found:
        unsupported(request)
    if asked.len not in (0, len(found)):
        found = ()
    request.write(GSTRINGS.pack(cmd=asked.cmd, string_set=asked.string_set, len=len(found)))
    request.write(b"".join(text(string, ETH_GSTRING_LEN) for string in found), GSTRINGS.size)


def get_statistics(request: Request) -> None:
    """ethtool_get_stats(): none where another number is expected."""
    want(request, "get_ethtool_stats", "get_strings")
    asked = request.read(STATS)
    values = request.dev.ops.get_ethtool_stats(request.dev)
    if asked.n_stats not in (0, len(values)):
        values = ()
    request.write(STATS.pack(cmd=asked.cmd, n_stats=len(values)))
    request.write(struct.pack(f"<{len(values)}Q", *values), STATS.size)


def get_message_level(request: Request) -> None:
    """ethtool_get_value() of get_msglevel()."""
    want(request, "get_msglevel")
    request.answer_number(request.dev.ops.get_msglevel(request.dev))


def set_message_level(request: Request) -> None:
    """ethtool_set_value_void() of set_msglevel(), and what is told of it."""
    want(request, "set_msglevel")
    request.dev.ops.set_msglevel(request.dev, request.number())
    request.tell(KernelMsg.DEBUG_NTF)


def get_private_flags(request: Request) -> None:
    """ethtool_get_value() of get_priv_flags(). Linux tells its listeners that somebody asked, and not (below) that
    somebody set."""
    want(request, "get_priv_flags")
    request.answer_number(request.dev.ops.get_priv_flags(request.dev))
    request.tell(KernelMsg.PRIVFLAGS_NTF)


def set_private_flags(request: Request) -> None:
    """ethtool_set_value() of set_priv_flags()."""
    want(request, "set_priv_flags")
    request.dev.ops.set_priv_flags(request.dev, request.number())


def flash(request: Request) -> None:
    """ethtool_flash_device(), devlink_compat_flash_update(): without a driver or devlink to do it nothing happens, and
    that is success. A guess: no firmware is ever found."""
    file = request.read(FLASH).data[:-1].split(b"\0")[0]
    if request.dev.devlink_port is not None:
        raise OSError(errno.ENOENT if file else errno.EINVAL, "no such firmware")
