"""Devices above and below each other: what may be linked, what is announced, and masters."""

from __future__ import annotations

from errno import EBUSY, EEXIST, EINVAL, EMLINK, EOPNOTSUPP, EPERM
from itertools import pairwise

import pytest

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import adjacency, links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.dummy import DummyOps
from nlemu.protocol.refusal import Refusal


class MasterOps(DummyOps):
    """A driver whose devices take slaves."""

    def add_slave(self, dev: Device, slave: Device) -> None:
        adjacency.link(slave, dev, master=True)

    def del_slave(self, dev: Device, slave: Device) -> None:
        adjacency.unlink(slave, dev)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def devices(kernel: Kernel, count: int) -> list[Device]:
    return [links.new_link(kernel.init_net, DUMMY, LinkParams(name=f"d{number}")) for number in range(count)]


def master(kernel: Kernel, name: str) -> Device:
    dev = links.new_link(kernel.init_net, DUMMY, LinkParams(name=name))
    dev.ops = MasterOps()
    return dev


def refused(verb: object, *args: object, **kwargs: object) -> int:
    with pytest.raises(Refusal) as caught:
        verb(*args, **kwargs)  # type: ignore[operator]
    return caught.value.errno


def test_both_ends_know(kernel: Kernel) -> None:
    low, middle, top = devices(kernel, 3)
    adjacency.link(low, middle)
    adjacency.link(middle, top)
    assert list(low.uppers) == [middle] and list(top.lowers) == [middle]
    assert list(adjacency.all_of(low, adjacency.uppers)) == [middle, top]
    assert adjacency.has_upper(low, top) and not adjacency.has_upper(top, low)
    adjacency.unlink(low, middle)
    assert not low.uppers and not middle.lowers and not adjacency.has_upper(low, top)


def test_there_are_no_circles(kernel: Kernel) -> None:
    low, middle, top = devices(kernel, 3)
    adjacency.link(low, middle)
    adjacency.link(middle, top)
    for dev, upper in ((low, low), (middle, low), (top, low)):
        assert refused(adjacency.link, dev, upper) == EBUSY
    assert not top.uppers and not low.lowers


def test_twice_is_refused_near_or_far(kernel: Kernel) -> None:
    low, middle, top = devices(kernel, 3)
    adjacency.link(low, middle)
    adjacency.link(middle, top)
    assert refused(adjacency.link, low, middle) == EEXIST
    assert refused(adjacency.link, low, top) == EEXIST


@pytest.mark.parametrize("lower", range(1, 8))
def test_eight_is_the_greatest_depth(kernel: Kernel, lower: int) -> None:
    stack = devices(kernel, 9)
    for below, above in (*pairwise(stack[:lower]), *pairwise(stack[lower:8])):
        adjacency.link(below, above)
    adjacency.link(stack[lower - 1], stack[lower])  # two stacks become one of eight
    assert adjacency.level(stack[0], adjacency.uppers) == 8
    assert refused(adjacency.link, stack[7], stack[8]) == EMLINK
    assert refused(adjacency.link, stack[8], stack[0]) == EMLINK


def test_the_chain_may_refuse(kernel: Kernel) -> None:
    low, top = devices(kernel, 2)
    vetoed = {NetdevEvent.PRECHANGEUPPER}

    def veto(event: NetdevEvent, dev: Device, info: Info) -> None:
        if event in vetoed:
            assert (dev, info.upper, info.linking) == (low, top, True)
            raise Refusal(EPERM)

    kernel.register_notifier(Stage.VLAN, veto)
    assert refused(adjacency.link, low, top) == EPERM and not low.uppers
    vetoed.clear()
    vetoed.add(NetdevEvent.CHANGEUPPER)
    assert refused(adjacency.link, low, top, master=True) == EPERM
    assert not low.uppers and not top.lowers and low.master is None


def test_one_master(kernel: Kernel) -> None:
    slave = devices(kernel, 1)[0]
    first, second = master(kernel, "m"), master(kernel, "n")
    adjacency.set_master(slave, first.ifindex)
    assert (slave.master, list(first.lowers)) == (first, [slave])
    assert refused(adjacency.link, slave, first, master=True) == EEXIST
    assert refused(adjacency.link, slave, second, master=True) == EBUSY
    revision = slave.revision
    adjacency.set_master(slave, first.ifindex)
    assert slave.revision == revision
    adjacency.set_master(slave, second.ifindex)
    assert (slave.master, list(first.lowers), list(second.lowers)) == (second, [], [slave])
    adjacency.set_master(slave, 0)
    assert (slave.master, list(slave.uppers)) == (None, [])
    adjacency.set_master(slave, 0)


def test_a_master_that_cannot_be(kernel: Kernel) -> None:
    slave, other = devices(kernel, 2)
    assert refused(adjacency.set_master, slave, 99) == EINVAL
    assert refused(adjacency.set_master, slave, other.ifindex) == EOPNOTSUPP
    assert slave.master is None


def test_a_new_master_that_refuses_leaves_it_without_any(kernel: Kernel) -> None:
    slave, other = devices(kernel, 2)
    adjacency.set_master(slave, master(kernel, "m").ifindex)
    assert refused(adjacency.set_master, slave, other.ifindex) == EOPNOTSUPP
    assert slave.master is None
