"""WireGuard: what the traces do not reach: keys of the RFC, ports that others have, dumps of what changes meanwhile."""

from __future__ import annotations

from errno import EADDRINUSE, ENONET

import pytest

from nlemu.emulator.kernel.devices import flags, links
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.wireguard import KIND, state_of
from nlemu.emulator.kernel.tunnels import udp
from nlemu.emulator.kernel.wireguard import curve25519
from nlemu.emulator.kernel.wireguard.device import WireGuard, devices, prefix_of
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.families.wireguard import GET_DEVICE, Wgdevice
from nlemu.protocol.frame import GENERIC, message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkProtocol
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6


@pytest.fixture
def machine() -> Machine:
    return Machine()


def made(kernel: Kernel, name: str = "wg0") -> WireGuard:
    return state_of(links.new_link(kernel.init_net, KIND, LinkParams(name=name)))


KEY = b"\x24\0\1\0"
"""The header of a public key."""


def key(number: int) -> bytes:
    return bytes([number]) * 32


def test_a_key_of_the_rfc() -> None:
    """RFC 7748, section 6.1: Bob's keys; and zeros, which are none."""
    private = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    public = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    assert curve25519.generate_public(private) == public
    assert curve25519.generate_public(bytes(32)) is None


def test_a_peer_with_the_devices_own_key_is_forgotten(machine: Machine) -> None:
    wg = made(machine)
    public = curve25519.generate_public(key(1))
    assert public is not None
    peer = wg.add_peer(public, None)
    wg.add_prefix(peer, prefix_of(AF_INET, bytes((10, 0, 0, 1)), 8))
    wg.set_private_key(key(1))
    assert (wg.peers, wg.owners, peer.dead) == ({}, {}, True)


def test_an_address_is_of_one_peer(machine: Machine) -> None:
    """The mask hides what it hides, and whoever is given it last has it."""
    wg = made(machine)
    one, other = wg.add_peer(key(1), None), wg.add_peer(key(2), None)
    wg.add_prefix(one, prefix_of(AF_INET, bytes((10, 1, 2, 3)), 8))
    wg.add_prefix(other, prefix_of(AF_INET, bytes((10, 9, 9, 9)), 8))
    assert (list(one.prefixes), list(other.prefixes)) == ([], [(AF_INET, 10 << 24, 8)])
    wg.remove_prefix(one, (AF_INET, 10 << 24, 8))
    assert list(other.prefixes) == [(AF_INET, 10 << 24, 8)]


def test_a_port_that_another_has(machine: Machine) -> None:
    """A device that cannot have the port it wants keeps the one it had."""
    wg = made(machine)
    flags.open_device(wg.dev)
    before = wg.port
    udp.bind(machine.init_net, AF_INET6, 4789, "a tunnel")
    with pytest.raises(Refusal, check=lambda refusal: refusal.errno == EADDRINUSE):
        wg.set_port(4789)
    assert wg.port == before
    assert {port for _, port, _ in udp.taken(machine.init_net)} == {before, 4789}
    flags.close_device(wg.dev)
    assert {port for _, port, _ in udp.taken(machine.init_net)} == {4789}


def test_a_device_whose_namespace_is_gone_listens_no_more(machine: Machine) -> None:
    wg = made(machine)
    flags.open_device(wg.dev)
    KIND.exit_rtnl(machine.init_net, {})
    assert not wg.dev.carrier and not udp.taken(machine.init_net)
    with pytest.raises(Refusal, check=lambda refusal: refusal.errno == ENONET):
        wg.listen(0)
    links.delete_link(wg.dev)
    assert devices(machine) == []


def dump(machine: Machine) -> Endpoint:
    sock = Endpoint(machine, machine.init_net, int(NetlinkProtocol.GENERIC))
    body = GENERIC.pack(GET_DEVICE.cmd, 1, 0) + Wgdevice.ifname.encode("wg0")
    sock.send(message(machine.number(GET_DEVICE), int(NLM_F.REQUEST | NLM_F.DUMP), 1, 0, body))
    return sock


def read(sock: Endpoint) -> bytes:
    data = sock.receive()
    assert data is not None
    return data


@pytest.mark.parametrize("all_of_them", [True, False])
def test_a_dump_says_that_the_device_changed_meanwhile(machine: Machine, all_of_them: bool) -> None:
    """Where the peer that was told last is gone, there are no more; else it goes on behind that."""
    wg = made(machine)
    for number in range(1, 801):
        wg.add_peer(number.to_bytes(32, "big"), None)
    sock = dump(machine)
    told = read(sock).count(KEY)
    # By that the second datagram was made, so what happens now shows in the third.
    if all_of_them:
        wg.remove_peers()
    else:
        wg.remove_peer(list(wg.peers.values())[-1])
    wg.generation += 1
    second, third = read(sock), read(sock)
    assert not flags_of(second) & NLM_F.DUMP_INTR
    assert flags_of(third) & NLM_F.DUMP_INTR
    told += second.count(KEY) + third.count(KEY)
    while (more := sock.receive()) is not None:
        told += more.count(KEY)
    assert (told < 800) if all_of_them else (told == 799)


def flags_of(datagram: bytes) -> int:
    return int.from_bytes(datagram[6:8], "little")
