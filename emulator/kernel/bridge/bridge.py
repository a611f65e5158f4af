"""A bridge and its ports: struct net_bridge, struct net_bridge_port, and their timers.

A bridge is the private part of its device (`dev.priv`); a port is kept for the device that is one, under "bridge"
(`Device.attached`). Times are in hundredths of a second, as user space has them; only what a timer waits for is in
nanoseconds. Frames are forwarded as far as counters tell of them; nobody speaks the spanning tree protocol to a bridge,
so it is always the root of its tree, and its ports are all designated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.protocol.uapi.if_ import IfOper
from nlemu.protocol.uapi.if_bridge import BrBoolopt, BrState, BrStpMode, BrVlanInfo, MdbRtrType
from nlemu.protocol.uapi.if_ether import ETH_P

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlemu.emulator.kernel.bridge.mdb import Address, Group, PortGroup
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel

KEY = "bridge"
TICK = NSEC_PER_SEC // 100
"""A hundredth of a second, USER_HZ, in nanoseconds."""
STP_GROUP = bytes.fromhex("0180c2000000")
"""eth_stp_addr"""
NO_STP, KERNEL_STP, USER_STP = 0, 1, 2
"""br->stp_enabled"""
PORT_BITS = 10
"""BR_PORT_BITS: of a port's id, those that hold its number."""
MAX_PORTS = 1 << PORT_BITS
BRENTRY = int(BrVlanInfo.BRENTRY)


class PortFlag(IntEnum):
    """BR_* of include/linux/if_bridge.h: p->flags."""

    HAIRPIN_MODE = 1 << 0
    BPDU_GUARD = 1 << 1
    ROOT_BLOCK = 1 << 2
    MULTICAST_FAST_LEAVE = 1 << 3
    ADMIN_COST = 1 << 4
    LEARNING = 1 << 5
    FLOOD = 1 << 6
    PROMISC = 1 << 7
    PROXYARP = 1 << 8
    PROXYARP_WIFI = 1 << 10
    MCAST_FLOOD = 1 << 11
    MULTICAST_TO_UNICAST = 1 << 12
    VLAN_TUNNEL = 1 << 13
    BCAST_FLOOD = 1 << 14
    NEIGH_SUPPRESS = 1 << 15
    ISOLATED = 1 << 16
    LOCKED = 1 << 21
    MAB = 1 << 22
    NEIGH_VLAN_SUPPRESS = 1 << 23
    NEIGH_FORWARD_GRAT = 1 << 24
    AUTO = FLOOD | LEARNING


class Fdb(IntEnum):
    """BR_FDB_*: flags of an entry."""

    LOCAL = 1 << 0
    STATIC = 1 << 1
    STICKY = 1 << 2
    ADDED_BY_USER = 1 << 3
    ADDED_BY_EXT_LEARN = 1 << 4
    OFFLOADED = 1 << 5
    NOTIFY = 1 << 6
    NOTIFY_INACTIVE = 1 << 7
    LOCKED = 1 << 8
    DYNAMIC_LEARNED = 1 << 9


class Timer:
    """struct timer_list: runs something once, later."""

    __slots__ = ("_job", "_kernel", "_run", "expires")

    def __init__(self, kernel: Kernel, run: Callable[[], None]) -> None:
        self._kernel, self._run = kernel, run
        self._job: Job | None = None
        self.expires = 0

    def start(self, ticks: int) -> None:
        """mod_timer(): in that many hundredths of a second, whatever was said before."""
        self.stop()
        self.expires = self._kernel.clock.now + ticks * TICK
        self._job = self._kernel.work.at(self.expires, self._expired, first=True)

    def stop(self) -> None:
        """timer_delete()."""
        if self._job is not None:
            self._job.cancel()
            self._job = None

    @property
    def pending(self) -> bool:
        """timer_pending()."""
        return self._job is not None

    @property
    def left(self) -> int:
        """br_timer_value(): in hundredths of a second, 0 for one that does not run."""
        return 0 if self._job is None else max(0, self.expires - self._kernel.clock.now) // TICK

    def _expired(self) -> None:
        self._job = None
        self._run()


def _nothing() -> None:
    """Of a timer that is not made yet."""


