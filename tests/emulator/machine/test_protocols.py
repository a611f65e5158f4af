"""The netlink protocols that there are: which build has which, who may listen, and sending from program to program.

What each answers is in the traces (p01 and on).
"""

from __future__ import annotations

import errno
import logging
import struct
from collections.abc import Callable

import pytest

from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2, RECORDED_7_2, Build
from nlemu.emulator.machine.endpoint import Credentials, Endpoint
from nlemu.emulator.machine.faults.aim import Aim
from nlemu.emulator.machine.faults.fault import Fault
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.machine.protocols import PROTOCOLS, protocols_of
from nlemu.protocol.frame import split
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTNLGRP_MAX

USERSOCK, SOCK_DIAG, XFRM, CONNECTOR, NETFILTER = (
    int(NetlinkProtocol[name]) for name in ("USERSOCK", "SOCK_DIAG", "XFRM", "CONNECTOR", "NETFILTER")
)
NOBODY = Credentials.of(65534)
DUMP = bytes.fromhex("10000000 1200 0103 01000000 00000000")  # XFRM_MSG_GETSA


@pytest.fixture
def machine() -> Machine:
    return Machine(build=DISTRIBUTION_7_2)


def refused(number: int, call: Callable[[], object]) -> None:
    with pytest.raises(OSError) as caught:
        call()
    assert caught.value.errno == number


def test_they_are_in_the_order_of_their_numbers() -> None:
    numbers = [protocol.number for protocol in PROTOCOLS]
    assert numbers == sorted(set(numbers))


def test_what_no_kernel_has(machine: Machine) -> None:
    for number in (1, 3, 9, 31):
        with pytest.raises(OSError) as caught:
            Endpoint(machine, machine.init_net, number)
        assert caught.value.errno == errno.EPROTONOSUPPORT


def test_programs_talk_to_each_other(machine: Machine) -> None:
    """USERSOCK: nothing in the kernel listens, and everyone may send."""
    net = machine.init_net
    first, second = (Endpoint(machine, net, USERSOCK, portid=port) for port in (1, 2))
    guest = Endpoint(machine, machine.new_net("pod"), USERSOCK, portid=2, groups=1)
    poor = Endpoint(machine, net, USERSOCK, portid=3, credentials=NOBODY)
    refused(errno.EPERM, lambda: poor.set_groups(1))
    first.set_groups(1)
    second.set_groups(3)
    poor.send_to(b"one", 2, 0)
    received = second.receive_datagram()
    assert received is not None
    assert (received.data, received.portid, received.group) == (b"one", 3, 0)
    refused(errno.ECONNREFUSED, lambda: poor.send_to(b"none", 9, 0))
    refused(errno.ECONNREFUSED, lambda: poor.send(b"the kernel"))
    refused(errno.ENODATA, lambda: poor.send_to(b"", 2, 0))
    # A group, of which the lowest counts, and the kernel, which is not there.
    refused(errno.ECONNREFUSED, lambda: second.send_to(b"all", 0, 3))
    assert second.receive() is None
    received = first.receive_datagram()
    assert received is not None
    assert (received.data, received.portid, received.group) == (b"all", 2, 1)
    # A group and a port: who has the port gets it once.
    poor.send_to(b"both", 1, 1)
    assert [first.receive(), first.receive(), second.receive()] == [b"both", None, b"both"]
    assert guest.receive() is None


def test_sending_to_others_wants_a_capability(machine: Machine) -> None:
    poor = Endpoint(machine, machine.init_net, int(NetlinkProtocol.GENERIC), credentials=NOBODY)
    refused(errno.EPERM, lambda: poor.send_to(b"x", 5, 0))
    refused(errno.EPERM, lambda: poor.send_to(b"x", 0, 1))


