"""Wake-on-LAN, numbers, tests, resets by ioctl; what the program ethtool makes of them, and of clocks and tunnels."""

from __future__ import annotations

from collections.abc import Iterator
from errno import EINVAL, EOPNOTSUPP

import pytest

from nlemu import Kernel
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import EthtoolIoctl, Tunable, TunableType, Wake
from tests.emulator.launch import nobody
from tests.emulator.launch.ioctls.test_link import ask

pytestmark = pytest.mark.usefixtures("supervision")

WOL, TUNABLE, TEST = (prepare(one) for one in (structs.ethtool_wolinfo, structs.ethtool_tunable, structs.ethtool_test))
VALUE = prepare(structs.ethtool_value)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        drivers = {"m0": "mlx5_core", "i0": "ice", "g0": "gve"}
        for index, (name, driver) in enumerate(drivers.items()):
            kernel.do(nic_new=f"0000:{index + 8:02x}:00.0", profile=driver, name=name)
        yield kernel


def test_wake_on_lan(kernel: Kernel) -> None:
    heard = kernel.listen("ethtool", "monitor")

    def wish(command: EthtoolIoctl, options: int) -> bytes:
        return WOL.pack(cmd=int(command), supported=0, wolopts=options, sopass=bytes(6))

    told = ask(kernel, "m0", wish(EthtoolIoctl.GWOL, 0))
    assert isinstance(told, bytes) and WOL.unpack(told)[1:3] == (Wake.MAGIC, 0)
    assert ask(kernel, "g0", wish(EthtoolIoctl.GWOL, 0)) == -EOPNOTSUPP
    assert ask(kernel, "m0", wish(EthtoolIoctl.SWOL, Wake.ARP)) == -EINVAL
    ask(kernel, "m0", wish(EthtoolIoctl.SWOL, Wake.MAGIC))
    ask(kernel, "m0", wish(EthtoolIoctl.SWOL, Wake.MAGIC))
    assert [one.name for one in heard.notifications(0)] == ["wol-ntf"]
    nobody.need("ethtool")
    kernel.run("ethtool", "-s", "i0", "wol", "g")
    assert [one.name for one in heard.notifications(0)] == ["wol-ntf"]
    assert "\tSupports Wake-on: g\n\tWake-on: g\n" in kernel.run("ethtool", "i0").stdout


def test_numbers(kernel: Kernel) -> None:
    def tunable(command: EthtoolIoctl, which: Tunable, kind: TunableType, size: int, value: int = 0) -> bytes | int:
        asked = TUNABLE.pack(cmd=int(command), id=int(which), type_id=int(kind), len=size)
        answer = ask(kernel, "g0", asked + value.to_bytes(size, "little"))
        return answer if isinstance(answer, int) else answer[TUNABLE.size :]

    get, put = EthtoolIoctl.GTUNABLE, EthtoolIoctl.STUNABLE
    assert tunable(get, Tunable.RX_COPYBREAK, TunableType.U32, 4) == (256).to_bytes(4, "little")
    assert tunable(get, Tunable.RX_COPYBREAK, TunableType.U16, 2) == -EINVAL
    assert tunable(put, Tunable.RX_COPYBREAK, TunableType.U32, 4, 4096) == -EINVAL
    tunable(put, Tunable.RX_COPYBREAK, TunableType.U32, 4, 128)
    nobody.need("ethtool")
    assert kernel.run("ethtool", "--get-tunable", "g0", "rx-copybreak").stdout == "rx-copybreak: 128\n"


def test_tests(kernel: Kernel) -> None:
    asked = TEST.pack(cmd=int(EthtoolIoctl.TEST), flags=0, reserved=0, len=0)
    fared = ask(kernel, "i0", asked + bytes(5 * 8))
    assert isinstance(fared, bytes) and TEST.unpack(fared[: TEST.size])[1:] == (2, 0, 5)
    assert fared[-8:] == (1).to_bytes(8, "little")
    assert ask(kernel, "g0", asked) == -EOPNOTSUPP
    nobody.need("ethtool")
    kernel.run("ip", "link", "set", "i0", "up")
    assert kernel.run("ethtool", "-t", "i0", "offline").stdout.startswith("The test result is PASS\n")
    assert "supports-test: yes\n" in kernel.run("ethtool", "-i", "i0").stdout


def test_reset(kernel: Kernel) -> None:
    everything = VALUE.pack(cmd=int(EthtoolIoctl.RESET), data=0xFFFFFFFF)
    assert ask(kernel, "g0", everything) == VALUE.pack(cmd=int(EthtoolIoctl.RESET), data=0)
    assert ask(kernel, "m0", everything) == -EOPNOTSUPP


def test_ethtool_shows_clocks_and_tunnels(kernel: Kernel) -> None:
    nobody.need("ethtool")
    assert "PTP Hardware Clock: 1\n" in kernel.run("ethtool", "-T", "i0").stdout
    shown = kernel.run("ethtool", "--show-tunnels", "m0").stdout
    assert "    Size: 7\n    Types: vxlan\n    No entries\n" in shown and "        port 4789, vxlan\n" in shown
