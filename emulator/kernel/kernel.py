"""The machine: what all namespaces share.

One Kernel is one machine that has just booted: one namespace called "init", with a loopback device that is down.
Nothing is global, so a process may run many.

What happens later than the request that caused it (link-watch, the tear-down of a namespace, timers) is a job on
`work`. Whoever drives the kernel calls `settle()` after each request has been answered, and `advance()` to let time
pass; nothing else moves the clock.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from errno import ENOSPC
from functools import cached_property
from typing import TYPE_CHECKING

from nlemu.emulator.kernel import cleanup, rules_families
from nlemu.emulator.kernel.core.build import DEFAULT, Build
from nlemu.emulator.kernel.core.chain import Chain
from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC, Clock
from nlemu.emulator.kernel.core.events import Announcer, Info, NetdevEvent, Notifier, NullAnnouncer, Stage
from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.core.uevents import Uevents
from nlemu.emulator.kernel.core.work import Job, Work
from nlemu.emulator.kernel.devices import announce
from nlemu.emulator.kernel.devices.link_watch import LinkWatch
from nlemu.emulator.kernel.devices.netdev_work import NetdevWork
from nlemu.emulator.kernel.inet.neighbour import Sending
from nlemu.emulator.kernel.inet.neighbour_parms import PARMS, TableParms
from nlemu.emulator.kernel.ipv4 import arp, nexthop
from nlemu.emulator.kernel.ipv4.device import on_event4
from nlemu.emulator.kernel.ipv6 import ndisc, packets
from nlemu.emulator.kernel.ipv6.device import on_event6
from nlemu.emulator.kernel.links import Kinds, loopback, place
from nlemu.emulator.kernel.mpls import device as mpls
from nlemu.emulator.kernel.queues import provider
from nlemu.emulator.kernel.queues.napi import NapiTable
from nlemu.emulator.kernel.queues.page_pool import PagePools
from nlemu.emulator.kernel.queues.xdp import XdpPrograms
from nlemu.emulator.kernel.queues.xsk import XdpSockets

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import Kind
    from nlemu.emulator.kernel.devices.ptp import PtpClocks
    from nlemu.emulator.kernel.nics.netdevsim.bus import Bus
    from nlemu.emulator.kernel.nics.nics import Nics

MOST_DEVICES, MOST_NAMESPACES = 200_000, 50_000
"""Ours: Linux has as many as there is memory for, or as an administrator allows (user.max_net_namespaces). So many
dummies take 1.2 GB here, and so many namespaces with nothing but lo 0.75 GB: docs/security.md."""

INIT_NET_COOKIE = 7  # NET_NS_INIT_ID
INIT_NET_INO = 4026531833
"""The first namespace's numbers are fixed (include/uapi/linux/nsfs.h); later ones count up from there here."""


