"""ETHTOOL_GMODULEINFO and GMODULEEEPROM, what netlink reads of the same, and what the program ethtool makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from errno import EBUSY, EINVAL, ENOENT, EOPNOTSUPP
from typing import Any

import pytest

from nlemu import Kernel, NlError
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import EthtoolIoctl
from tests.emulator.launch import nobody
from tests.emulator.launch.ioctls.test_link import ask

pytestmark = pytest.mark.usefixtures("supervision")

INFO, MEMORY = prepare(structs.ethtool_modinfo), prepare(structs.ethtool_eeprom)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        drivers = {"m0": "mlx5_core", "i0": "ice", "f0": "fbnic", "b0": "bnxt_en"}
        for index, (name, driver) in enumerate(drivers.items()):
            kernel.do(nic_new=f"0000:{index + 8:02x}:00.0", profile=driver, name=name)
        yield kernel


def by_ioctl(kernel: Kernel, name: str, offset: int, length: int) -> bytes | int:
    asked = MEMORY.pack(cmd=int(EthtoolIoctl.GMODULEEEPROM), magic=0, offset=offset, len=length)
    answer = ask(kernel, name, asked + bytes(length))
    return answer if isinstance(answer, int) else answer[MEMORY.size :]


def by_netlink(kernel: Kernel, name: str, offset: int, page: int = 0) -> bytes:
    wanted = {"header": {"dev-name": name}, "offset": offset, "length": 128, "page": page, "i2c-address": 0x50}
    (reply,) = kernel.family("ethtool").do("module-eeprom-get", wanted)
    data: Any = reply["data"]
    return bytes.fromhex(data) if isinstance(data, str) else bytes(data)


def test_both_doors_read_the_same(kernel: Kernel) -> None:
    for name, size in (("m0", 640), ("i0", 640), ("b0", 256)):
        info = ask(kernel, name, INFO.pack(cmd=int(EthtoolIoctl.GMODULEINFO), type=0, eeprom_len=0))
        assert isinstance(info, bytes) and INFO.unpack(info).eeprom_len == size
        lower, upper = by_netlink(kernel, name, 0), by_netlink(kernel, name, 128)
        assert by_ioctl(kernel, name, 0, 256) == lower + upper
        assert by_ioctl(kernel, name, size - 1, 2) == -EINVAL
        assert by_ioctl(kernel, name, 0, 0) == -EINVAL
    assert by_netlink(kernel, "i0", 128, page=3) == by_netlink(kernel, "i0", 128)
    assert by_ioctl(kernel, "f0", 0, 1) == -EOPNOTSUPP
    assert by_netlink(kernel, "f0", 0)[0] == 0x11


def test_firmware_is_never_found(kernel: Kernel) -> None:
    for name, errno, text in (
        ("m0", EOPNOTSUPP, "Flashing module firmware is not supported by this device"),
        ("b0", ENOENT, "Failed to request module firmware image"),
        ("b0", EBUSY, "Netdevice is up, so flashing is not permitted"),
    ):
        if errno == EBUSY:
            kernel.run("ip", "link", "set", name, "up")
        with pytest.raises(NlError, match=text) as refusal:
            kernel.family("ethtool").do(
                "module-fw-flash-act", {"header": {"dev-name": name}, "file-name": "cable.bin"}
            )
        assert refusal.value.errno == errno


def test_ethtool_reads_a_cable(kernel: Kernel) -> None:
    nobody.need("ethtool")
    for name in ("m0", "i0"):
        shown = kernel.run("ethtool", "-m", name).stdout
        assert "Identifier                                : 0x11 (QSFP28)\n" in shown
        assert "Vendor name                               : nlemu\n" in shown
        assert "Length (Copper or Active cable)           : 2m\n" in shown
        assert "Transmitter technology                    : 0xa0 (Copper cable unequalized)\n" in shown
