"""Anycast addresses: which a device that forwards has, as its addresses and the setting come and go."""

from __future__ import annotations

import ipaddress
import struct

import pytest

from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2
from nlemu.emulator.kernel.devices import flags
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import delete_link, new_link
from nlemu.emulator.kernel.ipv6 import address
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6 import settings as settings6
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.emulator.launch.files.procfs import anycast6
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.frame import message
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.netlink import NetlinkOpt
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP
from tests.emulator.handlers.route_requests import (
    CREATE_NEW,
    DUMP,
    IFNAME,
    REQUEST,
    ask,
    drain,
    kind,
    link,
    route_socket,
)
from tests.emulator.kernel.ip_world import IpWorld, six

FORWARDING, DISABLE_IPV6 = Ipv6Devconf.FORWARDING, Ipv6Devconf.DISABLE_IPV6
IFA_ANYCAST = 5


@pytest.fixture
def w() -> IpWorld:
    return IpWorld(DISTRIBUTION_7_2)


def add(w: IpWorld, text: str) -> None:
    w.add6(text)
    w.kernel.advance(3)
    w.news.heard()


def anycasts(w: IpWorld) -> list[str]:
    return [f"{ipaddress.IPv6Address(at)} {found.users}" for at, found in w.dev.inet6.anycasts.items()]


def test_a_device_that_begins_to_forward_has_one_of_each_prefix(w: IpWorld) -> None:
    for text in ("2001:db8::1/64", "2001:db8::2/64", "2001:db8:1::1/127", "2001:db8:2::1/128", "2001:db8:3::1/126"):
        add(w, text)
    settings6.set_conf(w.dev, FORWARDING, 1)
    assert anycasts(w) == ["2001:db8:3:: 1", "2001:db8:: 2", "fe80:: 1"]
    assert w.news.heard() == [f"+ anycast {prefix}::/128" for prefix in ("2001:db8:3", "2001:db8", "fe80")]
    settings6.set_conf(w.dev, FORWARDING, 0)
    assert anycasts(w) == []
    assert w.news.heard() == [f"- anycast {prefix}::/128" for prefix in ("2001:db8:3", "2001:db8", "fe80")]


def test_it_comes_when_the_address_has_passed_and_goes_with_the_last(w: IpWorld) -> None:
    settings6.set_all(w.net, FORWARDING, 1)
    w.news.heard()
    w.add6("2001:db8::1/64")
    assert anycasts(w) == ["fe80:: 1"]
    w.kernel.advance(3)
    assert w.news.heard()[-2:] == ["+ local 2001:db8::1/128", "+ anycast 2001:db8::/128"]
    add(w, "2001:db8::2/64")
    address.delete(w.net, w.dev.ifindex, six("2001:db8::1"), 64)
    assert anycasts(w) == ["fe80:: 1", "2001:db8:: 1"]
    w.news.heard()
    address.delete(w.net, w.dev.ifindex, six("2001:db8::2"), 64)
    assert anycasts(w) == ["fe80:: 1"]
    assert w.news.heard()[1:3] == ["- anycast 2001:db8::/128", "- local 2001:db8::2/128"]


@pytest.mark.parametrize("way", ["down", "disabled", "deleted"])
def test_none_outlives_ipv6_on_the_device(w: IpWorld, way: str) -> None:
    settings6.set_all(w.net, FORWARDING, 1)
    add(w, "2001:db8::1/64")
    idev = w.dev.inet6
    if way == "down":
        flags.close_device(w.dev)
    elif way == "disabled":
        settings6.set_conf(w.dev, DISABLE_IPV6, 1)
    else:
        delete_link(w.dev)
    assert idev.anycasts == {}
    assert not [text for text in w.routes6() if text.startswith("anycast")]


def test_one_whose_address_is_kept_while_down_comes_back(w: IpWorld) -> None:
    settings6.set_all(w.net, FORWARDING, 1)
    settings6.set_conf(w.dev, Ipv6Devconf.KEEP_ADDR_ON_DOWN, 1)
    add(w, "2001:db8::1/64")
    flags.close_device(w.dev)
    assert (w.addresses6(), anycasts(w)) == (["2001:db8::1"], [])
    flags.open_device(w.dev)
    w.kernel.advance(3)
    assert anycasts(w) == ["2001:db8:: 1", "fe80:: 1"]


def test_solicitations_are_heard_and_a_lost_carrier_changes_nothing(w: IpWorld) -> None:
    veth = new_link(w.net, VETH, LinkParams(name="v"))
    peer = veth.priv.peer
    for dev in (veth, peer):
        flags.open_device(dev)
    w.add6("2001:db8::1/64", dev=veth)
    w.kernel.advance(3)
    members = veth.inet6.listener.members
    settings6.set_conf(veth, FORWARDING, 1)
    assert members[ip6.solicited_node(0)].users == 2
    found = list(veth.inet6.anycasts.values())
    flags.close_device(peer)
    w.kernel.advance(3)
    assert not veth.carrier
    assert [(any_.route.flags, any_.route.local, any_.route.table) for any_ in found] == [(0, True, 255)] * 2
    settings6.set_conf(veth, FORWARDING, 0)
    assert ip6.solicited_node(0) not in members


def test_they_are_listed_and_told(w: IpWorld) -> None:
    """RTM_GETANYCAST and /proc/net/anycast6: the newest first; RTNLGRP_IPV6_ACADDR."""
    machine = Machine(build=DISTRIBUTION_7_2)
    socket = route_socket(machine)
    ask(socket, link(RTM.NEWLINK, struct.pack("<HH4s", 8, IFNAME, b"d\0"), kind("dummy"), flags=CREATE_NEW, up=True))
    machine.advance(3)
    listener = route_socket(machine)
    listener.setsockopt(NetlinkOpt.ADD_MEMBERSHIP, RTNLGRP.IPV6_ACADDR)
    (dev,) = [dev for dev in machine.init_net if dev.kind is DUMMY]
    settings6.set_conf(dev, FORWARDING, 1)
    (told,) = drain(listener)
    dumped, *_ = ask(socket, message(RTM.GETANYCAST, REQUEST | DUMP, 7, 0, struct.pack("<BBBBI", 10, 0, 0, 0, 0)))
    for answer, number in ((told, RTM.NEWANYCAST), (dumped, RTM.GETANYCAST)):
        header = struct.unpack_from("<BBBBI", answer, 16)
        assert struct.unpack_from("<H", answer, 4)[0] == number
        assert header == (10, 128, 0x80, 0, dev.ifindex)
        assert struct.unpack_from("<HH16s", answer, 24) == (20, IFA_ANYCAST, bytes.fromhex("fe80") + bytes(14))
    assert anycast6(machine.init_net) == f"{dev.ifindex:<4} {'d':<15} fe80{'0' * 28}     1\n"
    settings6.set_conf(dev, FORWARDING, 0)
    (told,) = drain(listener)
    assert struct.unpack_from("<H", told, 4)[0] == RTM.DELANYCAST
    assert anycast6(machine.init_net) == ""
