"""A network device: struct net_device, as far as user space can see it.

A device knows itself and the namespace it is in; everything that happens to it is a verb elsewhere (register.py,
flags.py, rename.py, move.py ...), because the order of a verb's steps and of what is told to whom is the kernel's and
worth a place of its own. Whoever changes a field that a message shows calls `changed()`: messages are encoded once a
revision. A change that shows in another device (an ifindex seen as its peer's IFLA_LINK) bumps that device too.

There may be tens of thousands of devices, so they have slots, share their driver, and make what is seldom looked at
when it is first asked for.

Names and aliases are text whose bytes on the wire are UTF-8 with surrogateescape, so that any bytes come back as they
came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.queue import Queues, RxQueue, TxQueue
from nlemu.emulator.kernel.devices.rss import Spread
from nlemu.emulator.kernel.devices.states import (
    IF_OPER_DOWN,
    AddressAssignment,
    NameAssignment,
    NetmemTx,
    RegState,
)
from nlemu.protocol.uapi.if_ether import ETH_HLEN, VLAN_HLEN
from nlemu.protocol.uapi.netdevice import (
    GRO_LEGACY_MAX_SIZE,
    GSO_LEGACY_MAX_SIZE,
    GSO_MAX_SEGS,
    TSO_LEGACY_MAX_SIZE,
    TSO_MAX_SEGS,
)

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.kind import Kind
    from nlemu.emulator.kernel.devices.ops import DeviceOps
    from nlemu.emulator.kernel.ipv4.device import InetDevice
    from nlemu.emulator.kernel.ipv6.device import Inet6Device
    from nlemu.emulator.kernel.kernel import Kernel
    from nlemu.emulator.kernel.mpls.device import MplsDevice
    from nlemu.emulator.kernel.queues.napi import Napi, NapiConfig
    from nlemu.emulator.kernel.queues.page_pool import PagePool


ALONE: dict[Device, None] = {}
"""The neighbours of a device that has none above or below, which is most of them; never written to."""


NO_ADDRESSES: dict[bytes, int] = {}
RX_HANDLER = "rx_handler"
"""Under this key a device keeps who takes the frames that come to it (rx_handler.py)."""
NOTHING: dict[str, Any] = {}
"""The like of it, of most devices."""


@dataclass(slots=True)
class Config:
    """struct netdev_config: what ethtool's rings keep for the stack."""

    hds_thresh: int = 0
    hds_config: int = 0


@dataclass(slots=True)
class Stats:
    """struct rtnl_link_stats64, in its order."""

    rx_packets: int = 0
    tx_packets: int = 0
    rx_bytes: int = 0
    tx_bytes: int = 0
    rx_errors: int = 0
    tx_errors: int = 0
    rx_dropped: int = 0
    tx_dropped: int = 0
    multicast: int = 0
    collisions: int = 0
    rx_length_errors: int = 0
    rx_over_errors: int = 0
    rx_crc_errors: int = 0
    rx_frame_errors: int = 0
    rx_fifo_errors: int = 0
    rx_missed_errors: int = 0
    tx_aborted_errors: int = 0
    tx_carrier_errors: int = 0
    tx_fifo_errors: int = 0
    tx_heartbeat_errors: int = 0
    tx_window_errors: int = 0
    rx_compressed: int = 0
    tx_compressed: int = 0
    rx_nohandler: int = 0
    rx_otherhost_dropped: int = 0

    def sent(self, size: int) -> None:
        """One more frame, of that many bytes, went out."""
        self.tx_packets += 1
        self.tx_bytes += size

    def received(self, size: int) -> None:
        """One more came in."""
        self.rx_packets += 1
        self.rx_bytes += size


@dataclass(slots=True, frozen=True)
class Parent:
    """dev->dev.parent: what makes a device a physical one. IFLA_PARENT_DEV_NAME and IFLA_PARENT_DEV_BUS_NAME. place:
    its directory below /sys/devices, "" where that is its name."""

    name: str
    bus: str | None
    place: str = ""


