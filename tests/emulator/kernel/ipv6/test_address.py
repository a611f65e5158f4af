"""Addresses of IPv6: duplicate address detection, what devices get by themselves, and when all of it goes."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.devices import flags
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import delete_link, new_link
from nlemu.emulator.kernel.devices.move import change_net_namespace
from nlemu.emulator.kernel.devices.settings import set_mtu
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.ipv6 import address
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.interface_id import eui48, isatap
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.if_link import In6AddrGenMode
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf
from tests.emulator.kernel.ip_world import IpWorld, six

OF_LINK = "fe80::ff:fe00:1"


def test_eui64_turns_the_universal_bit_and_puts_fffe_in_the_middle() -> None:
    assert eui48(bytes.fromhex("021122334455")) == 0x001122FFFE334455


def test_addresses_of_ipv4_say_whether_they_are_anybodys() -> None:
    assert isatap(0x08080808) == 0x02005EFE08080808
    assert isatap(0x0A000001) == 0x00005EFE0A000001
    assert isatap(0) is None


def test_a_device_that_comes_up_has_an_address_of_the_link_and_asks_for_routers() -> None:
    world = IpWorld()
    assert world.addresses6() == [OF_LINK]
    assert world.routes6() == [f"local {OF_LINK}/128", "unicast fe80::/64", "multicast ff00::/8"]
    assert world.dev.inet6.flags & InetDeviceFlag.RS_SENT
    known = neighbour.of(world.net).on(world.dev, neighbour.AF_INET6)
    assert [entry.address for entry in known] == [ip6.ALL_ROUTERS]


def test_the_loopback_device_has_its_own_at_once() -> None:
    world = IpWorld()
    flags.open_device(world.net.loopback)
    assert world.news.heard()[-2:] == ["+ ::1/128 0x80", "+ local ::1/128"]


def test_where_nobody_answers_there_is_nothing_to_detect_but_it_is_done_after_the_request() -> None:
    world = IpWorld()
    world.add6("2001:db8::1/64")
    assert world.news.heard() == ["+ unicast 2001:db8::/64", "+ 2001:db8::1/64 0xc0"]
    world.kernel.settle()
    assert world.news.heard() == ["+ 2001:db8::1/64 0x80", "+ local 2001:db8::1/128"]


def test_detection_takes_between_one_and_two_seconds() -> None:
    world = IpWorld()
    dev = new_link(world.net, VETH, LinkParams(name="v", address=bytes([2, 0, 0, 0, 1, 1])))
    other = world.net.device(dev.ifindex - 1)
    assert other is not None
    flags.open_device(dev)
    flags.open_device(other)
    world.kernel.settle()
    [ifa] = dev.inet6.addresses
    assert ifa.flags & address.TENTATIVE
    world.kernel.advance(0.99)
    assert ifa.flags & address.TENTATIVE
    world.kernel.advance(1.1)
    assert not ifa.flags & address.TENTATIVE
    assert ifa.route is not None and ifa.route.linked


def test_the_newest_comes_first_and_those_of_the_link_last() -> None:
    world = IpWorld()
    for text in ("2001:db8::1/64", "2001:db8::2/64", "fec0::1/64"):
        world.add6(text)
    assert world.addresses6() == ["2001:db8::2", "2001:db8::1", "fec0::1", OF_LINK]


def test_the_route_to_a_prefix_stays_while_an_address_needs_it() -> None:
    world = IpWorld()
    world.add6("2001:db8::1/64")
    world.add6("2001:db8::2/64")
    world.kernel.settle()
    address.delete(world.net, world.dev.ifindex, six("2001:db8::1"), 64)
    assert "unicast 2001:db8::/64" in world.routes6()
    address.delete(world.net, world.dev.ifindex, six("2001:db8::2"), 64)
    assert "unicast 2001:db8::/64" not in world.routes6()


def test_down_takes_routes_then_neighbours_then_addresses() -> None:
    world = IpWorld()
    world.add6("2001:db8::1/64")
    world.kernel.settle()
    world.news.heard()
    flags.close_device(world.dev)
    heard = [item[2:].split()[0] for item in world.news.heard() if item.startswith("-")]
    assert heard == [
        "local", "unicast", "local", "unicast", "multicast", "neighbour", "2001:db8::1/64", f"{OF_LINK}/64",
    ]
    assert world.addresses6() == [] and world.routes6() == [] and not ip6.of(world.net).addresses


def test_lifetimes_deprecate_and_end_and_the_prefix_ends_on_its_own() -> None:
    world = IpWorld()
    world.add6("2001:db8::1/64", valid=4, preferred=1)
    world.kernel.settle()
    world.news.heard()
    world.kernel.advance(2.5)
    assert world.news.heard() == ["+ 2001:db8::1/64 0x20"]
    world.kernel.advance(3)
    assert world.news.heard()[0] == "- 2001:db8::1/64 0x20"
    assert world.addresses6() == [OF_LINK] and not ip6.of(world.net).mortal


@pytest.mark.parametrize("text", ["::/64", "ff02::1/64", "::1/128"])
def test_what_cannot_be_an_address_leaves_no_trace(text: str) -> None:
    world = IpWorld()
    before = world.routes6()
    with pytest.raises(Refusal):
        world.add6(text)
    assert world.addresses6() == [OF_LINK] and world.routes6() == before


@pytest.mark.parametrize("way", ["deleted", "moved", "mtu"])
def test_addresses_do_not_outlive_ipv6_on_the_device(way: str) -> None:
    world = IpWorld()
    world.add6("2001:db8::1/64")
    if way == "deleted":
        delete_link(world.dev)
    elif way == "moved":
        change_net_namespace(world.dev, world.kernel.new_net("one"))
    else:
        set_mtu(world.dev, 1279)
    world.news.heard()
    world.kernel.advance(5)
    assert world.news.heard() == []
    assert world.routes6() == [] and not ip6.of(world.net).addresses


def test_a_random_identifier_is_kept() -> None:
    world = IpWorld()
    world.dev.inet6.conf[Ipv6Devconf.ADDR_GEN_MODE] = In6AddrGenMode.RANDOM
    seen = set()
    for _ in range(2):
        flags.close_device(world.dev)
        flags.open_device(world.dev)
        world.kernel.settle()
        [ifa] = world.dev.inet6.addresses
        assert ifa.address >> 64 == 0xFE80 << 48 and ifa.flags & IFA_F.STABLE_PRIVACY
        seen.add(ifa.address)
    assert len(seen) == 1 and six(OF_LINK) not in seen
