"""IFLA_XDP: programs come and go by descriptor, natively where the driver can and generically everywhere."""

from __future__ import annotations

import errno
import struct

import pytest

from nlemu.emulator.kernel.queues.xdp import Mode, XdpProgram
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.schema.attributes import pack
from nlemu.protocol.uapi.if_link import XDP_FLAGS
from nlemu.protocol.uapi.rtnetlink import RTM
from tests.emulator.handlers.route_requests import CREATE_NEW, IFNAME, ask, errno_of, kind, link, route_socket

XDP, FD, FLAGS, EXPECTED_FD = 43, 1, 3, 8
SKB, DRV, NOEXIST, REPLACE = (
    int(XDP_FLAGS.SKB_MODE), int(XDP_FLAGS.DRV_MODE), int(XDP_FLAGS.UPDATE_IF_NOEXIST), int(XDP_FLAGS.REPLACE)
)
ONE, OTHER = XdpProgram(11), XdpProgram(12)


@pytest.fixture
def sock() -> Endpoint:
    machine = Machine()
    sock = route_socket(machine)
    sock.descriptors = {5: ONE, 6: OTHER, 7: 1234}
    for name, what in (("one", "veth"), ("plain", "dummy")):
        ask(sock, link(RTM.NEWLINK, pack(IFNAME, name.encode() + b"\0"), kind(what), flags=CREATE_NEW))
    return sock


def put(sock: Endpoint, name: str, fd: int, flags: int = 0, expected: int | None = None) -> int:
    """The errno of setting a program."""
    dev = sock.net.by_name(name)
    assert dev is not None
    inside = pack(FD, struct.pack("<i", fd)) + pack(FLAGS, struct.pack("<I", flags))
    if expected is not None:
        inside += pack(EXPECTED_FD, struct.pack("<i", expected))
    return errno_of(ask(sock, link(RTM.SETLINK, pack(XDP, inside), index=dev.ifindex))[-1])


def there(sock: Endpoint, name: str) -> dict[Mode, int]:
    """The programs of a device, by mode."""
    dev = sock.net.by_name(name)
    assert dev is not None
    return {mode: program.id for mode, program in sock.machine.xdp.on(dev).items()}


def test_a_driver_takes_one_natively(sock: Endpoint) -> None:
    assert put(sock, "one", 5) == 0
    assert there(sock, "one") == {Mode.NATIVE: 11}
    assert put(sock, "one", 6) == 0
    assert there(sock, "one") == {Mode.NATIVE: 12}
    assert put(sock, "one", -1) == 0
    assert there(sock, "one") == {}


def test_another_takes_one_generically(sock: Endpoint) -> None:
    assert put(sock, "plain", 5, DRV) == errno.EOPNOTSUPP
    assert put(sock, "plain", 5) == 0
    assert there(sock, "plain") == {Mode.GENERIC: 11}


def test_what_is_there_may_be_in_the_way(sock: Endpoint) -> None:
    assert put(sock, "one", 5, DRV) == 0
    assert put(sock, "one", 6, DRV | NOEXIST) == errno.EBUSY
    assert put(sock, "one", 6, SKB) == errno.EEXIST
    assert put(sock, "one", 6, DRV | REPLACE, expected=6) == errno.EEXIST
    assert put(sock, "one", 6, DRV | REPLACE, expected=5) == 0
    assert there(sock, "one") == {Mode.NATIVE: 12}


def test_a_descriptor_has_to_be_of_a_program(sock: Endpoint) -> None:
    assert put(sock, "plain", 9) == errno.EBADF
    assert put(sock, "plain", 7) == errno.EINVAL


def test_packets_of_the_other_end_have_to_fit(sock: Endpoint) -> None:
    peer = sock.net.by_name("one").ops.get_peer(sock.net.by_name("one"))  # type: ignore[union-attr, arg-type]
    assert peer is not None
    peer.mtu = 4000
    assert put(sock, "one", 5, DRV) == errno.ERANGE
    peer.mtu = 1500
    assert put(sock, "one", 5, DRV) == 0
    assert peer.max_mtu == 3506


def test_it_goes_with_its_device(sock: Endpoint) -> None:
    put(sock, "one", 5)
    ask(sock, link(RTM.DELLINK, pack(IFNAME, b"one\0")))
    assert not sock.machine.xdp.attached
