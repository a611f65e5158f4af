"""SIOCETHTOOL where no recording reaches: NICs of profiles, devices that are away, one model behind both doors."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable

import pytest

from nlemu.emulator.kernel.devices import flags
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.ethtool import settings
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.launch.ioctls.caller import Caller, name_of
from nlemu.emulator.launch.ioctls.ethtool.commands import COMMANDS
from nlemu.emulator.launch.ioctls.ethtool.door import ioctl
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.families.ethtool.commands import ethtool
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import EthtoolIoctl, KernelMsg
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol
from nlemu.protocol.uapi.socket import AF_INET

PLACE, ROOM = 64, 16384


class Buffer:
    """Memory of a caller: a request, and from PLACE on a structure."""

    def __init__(self) -> None:
        self.data = bytearray(ROOM)

    def read(self, address: int, length: int) -> bytes:
        if address + length > ROOM:
            raise OSError(errno.EFAULT, "beyond")
        return bytes(self.data[address : address + length])

    def write(self, address: int, data: bytes) -> None:
        self.read(address, len(data))
        self.data[address : address + len(data)] = data


def ask(dev: Device, command: int, *numbers: int, admin: bool = True) -> tuple[int, bytes]:
    """What the ioctl returns, and the structure as it is then."""
    memory = Buffer()
    memory.write(0, name_of(dev.name) + struct.pack("=Q", PLACE))
    memory.write(PLACE, struct.pack(f"={1 + len(numbers)}I", command, *numbers))
    result = ioctl(Caller(dev.net, memory, AF_INET, lambda net: admin), 0)
    return result, bytes(memory.data[PLACE:])


def refused(function: Callable[..., object], *arguments: object) -> int | None:
    """With which errno; None: it is not."""
    try:
        function(*arguments)
    except (OSError, Refusal) as error:
        return error.errno
    return None


@pytest.fixture(params=sorted(PROFILES))
def nic(request: pytest.FixtureRequest) -> Device:
    machine = Machine()
    dev = machine.nics.plug("0000:01:00.0", PROFILES[request.param], machine.init_net)
    flags.change_flags(dev, dev.flags | int(IFF.UP))
    machine.settle()
    return dev


def test_every_command_has_a_row() -> None:
    assert set(COMMANDS) == set(EthtoolIoctl)


def test_a_nic_answers_every_command_or_refuses_it(nic: Device) -> None:
    answered = {
        command for command in EthtoolIoctl
        if (refusal := refused(ask, nic, command)) is None or refusal not in (errno.EOPNOTSUPP, errno.EINVAL, 525)
    }
    assert {
        EthtoolIoctl.GSET, EthtoolIoctl.GDRVINFO, EthtoolIoctl.GLINK, EthtoolIoctl.GRINGPARAM, EthtoolIoctl.GCOALESCE,
        EthtoolIoctl.GCHANNELS, EthtoolIoctl.GLINKSETTINGS, EthtoolIoctl.GFEATURES,
    } <= answered
    assert (EthtoolIoctl.GPAUSEPARAM in answered) == PROFILES[nic.ops.driver].pause
    assert (EthtoolIoctl.GSTATS in answered) == bool(PROFILES[nic.ops.driver].counters.blocks)
    assert EthtoolIoctl.GEEPROM not in answered
    assert (EthtoolIoctl.GFECPARAM in answered) == nic.ops.has("get_fecparam")


def test_a_nic_says_who_it_is(nic: Device) -> None:
    _, info = ask(nic, EthtoolIoctl.GDRVINFO)
    texts = [info[at : at + 32].split(b"\0")[0].decode() for at in range(4, 132, 32)]
    profile = PROFILES[nic.ops.driver]
    assert texts == [profile.driver, profile.version or "7.2.13", profile.firmware[:31], "0000:01:00.0"]


def test_both_generations_of_link_settings_tell_the_same(nic: Device) -> None:
    _, old = ask(nic, EthtoolIoctl.GSET)
    _, new = ask(nic, EthtoolIoctl.GLINKSETTINGS, 0, 0, 4 << 24)
    speed = int.from_bytes(old[12:14], "little") | int.from_bytes(old[28:30], "little") << 16
    assert speed == int.from_bytes(new[4:8], "little") == nic.ops.get_link_ksettings(nic).speed
    assert (old[14], old[15], old[18]) == (new[8], new[9], new[11])
    assert new[15] == 4


def test_what_is_set_here_is_read_there_and_told() -> None:
    machine = Machine()
    dev = machine.nics.plug("0000:01:00.0", PROFILES["bnxt_en"], machine.init_net)
    group = machine.families.group_ids[ethtool, "monitor"]
    listener = Endpoint(
        machine, dev.net, int(NetlinkProtocol.GENERIC), options=[(NetlinkOpt.ADD_MEMBERSHIP, group)]
    )
    ask(dev, EthtoolIoctl.SRINGPARAM, 0, 0, 0, 0, 1000, 0, 0, 2000)
    ask(dev, EthtoolIoctl.SCHANNELS, 0, 0, 0, 0, 0, 0, 0, 3)
    ask(dev, EthtoolIoctl.SCHANNELS, 0, 0, 0, 0, 0, 0, 0, 3)
    ask(dev, EthtoolIoctl.SPAUSEPARAM, 0, 1, 1)
    rings = settings.get_rings(dev)
    assert (rings.rx, rings.tx) == (1000, 2000)
    assert settings.get_channels(dev).combined_count == dev.real_num_rx_queues == 3
    assert settings.get_pause(dev) == settings.Pause(False, True, True)
    told = []
    while (datagram := listener.receive()) is not None:
        told.append(datagram[16])
    assert told == [KernelMsg.RINGS_NTF, KernelMsg.CHANNELS_NTF, KernelMsg.PAUSE_NTF]


def test_rings_are_set_though_memory_is_provided_as_the_split_is_not_touched() -> None:
    machine = Machine()
    dev = machine.nics.plug("0000:01:00.0", PROFILES["bnxt_en"], machine.init_net)
    settings.set_rings(dev, {"tcp_data_split": 2, "hds_thresh": 100})
    ask(dev, EthtoolIoctl.SRINGPARAM, 0, 0, 0, 0, 1000, 0, 0, 2000)
    rings = settings.configured_rings(dev)
    assert (rings.tcp_data_split, rings.hds_thresh, rings.rx) == (2, 100, 1000)


def test_a_device_that_is_away_is_not_there(nic: Device) -> None:
    nic.present = False
    assert refused(ask, nic, EthtoolIoctl.GDRVINFO) == errno.ENODEV


@pytest.mark.parametrize("command", EthtoolIoctl)
def test_who_may_not_is_refused_before_anything_else(command: EthtoolIoctl) -> None:
    machine = Machine()
    dev = machine.nics.plug("0000:01:00.0", PROFILES["ice"], machine.init_net)
    dev.present = False
    expected = errno.EPERM if COMMANDS[command].admin else errno.ENODEV
    assert refused(lambda: ask(dev, command, admin=False)) == expected


COALESCE_SIZE, BEHIND = 92, 8 + 4096 // 8
"""struct ethtool_coalesce; where those of queues begin in struct ethtool_per_queue_op."""


def ask_queues(dev: Device, command: int, mask: int, *rx_usecs: int) -> tuple[int, list[int]]:
    """ETHTOOL_PERQUEUE of the queues in the mask; what it returns, and each one's rx-usecs. Nothing adapts."""
    wanted = b"".join(struct.pack("=2I", command, usecs).ljust(COALESCE_SIZE, b"\0") for usecs in rx_usecs)
    numbers = struct.unpack(f"={len(wanted) // 4}I", wanted)
    words = (mask >> 32 * word & 0xFFFFFFFF for word in range(128))
    result, data = ask(dev, EthtoolIoctl.PERQUEUE, command, *words, *numbers)
    told = struct.iter_unpack(f"={COALESCE_SIZE // 4}I", data[BEHIND : BEHIND + mask.bit_count() * COALESCE_SIZE])
    return result, [one[1] for one in told]


