"""The generic netlink families of a machine: which there are, under which number, and their groups.

Families are numbered, and their groups after them, in the order in which they register at boot; the order is that of
the recorded machines (protocol/families/listed.py), so netdev is 20 and ethtool 21 as there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nlemu.protocol.families.registered import REGISTERED
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.family import Family, Half, Operation
from nlemu.protocol.uapi.genetlink import GENL_ID_CTRL, GENL_START_ALLOC
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.multicast import Multicast

# Groups that are never given out: 0 does not exist, drop_monitor helps itself to 1, and three families have their own
# number as their group (mc_group_start of net/netlink/genetlink.c).
RESERVED_GROUPS = frozenset({0, 1, 16, 17, 18})
FIXED_GROUPS = {"nlctrl": GENL_ID_CTRL, "NET_DM": 1}
"""The first groups of families that do not take what is free (genl_validate_assign_mc_groups())."""
GENERIC = int(NetlinkProtocol.GENERIC)

Known = tuple[Operation, Half, Attrs]
"""What a request asks for, which half of that, and its attributes."""


class Families:
    """Those of one machine. build: how its kernel was configured; asked: numbers by name for those that are to differ
    from the recorded machine's."""

    def __init__(self, multicast: Multicast, build: Build, asked: Mapping[str, int]) -> None:
        self.multicast = multicast
        self.numbers: dict[Family, int] = {}
        self.by_number: dict[int, Family] = {}
        self.group_ids: dict[tuple[Family, str], int] = {}
        self.privileged_groups: set[int] = set()
        """Groups that want CAP_NET_ADMIN of who listens."""
        self.known: dict[tuple[int, int, bytes], Known] = {}
        """Requests that were read before, by their type, flags and what stands behind their headers: what a client
        asks, it asks again. The answer changes, the reading does not. One that is refused is not here."""
        self.told: dict[Family, bytes] = {}
        """What nlctrl tells of a family, once it has been asked."""
        self._by_name: dict[str, Family] = {}
        for family in REGISTERED:
            if family.option and not build.has(family.option):
                continue
            self.register(family, asked.get(family.name))

    def register(self, family: Family, number: int | None = None) -> None:
        """genl_register_family(): gives the family a number and its groups theirs."""
        if number is None:
            number = GENL_ID_CTRL if not self.numbers else max(GENL_START_ALLOC - 1, *self.numbers.values()) + 1
        self.numbers[family] = number
        self.by_number[number] = family
        self._by_name[family.name] = family
        fixed = FIXED_GROUPS.get(family.name)
        if fixed is not None:
            first = fixed
        else:
            taken = RESERVED_GROUPS | set(self.group_ids.values())
            first = 2
            while not taken.isdisjoint(range(first, first + len(family.groups))):
                first += 1
        for index, group in enumerate(family.groups):
            self.group_ids[family, group] = first + index
            if group in family.privileged:
                self.privileged_groups.add(first + index)

    def find(self, name: str) -> Family | None:
        """genl_family_find_byname()."""
        return self._by_name.get(name)

    def notify(self, net: Net, op: Operation, build: Callable[[], bytes], origin: Call | None = None) -> None:
        """Sends a notification to the group that it is declared for."""
        assert op.group is not None
        self.multicast.notify(net, GENERIC, self.group_ids[op.family, op.group], build, origin)
