"""Buckets of resilient groups that are in use: when they are moved, who hears, and who may refuse."""

from __future__ import annotations

from errno import EINVAL

from nlemu.emulator.kernel.inet import nexthop
from nlemu.emulator.kernel.inet.nexthop import Nexthop, Wanted, Way
from nlemu.emulator.kernel.inet.nexthop_buckets import Buckets
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.protocol.refusal import Refusal

AF_INET = 2


class Hardware:
    """A listener that remembers what it hears, and refuses what it is told to."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.refuses = False

    def replaced(self, one: Nexthop) -> None:
        pass

    def removed(self, one: Nexthop) -> None:
        pass

    def table_replaced(self, one: Nexthop) -> None:
        pass

    def bucket_replaced(self, one: Nexthop, index: int) -> None:
        self.heard.append(index)
        if self.refuses:
            raise Refusal(EINVAL)


class World:
    """Two next hops, a group of four buckets that are shared evenly, and hardware that hears of it."""

    def __init__(self, idle: float, unbalanced: float = 0) -> None:
        self.kernel = Kernel()
        self.hardware = Hardware()
        self.net = self.kernel.init_net
        self.net.nexthop_listeners.append(self.hardware)
        self.one, self.other = (self.alone(number) for number in (1, 2))
        self.group = Nexthop(10, members=[(self.one, 1), (self.other, 1)],
                             wanted=Wanted(4, round(idle * 100), round(unbalanced * 100)))
        nexthop.add(self.net, self.group, replace=False, create=True)

    def alone(self, number: int) -> Nexthop:
        one = Nexthop(number, way=Way(AF_INET, blackhole=True, fdb=True))
        nexthop.add(self.net, one, replace=False, create=True)
        return one

    @property
    def buckets(self) -> Buckets:
        assert self.group.buckets is not None
        return self.group.buckets

    @property
    def owners(self) -> list[int]:
        return [bucket.share.member.id for bucket in self.buckets.buckets if bucket.share is not None]

    def use(self, *indexes: int) -> None:
        for index in indexes:
            self.buckets.use(index)

    def weigh(self, one: int, other: int) -> None:
        wanted = Nexthop(10, members=[(self.one, one), (self.other, other)], wanted=Wanted())
        nexthop.add(self.net, wanted, replace=True, create=True)

    def after(self, seconds: float) -> list[int]:
        self.kernel.work.advance(seconds)
        return self.owners


def test_what_nobody_uses_is_moved_at_once() -> None:
    world = World(idle=100)
    assert world.owners == [2, 2, 1, 1] and not world.hardware.heard, "at first the whole is told"
    world.weigh(3, 1)
    assert world.owners == [1, 2, 1, 1] and world.hardware.heard == [0]


def test_what_is_used_is_moved_when_it_has_been_idle() -> None:
    world = World(idle=3)
    world.use(0, 1)
    world.after(1)
    world.use(1)
    world.weigh(4, 1)
    assert world.owners == [2, 2, 1, 1], "one of five parts is one bucket less"
    assert world.buckets.unbalanced_time == 0 and world.after(1.5) == [2, 2, 1, 1]
    assert world.buckets.unbalanced_time == 150
    assert world.after(0.6) == [1, 2, 1, 1] and world.buckets.unbalanced_time == 0


def test_it_is_moved_when_patience_ends_however_much_it_is_used() -> None:
    world = World(idle=100, unbalanced=10)
    world.use(0, 1, 2, 3)
    world.weigh(3, 1)
    for _ in range(4):
        assert world.after(2) == [2, 2, 1, 1]
        world.use(0, 1, 2, 3)
    assert world.after(2.5) == [1, 2, 1, 1]


def test_patience_is_counted_from_when_it_began() -> None:
    world = World(idle=100, unbalanced=10)
    world.use(0, 1, 2, 3)
    world.weigh(3, 1)
    world.after(8)
    world.use(0, 1)
    world.weigh(2, 1)
    assert world.owners == [2, 2, 1, 1] and world.after(2.5) == [1, 2, 1, 1]


def test_hardware_may_say_that_a_bucket_is_used_after_all() -> None:
    world = World(idle=3)
    world.hardware.refuses = True
    world.weigh(3, 1)
    assert world.owners == [2, 2, 1, 1]
    assert world.after(2.9) == [2, 2, 1, 1]
    world.hardware.refuses = False
    assert world.after(0.2) == [1, 2, 1, 1]


def test_hardware_cannot_refuse_what_is_nobodys() -> None:
    world = World(idle=3)
    for bucket in world.buckets.buckets:
        bucket.trap = True
    world.hardware.refuses = True
    nexthop.remove(world.net, world.other, lambda net, route: None, told=True)
    assert world.owners == [1, 1, 1, 1]
    assert [bucket.trap for bucket in world.buckets.buckets] == [False, False, True, True]


def test_a_group_that_is_gone_is_not_looked_after() -> None:
    world = World(idle=3)
    world.use(0, 1, 2, 3)
    world.weigh(3, 1)
    nexthop.remove(world.net, world.group, lambda net, route: None, told=True)
    assert world.after(10) == [2, 2, 1, 1]
