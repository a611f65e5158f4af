"""ETHTOOL_GLINKSETTINGS, SLINKSETTINGS, SSET and SFECPARAM, and what the program ethtool makes of links."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from errno import EINVAL, EOPNOTSUPP

import pytest

from nlemu import Kernel
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import Duplex, EthtoolIoctl, FecFlag, Port
from nlemu.protocol.uapi.link_modes import modes
from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

PROGRAM = """
import ctypes, fcntl, socket, struct, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked = ctypes.create_string_buffer(bytes.fromhex(sys.argv[2]), len(sys.argv[2]) // 2)
try:
    fcntl.ioctl(sock, 0x8946, struct.pack("=16sQ16x", sys.argv[1].encode(), ctypes.addressof(asked)))
    print(asked.raw.hex())
except OSError as error:
    print(-error.errno)
"""
SETTINGS, MASKS = prepare(structs.ethtool_link_settings), prepare(structs.link_mode_masks)
OLD, FEC = prepare(structs.ethtool_cmd), prepare(structs.ethtool_fecparam)
WORDS = structs.LINK_MODE_WORDS
OTHER = 255


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.do(nic_new="virtio2", profile="virtio_net", name="v0")
        kernel.do(nic_new="0000:08:00.0", profile="mlx5_core", name="m0")
        kernel.do(nic_new="0000:09:00.0", profile="gve", name="g0")
        for name in ("v0", "m0", "g0"):
            kernel.run("ip", "link", "set", name, "up")
        yield kernel


def ask(kernel: Kernel, name: str, data: bytes) -> bytes | int:
    """What is there afterwards, or the errno, negative."""
    answer = kernel.run(sys.executable, "-c", PROGRAM, name, data.hex()).stdout.strip()
    return int(answer) if answer.startswith("-") else bytes.fromhex(answer)


def masks(advertising: int = 0) -> bytes:
    words = tuple(advertising >> 32 * index & 0xFFFFFFFF for index in range(WORDS))
    return MASKS.pack(supported=(0,) * WORDS, advertising=words, lp_advertising=(0,) * WORDS)


def wish(nwords: int = WORDS, **said: int) -> bytes:
    empty = dict.fromkeys(SETTINGS.unpack(bytes(SETTINGS.size))._fields, 0)
    wanted = empty | {"cmd": int(EthtoolIoctl.SLINKSETTINGS), "link_mode_masks_nwords": nwords}
    return SETTINGS.pack(**wanted | said)


def test_the_newer_structure(kernel: Kernel) -> None:
    heard = kernel.listen("ethtool", "monitor")
    assert ask(kernel, "g0", wish() + masks()) == -EOPNOTSUPP
    assert ask(kernel, "v0", wish(nwords=3, port=OTHER) + masks()) == -EINVAL
    assert ask(kernel, "v0", wish(port=OTHER, master_slave_cfg=2) + masks()) == -EINVAL
    assert ask(kernel, "v0", wish(port=0, speed=100) + masks()) == -EINVAL
    assert not list(heard.notifications(0))
    assert isinstance(ask(kernel, "v0", wish(port=OTHER, speed=2500, duplex=1) + masks()), bytes)
    assert [one.name for one in heard.notifications(0)] == ["linkinfo-ntf", "linkmodes-ntf"]
    wanted = wish(autoneg=1) + masks(modes("25000baseCR"))
    assert isinstance(ask(kernel, "m0", wanted), bytes)
    shown = {
        name: kernel.family("ethtool").do("linkmodes-get", {"header": {"dev-name": name}})[0] for name in ("v0", "m0")
    }
    assert (shown["v0"]["speed"], shown["v0"]["duplex"]) == (2500, "full") and shown["m0"]["speed"] == 25000


def test_the_older_structure(kernel: Kernel) -> None:
    empty = dict.fromkeys(OLD.unpack(bytes(OLD.size))._fields, 0)
    old = empty | {"cmd": int(EthtoolIoctl.SSET), "port": OTHER, "speed": 1 << 8, "speed_hi": 1, "duplex": 1}
    assert ask(kernel, "g0", OLD.pack(**old)) == -EOPNOTSUPP
    assert ask(kernel, "v0", OLD.pack(**old | {"maxtxpkt": 1})) == -EINVAL
    assert isinstance(ask(kernel, "v0", OLD.pack(**old)), bytes)
    told = kernel.family("ethtool").do("linkmodes-get", {"header": {"dev-name": "v0"}})[0]
    assert told["speed"] == (1 << 16) + (1 << 8)


def test_error_correction_is_not_announced(kernel: Kernel) -> None:
    heard = kernel.listen("ethtool", "monitor")
    wanted = FEC.pack(cmd=int(EthtoolIoctl.SFECPARAM), active=0, fec=int(FecFlag.RS), reserved=0)
    assert isinstance(ask(kernel, "m0", wanted), bytes)
    assert ask(kernel, "g0", wanted) == -EOPNOTSUPP
    assert not list(heard.notifications(0))
    nobody.need("ethtool")
    kernel.run("ethtool", "--set-fec", "m0", "encoding", "auto")
    assert [one.name for one in heard.notifications(0)] == ["fec-ntf"]


def test_both_doors_agree() -> None:
    nobody.need("ethtool")
    with Kernel() as kernel:
        for index, driver in enumerate(PROFILES):
            at = "virtio2" if driver == "virtio_net" else f"0000:{index + 8:02x}:00.0"
            kernel.do(nic_new=at, profile=driver, name=driver)
            kernel.run("ip", "link", "set", driver, "up")
            base = ask(kernel, driver, SETTINGS.pack(**dict.fromkeys(
                SETTINGS.unpack(bytes(SETTINGS.size))._fields, 0
            ) | {"cmd": int(EthtoolIoctl.GLINKSETTINGS), "link_mode_masks_nwords": WORDS}) + masks())
            assert isinstance(base, bytes)
            by_ioctl, netlink = SETTINGS.unpack(base), kernel.family("ethtool")
            by_netlink = netlink.do("linkmodes-get", {"header": {"dev-name": driver}})[0]
            connector = netlink.do("linkinfo-get", {"header": {"dev-name": driver}})[0]
            assert by_ioctl.speed == by_netlink["speed"]
            assert Duplex(by_ioctl.duplex).name.lower() == by_netlink["duplex"]
            assert Port(by_ioctl.port).name.lower() == connector["port"]


def test_ethtool_shows_a_link_and_sets_it() -> None:
    nobody.need("ethtool")
    with Kernel() as kernel:
        kernel.do(nic_new="0000:08:00.0", profile="bnxt_en", name="eth0")
        kernel.run("ip", "link", "set", "eth0", "up")
        shown = kernel.run("ethtool", "eth0").stdout
        assert "\tSpeed: 200000Mb/s\n\tLanes: 4\n\tDuplex: Full\n\tAuto-negotiation: on\n" in shown
        assert "\tPort: Direct Attach Copper\n" in shown and "\tSupported FEC modes: RS\t BASER\t LLRS\n" in shown
        kernel.run("ethtool", "-s", "eth0", "autoneg", "off", "speed", "100000", "lanes", "2")
        shown = kernel.run("ethtool", "eth0").stdout
        assert "\tSpeed: 100000Mb/s\n\tLanes: 2\n\tDuplex: Full\n\tAuto-negotiation: off\n" in shown
        kernel.run("ethtool", "--set-fec", "eth0", "encoding", "llrs")
        shown = kernel.run("ethtool", "--show-fec", "eth0").stdout
        assert shown.splitlines()[1:3] == [
            "Supported/Configured FEC encodings: LLRS", "Active FEC encoding: LLRS",
        ]
        shown = kernel.run("ethtool", "-I", "--show-fec", "eth0").stdout
        assert "corrected_blocks: 0" in shown and "corrected_bits: 0" in shown
        failed = kernel.run("sh", "-c", "ethtool -s eth0 speed 1000 2>&1", check=False)
        assert failed.stdout == "netlink error: link settings update failed\nnetlink error: Invalid argument\n"