def test_what_we_do_not_do_is_told_apart(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            with pytest.raises(Refusal) as caught:
                machine.refuse_not_emulated("xfrm newsa")
            assert (caught.value.errno, caught.value.text) == (errno.EOPNOTSUPP, "nlemu: xfrm newsa is not emulated")
    assert caplog.messages == ["not emulated: xfrm newsa"], "once an operation"
    assert machine.not_emulated == {"xfrm newsa": 2}


@pytest.mark.parametrize(
    ("build", "absent"),
    [
        pytest.param(RECORDED_7_2, {NetlinkProtocol.NETFILTER}, id="recorded"),
        pytest.param(DISTRIBUTION_7_2, set(), id="distribution"),
    ],
)
def test_a_build_has_what_its_options_say(build: Build, absent: set[NetlinkProtocol]) -> None:
    """As a socket of each number was refused or not by that kernel."""
    there = {protocol.number for protocol in PROTOCOLS} - absent
    assert set(protocols_of(build)) == there


def test_a_protocol_has_groups_enough() -> None:
    counts = {protocol.name: protocol.group_count for protocol in PROTOCOLS}
    assert counts["usersock"] == counts["xfrm"] == 32, "as many as a long of 32 bits has, at least"
    assert counts["route"] == RTNLGRP_MAX > 32


def test_netlink_lists_its_own_sockets(machine: Machine) -> None:
    """By protocol, then by port; the kernel's have none, and it has one in each namespace but for CONNECTOR."""
    pod = machine.new_net("pod")
    asker = Endpoint(machine, pod, SOCK_DIAG, portid=9)
    Endpoint(machine, pod, XFRM, portid=7)
    Endpoint(machine, machine.init_net, XFRM, portid=8)
    request = struct.pack("<IHHII", 40, 20, 0x301, 1, 0) + bytes([16, 255]) + bytes(22)
    asker.send(request)
    data = asker.receive()
    assert data is not None
    told = [struct.unpack_from("<BBBBI", message, 16) for header, message in split(data) if header.type == 20]
    kernel = [(number, 0) for number in (0, 4, 6, 10, 12, 15, 16)]
    assert sorted((protocol, portid) for _, _, protocol, _, portid in told) == sorted([*kernel, (4, 9), (6, 7)])
    assert [(protocol, portid) for _, _, protocol, _, portid in told][1:5] == [(4, 0), (4, 9), (6, 0), (6, 7)]
    assert {(family, kind, state) for family, kind, _, state, _ in told} == {(16, 2, 7), (16, 3, 7)}


def test_events_of_processes_are_not_emulated(machine: Machine) -> None:
    """There is no way to refuse: a callback says nothing."""
    sock = Endpoint(machine, machine.init_net, CONNECTOR)
    sock.send(struct.pack("<IHHII IIIIHH I", 40, 3, 0, 1, 0, 1, 1, 0, 0, 4, 0, 1))
    assert sock.receive() is None
    assert machine.not_emulated == {"connector proc-events": 1}


def test_a_generation_of_nftables(machine: Machine) -> None:
    """As the kernel told it to a process called "", which there is none of: the name is not known here."""
    sock = Endpoint(machine, machine.init_net, NETFILTER, portid=1000, pid=50)
    sock.send(bytes.fromhex("14000000 100a 0100 07000000 00000000 00000000"))
    assert sock.receive() == bytes.fromhex(
        "2c000000 0f0a 0000 07000000 e8030000 00000001 08000100 00000001 08000200 00000032 05000300 00000000"
    )


def test_faults_strike_other_protocols_too(machine: Machine) -> None:
    operation = machine.operation("xfrm.getsa")
    assert operation is not None
    machine.faults.add(Fault("1", Aim((operation,)), errno.ENOMEM, "no memory"))
    sock = Endpoint(machine, machine.init_net, XFRM)
    sock.send(DUMP)
    data = sock.receive()
    assert data is not None
    assert struct.unpack_from("<Hi", data, 4)[0] == 2 and struct.unpack_from("<i", data, 16)[0] == -errno.ENOMEM
    sock.send(DUMP)
    data = sock.receive()
    assert data is not None and struct.unpack_from("<H", data, 4)[0] == 3


def test_a_message_that_would_make_a_state(machine: Machine) -> None:
    """It is read as the kernel reads it, and refused in our name."""
    sock = Endpoint(machine, machine.init_net, XFRM, options=[(NetlinkOpt.CAP_ACK, 1), (NetlinkOpt.EXT_ACK, 1)])
    sock.send(struct.pack("<IHHII", 240, 0x10, 5, 1, 0) + bytes(224))
    data = sock.receive()
    assert data is not None and struct.unpack_from("<i", data, 16)[0] == -errno.EOPNOTSUPP
    assert b"nlemu: xfrm newsa is not emulated\0" in data
    batch = b"".join(
        struct.pack("<IHHIIBBH", 20, kind, flags, seq, 0, 2, 0, res_id)
        for kind, flags, seq, res_id in ((0x10, 1, 1, 0x0A00), (0xA00, 5, 2, 0), (0x11, 1, 3, 0x0A00))
    )
    nft = Endpoint(machine, machine.init_net, NETFILTER)
    nft.send(batch)
    data = nft.receive()
    assert data is not None and struct.unpack_from("<Ii", data, 8)[0] == 2
    assert nft.receive() is None
    assert list(machine.not_emulated) == ["xfrm newsa", "netfilter nft-newtable"]
