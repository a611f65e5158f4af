"""Tables of IPv6, routes for some sources only, and the rules that choose a table: in a kernel that is built with them,
and in one that is not."""

from __future__ import annotations

from errno import EACCES, EHOSTUNREACH, EINVAL, ENETUNREACH, ESRCH
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlemu.emulator.kernel import rules_families
from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2, RECORDED_7_2, Build
from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.inet import rules
from nlemu.emulator.kernel.inet.rules import IP6MR, IPMR, IPV4, IPV6, Flow, Rule
from nlemu.emulator.kernel.ipv6 import lookup as route_lookup6
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6 import routes as ip6_route
from nlemu.emulator.kernel.ipv6.fib import Fib6, Route6, Table6
from nlemu.emulator.kernel.ipv6.routes import Wanted6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.fib_rules import FR_ACT
from nlemu.protocol.uapi.rtnetlink import RTN
from tests.emulator.kernel.ip_world import IpWorld, six

MAIN, LOCAL = 254, 255
LOW, HIGH = 3, 1


def world6(build: Build = DISTRIBUTION_7_2) -> IpWorld:
    """2001:db8::1/64, a default route by ::9 in the main table, and one by ::8 in table 100."""
    world = IpWorld(build)
    world.add6("2001:db8::1/64")
    world.kernel.advance(3)
    route(world, "::/0", 9)
    route(world, "::/0", 8, table=100)
    return world


def route(world: IpWorld, to: str, gateway: int | None = None, src: str = "::/0", **kw: Any) -> None:
    (dst, length), (source, src_length) = (text.split("/") for text in (to, src))
    hop = None if gateway is None else six("2001:db8::") + gateway
    wanted = Wanted6(
        six(dst), int(length), int(src_length), kw.pop("metric", 1024), gateway=hop, src=six(source),
        ifindex=world.dev.ifindex, **kw,
    )
    ip6_route.add(world.net, wanted)


def add(world: IpWorld, priority: int, table: int = 100, **kw: Any) -> None:
    known = rules_families.of(world.net, ip6.AF_INET6)
    assert known is not None
    rule = Rule(priority, table, ops=IPV6, **kw)
    rules_families.lead(world.net, known, rule)
    rules.add(world.net, known, rule)


def gateway(world: IpWorld, dst: str = "2001:db8:9::1", **flow: Any) -> int:
    return route_lookup6.find_way(world.net, Flow(six(dst), **flow)).gateway & 0xFF


def refused(world: IpWorld, dst: str = "2001:db8:9::1", **flow: Any) -> int:
    with pytest.raises(Refusal) as raised:
        gateway(world, dst, **flow)
    return raised.value.errno


def test_which_families_have_rules_is_a_matter_of_the_kernel() -> None:
    def families(build: Build) -> list[object]:
        return [known.ops for known in rules_families.registered(IpWorld(build).net)]

    assert families(RECORDED_7_2) == [IPV4]
    assert families(DISTRIBUTION_7_2) == [IPV4, IPMR, IP6MR, IPV6]


def test_local_routes_and_groups_have_a_table_of_their_own_if_there_are_several() -> None:
    for build, tables in ((RECORDED_7_2, {MAIN}), (DISTRIBUTION_7_2, {MAIN, LOCAL})):
        fib = ip6.of(IpWorld(build).net).fib
        kinds = {(each.table, each.type) for node in fib.nodes() for each in node}
        assert {table for table, _ in kinds} == tables
        assert (max(tables), RTN.LOCAL) in kinds and (max(tables), RTN.MULTICAST) in kinds
        assert (MAIN, RTN.UNICAST) in kinds


def test_tables_are_made_when_they_are_named_and_walked_by_their_remainders() -> None:
    fib = Fib6(several=True)
    for number in (1, 333, 77, 589):
        assert fib.table(number) is None
        assert fib.new_table(number).id == number
    assert [table.id for table in fib.in_order()] == [1, 589, 77, 333, MAIN, LOCAL]
    assert fib.table(0) is fib.main
    narrow = Fib6()
    assert narrow.table(77) is narrow.new_table(77) is narrow.local is narrow.main


