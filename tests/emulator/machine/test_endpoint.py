"""A netlink socket without its I/O: what sendmsg() refuses, ports, groups, and how much waits to be read.

What a socket answers is in the traces (c03, c04, c06, c08 to c11); here is what a trace cannot say.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from nlemu.emulator.handlers.nlctrl import describe
from nlemu.emulator.kernel.core.build import RECORDED_7_2
from nlemu.emulator.machine import generic
from nlemu.emulator.machine.endpoint import LONGEST, Credentials, Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.request import _asked
from nlemu.emulator.netlink.truesize import truesize
from nlemu.protocol.families.netdev import netdev
from nlemu.protocol.families.nlctrl import GETFAMILY
from nlemu.protocol.schema.family import Family
from nlemu.protocol.uapi.netlink import NetlinkOpt

ROUTE, GENERIC = 0, 16
NOBODY = Credentials.of(65534)
NOOP = bytes.fromhex("10000000 0100 0500 01000000 00000000")  # NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK
FAMILIES = bytes.fromhex("14000000 1000 0103 01000000 00000000 03010000")  # CTRL_CMD_GETFAMILY, dumped


@pytest.fixture
def machine() -> Machine:
    return Machine()


def refused(number: int, call: Callable[[], object]) -> None:
    with pytest.raises(OSError) as caught:
        call()
    assert caught.value.errno == number


@pytest.mark.parametrize(
    "size, counted",
    [
        (36, 896), (136, 896), (320, 896), (321, 1280), (324, 1280), (656, 1280), (704, 1280), (705, 2304),
        (1116, 2304), (1468, 2304), (2056, 4352), (3756, 4352), (5056, 8448), (8056, 16640), (20056, 33024),
    ],
)
def test_what_a_message_counts_for(size: int, counted: int) -> None:
    # As /proc/net/netlink of Linux 7.2.13 tells it (Rmem) with one message of that size in the queue.
    assert truesize(size) == counted


def test_a_datagram_too_long_is_not_looked_at(machine: Machine) -> None:
    sock = Endpoint(machine, machine.init_net, GENERIC)
    sock.send(NOOP + bytes(LONGEST - len(NOOP)))
    assert sock.receive() is not None
    refused(errno.EMSGSIZE, lambda: sock.send(NOOP + bytes(LONGEST + 1 - len(NOOP))))
    refused(errno.ENODATA, lambda: sock.send(b""))
    assert sock.receive() is None


def test_sending_binds(machine: Machine) -> None:
    first = Endpoint(machine, machine.init_net, GENERIC, pid=700, bound=False)
    second = Endpoint(machine, machine.init_net, GENERIC, pid=700, bound=False)
    assert first.name() == (0, 0)
    first.send(NOOP)
    second.send(NOOP)
    assert first.portid == 700
    assert 0x80000000 <= second.portid < 0x100000000 - 4096  # netlink_autobind(): a negative number below -4096


def test_ports_are_those_of_a_namespace_and_a_protocol(machine: Machine) -> None:
    taken = Endpoint(machine, machine.init_net, GENERIC, portid=5)
    refused(errno.EADDRINUSE, lambda: Endpoint(machine, machine.init_net, GENERIC, portid=5))
    Endpoint(machine, machine.init_net, ROUTE, portid=5)
    Endpoint(machine, machine.new_net("pod"), GENERIC, portid=5)
    taken.bind(5)
    refused(errno.EINVAL, lambda: taken.bind(6))
    refused(errno.EINVAL, taken.bind)
    taken.close()
    assert Endpoint(machine, machine.init_net, GENERIC, portid=5).portid == 5


def test_a_mask_is_joined_whole_or_not_at_all(machine: Machine) -> None:
    sock = Endpoint(machine, machine.init_net, ROUTE, credentials=NOBODY)
    sock.setsockopt(NetlinkOpt.ADD_MEMBERSHIP, 36)
    sock.set_groups(0b101)
    refused(errno.EPERM, lambda: sock.set_groups(1 << 29 | 0b10))  # RTNLGRP_IPV4_MROUTE_R
    assert sock.groups == {1, 3, 36}
    sock.set_groups(0b10)
    assert sock.groups == {2, 36}
    init = machine.init_net
    refused(errno.EPERM, lambda: Endpoint(machine, init, ROUTE, portid=9, groups=1 << 30, credentials=NOBODY))
    assert Endpoint(machine, init, ROUTE, portid=9, groups=1 << 30).groups == {31}


def test_memberships_are_told_once_there_was_a_question_of_one(machine: Machine) -> None:
    # As a host's own kernel tells them: nothing at first, and all words after any attempt to join or leave.
    sock = Endpoint(machine, machine.init_net, GENERIC)
    assert sock.memberships() == b""
    refused(errno.EINVAL, lambda: sock.setsockopt(NetlinkOpt.ADD_MEMBERSHIP, 4000))
    assert sock.memberships() == bytes(8)
    sock.set_groups(0b101)
    assert sock.memberships() == bytes([5, *bytes(7)])
    assert Endpoint(machine, machine.init_net, ROUTE, groups=0b101).memberships() == bytes([5, *bytes(7)])


def test_a_dump_waits_for_its_reader(machine: Machine) -> None:
    sock = Endpoint(machine, machine.init_net, GENERIC)
    sock.send(FAMILIES)
    assert sock.dumping
    first = sock.receive(1)
    assert first is not None and len(first) <= 4096 - 320  # NLMSG_GOODSIZE
    rest = b""
    while (more := sock.receive()) is not None:
        rest = more
    assert rest[-20:].startswith(b"\x14\0\0\0\x03\0")  # NLMSG_DONE
    assert not sock.dumping


def test_a_socket_that_closes_takes_its_dump_along(machine: Machine) -> None:
    sock = Endpoint(machine, machine.init_net, GENERIC, portid=5)
    sock.send(FAMILIES)
    sock.close()
    assert not sock.pending() and sock.receive() is None
    again = Endpoint(machine, machine.init_net, GENERIC, portid=5)
    again.send(FAMILIES + NOOP)
    assert again.receive() is not None
    ack = again.receive()
    assert ack is not None and ack[4:6] == b"\x02\0"


@pytest.mark.parametrize("done_apart, number", [(False, errno.EMSGSIZE), (True, 0)])
def test_a_message_that_can_never_fit_ends_a_dump(machine: Machine, done_apart: bool, number: int) -> None:
    # netlink_dump(): EMSGSIZE with nothing written; rtnl_dumpit() makes that a 0 where it tells the end apart.
    call = Call(Endpoint(machine, machine.init_net, GENERIC), FAMILIES, GENERIC, 0x301, 1)
    call.op = GETFAMILY
    data, over = Dump(call, iter([lambda: bytes(40000)]), done_apart=done_apart).fill(4000)
    assert over and data[4:6] == b"\x03\0" and int.from_bytes(data[16:20], "little", signed=True) == -number


def test_an_echo_leaves_out_everybody_with_the_askers_port(machine: Machine) -> None:
    # do_one_broadcast() compares port ids alone, also with those of another namespace.
    init, pod = machine.init_net, machine.new_net("pod")
    pod.ids.assign(init)
    asker = Endpoint(machine, init, ROUTE, portid=5)
    alike, other = (Endpoint(machine, pod, ROUTE, portid=port, groups=1) for port in (5, 6))
    for sock in (alike, other):
        sock.setsockopt(NetlinkOpt.LISTEN_ALL_NSID, 1)
    call = Call(asker, NOOP, 16, 0x9, 1)  # NLM_F_REQUEST | NLM_F_ECHO
    machine.multicast.notify(init, ROUTE, 1, lambda: b"news", call)
    assert (asker.receive(), alike.receive(), other.receive()) == (b"news", None, b"news")


def test_groups_are_numbered_around_those_that_are_reserved() -> None:
    # genl_allocate_reserve_groups(): the first gap that is wide enough; 16 to 18 are taken from the beginning.
    machine = Machine(build=RECORDED_7_2)
    machine.families.register(Family("four", groups=("a", "b", "c", "d")))
    machine.families.register(Family("one", groups=("e",)))
    numbers = {name: number for (_, name), number in machine.families.group_ids.items()}
    assert [numbers[name] for name in "abcde"] == [12, 13, 14, 15, 19]


def test_news_wants_a_port(machine: Machine) -> None:
    # So on Linux 7.2.13: a member without a port hears nothing, and all that comes once it has sent something.
    sock = Endpoint(machine, machine.init_net, GENERIC, bound=False)
    sock.setsockopt(NetlinkOpt.ADD_MEMBERSHIP, machine.families.group_ids[netdev, "mgmt"])
    machine.netdevsim_bus.new_device(1)
    assert sock.receive() is None
    sock.send(NOOP)
    assert sock.receive() is not None
    machine.netdevsim_bus.new_device(2)
    assert sock.receive() is not None and sock.receive() is None


def test_who_asks_does_not_hear_that_a_listener_lost_something(machine: Machine) -> None:
    """NETLINK_BROADCAST_ERROR makes nlmsg_notify() fail where that listener has no room. rtnl_notify() and what sends
    notifications of generic netlink do not look at it: the request is acked, and the listener hears ENOBUFS."""
    listener = Endpoint(machine, machine.init_net, ROUTE, options=[(int(NetlinkOpt.ADD_MEMBERSHIP), 1)], rcvbuf=2304)
    listener.setsockopt(NetlinkOpt.BROADCAST_ERROR, 1)
    asker = Endpoint(machine, machine.init_net, ROUTE, portid=4000)
    kind = bytes.fromhex("10001280 0a000100 64756d6d7900 0000")  # IFLA_LINKINFO: dummy
    make = bytes.fromhex("30000000 1000 0506 01000000 00000000") + bytes(16) + kind
    for _ in range(4):
        asker.send(make)
        answer = asker.receive()
        assert answer is not None and answer[16:20] == bytes(4)
        machine.settle()
    assert listener.getsockopt(NetlinkOpt.BROADCAST_ERROR) == 1
    with pytest.raises(OSError) as caught:
        while listener.pending():
            listener.receive()
    assert caught.value.errno == errno.ENOBUFS


class TestWhatIsAskedAgain:
    """What a request asks is read once; what it is answered is worked out each time."""

    def test_of_generic_netlink(self, machine: Machine) -> None:
        sock = Endpoint(machine, machine.init_net, GENERIC)
        known = machine.families.known
        request = bytes.fromhex("1c000000 1400 0100 01000000 00000000 01010000 08000100 02000000")  # dev-get of 2
        sock.send(request)
        refusal = sock.receive()
        assert refusal is not None and int.from_bytes(refusal[16:20], "little", signed=True) == -errno.ENODEV
        assert [op.name for op, _, _ in known.values()] == ["dev-get"]
        machine.netdevsim_bus.new_device(1)
        sock.send(request)
        answer = sock.receive()
        assert answer is not None and int.from_bytes(answer[4:6], "little") == 20
        assert len(known) == 1

    def test_what_cannot_be_read_is_not_remembered(self, machine: Machine) -> None:
        sock = Endpoint(machine, machine.init_net, GENERIC)
        request = bytes.fromhex("18000000 1400 0100 01000000 00000000 01010000 04000100")  # no number
        for _ in range(2):
            sock.send(request)
            refusal = sock.receive()
            assert refusal is not None and int.from_bytes(refusal[16:20], "little", signed=True) < 0
        assert not machine.families.known

    def test_who_may_not_ask_is_refused_what_another_may(self, machine: Machine) -> None:
        request = bytes.fromhex("14000000 1400 0500 01000000 00000000 0e010000")  # bind-rx
        said = []
        for credentials in (Credentials(), NOBODY):
            sock = Endpoint(machine, machine.init_net, GENERIC, credentials=credentials)
            for _ in range(2):
                sock.send(request)
                answer = sock.receive()
                assert answer is not None
                said.append(-int.from_bytes(answer[16:20], "little", signed=True))
        assert said[2:] == [errno.EPERM] * 2 and errno.EPERM not in said[:2]

    def test_too_many_are_forgotten(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        sock = Endpoint(machine, machine.init_net, GENERIC)
        monkeypatch.setattr(generic, "REMEMBERED", 3)
        for index in range(1, 6):
            sock.send(
                bytes.fromhex("1c000000 1400 0100 01000000 00000000 01010000 08000100") + index.to_bytes(4, "little")
            )
        assert len(machine.families.known) == 2

    def test_of_rtnetlink(self, machine: Machine) -> None:
        sock = Endpoint(machine, machine.init_net, ROUTE)
        request = bytes.fromhex("20000000 1200 0100 01000000 00000000 00000000 01000000") + bytes(8)  # getlink of 1
        sock.send(request)
        before, known = sock.receive(), _asked.cache_info()
        machine.init_net.loopback.mtu = 1500
        machine.init_net.loopback.changed()
        sock.send(request)
        after = sock.receive()
        assert _asked.cache_info().hits == known.hits + 1
        assert before is not None and after is not None and before != after

    def test_a_family_tells_the_same_of_itself(self, machine: Machine) -> None:
        sock = Endpoint(machine, machine.init_net, GENERIC)
        answers = []
        for _ in range(2):
            sock.send(bytes.fromhex("1c000000 1000 0100 01000000 00000000 03020000 06000100 14000000"))
            answers.append(sock.receive())
        assert answers[0] == answers[1] is not None
        assert machine.families.told == {netdev: GETFAMILY.body(describe(machine, netdev))}
