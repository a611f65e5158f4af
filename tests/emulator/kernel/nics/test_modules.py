"""What is plugged into cages, and what drivers read of it."""

from __future__ import annotations

from dataclasses import asdict, replace
from errno import EINVAL, EIO, EOPNOTSUPP, EPERM

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.module import Module, ModulePage
from nlemu.emulator.kernel.ethtool import eeprom
from nlemu.emulator.kernel.nics import sriov
from nlemu.emulator.kernel.nics.modules import INFO, cable
from nlemu.emulator.kernel.nics.ports import function_of
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.protocol.schema import module_memory
from nlemu.protocol.uapi.ethtool import EthModule
from tests.emulator.kernel.nics.rules import plugged, refused
from tests.emulator.kernel.nics.test_link import of_speed

SERIAL = bytes.fromhex("02ee00000001")
LOWER = ModulePage(0, 128, 0, 0, 0x50)
BY_PAGE, IN_A_ROW = {"mlx5_core", "bnxt_en", "fbnic"}, {"mlx5_core", "bnxt_en", "ice", "i40e"}


def memory(speed: int) -> bytes:
    return module_memory.pages(asdict(cable(speed, SERIAL)))[0x50]


def refuses(errno: int, dev: Device, page: ModulePage) -> str:
    return refused(errno, eeprom.find, dev, page)


@pytest.mark.parametrize("driver", PROFILES)
def test_who_reads(driver: str) -> None:
    dev = plugged(driver, queues=1)
    assert dev.ops.has("get_module_eeprom_by_page") == (driver in BY_PAGE)
    assert dev.ops.has("get_module_info") == dev.ops.has("get_module_eeprom") == (driver in IN_A_ROW)
    if driver not in BY_PAGE | IN_A_ROW:
        refuses(EOPNOTSUPP, dev, LOWER)
        return
    module, place = eeprom.find(dev, LOWER)
    assert place == (None if driver in BY_PAGE else 0)
    assert module.serial == function_of(dev).serial.hex().upper()


@pytest.mark.parametrize(
    ("speed", "identifier", "standard", "lanes"),
    [
        (10000, 0x03, "sff-8472", 1), (25000, 0x03, "sff-8472", 1), (40000, 0x0D, "sff-8636", 4),
        (100000, 0x11, "sff-8636", 4), (200000, 0x11, "sff-8636", 4), (400000, 0x1E, "cmis", 4),
        (800000, 0x19, "cmis", 8),
    ],
)
def test_a_cable_for_each_speed(speed: int, identifier: int, standard: str, lanes: int) -> None:
    module, data = cable(speed, SERIAL), memory(speed)
    assert (module.identifier, module.standard, module.lanes) == (identifier, standard, lanes)
    assert len(data) == 256 and data[0] == identifier


def test_sums_are_right() -> None:
    sfp, qsfp, cmis = memory(25000), memory(100000), memory(400000)
    for data, first, last in ((sfp, 0, 63), (sfp, 64, 95), (qsfp, 128, 191), (qsfp, 192, 223), (cmis, 128, 222)):
        assert data[last] == sum(data[first:last]) & 0xFF


def test_where_what_stands() -> None:
    sfp, qsfp, cmis = memory(25000), memory(200000), memory(400000)
    assert (sfp[20:36], sfp[40:56], sfp[68:84]) == (b"nlemu".ljust(16), b"DAC-25G-2M".ljust(16), b"02EE00000001    ")
    assert (sfp[8], sfp[12], sfp[18], sfp[36], sfp[66]) == (4, 255, 2, 0x0B, 25781 // 250)
    assert qsfp[148:164] == b"nlemu".ljust(16) and qsfp[196:208] == b"02EE00000001"
    assert (qsfp[2] & 4, qsfp[131], qsfp[139], qsfp[146], qsfp[147], qsfp[192]) == (4, 0x80, 8, 2, 0xA0, 0x40)
    assert memory(40000)[131] == 8
    assert (cmis[85], cmis[86], cmis[88], cmis[202], cmis[129:134]) == (3, 0x48, 0x44, 0x42, b"nlemu")


def test_there_is_one_page() -> None:
    fields = asdict(cable(100000, SERIAL))
    image = module_memory.image(fields, 640)
    assert image[:256] == memory(100000) and image[256:384] == image[128:256] == image[512:640]
    assert len(module_memory.image(asdict(cable(25000, SERIAL)), 512)) == 256


def test_refusals() -> None:
    elsewhere, banked = replace(LOWER, i2c_address=0x51), replace(LOWER, bank=1)
    mlx5, bnxt, fbnic, ice = (plugged(driver) for driver in ("mlx5_core", "bnxt_en", "fbnic", "ice"))
    text = "mlx5_core: Query module eeprom by page failed, read 0 bytes, err -22, status 0"
    assert text.startswith(refuses(EINVAL, mlx5, elsewhere)) or refuses(EINVAL, mlx5, elsewhere) == text
    assert refuses(EIO, bnxt, elsewhere) == "bnxt_en: Module`s eeprom read failed"
    assert refuses(EINVAL, bnxt, banked) == "bnxt_en: Firmware not capable for bank selection"
    assert refuses(EINVAL, fbnic, elsewhere) == "fbnic: Invalid i2c address. Only 0x50 is supported"
    assert refuses(EINVAL, ice, replace(LOWER, page=5, offset=128)) == ""
    assert eeprom.find(ice, replace(LOWER, page=3, offset=128))[1] == 512


def test_info() -> None:
    for driver, kinds in INFO.items():
        dev = plugged(driver)
        module: Module = dev.ops.get_module_eeprom(dev)
        assert dev.ops.get_module_info(dev) == kinds[module.identifier]
    assert plugged("mlx5_core").ops.get_module_info(plugged("mlx5_core")).type == EthModule.SFF_8636
    fast = of_speed("mlx5_core", 400000)
    refused(EINVAL, fast.ops.get_module_info, fast)
    other = of_speed("bnxt_en", 400000)
    refused(EOPNOTSUPP, other.ops.get_module_info, other)


def test_a_virtual_function_of_bnxt_may_not() -> None:
    card = plugged("bnxt_en")
    sriov.configure(card.kernel.nics, function_of(card), 1)
    dev = card.kernel.nics.functions["0000:08:02.0"].dev
    assert dev is not None
    assert refuses(EPERM, dev, LOWER) == "bnxt_en: Module read/write not permitted on untrusted VF"
    refused(EPERM, dev.ops.get_module_info, dev)