def test_queues_are_asked_about_and_set_apart() -> None:
    machine = Machine()
    dev = machine.nics.plug("0000:01:00.0", PROFILES["ice"], machine.init_net, queues=4)
    get, put = EthtoolIoctl.GCOALESCE, EthtoolIoctl.SCOALESCE
    assert ask_queues(dev, put, 0b1010, 20, 30) == (0, [20, 30])
    assert ask_queues(dev, get, 0b1111) == (0, [50, 20, 50, 30])
    assert refused(ask_queues, dev, put, 0b0110, 40, 9000) == errno.EINVAL
    assert ask_queues(dev, get, 0b1111) == (0, [50, 20, 50, 30]), "the first one is set back"
    assert refused(ask_queues, dev, get, 1 << 40) == errno.EINVAL
    assert refused(ask_queues, dev, EthtoolIoctl.GRINGPARAM, 1) == errno.EOPNOTSUPP
    other = machine.nics.plug("0000:02:00.0", PROFILES["gve"], machine.init_net)
    assert refused(ask_queues, other, get, 1) == errno.EOPNOTSUPP
    frames = (put, 0, 7)  # rx_max_coalesced_frames, which ice does not know
    assert refused(ask, dev, EthtoolIoctl.PERQUEUE, put, 1, *[0] * 127, *frames) == errno.EOPNOTSUPP
