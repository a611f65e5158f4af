"""What is plugged into NICs' cages, and how their drivers read of it.

In each cage is one end of a cable of copper (link.py), two metres long, whose memory says so. It is nobody's: its
vendor is called nlemu, its serial number is that of the card.
"""

from __future__ import annotations

from errno import EINVAL, EIO, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.module import Module, ModuleInfo, ModulePage
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.nics.link import is_virtual, lanes
from nlemu.protocol.refusal import Refusal, formatted
from nlemu.protocol.uapi.ethtool import (
    ETH_MODULE_SFF_8079_LEN,
    ETH_MODULE_SFF_8436_LEN,
    ETH_MODULE_SFF_8436_MAX_LEN,
    ETH_MODULE_SFF_8472_LEN,
    ETH_MODULE_SFF_8636_LEN,
    ETH_MODULE_SFF_8636_MAX_LEN,
    EthModule,
)

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

SFP, QSFP_PLUS, QSFP28, QSFP_DD, OSFP, QSFP_CMIS = 0x03, 0x0D, 0x11, 0x18, 0x19, 0x1E
"""Identifiers of SFF-8024. Beyond 200 Gbit/s cables speak CMIS."""
CR4_40, CR_50_100_200, CR4_100 = 0x08, 0x40, 0x0B
"""40GBASE-CR4 among the bits for Ethernet; of the extended numbers 50GBASE-CR, 100GBASE-CR2 and 200GBASE-CR4, and
100GBASE-CR4 and 25GBASE-CR."""
HOST_INTERFACES = {4: 0x48, 8: 0x49}
"""400GBASE-CR4 and 800G-ETC-CR8, by lanes."""
EXTENDED, PAM4, OF_66, OF_66_SFP = 0x80, 0x08, 0x05, 0x06
EEPROM_ADDRESS = 0x50
READERS = frozenset(("mlx5_core", "bnxt_en", "fbnic"))
"""Those with get_module_eeprom_by_page."""
IN_A_ROW = frozenset(("mlx5_core", "bnxt_en", "ice", "i40e"))
"""Those with get_module_info and get_module_eeprom."""
OF_INTEL = {
    SFP: ModuleInfo(EthModule.SFF_8079, ETH_MODULE_SFF_8079_LEN),
    **dict.fromkeys((QSFP_PLUS, QSFP28), ModuleInfo(EthModule.SFF_8636, ETH_MODULE_SFF_8436_MAX_LEN)),
}
"""ice_get_module_info(), i40e_get_module_info(): ICE_MODULE_QSFP_MAX_LEN, I40E_MODULE_QSFP_MAX_LEN"""
CAGES_OF_FBNIC = {25000: 100000, 50000: 200000, 100000: 200000}
"""It has four lanes, of which it uses one or two."""
INFO: dict[str, dict[int, ModuleInfo]] = {
    # mlx5e_get_module_info()
    "mlx5_core": {
        SFP: ModuleInfo(EthModule.SFF_8472, ETH_MODULE_SFF_8472_LEN),
        **dict.fromkeys((QSFP_PLUS, QSFP28), ModuleInfo(EthModule.SFF_8636, ETH_MODULE_SFF_8636_MAX_LEN)),
    },
    # bnxt_get_module_info()
    "bnxt_en": {
        SFP: ModuleInfo(EthModule.SFF_8472, ETH_MODULE_SFF_8436_LEN),
        QSFP_PLUS: ModuleInfo(EthModule.SFF_8436, ETH_MODULE_SFF_8436_LEN),
        QSFP28: ModuleInfo(EthModule.SFF_8636, ETH_MODULE_SFF_8636_LEN),
    },
    "ice": OF_INTEL,
    "i40e": OF_INTEL,
}
UNRECOGNIZED = {"bnxt_en": EOPNOTSUPP, "i40e": EOPNOTSUPP}
"""What a driver says of others; EINVAL those that are not named."""


def cable(speed: int, serial: bytes) -> Module:
    """What is in a cage that is made for that speed."""
    count = lanes(speed)
    rate = speed * 33 // (32 * count)
    named = f"DAC-{speed // 1000}G-2M"
    number = serial.hex().upper()
    if count == 1:
        return Module("sff-8472", SFP, 1, rate, extended_compliance=CR4_100 if speed >= 25000 else 0,
                      encoding=OF_66_SFP, part=named, serial=number)
    if speed > 200000:
        identifier = QSFP_CMIS if count == 4 else OSFP
        return Module("cmis", identifier, count, rate, host_interface=HOST_INTERFACES[count], part=named,
                      serial=number)
    if speed < 100000:
        return Module("sff-8636", QSFP_PLUS, count, rate, CR4_40, encoding=OF_66, part=named, serial=number)
    fast = speed > 100000
    return Module(
        "sff-8636", QSFP28, count, rate, EXTENDED, CR_50_100_200 if fast else CR4_100,
        encoding=PAM4 if fast else OF_66, part=named, serial=number,
    )


class NicModules(DeviceOps):
    """get_module_info and its like of ethtool_ops."""

    MODULE_METHODS = frozenset((
        "get_module_info", "get_module_eeprom", "get_module_eeprom_by_page", "set_module_eeprom_by_page",
    ))

    def has_module_method(self, name: str) -> bool:
        """Whether the driver has that method."""
        driver = self.driver
        if name == "set_module_eeprom_by_page":
            return driver == "bnxt_en"
        return driver in (READERS if name == "get_module_eeprom_by_page" else IN_A_ROW)

    def module(self, dev: Device) -> Module:
        """What is plugged in."""
        function, speed = dev.priv.function, dev.priv.profile.speed
        if self.driver == "fbnic":
            speed = CAGES_OF_FBNIC.get(speed, speed)
        return cable(speed, (function.physfn or function).serial)

    def get_module_info(self, dev: Device) -> ModuleInfo:
        """EOPNOTSUPP, EINVAL: the driver does not know such modules. EPERM: of a virtual function."""
        if self.driver not in IN_A_ROW:
            raise Refusal(EOPNOTSUPP)
        if self.driver == "bnxt_en" and is_virtual(dev):
            raise Refusal(EPERM)
        info = INFO[self.driver].get(self.module(dev).identifier)
        if info is None:
            raise Refusal(UNRECOGNIZED.get(self.driver, EINVAL))
        return info

    def get_module_eeprom(self, dev: Device) -> Module:
        return self.module(dev)

    def get_module_eeprom_by_page(self, dev: Device, wanted: ModulePage) -> Module:
        """mlx5e_get_module_eeprom_by_page(), bnxt_get_module_eeprom_by_page(), fbnic_get_module_eeprom_by_page(). A
        cable answers at one address; which errno its absence has is a guess of bnxt_en and of mlx5_core."""
        driver, absent = self.driver, wanted.i2c_address != EEPROM_ADDRESS
        if driver not in READERS:
            raise Refusal(EOPNOTSUPP)
        if driver == "bnxt_en":
            if is_virtual(dev):
                raise Refusal(EPERM, "bnxt_en: Module read/write not permitted on untrusted VF")
            if wanted.bank:
                raise Refusal(EINVAL, "bnxt_en: Firmware not capable for bank selection")
            if absent:
                raise Refusal(EIO, "bnxt_en: Module`s eeprom read failed")
        elif absent and driver == "fbnic":
            raise Refusal(EINVAL, "fbnic: Invalid i2c address. Only 0x50 is supported")
        elif absent:
            text = f"Query module eeprom by page failed, read 0 bytes, err {-EINVAL}, status 0"
            raise Refusal(EINVAL, formatted(f"mlx5_core: {text}"))
        return self.module(dev)
