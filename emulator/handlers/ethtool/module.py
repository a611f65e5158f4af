"""Modules in a device's cages: what their memory says, their power, their firmware (net/ethtool/eeprom.c, module.c)."""

from __future__ import annotations

import errno
from dataclasses import asdict
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.ethtool.common import Request, parse_header, query, setting
from nlemu.emulator.kernel.devices.module import ModulePage
from nlemu.emulator.kernel.ethtool.eeprom import find
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.registry import doit
from nlemu.protocol.families.ethtool.commands import (
    MODULE_EEPROM_GET,
    MODULE_FW_FLASH_ACT,
    MODULE_GET,
    MODULE_NTF,
    MODULE_SET,
)
from nlemu.protocol.families.ethtool.hardware import Module, ModuleEeprom, ModuleFwFlash
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema import module_memory
from nlemu.protocol.schema.attributes import Values
from nlemu.protocol.uapi.ethtool import ETH_MODULE_EEPROM_PAGE_LEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def parse_eeprom(request: Request) -> ModulePage:
    """eeprom_parse_request(): half a page at a time, and only page 0 has a lower half."""
    attrs = request.attrs
    attrs.require((ModuleEeprom.offset, ModuleEeprom.length, ModuleEeprom.page, ModuleEeprom.i2c_address))
    offset, end = attrs[ModuleEeprom.offset], attrs[ModuleEeprom.offset] + attrs[ModuleEeprom.length]
    half = ETH_MODULE_EEPROM_PAGE_LEN
    if attrs[ModuleEeprom.page] and offset < half:
        text = "reading from lower half page is allowed for page 0 only"
        raise Refusal(errno.EINVAL, text, at=attrs.offset(ModuleEeprom.page))
    if offset < half < end:
        text = "reading cross half page boundary is illegal"
        raise Refusal(errno.EINVAL, text, at=attrs.offset(ModuleEeprom.length))
    if end > 2 * half:
        text = "reading cross page boundary is illegal"
        raise Refusal(errno.EINVAL, text, at=attrs.offset(ModuleEeprom.length))
    return ModulePage(
        offset, attrs[ModuleEeprom.length], attrs[ModuleEeprom.page], attrs.get(ModuleEeprom.bank, 0),
        attrs[ModuleEeprom.i2c_address],
    )


@query(MODULE_EEPROM_GET, parse=parse_eeprom)
def module_eeprom(dev: Device, request: Request) -> Values:
    """eeprom_prepare_data()."""
    wanted: ModulePage = request.options
    module, place = find(dev, wanted)
    data = module_memory.image(asdict(module), place + wanted.length)[place:] if place is not None else (
        module_memory.read(asdict(module), wanted.i2c_address, wanted.offset, wanted.length)
    )
    return {ModuleEeprom.data: data}


@query(MODULE_GET, ntf=MODULE_NTF)
def module(dev: Device, request: Request) -> Values:
    """module_prepare_data(): a driver without a module has nothing to say, and says that."""
    return {}


@setting(MODULE_SET, MODULE_NTF)
def set_module(dev: Device, request: Request) -> bool:
    """ethnl_set_module_validate()."""
    if Module.power_mode_policy not in request.attrs:
        return False
    text = "Setting power mode policy is not supported by this device"
    raise Refusal(errno.EOPNOTSUPP, text, at="power-mode-policy")


@doit(MODULE_FW_FLASH_ACT)
def module_fw_flash(call: Call) -> None:
    """ethnl_act_module_fw_flash(), ethnl_module_fw_flash_validate(): no firmware is ever found."""
    dev = parse_header(call, demanded=True).dev
    assert dev is not None
    if not (dev.ops.has("set_module_eeprom_by_page") and dev.ops.has("get_module_eeprom_by_page")):
        raise Refusal(errno.EOPNOTSUPP, "Flashing module firmware is not supported by this device")
    if dev.up:
        raise Refusal(errno.EBUSY, "Netdevice is up, so flashing is not permitted")
    call.attrs.require((ModuleFwFlash.file_name,))
    raise Refusal(errno.ENOENT, "Failed to request module firmware image")
