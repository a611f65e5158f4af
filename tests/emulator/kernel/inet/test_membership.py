"""The groups of a device in the order in which a dump counts them."""

from nlemu.emulator.kernel.inet.membership import Groups, Membership


def listed(groups: Groups) -> list[int]:
    found, at = [], 0
    while (one := groups.newest(at)) is not None:
        found.append(one[0])
        assert one[1] is groups[one[0]]
        at += 1
    return found


def test_the_newest_group_is_counted_first() -> None:
    groups = Groups()
    for group in (3, 1, 2):
        groups[group] = Membership(1, group)
    groups[1] = Membership(2, 1)  # joined again, it stays where it is
    assert (list(groups), listed(groups)) == ([3, 1, 2], [2, 1, 3])
    del groups[1]
    groups[1] = Membership(1, 4)
    assert (list(groups), listed(groups)) == ([3, 2, 1], [1, 2, 3])
    groups.clear()
    assert listed(groups) == []