@dataclass(slots=True, frozen=True)
class DevlinkPort:
    """What IFLA_DEVLINK_PORT shows of a devlink port: the handle's bus, device and number (DEVLINK_ATTR_INDEX), and
    the port's index."""

    bus: str
    dev: str
    instance: int
    index: int


UNSPREAD = Spread()


class Device:
    """struct net_device. Made by `register.alloc_device()`."""

    __slots__ = (
        "_stats", "addr_assign_type", "addr_len", "address", "allmulti", "altnames", "attached", "broadcast",
        "carrier_down_count", "carrier_up_count", "cfg", "change_proto_down", "dev_id", "devlink_port",
        "dormant", "features", "flags", "gflags", "global_groups", "gro_flush_timeout", "gro_ipv4_max_size",
        "gro_max_size", "group", "gso_ipv4_max_size", "gso_max_segs", "gso_max_size", "gso_partial_features",
        "hard_header_len", "hw_counts", "hw_features", "ifalias", "ifindex", "ip4", "ip6", "isatap", "kernel", "kind",
        "link_mode", "linkwatch_pending",
        "live_address_change", "lowers", "map", "master", "max_mtu", "max_pacing_offload_horizon", "min_mtu",
        "mpls", "mtu", "multicast", "name", "name_assign_type", "napi_config", "napi_defer_hard_irqs",
        "napi_list", "needed_headroom", "needed_tailroom", "net", "netmem_tx", "netns_immutable", "no_addrconf",
        "no_carrier", "no_queue", "no_rx_handler", "num_rx_queues", "num_tx_queues", "operstate",
        "ops", "page_pools", "parent", "perm_address", "present", "priv", "promiscuity",
        "proto_down", "proto_down_reason", "qdisc", "queue_mgmt_ops", "queued_bytes", "queued_packets",
        "real_num_rx_queues", "real_num_tx_queues", "reg_state", "request_ops_lock", "revision",
        "rtnl_link_initializing", "running", "rx", "seen_by", "spread", "testing", "threaded", "told", "tso_max_segs",
        "tso_max_size", "tx", "tx_active", "txqlen", "type", "uevent_sent", "unicast",
        "unicast_filter", "unicast_promiscuous", "unregister_queued", "uppers", "vlan_features", "wanted_features",
        "xdp_features", "xdp_zc_max_segs",
    )

    def __init__(self, kernel: Kernel, net: Net, name: str, ops: DeviceOps) -> None:
        self.kernel = kernel
        self.net = net
        self.ops = ops
        self.priv: Any = None
        """The driver's own (netdev_priv())."""
        self.kind: Kind | None = None
        """dev->rtnl_link_ops: the kind it was created as."""
        self.revision = 0
        """Grows with every change that a message may show."""

        # Identity
        self.name = name
        self.name_assign_type = NameAssignment.UNKNOWN
        self.ifindex = 0
        """0 before it is registered, or the index that is wanted."""
        self.altnames: tuple[str, ...] = ()
        self.ifalias = ""
        self.hw_counts: dict[str, int] | None = None
        """Statistics of what hardware routes were asked for."""
        self.group = 0
        self.type = 0
        self.dev_id = 0
        """Tells devices apart that share their address."""
        self.parent: Parent | None = None
        self.devlink_port: DevlinkPort | None = None

        # Flags and states
        self.flags = 0
        """IFF_*, those that are kept; `flags.get_flags()` is what user space sees."""
        self.gflags = 0
        """The IFF_PROMISC and IFF_ALLMULTI that user space asked for."""
        self.reg_state = RegState.UNINITIALIZED
        self.running = False
        """__LINK_STATE_START."""
        self.present = False
        """__LINK_STATE_PRESENT; from registration on."""
        self.no_carrier = False
        """__LINK_STATE_NOCARRIER."""
        self.dormant = False
        self.testing = False
        self.linkwatch_pending = False
        """__LINK_STATE_LINKWATCH_PENDING."""
        self.operstate = 0
        """IF_OPER_*; user space sees IF_OPER_DOWN while the device is not running."""
        self.link_mode = 0
        self.carrier_up_count = 0
        self.carrier_down_count = 0
        self.promiscuity = 0
        self.allmulti = 0
        self.unicast = NO_ADDRESSES
        """Addresses beside its own that frames are let in for, and how many want each (dev->uc; rx_mode.py)."""
        self.multicast = NO_ADDRESSES
        """The same of groups (dev->mc)."""
        self.unicast_promiscuous = False
        """It is promiscuous for their sake (dev->uc_promisc)."""
        self.global_groups: frozenset[bytes] = frozenset()
        """Groups that SIOCADDMULTI asked for."""
        self.proto_down = False
        self.proto_down_reason = 0
        self.rtnl_link_initializing = False
        """It is being created and has not been announced."""
        self.uevent_sent = False
        """User space was told that it is there."""
        self.unregister_queued = False
        """On a list of devices to unregister."""

        # Private flags, those that matter
        self.live_address_change = False
        """IFF_LIVE_ADDR_CHANGE."""
        self.no_queue = False
        """IFF_NO_QUEUE."""
        self.no_rx_handler = False
        """IFF_NO_RX_HANDLER: nobody can take its frames."""
        self.unicast_filter = False
        """IFF_UNICAST_FLT: it can filter by several addresses."""
        self.isatap = False
        """IFF_ISATAP."""
        self.netns_immutable = False
        self.no_addrconf = False
        """IFF_NO_ADDRCONF: it has no IPv6 addresses by itself."""
        self.change_proto_down = False
        self.netmem_tx = NetmemTx.NONE
        self.request_ops_lock = False
        self.queue_mgmt_ops = False
        """Whether dev->queue_mgmt_ops is set."""
        self.spread = UNSPREAD
        """What is kept of how packets are spread over queues (rss.py); there is one empty for all devices."""

        # Addresses, addr_len bytes each; perm_address is shown unless it is all zeros
        self.addr_len = 0
        self.address = b""
        self.broadcast = b""
        self.perm_address = b""
        self.addr_assign_type = AddressAssignment.PERM

        # Sizes
        self.mtu = 0
        self.min_mtu = 0
        self.max_mtu = 0
        self.txqlen = 0
        self.gso_max_size = GSO_LEGACY_MAX_SIZE
        self.gso_max_segs = GSO_MAX_SEGS
        self.gro_max_size = GRO_LEGACY_MAX_SIZE
        self.gso_ipv4_max_size = GSO_LEGACY_MAX_SIZE
        self.gro_ipv4_max_size = GRO_LEGACY_MAX_SIZE
        self.tso_max_size = TSO_LEGACY_MAX_SIZE
        self.tso_max_segs = TSO_MAX_SEGS
        self.max_pacing_offload_horizon = 0
        self.hard_header_len = 0
        """Of the header that the device puts before a packet; in bytes."""
        self.needed_headroom = 0
        self.needed_tailroom = 0
        self.map = (0, 0, 0, 0, 0, 0)
        """IFLA_MAP: mem_start, mem_end, base_addr, irq, dma, if_port."""

        # Features: words of bits, see features.py
        self.features = 0
        self.hw_features = 0
        self.wanted_features = 0
        self.vlan_features = 0
        self.gso_partial_features = 0
        self.xdp_features = 0
        self.xdp_zc_max_segs = 1

        # Queues
        self.num_tx_queues = 0
        self.num_rx_queues = 0
        self.real_num_tx_queues = 0
        self.real_num_rx_queues = 0
        self.rx: Queues[RxQueue] = Queues(self, RxQueue)
        self.tx: Queues[TxQueue] = Queues(self, TxQueue)
        self.napi_list: list[Napi] = []
        """In the kernel's order: dev->napi_list, newest id first."""
        self.napi_config: dict[int, NapiConfig] = {}
        """By index: what an instance of that index finds again (dev->napi_config)."""
        self.page_pools: list[PagePool] = []
        """In the kernel's order: dev->page_pools, newest first."""
        self.queued_packets = self.queued_bytes = 0
        """What went through the queueing discipline."""
        self.qdisc: str | None = None
        """The root qdisc's name; None before the device is registered."""
        self.tx_active = True
        """The queues run their qdiscs: not so between dev_deactivate() and dev_activate() with a carrier."""
        self.threaded = 0
        self.napi_defer_hard_irqs = 0
        self.gro_flush_timeout = 0
        """Of the instances that are to come; in nanoseconds."""
        self.cfg = Config()

        # Relations and other modules' own
        self.master: Device | None = None
        self.uppers = ALONE
        """The devices directly above, and ``lowers`` those directly below (adjacency.py)."""
        self.lowers = ALONE
        self.attached = NOTHING
        """What kinds of links keep for a device that theirs stand on, by a key of theirs (dev->vlan_info and the like);
        `attach()` writes it."""
        self.seen_by: Device | None = None
        """Who shows this device's ifindex or namespace in its own messages: a pair's other end."""
        self.ip4: InetDevice | None = None
        self.ip6: Inet6Device | None = None
        self.mpls: MplsDevice | None = None
        self._stats: Stats | None = None
        self.told: Any = None
        """What whoever tells of the device has worked out for a revision; the model never looks inside."""

    def __repr__(self) -> str:
        return f"<Device {self.ifindex} {self.name!r} in {self.net.name!r}>"

    @property
    def up(self) -> bool:
        """IFF_UP."""
        return self.flags & 1 != 0

    @property
    def inet(self) -> InetDevice:
        """IPv4 on this device, which has it (__in_dev_get_rtnl(), where it cannot be NULL)."""
        assert self.ip4 is not None
        return self.ip4

    @property
    def inet6(self) -> Inet6Device:
        """IPv6 on this device, which has it (__in6_dev_get(), where it cannot be NULL)."""
        assert self.ip6 is not None
        return self.ip6

    @property
    def shown_operstate(self) -> int:
        """The operational state that user space sees: IF_OPER_DOWN while the device is not running."""
        return self.operstate if self.running else IF_OPER_DOWN

    @property
    def carrier_changes(self) -> int:
        """How often the carrier came or went."""
        return self.carrier_up_count + self.carrier_down_count

    @property
    def carrier(self) -> bool:
        """netif_carrier_ok()."""
        return not self.no_carrier

    @property
    def iflink(self) -> int:
        """dev_get_iflink()."""
        return self.ops.get_iflink(self)

    @property
    def ops_locked(self) -> bool:
        """netdev_need_ops_lock(): the kernel closes such devices before the others when several go at once."""
        return self.request_ops_lock or self.queue_mgmt_ops

    @property
    def counted(self) -> bool:
        """Whether any statistics were ever kept: if not, they are all zero."""
        return self._stats is not None or self.ops.folds_stats

    @property
    def stats(self) -> Stats:
        """dev_get_stats(). Nothing sends packets here, so they are zero unless a driver or a test says otherwise. To
        ask a bond is to change it: see own_stats."""
        counted = self.own_stats
        if self.ops.folds_stats:
            self.ops.fold_stats(self, counted)
        return counted

    @property
    def own_stats(self) -> Stats:
        """What the device itself has counted, for who counts one more and asks nobody for statistics."""
        if self._stats is None:
            self._stats = Stats()
        return self._stats

    def takes(self, size: int) -> bool:
        """__dev_forward_skb(): whether a frame of that many bytes, its header included, that another device hands over
        gets in. One that does not is counted as dropped here too."""
        forwardable = self.up and size <= self.mtu + ETH_HLEN + VLAN_HLEN
        if not forwardable:
            self.own_stats.rx_dropped += 1
            self.changed()
        return forwardable

    def changed(self) -> None:
        """Something that a message shows is different now."""
        self.revision += 1

    def attach(self, key: str, value: Any) -> None:
        """Keeps something for this device under that key, or with None nothing any more."""
        if value is None:
            self.attached.pop(key, None)
            self.attached = self.attached or NOTHING
        elif not self.attached:
            self.attached = {key: value}
        else:
            self.attached[key] = value

    def moved(self) -> None:
        """The ifindex, the namespace, or who it is tied to changed: whoever shows this device has changed too."""
        self.revision += 1
        if self.seen_by is not None:
            self.seen_by.revision += 1
        for other in (*self.uppers, *self.lowers):
            other.revision += 1
