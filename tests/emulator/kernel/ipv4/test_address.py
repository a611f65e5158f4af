"""Addresses of IPv4, and the routes that come and go with them."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.devices import flags
from nlemu.emulator.kernel.devices.links import delete_link
from nlemu.emulator.kernel.devices.move import change_net_namespace
from nlemu.emulator.kernel.devices.rename import change_name
from nlemu.emulator.kernel.devices.settings import set_mtu
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.ipv4 import address
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ip import Ipv4Devconf
from tests.emulator.kernel.ip_world import IpWorld

CONNECTED = ["unicast 10.0.0.0/24", "local 10.0.0.1/32", "broadcast 10.0.0.255/32"]


def test_an_address_is_told_before_its_routes() -> None:
    world = IpWorld()
    world.add4("10.0.0.1/24")
    assert world.news.heard() == [
        "+ 10.0.0.1/24 0x80", "+ local 10.0.0.1/32", "+ unicast 10.0.0.0/24", "+ broadcast 10.0.0.255/32",
    ]
    assert world.routes4() == CONNECTED


def test_on_a_device_that_is_down_there_is_only_the_local_route_until_it_comes_up() -> None:
    world = IpWorld()
    dev = world.dummy("e")
    world.add4("10.0.0.1/24", dev=dev)
    assert world.routes4() == ["local 10.0.0.1/32"]
    flags.open_device(dev)
    assert world.routes4() == CONNECTED


def test_routes_disappear_without_a_word_when_the_device_goes_down_and_addresses_stay() -> None:
    world = IpWorld()
    world.add4("10.0.0.1/24")
    world.news.heard()
    flags.close_device(world.dev)
    assert world.routes4() == ["local 10.0.0.1/32"]
    assert not [item for item in world.news.heard() if "10.0.0" in item]
    flags.open_device(world.dev)
    assert world.routes4() == CONNECTED


def test_secondaries_go_with_their_primary() -> None:
    world = IpWorld()
    for last in (1, 2, 3):
        world.add4(f"10.0.0.{last}/24")
    first = world.dev.inet.addresses[0]
    world.news.heard()
    address.remove(first)
    gone = [item for item in world.news.heard() if item.startswith("- 10.")]
    assert gone == ["- 10.0.0.2/24 0x81", "- 10.0.0.3/24 0x81", "- 10.0.0.1/24 0x80"]
    assert world.routes4() == [] and world.addresses4() == []


def test_a_secondary_is_promoted_where_the_device_says_so() -> None:
    world = IpWorld()
    world.dev.inet.conf[Ipv4Devconf.PROMOTE_SECONDARIES] = 1
    for text in ("10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.1.0.1/24"):
        world.add4(text)
    address.remove(world.dev.inet.addresses[0])
    assert world.addresses4() == ["10.1.0.1", "10.0.0.2", "10.0.0.3"]
    sources = {route.info.prefsrc for route in ip4.of(world.net).fib.new_table(254) if route.length == 24}
    assert sources == {0x0A000002, 0x0A010001}


def test_the_local_route_stays_while_another_prefix_has_the_address() -> None:
    world = IpWorld()
    world.add4("10.0.0.1/24")
    world.add4("10.0.0.1/16")
    address.remove(world.dev.inet.addresses[0])
    assert "local 10.0.0.1/32" in world.routes4()
    address.remove(world.dev.inet.addresses[0])
    assert world.routes4() == []


def test_an_address_of_another_scope_in_one_subnet_is_refused() -> None:
    world = IpWorld()
    world.add4("10.0.0.1/24", scope=253)
    with pytest.raises(Refusal, match="Invalid scope value"):
        world.add4("10.0.0.2/24")
    assert world.addresses4() == ["10.0.0.1"]


def test_lifetimes_deprecate_and_end() -> None:
    world = IpWorld()
    world.add4("10.0.0.1/24", valid=4, preferred=1)
    world.news.heard()
    world.kernel.advance(2.5)
    assert world.news.heard() == ["+ 10.0.0.1/24 0x20"]
    world.kernel.advance(3)
    assert world.news.heard()[0] == "- 10.0.0.1/24 0x20"
    assert world.addresses4() == [] and world.routes4() == []
    assert world.kernel.work.next_due() is None or not ip4.of(world.net).mortal


def test_labels_follow_the_name() -> None:
    world = IpWorld()
    world.add4("10.0.0.1/24")
    world.add4("10.1.0.1/24").label = "d:web"
    change_name(world.dev, "other")
    assert [ifa.label for ifa in world.dev.inet.addresses] == ["other", "other:web"]
    change_name(world.dev, "exactlyfifteenc")
    assert [ifa.label for ifa in world.dev.inet.addresses] == ["exactlyfifteenc", "exactlyfift:web"]


@pytest.mark.parametrize("way", ["deleted", "moved", "mtu"])
def test_addresses_do_not_outlive_ipv4_on_the_device(way: str) -> None:
    world = IpWorld()
    world.add4("10.0.0.1/24")
    world.news.heard()
    if way == "deleted":
        delete_link(world.dev)
    elif way == "moved":
        change_net_namespace(world.dev, world.kernel.new_net("one"))
    else:
        set_mtu(world.dev, 67)
    assert "- 10.0.0.1/24 0x80" in world.news.heard()
    assert world.routes4() == [] and not ip4.of(world.net).mortal
    assert not neighbour.of(world.net).on(world.dev, neighbour.AF_INET)


def test_the_loopback_device_has_its_own() -> None:
    world = IpWorld()
    flags.open_device(world.net.loopback)
    assert world.routes4() == ["local 127.0.0.0/8", "local 127.0.0.1/32", "broadcast 127.255.255.255/32"]
    flags.close_device(world.net.loopback)
    flags.open_device(world.net.loopback)
    assert world.addresses4(world.net.loopback) == ["127.0.0.1"]
