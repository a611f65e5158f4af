"""The memory of modules: ETHTOOL_GMODULEINFO and ETHTOOL_GMODULEEEPROM."""

from __future__ import annotations

import errno
from dataclasses import asdict

from nlemu.emulator.launch.ioctls.ethtool.request import Request, want
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema import module_memory
from nlemu.protocol.schema.codec import prepare

MODINFO = prepare(structs.ethtool_modinfo)
EEPROM = prepare(structs.ethtool_eeprom)
U32 = 0xFFFFFFFF


def get_info(request: Request) -> None:
    """ethtool_get_module_info()."""
    asked = request.read(MODINFO)
    want(request, "get_module_info")
    info = request.dev.ops.get_module_info(request.dev)
    request.write(MODINFO.pack(cmd=asked.cmd, type=info.type, eeprom_len=info.size))


def get_memory(request: Request) -> None:
    """ethtool_get_module_eeprom(), ethtool_get_any_eeprom(). EINVAL: beyond the end, or nothing; EIO: there is none."""
    want(request, "get_module_info", "get_module_eeprom")
    dev = request.dev
    size = dev.ops.get_module_info(dev).size
    asked = request.read(EEPROM)
    end = asked.offset + asked.len & U32
    if end <= asked.offset or end > size:
        raise OSError(errno.EINVAL, "not in the module's memory")
    image = module_memory.image(asdict(dev.ops.get_module_eeprom(dev)), size)
    if len(image) < end:
        raise OSError(errno.EIO, "nothing answers there")
    request.write(image[asked.offset : end], EEPROM.size)
    request.write(EEPROM.pack(cmd=asked.cmd, magic=asked.magic, offset=asked.offset, len=asked.len))
