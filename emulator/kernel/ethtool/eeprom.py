"""Which part of a module's memory a request means (net/ethtool/eeprom.c): a page of it, if the driver reads by pages,
else a place in all of it in a row."""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.module import Module, ModulePage
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import ETH_MODULE_EEPROM_PAGE_LEN, EthModule

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

SECOND_ADDRESS = 0x51


def find(dev: Device, wanted: ModulePage) -> tuple[Module, int | None]:
    """eeprom_prepare_data(): the module, and where in all of its memory to begin; None: at that page. What the driver
    refuses; EINVAL: beyond the end."""
    try:
        return dev.ops.get_module_eeprom_by_page(dev, wanted), None
    except Refusal as refusal:
        if refusal.errno != EOPNOTSUPP:
            raise
    info = dev.ops.get_module_info(dev)
    offset = wanted.offset + wanted.page * ETH_MODULE_EEPROM_PAGE_LEN
    if info.type == EthModule.SFF_8472 and wanted.i2c_address == SECOND_ADDRESS:
        offset += 2 * ETH_MODULE_EEPROM_PAGE_LEN
    if offset + wanted.length > info.size:
        raise Refusal(EINVAL)
    return dev.ops.get_module_eeprom(dev), offset