class PortMulticast:
    """struct net_bridge_mcast_port: what is known of multicast behind a port, or behind it in one VLAN. router: whether
    a router is believed to be there, of MdbRtrType; families: of which one is (ip4_rlist, ip6_rlist); timers: until
    when, by family (routers.py); max_groups: how many groups there may be, 0 for any number."""

    __slots__ = ("families", "max_groups", "port", "router", "timers", "vlan")

    def __init__(self, port: Port, vlan: Vlan | None = None) -> None:
        self.port, self.vlan = port, vlan
        self.router = int(MdbRtrType.TEMP_QUERY)
        self.max_groups = 0
        self.families: set[int] = set()
        self.timers: dict[int, Timer] = {}

    @property
    def vid(self) -> int:
        """The VLAN's number, 0 for none."""
        return 0 if self.vlan is None else self.vlan.vid

    @property
    def brmctx(self) -> Multicast:
        """br_multicast_port_ctx_get_global(): what holds for the bridge, or for that VLAN of it."""
        return self.port.bridge.multicast if self.vlan is None else self.vlan.brmctx

    @property
    def groups(self) -> int:
        """br_multicast_ngroups_get(): of how many groups there is somebody."""
        if self.vlan is None:
            return len(self.port.groups)
        return sum(one.address.vid == self.vlan.vid for one in self.port.groups)

    @property
    def disabled(self) -> bool:
        """br_multicast_port_ctx_state_disabled()."""
        vlan = self.vlan
        return self.port.state == BrState.DISABLED or (
            vlan is not None and (not vlan.snooped or vlan.state == BrState.DISABLED)
        )


@dataclass(slots=True)
class VlanCounts:
    """struct pcpu_sw_netstats of a VLAN."""

    rx_bytes: int = 0
    rx_packets: int = 0
    tx_bytes: int = 0
    tx_packets: int = 0


@dataclass(slots=True, eq=False)
class Vlan:
    """struct net_bridge_vlan: a VLAN on a port or on the bridge itself. flags: BrVlanInfo; master: of a port's, the
    bridge's of the same number; users: how many ports, and the bridge itself, want one of the bridge's; tunnel: the
    number of the tunnel that it is, None for none; state: of BrState; msti: of the bridge's, in which spanning tree it
    is; snooped: groups are looked at in it (BR_VLFLAG_MCAST_ENABLED); wanted: of the bridge's, they are to be
    (BR_VLFLAG_GLOBAL_MCAST_ENABLED); mcast: of the bridge's, how; port_mcast: of a port's, what was found; counts: what
    has come in and gone out, which those of ports share with the bridge's unless they are counted apart."""

    vid: int
    flags: int
    owner: Bridge | Port
    master: Vlan | None = None
    users: int = 0
    tunnel: int | None = None
    state: int = int(BrState.FORWARDING)
    msti: int = 0
    snooped: bool = False
    wanted: bool = True
    neigh_suppress: bool = False
    neigh_forward_grat: bool = False
    mcast: Multicast = field(default_factory=lambda: Multicast())
    port_mcast: PortMulticast | None = None
    counts: VlanCounts = field(default_factory=VlanCounts)

    @property
    def used(self) -> bool:
        """br_vlan_should_use(): one of the bridge's may be there for its ports alone."""
        return isinstance(self.owner, Port) or self.flags & BRENTRY != 0

    @property
    def brmctx(self) -> Multicast:
        """How groups are looked at in it, by the bridge's VLAN of that number."""
        return self.mcast if self.master is None else self.master.mcast


class VlanGroup:
    """struct net_bridge_vlan_group. pvid: that of frames without a tag, 0 for none; count: those in use."""

    __slots__ = ("by_id", "count", "pvid")

    def __init__(self) -> None:
        self.by_id: dict[int, Vlan] = {}
        self.pvid = 0
        self.count = 0

    def __iter__(self) -> Iterator[Vlan]:
        """By number, as of when the walk began."""
        return iter([self.by_id[vid] for vid in sorted(self.by_id)])

    def find(self, vid: int) -> Vlan | None:
        """br_vlan_find()."""
        return self.by_id.get(vid)


@dataclass(slots=True, eq=False)
class Entry:
    """struct net_bridge_fdb_entry: a line of the forwarding table. port: None is the bridge itself; flags: Fdb;
    updated, used: when, in nanoseconds since boot; number: later ones have higher ones."""

    address: bytes
    vid: int
    port: Port | None
    flags: int
    updated: int
    used: int
    number: int


@dataclass(slots=True)
class Multicast:
    """struct net_bridge_mcast: how a bridge, or a VLAN of it, looks at groups. Two are equal when all is the same
    (br_multicast_ctx_options_equal())."""

    router: int = MdbRtrType.TEMP_QUERY
    querier: bool = False
    last_member_count: int = 2
    startup_query_count: int = 2
    last_member_interval: int = 100
    membership_interval: int = 26000
    querier_interval: int = 25500
    query_interval: int = 12500
    query_response_interval: int = 1000
    startup_query_interval: int = 3125
    igmp_version: int = 2
    mld_version: int = 1


