"""The netlink protocols that there are: which build has which, who may listen, and sending from program to program.

What each answers is in the traces (p01 and on).
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable

import pytest

from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2, RECORDED_7_2, Build
from nlemu.emulator.machine.endpoint import Credentials, Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.machine.protocols import PROTOCOLS, protocols_of
from nlemu.emulator.netlink.protocol import Protocol
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NetlinkProtocol

USERSOCK = int(NetlinkProtocol.USERSOCK)
NOBODY = Credentials.of(65534)


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
    assert Protocol(number=NetlinkProtocol.XFRM, groups=9).group_count == 32
    assert Protocol(number=NetlinkProtocol.ROUTE, groups=39).group_count == 39
