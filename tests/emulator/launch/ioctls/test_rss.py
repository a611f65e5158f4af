"""Receive-side scaling by ioctl: what ethtool's recorded sessions do not ask (tests of the program cover the rest)."""

from __future__ import annotations

import dataclasses
import errno
import struct

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.ethtool import rss
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.launch.ioctls.caller import Caller, name_of
from nlemu.emulator.launch.ioctls.ethtool.door import ioctl
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.families.ethtool.commands import ethtool
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import EthtoolIoctl, KernelMsg
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol
from nlemu.protocol.uapi.socket import AF_INET
from tests.emulator.kernel.ethtool.test_rss import ALL
from tests.emulator.launch.ioctls.test_ethtool import PLACE, Buffer

ALLOC = NO_CHANGE = 0xFFFFFFFF
KEEP = 0xFF
TCP_V4, OF_A_CONTEXT = 1, 0x20000000
TABLE = struct.pack("=8I", *(0, 1, 2, 3) * 2)


def plugged(driver: str = "ice") -> Device:
    machine = Machine()
    profile = dataclasses.replace(PROFILES[driver], rss=ALL if driver == "ice" else PROFILES[driver].rss)
    return machine.nics.plug("0000:01:00.0", profile, machine.init_net, queues=4)


def ask(dev: Device, command: int, body: bytes = b"") -> bytes:
    """What is there afterwards, behind the command."""
    memory = Buffer()
    memory.write(0, name_of(dev.name) + struct.pack("=Q", PLACE))
    memory.write(PLACE, struct.pack("=I", command) + body)
    assert ioctl(Caller(dev.net, memory, AF_INET, lambda net: True), 0) == 0
    return bytes(memory.data[PLACE + 4:])


def refused(number: int, dev: Device, command: int, body: bytes = b"") -> None:
    try:
        ask(dev, command, body)
    except (OSError, Refusal) as error:
        assert error.errno == number
    else:
        raise AssertionError("it is not refused")


def spread(context: int = 0, size: int = NO_CHANGE, key: int = 0, function: int = 0, transform: int = KEEP,
           rest: bytes = b"") -> bytes:
    """struct ethtool_rxfh behind its command."""
    return struct.pack("=3I2B2xI", context, size, key, function, transform, 0) + rest


def listening(dev: Device) -> Endpoint:
    machine = dev.kernel
    assert isinstance(machine, Machine)
    group = machine.families.group_ids[ethtool, "monitor"]
    return Endpoint(machine, dev.net, int(NetlinkProtocol.GENERIC), options=[(NetlinkOpt.ADD_MEMBERSHIP, group)])


def heard(listener: Endpoint) -> list[int]:
    told = []
    while (datagram := listener.receive()) is not None:
        told.append(datagram[16])
    return told


def test_the_older_pair_of_commands() -> None:
    dev = plugged()
    listener = listening(dev)
    assert ask(dev, EthtoolIoctl.GRXFHINDIR, struct.pack("=I", 0))[:4] == struct.pack("=I", 8)
    refused(errno.EINVAL, dev, EthtoolIoctl.GRXFHINDIR, struct.pack("=I", 7))
    assert ask(dev, EthtoolIoctl.GRXFHINDIR, struct.pack("=I", 9))[4:36] == TABLE
    ask(dev, EthtoolIoctl.SRXFHINDIR, struct.pack("=I8I", 8, *[3] * 8))
    assert ask(dev, EthtoolIoctl.GRXFHINDIR, struct.pack("=I", 8))[4:36] == struct.pack("=8I", *[3] * 8)
    assert dev.spread.user_size == 8
    refused(errno.EINVAL, dev, EthtoolIoctl.SRXFHINDIR, struct.pack("=I8I", 8, *[4] * 8))
    refused(errno.EINVAL, dev, EthtoolIoctl.SRXFHINDIR, struct.pack("=I", 4))
    ask(dev, EthtoolIoctl.SRXFHINDIR, struct.pack("=I", 0))
    assert (dev.spread.user_size, heard(listener)) == (0, [])


def test_a_context_by_ioctl_is_one_for_netlink() -> None:
    dev = plugged()
    listener = listening(dev)
    answer = ask(dev, EthtoolIoctl.SRSSH, spread(ALLOC, 8, 4, 2, KEEP, struct.pack("=8I", *[1] * 8) + b"abcd"))
    assert struct.unpack_from("=I", answer)[0] == 1
    told = rss.get(dev, 1).rxfh
    assert told is not None and (told.table, told.key, told.function) == ((1,) * 8, b"abcd", 2)
    answer = ask(dev, EthtoolIoctl.GRSSH, spread(1, 8, 4, 0, 0))
    assert struct.unpack_from("=3I2B", answer) == (1, 8, 4, 2, 0)
    assert answer[20:56] == struct.pack("=8I", *[1] * 8) + b"abcd"
    ask(dev, EthtoolIoctl.SRSSH, spread(1, NO_CHANGE, 0, 1))
    ask(dev, EthtoolIoctl.SRSSH, spread(1, 0))
    assert not dev.spread.contexts
    assert heard(listener) == [KernelMsg.RSS_CREATE_NTF, KernelMsg.RSS_NTF, KernelMsg.RSS_DELETE_NTF]
    refused(errno.ENOENT, dev, EthtoolIoctl.SRSSH, spread(1, 0))
    refused(errno.ENOENT, dev, EthtoolIoctl.GRSSH, spread(1, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (spread(), errno.EINVAL),
        (spread(transform=3), errno.EINVAL),
        (spread(transform=2), errno.EOPNOTSUPP),
        (spread(size=7), errno.EINVAL),
        (spread(key=3), errno.EINVAL),
        (spread(function=4), errno.EOPNOTSUPP),
        (spread(size=8, rest=struct.pack("=8I", *[4] * 8)), errno.EINVAL),
        (spread(ALLOC, 0), errno.EINVAL),
        (spread()[:14] + b"\1" + spread()[15:], errno.EINVAL),
    ],
)
def test_what_is_not_set(body: bytes, number: int) -> None:
    dev = plugged()
    before = rss.get(dev, 0).rxfh
    refused(number, dev, EthtoolIoctl.SRSSH, body)
    assert rss.get(dev, 0).rxfh == before and not dev.spread.contexts


def test_contexts_where_there_are_none() -> None:
    dev = plugged("virtio_net")
    refused(errno.EOPNOTSUPP, dev, EthtoolIoctl.SRSSH, spread(1, 128))
    refused(errno.EOPNOTSUPP, dev, EthtoolIoctl.GRSSH, spread(1, 0, 0, 0, 0))


def test_what_is_hashed_of_a_context() -> None:
    dev = plugged()
    rss.create(dev, rss.Wanted())
    whole = struct.pack("=IQ168xI", TCP_V4 | OF_A_CONTEXT, 0xF0, 1).ljust(188, b"\0")
    assert ask(dev, EthtoolIoctl.GRXFH, whole)[4:12] == struct.pack("=Q", 0xF0)
    refused(errno.EINVAL, dev, EthtoolIoctl.GRXFH, struct.pack("=IQ", 99, 0))
    refused(errno.EINVAL, dev, EthtoolIoctl.SRXFH, struct.pack("=IQ", TCP_V4, 0x230))
    assert ask(dev, EthtoolIoctl.GRXRINGS, bytes(188))[4:12] == struct.pack("=Q", 4)