class Bridge:
    """struct net_bridge. ports: by their devices, the newest first; free_numbers: those that no port has, as a heap;
    filtering: of the ports, those that do not take all frames; id, root: priority and address, 8 bytes each; fdb: the
    forwarding table; entries: what of it is the bridge's own; vlans: None where the kernel is built without them;
    vlan_binding: a VLAN device's link follows its ports; options: BrBoolopt, those that are on; snooping: groups are
    looked at; query_use_ifaddr, multicast_stats: of queries, and that they are counted; hash_max: how many groups there
    may be."""

    def __init__(self, dev: Device) -> None:
        self.dev = dev
        self.ports: list[Port] = []
        self.free_numbers = list(range(1, MAX_PORTS))
        self.filtering: list[Port] = []
        self.id = self.root = b"\x80\0" + bytes(6)
        self.root_port = 0
        self.root_path_cost = 0
        self.stp = NO_STP
        self.stp_mode = int(BrStpMode.AUTO)
        self.max_age = self.bridge_max_age = 2000
        self.hello_time = self.bridge_hello_time = 200
        self.forward_delay = self.bridge_forward_delay = 1500
        self.ageing_time = self.bridge_ageing_time = 30000
        self.topology_change = False
        self.topology_change_detected = False
        self.group_fwd_mask = 0
        self.group_addr = STP_GROUP
        self.group_addr_set = False
        self.mtu_set_by_user = False
        self.auto_count = 0
        self.fdb: dict[tuple[bytes, int], Entry] = {}
        self.fdb_made = 0
        self.entries: set[Entry] = set()
        self.max_learned = 0
        self.vlans: VlanGroup | None = None
        self.vlan_filtering = False
        self.vlan_protocol = ETH_P.VLAN_8021Q
        self.default_pvid = 0
        self.vlan_stats = False
        self.vlan_stats_per_port = False
        self.vlan_binding = False
        self.options = 0
        self.multicast = Multicast()
        self.snooping = True
        self.query_use_ifaddr = False
        self.multicast_stats = False
        self.hash_max = 4096
        self.mdb: dict[Address, Group] = {}
        self.hello_timer = self.tcn_timer = self.topology_change_timer = self.gc = Timer(dev.kernel, _nothing)

    def has(self, option: BrBoolopt) -> bool:
        """br_opt_get() of an option that user space may switch."""
        return bool(self.options >> option & 1)

    @property
    def is_root(self) -> bool:
        """br_is_root_bridge()."""
        return self.id == self.root

    @property
    def hold_time(self) -> int:
        """hold_time(): how long what was learned is believed."""
        return self.forward_delay if self.topology_change else self.ageing_time


@dataclass(slots=True)
class StpCounts:
    """struct bridge_stp_xstats of a port, without what it receives, which is nothing."""

    transition_blk: int = 0
    transition_fwd: int = 0
    tx_bpdu: int = 0


class Port:
    """struct net_bridge_port. flags: PortFlag; id, number, priority, cost: of the spanning tree protocol; designated_*:
    what it believes of the tree; entries: of the forwarding table, what is behind it; backup: to which frames go while
    it has no carrier."""

    def __init__(self, bridge: Bridge, dev: Device, number: int, cost: int) -> None:
        self.bridge, self.dev, self.number, self.cost = bridge, dev, number, cost
        self.priority = 0x8000 >> PORT_BITS
        self.id = 0
        self.flags = 0
        self.state = int(BrState.DISABLED)
        self.designated_root = self.designated_bridge = bytes(8)
        self.designated_cost = self.designated_port = 0
        self.topology_change_ack = False
        self.config_pending = False
        self.group_fwd_mask = 0
        self.multicast = PortMulticast(self)
        self.eht_hosts_limit = 512
        self.groups: list[PortGroup] = []
        self.entries: set[Entry] = set()
        self.backup: Port | None = None
        self.backup_nhid = 0
        self.vlans: VlanGroup | None = None
        self.stp_counts = StpCounts()
        self.message_age_timer = self.forward_delay_timer = self.hold_timer = Timer(dev.kernel, _nothing)

    @property
    def designated(self) -> bool:
        """br_is_designated_port()."""
        return self.designated_bridge == self.bridge.id and self.designated_port == self.id

    @property
    def usable(self) -> bool:
        """netif_running() and netif_oper_up()."""
        return oper_up(self.dev)


def oper_up(dev: Device) -> bool:
    """netif_running() and netif_oper_up(): it is up and its link as well, as far as anybody knows."""
    return dev.running and dev.operstate in (IfOper.UP, IfOper.UNKNOWN)


def bridge_of(dev: Device) -> Bridge | None:
    """netif_is_bridge_master(): the bridge that the device stands for."""
    return dev.priv if isinstance(dev.priv, Bridge) else None


def port_of(dev: Device) -> Port | None:
    """br_port_get_rtnl(): the port that the device is."""
    port: Port | None = dev.attached.get(KEY)
    return port

