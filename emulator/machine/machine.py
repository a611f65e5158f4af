"""The machine: a kernel, and netlink on top of it.

The model (emulator/kernel) knows nothing of messages. Here is what netlink itself keeps: which ports are taken, who
listens to which group, which protocols there are and who receives for them; and the
announcer through which the model's news become notifications.

What a protocol needs is made when its first socket opens (emulator/netlink/protocol.py), and imported not before. So
whatever is imported inside of functions here is declarations and handlers.
"""

from __future__ import annotations

import errno
import logging
from collections import deque as Deque
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakSet

from nlemu.emulator.handlers.announcements import Announcements
from nlemu.emulator.handlers.uevent import KERNEL_GROUP, KOBJECT_UEVENT
from nlemu.emulator.kernel.core.build import DEFAULT, Build
from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.queues.devmem import Devmem
from nlemu.emulator.machine.faults.notices import Notices
from nlemu.emulator.machine.faults.requests import Faults
from nlemu.emulator.machine.protocols import protocols_of
from nlemu.emulator.netlink.multicast import Multicast
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import KernelMsg

if TYPE_CHECKING:
    from nlemu.emulator.handlers.devlink.notify import DevlinkNotify
    from nlemu.emulator.handlers.ethtool.common import EthtoolNotify
    from nlemu.emulator.handlers.netdev.notify import NetdevNotify
    from nlemu.emulator.handlers.team import TeamNotify
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.machine.families import Families
    from nlemu.emulator.machine.faults.fault import Fault
    from nlemu.emulator.machine.tally import Tally
    from nlemu.emulator.machine.tap import Heard, Tap
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.protocol import Protocol
    from nlemu.protocol.schema.family import Operation

log = logging.getLogger(__name__)

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
        self.tap: Tap | None = None
        """Who hears all that goes over sockets."""
        self.endpoints: WeakSet[Endpoint] = WeakSet()
        """Every socket, with a port id or without; but for those that nobody hears."""
        self.remembered: Deque[Any] | None = None
        """What went over them, where somebody keeps it (script/recording.py)."""
        self.reasons: Deque[Any] = Deque()
        """Why it refused, where somebody keeps that too."""
        self.watched: Any = None
        """What was exercised of it, where somebody watches (emulator/coverage)."""
        self.refused: Callable[[Call, Refusal], object] | None = None
        """Who is told of refusals (script/explanation.py, emulator/coverage)."""
        self.bugs = 0
        self.tallies: dict[int, Tally] | None = None
        """What was asked and refused, by protocol; None: it is not counted."""
        self.devmem = Devmem()
        self.restart: Callable[[Fault], None] | None = None
        """Has a fresh machine in the place of this one soon, for a fault; who can, says so (daemon/server.py)."""
        self.faults = Faults()
        self.notices = Notices(self)
        """Faults of requests, and of notifications."""
        self.protocols = protocols_of(build)
        """By number: what a socket can be opened for."""
        self.started: set[int] = set()
        """The protocols of which there was a socket."""
        self._family_numbers = dict(families or {})
        self.netdev: NetdevNotify | None = None
        self.devlink: DevlinkNotify | None = None
        """What the netdev family tells its groups, once there are sockets that could hear it."""
        self.ethtool_notifications = 0
        """How many ethtool has sent."""
        self.not_emulated: dict[str, int] = {}
        """What was asked of us that such a kernel would have done and we do not, and how often."""
        self.processes: list[Callable[[int], Net | None]] = []
        """Who can tell in which namespace a process is: supervisors of real ones. None: not known to that one."""
        self.announcer = Announcements(self)
        self.uevents.heard = self.multicast.ask(KOBJECT_UEVENT, KERNEL_GROUP)
        self.register_notifier(Stage.ETHTOOL, self._features_changed, (NetdevEvent.FEAT_CHANGE,))

    def listen(self, hear: Callable[[Heard], object]) -> None:
        """From now on, all that goes over sockets is told to `hear` (machine/tap.py)."""
        from nlemu.emulator.machine.tap import Tap

        if self.tap is None:
            self.tap = Tap()
            for endpoint in self.endpoints:
                self.tap.follow(endpoint)
        self.tap.hearers.append(hear)

    def leave(self, hear: Callable[[Heard], object]) -> None:
        """It is told nothing any more; who was not told anyhow, neither."""
        if self.tap is None or hear not in self.tap.hearers:
            return
        self.tap.hearers.remove(hear)
        if not self.tap.hearers:
            for endpoint in self.endpoints:
                self.tap.leave(endpoint)
            self.tap = None

    # -- generic netlink ----------------------------------------------------------------------

    @cached_property
    def families(self) -> Families:
        """The families of generic netlink."""
        from nlemu.emulator.machine.families import Families

        return Families(self.multicast, self.build, self._family_numbers)

    def number(self, op: Operation) -> int:
        """nlmsg_type of the operation's replies: the family's number, or the message type itself."""
        number = self.families.numbers.get(op.family)
        return op.reply_cmd if number is None else number

    @cached_property
    def ethtool(self) -> EthtoolNotify:
        """What tells ethtool's group."""
        from nlemu.emulator.handlers.ethtool.common import EthtoolNotify

        return EthtoolNotify(self)

    @cached_property
    def team(self) -> TeamNotify:
        """What tells the team family's group."""
        from nlemu.emulator.handlers.team import TeamNotify

        return TeamNotify(self)

    def _features_changed(self, event: NetdevEvent, dev: Device, info: Info) -> None:
        """ethnl_netdev_event()."""
        self.tell_ethtool(dev, KernelMsg.FEATURES_NTF)

    def count_ethtool(self) -> int:
        """The number of the next notification of ethtool (ethnl_bcast_seq)."""
        self.ethtool_notifications = self.ethtool_notifications + 1 & 0xFFFFFFFF
        return self.ethtool_notifications

    def tell_ethtool(self, dev: Device, message: int, context: int = 0) -> None:
        """ethtool_notify(), ethtool_rss_notify(): counted even where nobody can hear of it yet."""
        if self.netdev is None:
            self.count_ethtool()
        else:
            self.ethtool.tell(dev, message, context)

    def operation(self, name: str) -> Operation | None:
        """The operation that can be asked for by a name such as "netdev.queue-create" or "route.newlink"."""
        from nlemu.protocol.families.messages import messages

        family_name, _, op_name = name.partition(".")
        family = messages().get(family_name) or self.families.find(family_name)
        operations = {} if family is None else family.operations
        return next((op for op in operations.values() if op.name == op_name), None)

    def operations(self) -> Iterator[Operation]:
        """All that can be asked for: of rtnetlink and the other protocols, then of generic netlink's families."""
        from nlemu.protocol.families.messages import messages

        for family in (*messages().values(), *self.families.numbers):
            yield from (op for op in family.operations.values() if op.do is not None or op.dump is not None)

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

    def start(self, number: int) -> Protocol:
        """The protocol that a socket is opened for. OSError EPROTONOSUPPORT (netlink_create())."""
        protocol = self.protocols.get(number)
        if protocol is None:
            raise OSError(errno.EPROTONOSUPPORT, f"the kernel has no netlink protocol {number}")
        if number not in self.started:
            start = protocol.kernel.start
            self.started.add(number)
            if start is not None:
                start(self)
        return protocol

    def released(self, endpoint: Endpoint) -> None:
        """A socket was closed: families that keep something for it let it go (genl_release())."""
        self.devmem.released(endpoint)
        if self.devlink is not None:
            self.devlink.released(endpoint)
