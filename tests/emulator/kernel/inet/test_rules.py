"""Rules, and the way to an address that they decide; neighbours that user space wants; routes that netdevsim takes."""

from __future__ import annotations

from errno import EACCES, EEXIST, EINVAL, ENETUNREACH, ENOENT, EPERM
from typing import Any

import pytest

from nlemu.emulator.kernel import rules_families
from nlemu.emulator.kernel.inet import neighbour, neighbour_update, rules
from nlemu.emulator.kernel.inet.neighbour_update import Wanted
from nlemu.emulator.kernel.inet.rules import Flow, Rule
from nlemu.emulator.kernel.ipv4 import lookup as route_lookup4
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import routes as fib4_route
from nlemu.emulator.kernel.ipv4.fib_info import Gateway
from nlemu.emulator.kernel.ipv4.routes import Wanted4
from nlemu.emulator.kernel.ipv6 import lookup as route_lookup6
from nlemu.emulator.kernel.ipv6 import routes as ip6_route
from nlemu.emulator.kernel.ipv6.routes import Wanted6
from nlemu.emulator.kernel.nics.netdevsim.bus import del_device, new_device
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.fib_rules import FR_ACT
from nlemu.protocol.uapi.neighbour import NUD
from nlemu.protocol.uapi.rtnetlink import RTPROT
from tests.emulator.kernel.ip_world import IpWorld, four, six


def world4() -> IpWorld:
    """10.0.0.1/24, a default route by 10.0.0.9 in the main table, and one by 10.0.0.8 in table 100."""
    world = IpWorld()
    world.add4("10.0.0.1/24")
    fib4_route.insert(world.net, Wanted4(gateway=Gateway(2, four("10.0.0.9"))))
    fib4_route.insert(world.net, Wanted4(gateway=Gateway(2, four("10.0.0.8")), table=100))
    return world


def add(world: IpWorld, rule: Rule) -> None:
    state = ip4.of(world.net)
    rules_families.lead(world.net, state.rules, rule)
    rules.add(world.net, state.rules, rule)


def gateway(world: IpWorld, dst: str = "99.0.0.1", **flow: Any) -> int:
    found = fib4_route.lookup(world.net, Flow(four(dst), **flow)).nexthop.gateway
    return 0 if found is None else found.address & 0xFF


def test_a_rule_that_fits_decides_and_others_do_not() -> None:
    world = world4()
    assert gateway(world) == 9
    add(world, Rule(100, 100, mark=5, mask=0xF))
    assert (gateway(world), gateway(world, mark=0x15), gateway(world, mark=4)) == (9, 8, 9)
    add(world, Rule(99, 100, src=four("10.0.0.0"), src_length=8, flags=rules.INVERT))
    assert (gateway(world), gateway(world, src=four("10.0.0.1"))) == (8, 9)


def test_a_rule_of_a_device_fits_while_there_is_one_of_that_name() -> None:
    world = world4()
    add(world, Rule(100, 100, oifname="d"))
    assert (gateway(world), gateway(world, oif=world.dev.ifindex)) == (9, 8)


@pytest.mark.parametrize(
    ("action", "errno"), [(FR_ACT.BLACKHOLE, EINVAL), (FR_ACT.UNREACHABLE, ENETUNREACH), (FR_ACT.PROHIBIT, EACCES)]
)
def test_a_rule_may_lead_nowhere(action: FR_ACT, errno: int) -> None:
    world = world4()
    add(world, Rule(100, 0, action=int(action)))
    with pytest.raises(Refusal) as refused:
        gateway(world)
    assert refused.value.errno == errno


def test_a_jump_leaves_rules_out_once_there_is_where_to_go() -> None:
    world = world4()
    add(world, Rule(100, 0, action=int(FR_ACT.GOTO), target=102))
    add(world, Rule(101, 100))
    assert gateway(world) == 8
    add(world, Rule(102, 0, action=int(FR_ACT.NOP)))
    assert gateway(world) == 9


def test_routes_too_short_are_suppressed() -> None:
    world = world4()
    add(world, Rule(100, 254, suppress_prefixlen=0))
    add(world, Rule(101, 100))
    assert gateway(world) == 8


def test_a_rule_is_added_once_and_deleted_by_what_is_said_of_it() -> None:
    world = world4()
    state = ip4.of(world.net)
    add(world, Rule(100, 100))
    with pytest.raises(Refusal) as refused:
        rules.check_new(state.rules, Rule(100, 100, protocol=RTPROT.KERNEL))
    assert refused.value.errno == EEXIST
    found = rules.find(state.rules, Rule(0, 100, action=0, protocol=0), by_priority=False)
    rules.delete(world.net, state.rules, found)
    with pytest.raises(Refusal) as refused:
        rules.find(state.rules, Rule(100, 0, action=0, protocol=0), by_priority=True)
    assert refused.value.errno == ENOENT