def test_a_rule_chooses_the_table() -> None:
    world = world6()
    assert gateway(world) == 9
    add(world, 100, mark=5, mask=0xF)
    assert (gateway(world), gateway(world, mark=0x15), gateway(world, mark=4)) == (9, 8, 9)
    add(world, 99, flowlabel=0x12300, flowlabel_mask=0xFFF00)
    assert (gateway(world, label=0x123FF), gateway(world, label=0x11300)) == (8, 9)
    add(world, 98, dports=(80, 90), ip_proto=6)
    assert (gateway(world, proto=6, dport=90), gateway(world, proto=6, dport=91), gateway(world, dport=90)) == (8, 9, 9)
    add(world, 97, sports=(0x50, 0x50), sport_mask=0xF0)
    assert (gateway(world, sport=0x5F), gateway(world, sport=0x60)) == (8, 9)
    add(world, 96, dscp=10, dscp_mask=0x3F)
    assert (gateway(world, tos=0x28), gateway(world, tos=0x20)) == (8, 9)


def test_a_source_that_is_not_chosen_yet_fits_only_if_it_is_to_be_found() -> None:
    world = world6()
    add(world, 100, src=six("2001:db8::"), src_length=32)
    assert (gateway(world), gateway(world, src=six("2001:db8::1"))) == (9, 8)
    add(world, 99, src=six("2001:db8::"), src_length=32, flags=rules.FINDS_SOURCE)
    flow = Flow(six("2001:db8:9::1"))
    assert route_lookup6.find_way(world.net, flow).gateway & 0xFF == 8
    assert flow.src == six("2001:db8::1")
    add(world, 98, table=MAIN, src=six("2001:db9::"), src_length=32, flags=rules.FINDS_SOURCE)
    assert gateway(world) == 8


@pytest.mark.parametrize(
    ("action", "errno"), [(FR_ACT.BLACKHOLE, EINVAL), (FR_ACT.UNREACHABLE, ENETUNREACH), (FR_ACT.PROHIBIT, EACCES)]
)
def test_a_rule_may_lead_nowhere(action: FR_ACT, errno: int) -> None:
    world = world6()
    add(world, 100, 0, action=int(action))
    assert refused(world) == errno


def test_routes_too_short_are_suppressed_and_thrown_ones_passed_over() -> None:
    world = world6()
    add(world, 100, MAIN, suppress_prefixlen=0)
    add(world, 101)
    assert gateway(world) == 8
    route(world, "2001:db8:9::/48", table=100, type=int(RTN.THROW), reject=1)
    assert gateway(world) == 9
    route(world, "2001:db8:9::/48", table=MAIN, type=int(RTN.UNREACHABLE), reject=1)
    assert refused(world) == EHOSTUNREACH


def test_a_rule_of_ipv6_names_a_table() -> None:
    with pytest.raises(Refusal) as raised:
        add(world6(), 100, 0)
    assert (raised.value.errno, raised.value.text) == (EINVAL, "Invalid table")


def test_a_gateway_is_on_the_link_by_the_table_itself_or_by_the_rules() -> None:
    world = world6()
    route(world, "2001:db8:5::/48", table=77)
    with pytest.raises(Refusal) as raised:
        ip6_route.add(world.net, Wanted6(six("2001:db8:6::"), 48, gateway=six("2001:db8:5::1")))
    assert raised.value.errno == EHOSTUNREACH
    ip6_route.add(world.net, Wanted6(six("2001:db8:6::"), 48, gateway=six("2001:db8:5::1"), table=77))
    add(world, 100, 77)
    ip6_route.add(world.net, Wanted6(six("2001:db8:6::"), 48, gateway=six("2001:db8:5::1")))


def test_nothing_is_deleted_from_a_table_that_is_not_there() -> None:
    with pytest.raises(Refusal) as raised:
        ip6_route.delete(world6().net, Wanted6(six("2001:db8:9::"), 48, table=78))
    assert (raised.value.errno, raised.value.text) == (ESRCH, "FIB table does not exist")


