"""Tunnels by the ioctls of `ip tunnel`, as structures."""

from __future__ import annotations

import errno
import struct
from ipaddress import ip_address
from typing import Any

import pytest

from nlemu.emulator.kernel.devices import links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.links.ip6_gre import KINDS as GRE6
from nlemu.emulator.kernel.links.ip6_tnl import KIND as IP6TNL
from nlemu.emulator.kernel.links.ip6_vti import KIND as VTI6
from nlemu.emulator.kernel.links.ip_gre import KINDS as GRE
from nlemu.emulator.kernel.links.ip_vti import KIND as VTI
from nlemu.emulator.kernel.links.ipip import KIND as IPIP
from nlemu.emulator.kernel.links.sit import KIND as SIT
from nlemu.emulator.launch.ioctls.caller import IFREQ, Caller, name_of
from nlemu.emulator.launch.ioctls.calls import answer
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_tunnel import TunnelIoctl
from nlemu.protocol.uapi.socket import AF_INET

AT = 64


def packed(text: str) -> bytes:
    return ip_address(text).packed


ENDS: dict[str, Any] = {"local": packed("192.0.2.9"), "remote": packed("192.0.2.1")}
ENDS6: dict[str, Any] = {"local": packed("2001:db8::9"), "remote": packed("2001:db8::1")}


class Memory:
    """A request at 0, and at AT what it points to."""

    def __init__(self) -> None:
        self.data = bytearray(256)

    def read(self, address: int, length: int) -> bytes:
        return bytes(self.data[address : address + length])

    def write(self, address: int, data: bytes) -> None:
        self.data[address : address + len(data)] = data


@pytest.fixture
def machine() -> Machine:
    return Machine()


def new(machine: Machine, kind: Kind, **data: Any) -> Device:
    assert kind.params is not None
    return links.new_link(machine.init_net, kind, LinkParams(
        name="t", link_net=machine.init_net, data=kind.params(**data)
    ))


def ask(machine: Machine, command: int, memory: Memory | None = None, *, admin: bool = True) -> bytes:
    memory = memory or Memory()
    memory.write(0, (name_of("t") + struct.pack("=Q", AT)).ljust(IFREQ, b"\0"))
    assert answer(Caller(machine.init_net, memory, AF_INET, lambda net: admin), command, 0) == 0
    return bytes(memory.data[AT:])


def refused(machine: Machine, command: int, **kwargs: Any) -> int | None:
    with pytest.raises((OSError, Refusal)) as caught:
        ask(machine, command, **kwargs)
    assert isinstance(caught.value, OSError | Refusal)
    return caught.value.errno


def test_a_tunnel_of_ipv4_is_told(machine: Machine) -> None:
    new(machine, IPIP, **ENDS, ttl=5, tos=16, link=1)
    data = ask(machine, TunnelIoctl.GETTUNNEL)
    assert data[:24] == name_of("t") + struct.pack("=i", 1) + bytes(4)
    assert data[32:52] == bytes.fromhex("45100000 00004000 05040000 c0000209 c0000201")


def test_flags_and_keys_are_told(machine: Machine) -> None:
    new(machine, GRE[0], iflags=0xA000, oflags=0x2000, ikey=5, okey=6)
    assert ask(machine, TunnelIoctl.GETTUNNEL)[20:32] == bytes.fromhex("a0002000 00000005 00000006")


def test_a_vti_says_that_it_is_one(machine: Machine) -> None:
    new(machine, VTI, ikey=7)
    assert ask(machine, TunnelIoctl.GETTUNNEL)[20:32] == bytes.fromhex("21002000 00000007 00000000")


@pytest.mark.parametrize(
    ("kind", "proto", "rest"), [(IP6TNL, 0, ""), (GRE6[0], 47, "20000000"), (VTI6, 41, "20000000")],
    ids=["ip6tnl", "ip6gre", "vti6"],
)
def test_a_tunnel_of_ipv6_is_told(machine: Machine, kind: Kind, proto: int, rest: str) -> None:
    data = {} if kind is IP6TNL else {"ikey": 3} | ({} if kind is VTI6 else {"iflags": 0x2000})
    new(machine, kind, **ENDS6, **data)
    told = ask(machine, TunnelIoctl.GETTUNNEL)
    assert told[20] == proto and told[32:64] == ENDS6["local"] + ENDS6["remote"]
    assert told[64:68] == (bytes.fromhex(rest) or bytes(4))


def test_a_tunnel_is_deleted(machine: Machine) -> None:
    new(machine, SIT)
    assert refused(machine, TunnelIoctl.DELTUNNEL, admin=False) == errno.EPERM
    ask(machine, TunnelIoctl.DELTUNNEL)
    assert machine.init_net.by_name("t") is None


def test_what_is_not_played_is_refused(machine: Machine) -> None:
    new(machine, SIT)
    assert refused(machine, TunnelIoctl.ADDTUNNEL) == errno.EOPNOTSUPP
    assert refused(machine, TunnelIoctl.GETPRL) == errno.EOPNOTSUPP
    assert refused(machine, TunnelIoctl.CHG6RD + 1) == errno.EINVAL


def test_of_a_tap_there_is_no_such_door(machine: Machine) -> None:
    new(machine, GRE[1])
    assert refused(machine, TunnelIoctl.GETTUNNEL) == errno.EOPNOTSUPP


def test_no_6rd_but_of_sit(machine: Machine) -> None:
    new(machine, IPIP)
    assert refused(machine, TunnelIoctl.GET6RD) == errno.EINVAL


def test_6rd_is_told_and_changed(machine: Machine) -> None:
    new(machine, SIT)
    usual = ask(machine, TunnelIoctl.GET6RD)[:24]
    assert usual == packed("2002::") + bytes(4) + struct.pack("=HH", 16, 0)
    memory = Memory()
    other = packed("2001:db8::") + packed("10.0.0.0") + struct.pack("=HH", 32, 8)
    memory.write(AT, other)
    assert refused(machine, TunnelIoctl.ADD6RD, admin=False) == errno.EPERM
    ask(machine, TunnelIoctl.ADD6RD, memory)
    assert ask(machine, TunnelIoctl.GET6RD)[:24] == other
    memory.write(AT, packed("2001:db8::1"))
    assert refused(machine, TunnelIoctl.CHG6RD, memory=memory) == errno.EINVAL
    ask(machine, TunnelIoctl.DEL6RD)
    assert ask(machine, TunnelIoctl.GET6RD)[:24] == usual