def test_a_rule_that_is_to_stay_stays() -> None:
    world = world4()
    state = ip4.of(world.net)
    add(world, Rule(100, 100, flags=rules.STAYS))
    with pytest.raises(Refusal) as refused:
        rules.find(state.rules, Rule(100, 0, action=0, protocol=0), by_priority=True)
    assert refused.value.errno == EPERM


def test_what_is_looked_for_is_told_apart_and_what_is_not_said_is_not() -> None:
    old = Rule(100, 100, dscp=10, dscp_mask=0x3F, realm=7)
    assert old.looks_for(Rule(0, 0)) and old.looks_for(Rule(0, 0, dscp=10)) and old.looks_for(Rule(0, 0, realm=7))
    for name, value in (("dscp", 11), ("dscp_mask", 0x38), ("realm", 8), ("tos", 0x28), ("flowlabel", 1)):
        wanted = Rule(0, 0)
        setattr(wanted, name, value)
        assert not old.looks_for(wanted), name
    assert Rule(100, 100).looks_for(Rule(0, 0, realm=0)), "none is as good as 0"


def test_what_a_way_does_not_say_of_its_realms_the_rule_says() -> None:
    world = world4()
    fib4_route.insert(world.net, Wanted4(four("99.0.0.0"), 8, gateway=Gateway(2, four("10.0.0.7")), realm=0x50000))
    assert route_lookup4.find_way(world.net, Flow(four("99.0.0.1"))).realm == 0x50000
    add(world, Rule(100, 254, realm=0x30004))
    assert route_lookup4.find_way(world.net, Flow(four("99.0.0.1"))).realm == 0x50004
    assert route_lookup4.find_way(world.net, Flow(four("98.0.0.1"))).realm == 0x30004


def test_until_rules_change_the_longest_prefix_wins_whichever_table_it_is_in() -> None:
    world = IpWorld()
    world.add4("10.0.0.1/24")
    wide = Wanted4(four("10.0.0.0"), 8, oif=world.dev.ifindex, table=255, type=2, scope=254)
    fib4_route.insert(world.net, wide)
    assert fib4_route.address_type(world.net, four("10.0.0.7")) == fib4_route.UNICAST
    ip4.of(world.net).fib.split = True
    assert fib4_route.address_type(world.net, four("10.0.0.7")) == fib4_route.LOCAL


def test_the_way_to_an_address_of_ours_stays_here() -> None:
    world = world4()
    way = route_lookup4.find_way(world.net, Flow(four("10.0.0.1")))
    assert (way.dev, way.flags, way.source) == (world.net.loopback, route_lookup4.STAYS, four("10.0.0.1"))
    way = route_lookup4.find_way(world.net, Flow(four("99.0.0.1")))
    assert (way.dev, way.gateway, way.source) == (world.dev, Gateway(2, four("10.0.0.9")), four("10.0.0.1"))


def test_the_source_of_ipv6_is_as_near_as_the_destination() -> None:
    world = IpWorld()
    world.add6("2001:db8::1/64")
    world.kernel.settle()
    assert route_lookup6.select_source(world.net, world.dev, six("2001:db8:9::1")) == six("2001:db8::1")
    assert route_lookup6.select_source(world.net, world.dev, six("fe80::9")) == six("fe80::ff:fe00:1")
    assert route_lookup6.label(six("2001:db8::1")) == 1 and route_lookup6.label(six("fd00::1")) == 5


def test_a_reachable_neighbour_becomes_stale_and_is_gone_when_deleted() -> None:
    world = world4()
    wanted = Wanted(world.dev, neighbour.AF_INET, four("10.0.0.2"), int(NUD.REACHABLE), bytes(range(6)))
    neighbour_update.add(wanted, create=True, exclusive=True, replace=False, portid=0)
    [entry] = neighbour.of(world.net).on(world.dev, neighbour.AF_INET)
    world.kernel.advance(29)
    assert int(entry.state) == NUD.REACHABLE
    world.kernel.advance(2)
    assert int(entry.state) == NUD.STALE
    neighbour_update.delete(world.net, world.dev, neighbour.AF_INET, four("10.0.0.2"), 0)
    assert neighbour.of(world.net).on(world.dev, neighbour.AF_INET) == []


def test_netdevsim_takes_the_first_route_of_each_prefix_and_lets_go_of_all() -> None:
    world = world4()
    new_device(world.kernel, 10, 0, 1)
    world.kernel.settle()
    second = Wanted4(gateway=Gateway(2, four("10.0.0.7")), priority=5)
    fib4_route.insert(world.net, second)
    ip6_route.add(world.net, Wanted6(six("2001:db8::"), 48, metric=9, ifindex=world.dev.ifindex))
    world.kernel.settle()
    [first, other] = ip4.of(world.net).fib.new_table(254).of(0, 0)
    assert [route.trap for route in (first, other)] == [True, False]
    fib4_route.delete(world.net, Wanted4(gateway=Gateway(2, four("10.0.0.9"))))
    world.kernel.settle()
    assert [route.trap for route in (other,)] == [True]
    del_device(world.kernel, 10)
    world.kernel.settle()
    assert not other.trap