class Kernel:
    """One machine. cpus: how many; seed: of all that is random; netdevsim: "plain" or "dma", which of the two
    netdevsim drivers it has; build: which Linux it is.

    init_net; nets: the namespaces that have a name of ours, by that; kinds: of links,
    by name; announcer: assign one's own to hear of links, ids and page pools; napis, page_pools: the ids of those;
    random: seeded; clock, work, link_watch: see there."""

    def __init__(
        self, *, cpus: int = 2, seed: int = 0, netdevsim: str = "plain", build: Build = DEFAULT
    ) -> None:
        self.build = build
        self.cpus = cpus
        self.netdevsim = netdevsim
        self.seed = seed
        self.random = random.Random(seed)
        self.clock = Clock()
        self.work = Work(self.clock)
        self.announcer: Announcer = NullAnnouncer()
        self.uevents = Uevents(self)
        self.chain = Chain()
        self.link_watch = LinkWatch(self.clock, self.work)
        self.netdev_work = NetdevWork(self.work)
        self.kinds = Kinds(build, {"netdevsim": _netdevsim})
        self.neighbour_parms = {family: TableParms(family) for family in PARMS}
        self.neighbour_tables = {table.family: table for table in (arp.TABLE, ndisc.TABLE)}
        self.napis = NapiTable()
        self.page_pools = PagePools(self)
        self.xdp = XdpPrograms()
        self.xsk = XdpSockets()
        self.sending: Sending | None = None
        """Of the packet to a group that is being sent, while it is. Who hands frames on asks who listens to that."""
        self.bridged: set[Device] = set()
        """The ports of bridges at which a frame that goes on has come in, while it does."""
        self.backlog: deque[tuple[Device, int, bytes]] = deque()
        """Where it arrives next: at which device, of how many bytes, from which address."""
        self.tag = 0
        """Of which protocol the tag is that it has beside it; 0: none."""
        self.receive: Callable[[Device, int], None] = packets.receive
        """What becomes of a packet to a group, of that many bytes, at the device whose it is."""
        self.new_fib_table = rules_families.new_table
        """fib_new_table(), fib6_new_table(): of both families, where they have several."""
        self.lead_to_domains = rules_families.lead_to_domains
        """Makes the rules by which each packet is looked up in its domain (links/vrf.py)."""
        self.uninstallers: tuple[Callable[[Device], None], ...] = (self.xdp.uninstall, provider.uninstall_all)
        """What programs put on a device and unregister_netdevice_many() takes off before anyone hears that it goes."""
        self.tap_minors: dict[Device, int] = {}
        """The minor number of each character device tapN, by the link that it is of (links/tap.py)."""
        self.register_notifier(Stage.RTNETLINK, announce.on_event, announce.ANNOUNCED)
        self.register_notifier(Stage.PAGE_POOL, self.page_pools.on_event, (NetdevEvent.UNREGISTER,))
        self.register_notifier(Stage.NEXTHOP, nexthop.on_event, nexthop.EVENTS)
        self.register_notifier(Stage.IPV4, on_event4)
        self.register_notifier(Stage.XSK, self.xsk.on_event, (NetdevEvent.UNREGISTER,))
        self.register_notifier(Stage.IPV6, on_event6)
        if build.has(mpls.OPTION):
            self.register_notifier(Stage.MPLS, mpls.on_event, mpls.EVENTS)
        self.most_devices, self.most_namespaces = MOST_DEVICES, MOST_NAMESPACES
        self.device_count = 0
        self.nets: dict[str, Net] = {}
        self.alive: dict[Net, None] = {}
        """net_namespace_list: all that are not being torn down, nameless ones too, in the order of their making."""
        self.dying: list[Net] = []
        """Namespaces that nobody holds any more, in the order in which they were let go."""
        self._made = 0
        self.firmware: set[str] = set()
        """Names of files that drivers can write to their devices (request_firmware())."""
        self.firmware_elsewhere: Callable[[str], bool] | None = None
        """Whether there is such a file in a folder that the kernel knows nothing of."""
        self.init_net = self.new_net("init")
        self.uevents.seqnum = build.boot_uevents

    # Drivers

    @cached_property
    def netdevsim_bus(self) -> Bus:
        """The bus of netdevsim's devices."""
        from nlemu.emulator.kernel.nics.netdevsim.bus import Bus

        return Bus(self)

    @cached_property
    def ptp_clocks(self) -> PtpClocks:
        """The clocks of devices."""
        from nlemu.emulator.kernel.devices.ptp import PtpClocks

        return PtpClocks(self)

    @cached_property
    def nics(self) -> Nics:
        """The NICs that are plugged."""
        from nlemu.emulator.kernel.nics.nics import Nics

        return Nics(self)

    def load(self, kind: Kind) -> None:
        """A device of that kind is about to be registered: its driver has to be there."""
        if kind not in self.chain.loaded:
            if kind.needs:
                self.load(self.kinds[kind.needs])
            self.chain.load(kind, place(kind))

    # Namespaces

    def new_net(self, name: str) -> Net:
        """copy_net_ns(): a new namespace of that name, held once. ValueError when the name is taken; OSError ENOSPC
        when there are too many."""
        if name in self.nets:
            raise ValueError(f"there is a namespace {name!r} already")
        if len(self.alive) >= self.most_namespaces or self.device_count >= self.most_devices:
            raise OSError(ENOSPC, f"there are {len(self.alive)} namespaces and {self.device_count} devices")
        net = Net(self, name, INIT_NET_COOKIE + self._made, INIT_NET_INO + self._made)
        self._made += 1
        self.nets[name] = net
        self.alive[net] = None
        loopback.create(net)
        return net

    def name_net(self, net: Net, name: str) -> None:
        """A namespace that somebody holds gets a name, and is held for it. ValueError when the name is taken."""
        if name in self.nets:
            raise ValueError(f"there is a namespace {name!r} already")
        net.hold()
        net.name = name
        self.nets[name] = net

    def unname_net(self, name: str) -> Net:
        """The namespace loses its name, and whoever asked has the reference that went with it. KeyError when there is
        none of that name."""
        return self.nets.pop(name)

    def delete_net(self, name: str) -> None:
        """The namespace loses its name, and the reference that new_net() gave. When nobody else holds it, it is torn
        down, later. KeyError when there is none of that name."""
        self.unname_net(name).release()

    def queue_cleanup(self, net: Net) -> None:
        """__put_net(): called by the namespace itself when nobody holds it any more."""
        if not self.dying:
            self.work.defer(self._cleanup)
        self.dying.append(net)

    def _cleanup(self) -> None:
        dying, self.dying = self.dying, []
        # The kernel's list is a stack: the last one let go is the first to be torn down.
        cleanup.cleanup_nets(self, dying[::-1])

    # Events

    def register_notifier(
        self, stage: Stage, notifier: Notifier, events: Iterable[NetdevEvent] = NetdevEvent
    ) -> None:
        """register_netdevice_notifier(): puts it behind those of its stage and of earlier ones. events: those that it
        heeds; of others it is not told. Without the replay for devices that exist: all parts register at boot."""
        self.chain.register(stage, notifier, events)

    def notify(self, event: NetdevEvent, dev: Device, info: Info | None = None) -> None:
        """call_netdevice_notifiers(): in the chain's order. A Refusal of a notifier ends it and comes out."""
        if info is None:
            info = NO_INFO
        for _, _, notifier in self.chain.events[event]:
            notifier(event, dev, info)

    # Time

    @property
    def boottime(self) -> float:
        """Seconds since boot."""
        return self.clock.now / NSEC_PER_SEC

    def defer(self, work: Callable[[], None]) -> Job:
        """schedule_work(): runs after the request at hand."""
        return self.work.defer(work)

    def call_later(self, seconds: float, work: Callable[[], None]) -> Job:
        """schedule_delayed_work(): runs when that much time has passed."""
        return self.work.at(self.clock.now + round(seconds * NSEC_PER_SEC), work)

    def settle(self) -> None:
        """Runs what is due: after the replies to a request, and before the next."""
        self.work.settle()

    def advance(self, seconds: float) -> None:
        """Time passes, and timers run as they become due."""
        self.work.advance(seconds)


def _netdevsim() -> Kind:
    from nlemu.emulator.kernel.nics.netdevsim.bus import NETDEVSIM

    return NETDEVSIM


NO_INFO = Info()
