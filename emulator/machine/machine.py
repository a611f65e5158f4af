"""The machine: a kernel, and netlink on top of it.

The model (emulator/kernel) knows nothing of messages. Here is what netlink itself keeps: which ports are taken, who
listens to which group, which families are registered under which number, who receives for which protocol; and the
announcer through which the model's news become notifications.

Families are numbered, and their groups after them, in the order in which they register at boot; the order is that of
the recorded machine (protocol/families/listed.py), so netdev is 20 and ethtool 21 as there.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NoReturn

from nlemu.emulator.handlers import announcements
from nlemu.emulator.handlers.ethtool.common import EthtoolNotify
from nlemu.emulator.kernel.core.build import DEFAULT, Build
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.queues.devmem import Devmem
from nlemu.emulator.machine.faults import Faults
from nlemu.emulator.machine.protocols import protocols_of
from nlemu.emulator.netlink.multicast import Multicast
from nlemu.protocol.families import REGISTERED
from nlemu.protocol.families.netfilter import netfilter
from nlemu.protocol.families.route.family import route as route_family
from nlemu.protocol.families.sock_diag import sock_diag
from nlemu.protocol.families.xfrm import xfrm
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.family import Family, Operation
from nlemu.protocol.uapi.genetlink import GENL_ID_CTRL, GENL_START_ALLOC
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.netlink.call import Call

log = logging.getLogger(__name__)

# Groups that are never given out: 0 does not exist, drop_monitor helps itself to 1, and three families have their own
# number as their group (mc_group_start of net/netlink/genetlink.c).
RESERVED_GROUPS = frozenset({0, 1, 16, 17, 18})
MESSAGES = {family.name: family for family in (route_family, sock_diag, xfrm, netfilter)}
"""Families of messages that are a protocol each, and no generic netlink family."""
ROVER = -4097  # automatic port ids beyond the first are random, from here down (netlink_autobind())


class Ports:
    """The port ids of one machine: taken once a namespace and protocol."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.taken: dict[tuple[Net, int, int], Endpoint] = {}

    def bind(self, endpoint: Endpoint, portid: int, pid: int) -> int:
        """Takes ``portid``; or, where it is 0, ``pid`` or else a free one (netlink_bind(), netlink_autobind()).

        Returns it as an unsigned 32-bit number. Raises OSError(EADDRINUSE).
        """
        where = endpoint.net, endpoint.protocol
        if portid:
            if (*where, portid) in self.taken:
                raise OSError(errno.EADDRINUSE, f"port {portid} is taken")
        else:
            portid = pid
            while not portid or (*where, portid) in self.taken:
                portid = self.machine.random.randint(-(1 << 31), ROVER) & 0xFFFFFFFF
        self.taken[*where, portid] = endpoint
        return portid

    def free(self, endpoint: Endpoint) -> None:
        """Gives the endpoint's port id back."""
        self.taken.pop((endpoint.net, endpoint.protocol, endpoint.portid), None)

    def find(self, net: Net, protocol: int, portid: int) -> Endpoint | None:
        """netlink_lookup()."""
        return self.taken.get((net, protocol, portid))

    def __iter__(self) -> Iterator[Endpoint]:
        """Every open socket."""
        return iter(tuple(self.taken.values()))


class Machine(Kernel):
    """A kernel with netlink.

    Takes what the kernel takes: the number of ``cpus``, the ``seed`` of its randomness, which ``netdevsim`` it has,
    which ``build`` it is;
    and ``families``, numbers by name for those that are to differ from the recorded machine's.
    """

    def __init__(
        self, *, cpus: int = 2, seed: int = 0, families: Mapping[str, int] | None = None, netdevsim: str = "plain",
        build: Build = DEFAULT,
    ) -> None:
        super().__init__(cpus=cpus, seed=seed, netdevsim=netdevsim, build=build)
        self.ports = Ports(self)
        self.multicast = Multicast()
        self.bugs = 0
        self.numbers: dict[Family, int] = {}
        self.families_by_number: dict[int, Family] = {}
        self.group_ids: dict[tuple[Family, str], int] = {}
        self.privileged_groups: set[int] = set()
        """Groups of generic netlink families that want CAP_NET_ADMIN of who listens."""
        self.devmem = Devmem()
        self.faults = Faults()
        self.ethtool = EthtoolNotify(self)
        for family in REGISTERED:
            self.register(family, (families or {}).get(family.name))
        self.protocols = protocols_of(build)
        """By number: what a socket can be opened for."""
        self.not_emulated: dict[str, int] = {}
        """What was asked of us that such a kernel would have done and we do not, and how often."""
        self.processes: list[Callable[[int], Net | None]] = []
        """Who can tell in which namespace a process is: supervisors of real ones. None: not known to that one."""
        announcements.listen(self)

    # -- families -----------------------------------------------------------------------------

    def register(self, family: Family, number: int | None = None) -> None:
        """genl_register_family(): gives the family a number and its groups theirs."""
        if number is None:
            number = GENL_ID_CTRL if not self.numbers else max(GENL_START_ALLOC - 1, *self.numbers.values()) + 1
        self.numbers[family] = number
        self.families_by_number[number] = family
        if number == GENL_ID_CTRL:
            first = GENL_ID_CTRL
        else:
            taken = RESERVED_GROUPS | set(self.group_ids.values())
            first = 2
            while not taken.isdisjoint(range(first, first + len(family.groups))):
                first += 1
        for index, group in enumerate(family.groups):
            self.group_ids[family, group] = first + index
            if group in family.privileged:
                self.privileged_groups.add(first + index)

    def number(self, op: Operation) -> int:
        """nlmsg_type of the operation's replies: the family's number, or the message type itself."""
        number = self.numbers.get(op.family)
        return op.reply_cmd if number is None else number

    def family(self, name: str) -> Family | None:
        """genl_family_find_byname()."""
        return next((family for family in self.numbers if family.name == name), None)

    def notify_group(
        self, net: Net, op: Operation, build: Callable[[], bytes], origin: Call | None = None
    ) -> None:
        """Sends a notification of a generic netlink family to the group it is declared for."""
        assert op.group is not None
        group = self.group_ids[op.family, op.group]
        self.multicast.notify(net, int(NetlinkProtocol.GENERIC), group, build, origin)

    def operation(self, name: str) -> Operation | None:
        """The operation that can be asked for by a name such as "netdev.queue-create" or "route.newlink"."""
        family_name, _, op_name = name.partition(".")
        family = MESSAGES.get(family_name) or self.family(family_name)
        operations = {} if family is None else family.operations
        return next((op for op in operations.values() if op.name == op_name), None)

    # -- what we do not do --------------------------------------------------------------------

    def refuse_not_emulated(self, what: str) -> NoReturn:
        """Refuses a request that the kernel would have met and we do not: Refusal EOPNOTSUPP, with a text that names
        us. what: protocol and message, "xfrm newsa"; it is logged the first time, counted, and listed by
        `nlemu ctl state`, so that a user knows that it was not the kernel who refused."""
        self.note_not_emulated(what)
        raise Refusal(errno.EOPNOTSUPP, f"nlemu: {what} is not emulated")

    def note_not_emulated(self, what: str) -> None:
        """The same where there is no way to refuse: nothing happens."""
        if what not in self.not_emulated:
            log.warning("not emulated: %s", what)
        self.not_emulated[what] = self.not_emulated.get(what, 0) + 1

    # -- sockets ------------------------------------------------------------------------------

    def released(self, endpoint: Endpoint) -> None:
        """A socket was closed: families that keep something for it let it go (genl_release())."""
        self.devmem.released(endpoint)
