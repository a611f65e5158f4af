"""VRFs: tables, domains, and what leaves with a slave, beyond the recorded."""

from __future__ import annotations

from errno import EBUSY, EINVAL, ENETUNREACH, EOPNOTSUPP

import pytest

from nlemu.emulator.kernel.core.build import RECORDED_7_2
from nlemu.emulator.kernel.core.sysctl import settings
from nlemu.emulator.kernel.devices import flags, l3mdev, links, move
from nlemu.emulator.kernel.devices.adjacency import set_master
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv4 import address, lookup
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.vrf import KIND as VRF
from nlemu.emulator.kernel.links.vrf import STRICT_MODE, VrfParams, tables
from nlemu.protocol.refusal import Refusal

HERE = 0x0A000001
THERE = 0x0A000002


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def dummy(kernel: Kernel, name: str = "d") -> Device:
    return links.new_link(kernel.init_net, DUMMY, LinkParams(name=name))


def vrf(kernel: Kernel, name: str, table: int | None) -> Device:
    return links.new_link(kernel.init_net, VRF, LinkParams(name=name, data=VrfParams(table)))


def give(dev: Device, local: int = HERE) -> None:
    address.insert(address.Address4(dev, local, local, 24, flags=address.PERMANENT))


def refused(verb: object, *args: object) -> int:
    with pytest.raises(Refusal) as caught:
        verb(*args)  # type: ignore[operator]
    return caught.value.errno


def where(kernel: Kernel, dst: int) -> list[int]:
    """The tables that have routes which begin with that address."""
    found = ip4.of(kernel.init_net).fib.tables.items()
    return sorted(number for number, table in found if any(route.dst == dst for route in table))


class TestTables:
    def test_a_table_is_needed(self, kernel: Kernel) -> None:
        assert refused(vrf, kernel, "red", None) == EINVAL
        assert refused(vrf, kernel, "red", 0) == EINVAL
        assert not kernel.init_net.leads_to_domains and tables(kernel.init_net) == []

    def test_rules_come_once(self, kernel: Kernel) -> None:
        rules = ip4.of(kernel.init_net).rules
        first = vrf(kernel, "red", 10)
        assert [rule.priority for rule in rules if rule.l3mdev] == [1000]
        rules.rules.remove(next(rule for rule in rules if rule.l3mdev))
        links.delete_link(first)
        vrf(kernel, "blue", 11)
        assert not any(rule.l3mdev for rule in rules)

    def test_a_table_is_shared_or_not(self, kernel: Kernel) -> None:
        strict = settings(kernel.build)[STRICT_MODE]
        vrf(kernel, "red", 10)
        second = vrf(kernel, "blue", 10)
        with pytest.raises(Refusal) as caught:
            strict.write(kernel.init_net, "1\n")
        assert caught.value.errno == EBUSY and strict.read(kernel.init_net) == "0"
        links.delete_link(second)
        strict.write(kernel.init_net, "1\n")
        assert refused(vrf, kernel, "blue", 10) == EBUSY
        assert tables(kernel.init_net) == [10] and kernel.init_net.by_name("blue") is None
        with pytest.raises(Refusal):
            strict.write(kernel.init_net, "2\n")
        strict.write(kernel.init_net, "0\n")
        vrf(kernel, "blue", 10)

    def test_a_kernel_without_them_has_none(self) -> None:
        assert "vrf" not in Kernel(build=RECORDED_7_2).kinds


class TestDomains:
    def test_the_routes_of_a_slave_are_in_its_table(self, kernel: Kernel) -> None:
        red, dev = vrf(kernel, "red", 10), dummy(kernel)
        flags.open_device(dev)
        give(dev)
        assert where(kernel, HERE & ~0xFF) == [254] and where(kernel, HERE) == [255]
        set_master(dev, red.ifindex)
        assert where(kernel, HERE & ~0xFF) == [10] and where(kernel, HERE) == [10]
        set_master(dev, 0)
        assert where(kernel, HERE & ~0xFF) == [254] and where(kernel, HERE) == [255]

    def test_who_is_in_a_domain(self, kernel: Kernel) -> None:
        red, dev = vrf(kernel, "red", 10), dummy(kernel)
        assert (l3mdev.master_of(red), l3mdev.master_of(dev), l3mdev.table_of(dev)) == (red, None, 0)
        set_master(dev, red.ifindex)
        assert (l3mdev.master_of(dev), l3mdev.table_of(dev)) == (red, 10)

    def test_who_cannot_be(self, kernel: Kernel) -> None:
        red, blue = vrf(kernel, "red", 10), vrf(kernel, "blue", 11)
        assert refused(set_master, blue, red.ifindex) == EINVAL
        assert refused(set_master, kernel.init_net.loopback, red.ifindex) == EOPNOTSUPP

    def test_what_is_looked_up_in_a_domain(self, kernel: Kernel) -> None:
        red, dev, other = vrf(kernel, "red", 10), dummy(kernel), dummy(kernel, "e")
        for one in (red, dev, other):
            flags.open_device(one)
        set_master(dev, red.ifindex)
        give(dev)
        assert refused(lookup.find_way, kernel.init_net, Flow(THERE)) == ENETUNREACH
        for index in (red.ifindex, dev.ifindex):
            way = lookup.find_way(kernel.init_net, Flow(THERE, oif=index))
            assert (way.dev, way.source) == (dev, HERE)
        assert lookup.find_way(kernel.init_net, Flow(HERE, oif=red.ifindex)).dev is red
        assert lookup.find_way(kernel.init_net, Flow(THERE, oif=other.ifindex)).source == 0

    def test_sources_are_those_of_the_domain(self, kernel: Kernel) -> None:
        red, dev, other = vrf(kernel, "red", 10), dummy(kernel), dummy(kernel, "e")
        for one in (red, dev, other):
            flags.open_device(one)
        set_master(dev, red.ifindex)
        give(other)
        assert lookup.select_source(dev, 0, 0) == 0
        give(red, THERE)
        assert lookup.select_source(dev, 0, 0) == THERE


class TestLeaving:
    def test_a_slave_that_moves_leaves(self, kernel: Kernel) -> None:
        red, dev = vrf(kernel, "red", 10), dummy(kernel)
        set_master(dev, red.ifindex)
        move.change_net_namespace(dev, kernel.new_net("one"))
        assert dev.master is None and not red.lowers

    def test_a_slave_that_goes_leaves(self, kernel: Kernel) -> None:
        red, dev = vrf(kernel, "red", 10), dummy(kernel)
        set_master(dev, red.ifindex)
        links.delete_link(dev)
        assert not red.lowers

    def test_a_vrf_that_goes_lets_all_go(self, kernel: Kernel) -> None:
        red, devices = vrf(kernel, "red", 10), [dummy(kernel, name) for name in "abc"]
        for dev in devices:
            flags.open_device(dev)
            set_master(dev, red.ifindex)
        links.delete_link(red)
        assert [dev.master for dev in devices] == [None] * 3 and all(dev.up for dev in devices)

    def test_a_namespace_goes_with_all_of_it(self, kernel: Kernel) -> None:
        net = kernel.new_net("one")
        red = links.new_link(net, VRF, LinkParams(name="red", data=VrfParams(10)))
        dev = links.new_link(net, DUMMY, LinkParams(name="d"))
        set_master(dev, red.ifindex)
        kernel.delete_net("one")
        kernel.settle()
        assert len(net) == 0
