"""Faults as a test sets them: whom they strike, what they do, and that they are told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from nlemu import NLM_F, Kernel, NlError
from nlemu.emulator.cli import main
from nlemu.emulator.client.control import ControlError, NoDaemon


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Kernel() as one:
        yield one


def make(kernel: Kernel, name: str, netns: str = "init", **more: Any) -> None:
    links = kernel.family("rt-link", netns)
    links.do("newlink", {"ifname": name, "linkinfo": {"kind": "dummy"}, **more}, NLM_F.CREATE | NLM_F.EXCL)


def refused(kernel: Kernel, name: str, **more: Any) -> int:
    try:
        make(kernel, name, **more)
    except NlError as error:
        return error.errno
    return 0


def test_a_device_is_meant_by_name_and_by_index(kernel: Kernel) -> None:
    make(kernel, "red")
    make(kernel, "blue")
    with kernel.fault("route.setlink", errno="EBUSY", device="blue", count=0) as fault:
        links = kernel.family("rt-link")
        links.do("setlink", {"ifname": "red", "mtu": 1400})
        for about in ({"ifname": "blue"}, {"ifi-index": 3}):
            with pytest.raises(NlError, match="busy"):
                links.do("setlink", {**about, "mtu": 1400})
        assert (fault.met, fault.struck) == (2, 2)


def test_what_a_request_says_is_looked_at(kernel: Kernel) -> None:
    with kernel.fault("route.newlink", errno="EPERM", where={"linkinfo.kind": "dummy", "mtu": 1400}):
        assert refused(kernel, "red", mtu=1300) == 0
        assert refused(kernel, "blue", mtu=1400) == 1


def test_the_nth_is_struck(kernel: Kernel) -> None:
    with kernel.fault("route.newlink", errno="ENOMEM", skip=2, count=2):
        assert [refused(kernel, f"d{number}") for number in range(6)] == [0, 0, 12, 12, 0, 0]


def test_chance_is_the_same_every_time(kernel: Kernel) -> None:
    def struck(seed: int) -> list[bool]:
        with kernel.fault("route.getlink", errno="EIO", chance=0.5, seed=seed, count=0):
            came = []
            for _ in range(20):
                try:
                    kernel.family("rt-link").do("getlink", {"ifi-index": 1})
                    came.append(False)
                except NlError:
                    came.append(True)
        return came

    first = struck(1)
    assert first == struck(1) != struck(2) and 3 < sum(first) < 17


def test_all_of_a_family_are_meant(kernel: Kernel) -> None:
    with kernel.fault("route.*", errno="EIO", count=0) as fault:
        assert refused(kernel, "red") == 5
        with pytest.raises(NlError):
            kernel.family("rt-addr").dump("getaddr")
        assert fault.struck == 2
        assert kernel.family("netdev").dump("dev-get")


def test_an_attribute_is_blamed(kernel: Kernel) -> None:
    bad = kernel.fault("route.newlink", errno="EINVAL", text="that name is bad luck", at="ifname")
    with bad, pytest.raises(NlError) as error:
        make(kernel, "red")
    assert error.value.extack == {"msg": "that name is bad luck", "bad-attr": ".ifname"}


def test_one_socket_is_meant(kernel: Kernel) -> None:
    one, two = (kernel.listen("rt-link", "rtnlgrp-link") for _ in range(2))
    ports = [each["port"] for each in kernel.state()["sockets"] if each.get("groups")]
    with kernel.notice("route.newlink", "lose", port=ports[1]):
        make(kernel, "red")
    assert sorted([heard(kernel, one), heard(kernel, two)]) == [[], ["red"]]


def test_a_dump_ends_in_the_middle(kernel: Kernel) -> None:
    for number in range(5):
        make(kernel, f"d{number}")
    links = kernel.family("rt-link")
    with kernel.fault("route.getlink", errno="EIO", after=3), pytest.raises(NlError, match="Input/output error"):
        links.dump("getlink")
    assert len(links.dump("getlink")) == 6


def test_a_device_goes_between_two_parts_of_a_dump(kernel: Kernel) -> None:
    kernel.do(nic_new="0000:08:00.0", profile="ice", name="eth0")
    make(kernel, "red")
    links = kernel.family("rt-link")
    with kernel.fault("route.getlink", after=1, then={"nic_del": "0000:08:00.0"}):
        told = links.dump("getlink")
    assert [link["ifname"] for link in told] == ["lo", "red"]


def test_a_dump_comes_in_small_parts(kernel: Kernel) -> None:
    for number in range(5):
        make(kernel, f"d{number}")
    with kernel.fault("route.getlink", split=2):
        sock = kernel.socket()(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        with sock:
            sock.send(bytes.fromhex("2000000012000103010000000000000000000000000000000000000000000000"))
            parts = []
            while True:
                data = sock.recv(65536)
                kinds = []
                while data:
                    length = int.from_bytes(data[:4], "little")
                    kinds.append(int.from_bytes(data[4:6], "little"))
                    data = data[length + 3 & ~3 :]
                parts.append(kinds)
                if 3 in kinds:
                    break
    assert parts == [[16, 16], [16, 16], [16, 16], [3]]


def test_a_dump_is_interrupted_later(kernel: Kernel) -> None:
    for number in range(4):
        make(kernel, f"d{number}")
    with kernel.interrupt("route.getlink", after=2) as fault:
        kernel.family("rt-link").dump("getlink")
        assert fault.struck == 1


NAMES = ["a", "b", "c"]


def heard(kernel: Kernel, listener: Any) -> list[str]:
    return [one.values["ifname"] for one in listener.notifications(0)]


@pytest.mark.parametrize(("fate", "more", "expected"), [
    ("duplicate", {}, ["a", "b", "b", "c"]),
    ("swap", {}, ["a", "c", "b"]),
    ("delay", {"seconds": 5}, ["a", "c"]),
])
def test_notifications_come_otherwise(kernel: Kernel, fate: str, more: dict[str, Any], expected: list[str]) -> None:
    listener = kernel.listen("rt-link", "rtnlgrp-link")
    with kernel.notice("route.newlink", fate, device="b", **more):
        for name in NAMES:
            make(kernel, name)
        assert heard(kernel, listener) == expected
        if fate == "delay":
            kernel.do(sleep=5)
            assert heard(kernel, listener) == ["b"]


def test_a_notification_that_waited_for_another_is_told_at_the_end(kernel: Kernel) -> None:
    listener = kernel.listen("rt-link", "rtnlgrp-link")
    with kernel.notice("route.newlink", "swap"):
        make(kernel, "a")
        assert heard(kernel, listener) == []
    assert heard(kernel, listener) == ["a"]


def test_a_notification_is_lost(kernel: Kernel) -> None:
    listener = kernel.listen("rt-link", "rtnlgrp-link")
    with kernel.notice("route.newlink", "lose", where={"ifname": "b"}):
        for name in NAMES:
            make(kernel, name)
    assert heard(kernel, listener) == ["a", "c"]


def test_one_that_never_strikes_is_a_failure(kernel: Kernel) -> None:
    never = pytest.raises(AssertionError, match=r"fault netdev\.queue-create never struck; it met 0")
    with never, kernel.fault("netdev.queue-create", errno="ENOMEM"):
        pass
    assert kernel.do(faults=True) == []


def test_they_are_listed_and_taken_away(kernel: Kernel, capsys: pytest.CaptureFixture[str]) -> None:
    fault = kernel.fault("route.newlink", errno="ENOMEM", name="short of memory")
    kernel.interrupt("route.getlink", count=0)
    assert refused(kernel, "red") == 12
    assert main(["ctl", "--dir", str(kernel.directory), "faults"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "NAME             KIND       MET  STRUCK  LEFT",
        "short of memory  refuse       1       1     0",
        "interrupt 1      interrupt    0       0",
    ]
    fault.heal()
    assert [one["name"] for one in kernel.do(faults=True)] == ["interrupt 1"]
    with pytest.raises(ControlError, match="there is no fault 'short of memory'"):
        kernel.do(heal="short of memory")


@pytest.mark.parametrize(("when", "made"), [("asked", []), ("done", ["red"])])
def test_the_socket_that_asks_is_closed(kernel: Kernel, when: str, made: list[str]) -> None:
    """Before anything is done, or before it is answered: who asks cannot know, and finds out with another socket."""
    news = kernel.listen("rt-link", "rtnlgrp-link")
    with kernel.fault("route.newlink", hang_up=when), pytest.raises(NoDaemon):
        make(kernel, "red")
    assert [link["ifname"] for link in kernel.family("rt-link").dump("getlink")] == ["lo", *made]
    assert len(list(news.notifications(0))) == len(made), "others are left alone"


def test_it_is_closed_in_the_middle_of_a_dump(kernel: Kernel) -> None:
    make(kernel, "red")
    with kernel.fault("route.getlink", hang_up="asked", after=1), pytest.raises(NoDaemon):
        kernel.family("rt-link").dump("getlink")
    assert len(kernel.family("rt-link").dump("getlink")) == 2


def test_the_daemon_is_restarted(kernel: Kernel) -> None:
    make(kernel, "red")
    kernel.do(netns="pod")
    news = kernel.listen("rt-link", "rtnlgrp-link")
    kernel.fault("route.getaddr", errno="EIO")
    with kernel.fault("route.newlink", restart=True) as fault:
        with pytest.raises(NoDaemon):
            make(kernel, "blue")
        assert fault.struck == 1, "it is told of, and nothing else is left"
        assert len(kernel.do(faults=True)) == 1
    assert [link["ifname"] for link in kernel.family("rt-link").dump("getlink")] == ["lo"]
    assert set(kernel.state()["namespaces"]) == {"init"}
    assert news.cut_off()


def test_operations_are_listed(kernel: Kernel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl", "--dir", str(kernel.directory), "operations", "netdev.queue*"]) == 0
    assert capsys.readouterr().out.split() == ["netdev.queue-get", "netdev.queue-create"]
    assert main(["ctl", "--dir", str(kernel.directory), "operations", "ETHTOOL_SRX*INS"]) == 0
    assert capsys.readouterr().out.split() == ["ETHTOOL_SRXCLSRLINS"]


@pytest.mark.parametrize(("line", "told"), [
    ({"fault": "route.newlink"}, "it does nothing without one of errno"),
    ({"fault": "SIOCSIFMTU", "errno": "EIO", "device": "eth0"}, "an ioctl has no attributes"),
    ({"fault": "SIOCSIFMTU", "hang_up": "asked"}, "an ioctl has no socket"),
    ({"fault": "route.newlink", "hang_up": "soon"}, "asked or done"),
    ({"fault": "netdev.bind-rx", "errno": "EIO", "after": 1}, "netdev.bind-rx cannot be dumped"),
    ({"fault": "route.newlink", "then": {"nic_del": 1}}, "then: "),
    ({"fault": "route.newlink", "errno": "EIO", "netns": "nowhere"}, "nowhere"),
    ({"fault": "route.newlink", "errno": "EIO", "chance": 2}, "a number from 0 to 1"),
    ({"notice": "route.newlonk", "fate": "lose"}, "nothing is told by the name 'route.newlonk'"),
    ({"notice": "route.newlink", "fate": "vanish"}, "lose or duplicate or delay or swap"),
    ({"notice": "route.newlink", "fate": "delay"}, "a delay needs them"),
])
def test_what_cannot_be_is_refused_whole(kernel: Kernel, line: dict[str, Any], told: str) -> None:
    with pytest.raises(ControlError, match=told):
        kernel.do(**line)
    assert kernel.do(faults=True) == []


def test_one_that_is_spent_is_listed(kernel: Kernel) -> None:
    fault = kernel.fault("route.newlink", errno="ENOMEM")
    assert [refused(kernel, "red"), refused(kernel, "red")] == [12, 0]
    told = fault.told()
    assert told.pop("step") == {"fault": "route.newlink", "errno": "ENOMEM", "name": "fault 1"}
    assert told == {"name": "fault 1", "kind": "refuse", "met": 1, "struck": 1, "left": 0}


def test_what_happens_behind_the_last_message_marks_the_end(kernel: Kernel) -> None:
    make(kernel, "red")
    kernel.nic("mlx5_core", "eth0", address="0000:08:00.0")
    links = kernel.family("rt-link")
    with kernel.fault("route.getlink", after=3, then={"nic_del": "0000:08:00.0"}) as fault:
        asked = links.dumped("getlink")
        assert [link["ifname"] for link in asked.replies] == ["lo", "red", "eth0"]
        assert fault.struck == 1
    assert [link["ifname"] for link in links.dump("getlink")] == ["lo", "red"]


def test_a_dump_that_is_too_short_is_not_struck(kernel: Kernel) -> None:
    links = kernel.family("rt-link")
    fault = kernel.fault("route.getlink", errno="EIO", after=2)
    assert [link["ifname"] for link in links.dump("getlink")] == ["lo"]
    assert (fault.met, fault.struck) == (1, 0)
    make(kernel, "red")
    make(kernel, "blue")
    with fault, pytest.raises(NlError, match="Input/output error"):
        links.dump("getlink")


def test_what_cannot_happen_then_is_told(kernel: Kernel) -> None:
    make(kernel, "red")
    kernel.nic("ice", "eth0", address="0000:08:00.0")
    links = kernel.family("rt-link")
    with (
        pytest.raises(AssertionError, match="did not: there is no NIC at 0000:09:00"),
        kernel.fault("route.getlink", after=1, then={"nic_del": "0000:09:00.0"}),
    ):
        assert len(links.dump("getlink")) == 3


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("route.getlnk", "'route.getlnk'; is route.getlink meant?"), ("getlink", "; is route.getlink meant?"),
        ("RTM_GETLINK", "; is route.getlink meant?"), ("netdev.queue_create", "; is netdev.queue-create meant?"),
        ("zzz", ", such as netdev.queue-create, route.* or ETHTOOL_SRXCLSRLINS"),
    ],
)
def test_a_name_that_is_like_one_is_told(kernel: Kernel, name: str, told: str) -> None:
    with pytest.raises(ControlError) as error:
        kernel.fault(name, errno="EIO")
    assert str(error.value).endswith(told)
