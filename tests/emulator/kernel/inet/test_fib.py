"""The order of routes, and who is found: against the plainest way to say the same."""

from __future__ import annotations

import ipaddress
from errno import EEXIST, EHOSTUNREACH, EINVAL, ENETUNREACH, ESRCH
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlemu.emulator.kernel.ipv4 import address as ip4_address
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import routes as fib4_route
from nlemu.emulator.kernel.ipv4.fib import Route4, Table4
from nlemu.emulator.kernel.ipv4.fib_info import Gateway, Info4, Nexthop4
from nlemu.emulator.kernel.ipv4.routes import APPEND, CREATE, EXCL, REPLACE, Wanted4
from nlemu.emulator.kernel.ipv6 import routes as ip6_route
from nlemu.emulator.kernel.ipv6.fib import Fib6, Route6
from nlemu.emulator.kernel.ipv6.routes import Wanted6
from nlemu.protocol.refusal import Refusal
from tests.emulator.kernel.ip_world import IpWorld, four, six

PREFIXES4 = st.lists(
    st.tuples(st.integers(0, 0xFF), st.integers(0, 32)).map(
        lambda pair: ((pair[0] << 24 | 0x00F0F0F0) >> 32 - pair[1] << 32 - pair[1], pair[1])
    ),
    unique=True, max_size=30,
)
PREFIXES6 = st.lists(
    st.tuples(st.integers(0, 0xFF), st.integers(0, 10)).map(
        lambda pair: ((pair[0] << 120) >> 128 - pair[1] << 128 - pair[1], pair[1])
    ),
    unique=True, max_size=30,
)


def route4(dst: int, length: int, priority: int = 0) -> Route4:
    return Route4(254, dst, length, 0, 1, Info4(254, 3, 0, 1, priority, 0, [Nexthop4(oif=length)]))


@given(PREFIXES4, st.integers(0, 0xFFFFFFFF))
def test_the_longest_prefix_wins(prefixes: list[tuple[int, int]], address: int) -> None:
    table = Table4(254)
    for prefix in prefixes:
        table.insert(route4(*prefix), None)
    expected = [
        length for dst, length in prefixes if ipaddress.IPv4Address(address) in ipaddress.IPv4Network((dst, length))
    ]
    found = table.lookup(address)
    assert (None if found is None else found.route.length) == (max(expected) if expected else None)


@given(PREFIXES4)
def test_ipv4_is_told_by_address_and_the_longer_prefix_first(prefixes: list[tuple[int, int]]) -> None:
    table = Table4(254)
    for prefix in prefixes:
        table.insert(route4(*prefix), None)
    told = [(route.dst, route.length) for route in table]
    assert told == sorted(prefixes, key=lambda prefix: (prefix[0], -prefix[1]))


def leaves_first(prefixes: list[tuple[int, int]], at: int = 0, length: int = 0) -> list[tuple[int, int]]:
    """A walk over the binary tree, written down as one thinks of it."""
    inside = [one for one in prefixes if one[1] >= length and one[0] >> 128 - length == at >> 128 - length]
    if not inside:
        return []
    deeper = [one for one in inside if one[1] > length]
    half = 1 << 127 - length
    both = leaves_first(deeper, at, length + 1) + leaves_first(deeper, at | half, length + 1) if deeper else []
    return both + [one for one in inside if one[1] == length]


@given(PREFIXES6)
def test_ipv6_is_told_from_the_leaves_to_the_root(prefixes: list[tuple[int, int]]) -> None:
    fib = Fib6()
    for dst, length in prefixes:
        fib.insert(Route6(dst, length, 1024, 1, 3, None))
    told = [(route.dst, route.length) for node in fib.nodes() for route in node]
    assert told == leaves_first(prefixes)