def test_routes_of_a_device_that_goes_down_are_gone_from_every_table() -> None:
    world = world6()
    fib = ip6.of(world.net).fib
    assert {each.table for each in fib.on(world.dev)} == {100, MAIN, LOCAL}
    ip6_route.sync_down(world.dev, NetdevEvent.DOWN)
    assert fib.on(world.dev) == []


def test_the_longest_source_decides_after_the_longest_destination() -> None:
    world = world6()
    route(world, "2001:db8:9::/48", 4, "2001:db8::/32")
    route(world, "2001:db8:9::/48", 2, "2001:db8::/64")
    near, far = six("2001:db8::1"), six("2001:db8:77::1")
    assert (gateway(world, src=near), gateway(world, src=far), gateway(world)) == (2, 4, 9)
    route(world, "2001:db8:9::/48", 3)
    assert gateway(world, src=near) == 2
    assert gateway(world) == 9, "a first look passes over a prefix whose sources do not fit"
    route(world, "2001:db8:9:1::/64", 5, metric=5)
    assert gateway(world, "2001:db8:9:1::1", src=near) == 5


def test_a_preferred_router_is_taken_whichever_was_there_first() -> None:
    for build, chosen in ((DISTRIBUTION_7_2, 5), (RECORDED_7_2, 7)):
        world = IpWorld(build)
        world.add6("2001:db8::1/64")
        world.kernel.advance(3)
        for last, pref in ((7, LOW), (6, 0), (5, HIGH)):
            route(world, "2001:db8:9::/48", last, pref=pref)
        assert gateway(world) == chosen


PREFIXES = st.lists(
    st.tuples(st.integers(0, 15), st.integers(0, 4), st.integers(0, 15), st.integers(0, 4)), max_size=20, unique=True
)


def sourced(number: int, length: int, source: int, src_length: int) -> Route6:
    """A route whose prefix and source have at most four bits that matter."""
    dst, src = ip6.prefix_of(number << 124, length), ip6.prefix_of(source << 124, src_length)
    return Route6(dst, length, 1024, 1, 3, None, src=src, src_length=src_length)


@given(PREFIXES)
def test_sources_come_before_all_that_is_in_a_prefix(prefixes: list[tuple[int, int, int, int]]) -> None:
    table = Table6(MAIN)
    for prefix in prefixes:
        table.insert(sourced(*prefix))
    told = [(each.dst, each.length, each.src_length) for node in table.nodes() for each in node]
    for at, (dst, length, src_length) in enumerate(told):
        for other, other_length, _ in told[:at]:
            inside = other_length > length and other >> 128 - length == dst >> 128 - length
            assert not (src_length and inside), "a source of a prefix stands behind what is in the prefix"
    assert len(told) == len(prefixes)


@given(PREFIXES, st.integers(0, 15), st.integers(0, 15))
def test_every_node_that_is_looked_at_covers_what_is_asked(
    prefixes: list[tuple[int, int, int, int]], dst: int, src: int
) -> None:
    table = Table6(MAIN)
    for prefix in prefixes:
        table.insert(sourced(*prefix))
    address, source = dst << 124, src << 124
    found = [node.first() for node in table.covering(address, source)]
    lengths = [(each.length, each.src_length) for each in found]
    assert lengths == sorted(lengths, reverse=True) and len(set(lengths)) == len(lengths)
    for each in found:
        assert address >> 128 - each.length == each.dst >> 128 - each.length
        assert source >> 128 - each.src_length == each.src >> 128 - each.src_length


@given(PREFIXES)
def test_what_is_removed_leaves_nothing(prefixes: list[tuple[int, int, int, int]]) -> None:
    table, made = Table6(MAIN), []
    for prefix in prefixes:
        made.append(sourced(*prefix))
        table.insert(made[-1])
    for each in made:
        table.remove(each)
    assert list(table.nodes()) == [] and list(table.covering(0)) == []
    assert not any(table.branches(each.dst, each.length, 0, 1) for each in made if each.length)
