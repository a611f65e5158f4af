"""Next hop objects of a namespace: found by their numbers, and one after the other."""

from __future__ import annotations

from nlemu.emulator.kernel.inet.nexthop import Nexthop, Nexthops


def test_they_are_walked_in_the_order_of_their_numbers() -> None:
    """The next one is found without looking at all of them."""
    known, made = Nexthops(), [Nexthop(number) for number in (7, 3, 0xFFFFFFFF, 5)]
    for one in made:
        known.list(one)
    known.unlist(made[3])
    walked: list[int] = []
    following = known.after(0)
    while following is not None:
        walked.append(following.id)
        following = known.after(following.id)
    assert walked == [3, 7, 0xFFFFFFFF]


class Counted(dict[int, Nexthop]):
    """Counts how often all of it is walked."""

    walks = 0

    def __iter__(self):  # type: ignore[no-untyped-def]
        self.walks += 1
        return super().__iter__()


def test_a_step_of_the_walk_looks_at_few() -> None:
    known = Nexthops()
    known._by_id = counted = Counted()
    for number in range(1, 100):
        known.list(Nexthop(number))
    assert known.after(50) is known.find(51) and known.after(99) is None
    assert counted.walks == 0