@given(PREFIXES4, st.data())
def test_a_walk_goes_on_while_routes_come_and_go(prefixes: list[tuple[int, int]], data: st.DataObject) -> None:
    table = Table4(254)
    for prefix in prefixes:
        table.insert(route4(*prefix), None)
    stays = [prefix for prefix in prefixes if data.draw(st.booleans())]
    told = []
    for count, route in enumerate(table):
        told.append((route.dst, route.length))
        if count == len(prefixes) // 2:
            for prefix in prefixes:
                if prefix not in stays:
                    table.remove(table.of(*prefix)[0])
    assert set(stays) <= set(told) and len(told) == len(set(told))


def world4() -> IpWorld:
    world = IpWorld()
    world.add4("10.0.0.1/24")
    return world


def through(gateway: str, **kw: Any) -> Wanted4:
    return Wanted4(four("10.9.0.0"), 16, protocol=3, gateway=Gateway(2, four(gateway)), **kw)


def gateways(world: IpWorld) -> list[str]:
    table = ip4.of(world.net).fib.new_table(254)
    return [
        str(ipaddress.IPv4Address(hop.gateway.address))
        for route in table.of(four("10.9.0.0"), 16)
        for hop in route.info.nexthops
        if hop.gateway is not None
    ]


def test_equal_routes_stand_before_or_behind_each_other_as_asked() -> None:
    world = world4()
    fib4_route.insert(world.net, through("10.0.0.2"))
    fib4_route.insert(world.net, through("10.0.0.3", nlflags=CREATE))
    fib4_route.insert(world.net, through("10.0.0.4", nlflags=CREATE | APPEND))
    assert gateways(world) == ["10.0.0.3", "10.0.0.2", "10.0.0.4"]
    with pytest.raises(Refusal) as refused:
        fib4_route.insert(world.net, through("10.0.0.5", nlflags=CREATE | EXCL))
    assert refused.value.errno == EEXIST
    fib4_route.insert(world.net, through("10.0.0.5", nlflags=CREATE | REPLACE))
    assert gateways(world) == ["10.0.0.5", "10.0.0.2", "10.0.0.4"]


@pytest.mark.parametrize(
    ("wanted", "errno"),
    [
        (through("99.0.0.1"), ENETUNREACH),
        (through("10.0.0.255"), EINVAL),
        (through("10.0.0.2", prefsrc=four("10.0.0.99")), EINVAL),
    ],
)
def test_a_refused_route_leaves_no_trace(wanted: Wanted4, errno: int) -> None:
    world = world4()
    before = world.routes4()
    with pytest.raises(Refusal) as refused:
        fib4_route.insert(world.net, wanted)
    assert refused.value.errno == errno and world.routes4() == before


@pytest.mark.parametrize(("dst", "length"), [("10.9.0.1", 16), ("10.9.0.0", 33)])
def test_a_prefix_has_no_bits_behind_it(dst: str, length: int) -> None:
    with pytest.raises(Refusal) as refused:
        fib4_route.check_prefix(four(dst), length)
    assert refused.value.errno == EINVAL


def test_routes_whose_source_address_goes_are_gone_and_told() -> None:
    world = world4()
    world.add4("10.1.0.1/24")
    fib4_route.insert(world.net, through("10.1.0.9", prefsrc=four("10.0.0.1")))
    world.news.heard()
    ip4_address.remove(world.dev.inet.addresses[0])
    assert "- unicast 10.9.0.0/16" in world.news.heard()
    assert gateways(world) == []


def test_ipv6_needs_a_gateway_on_a_link() -> None:
    world = IpWorld()
    world.add6("2001:db8::1/64")
    wanted = Wanted6(six("2001:db8:9::"), 48, metric=1024, gateway=six("2001:db8::9"), nlflags=CREATE)
    ip6_route.add(world.net, wanted)
    beyond = Wanted6(six("2001:db8:8::"), 48, metric=1024, gateway=six("2001:db8:9::1"), nlflags=CREATE)
    with pytest.raises(Refusal) as refused:
        ip6_route.add(world.net, beyond)
    assert refused.value.errno == EHOSTUNREACH
    with pytest.raises(Refusal) as refused:
        ip6_route.delete(world.net, beyond)
    assert refused.value.errno == ESRCH
