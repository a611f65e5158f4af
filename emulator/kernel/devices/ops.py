"""What a driver does for a device: net_device_ops, ethtool_ops and queue_mgmt_ops in one object.

A driver is one DeviceOps object shared by all of its devices; what belongs to one device lies in `device.priv`.
A method that a driver does not override stands for a NULL pointer in the kernel's tables, and `has()` tells: several
answers (which features a device shows, which errno a request earns) depend on a function being there at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.rss import RssOps
from nlemu.emulator.kernel.devices.rules import RuleOps
from nlemu.emulator.kernel.devices.standard_stats import NOTHING_COUNTED, StandardStats
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.devices.vf import VfOps
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device, Stats
    from nlemu.emulator.kernel.devices.module import Module, ModuleInfo, ModulePage
    from nlemu.emulator.kernel.ethtool.link import Fec, FecStats, LinkSettings, TsInfo, TsStats
    from nlemu.emulator.kernel.ethtool.settings import Channels, Coalesce, Pause, PauseStats, Rings
    from nlemu.emulator.kernel.ethtool.wake import Wol
    from nlemu.emulator.kernel.macsec.offload import MacsecOps
    from nlemu.emulator.kernel.queues.qstats import RxStats, TxStats
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink
    from nlemu.emulator.kernel.queues.xsk import BufferPool
    from nlemu.protocol.uapi.ethtool import Stats as EthtoolStats
    from nlemu.protocol.uapi.net_shaper import NetShaperCaps, NetShaperScope


class DeviceOps(VfOps, RssOps, RuleOps):
    """A driver. Methods refuse by raising Refusal."""

    driver = ""
    """What ETHTOOL_GDRVINFO calls the driver."""
    firmware = ""
    """And which firmware it tells of, if any."""
    driver_version = ""
    """And which version of the driver; none: that of Linux."""

    has_udp_tunnels = False
    """dev->udp_tunnel_nic_info is set: the device offloads UDP tunnel ports."""
    udp_tunnel_tables: tuple[tuple[int, int], ...] = ()
    """udp_tunnel_nic_info.tables: how many ports each holds, and of which types (bits of UdpTunnelType)."""
    knows_iana_vxlan = False
    """UDP_TUNNEL_NIC_INFO_STATIC_IANA_VXLAN: it takes VXLAN's own port apart without being told."""

    xdp_rx_metadata = 0
    """What its XDP programs can be told of a packet (xdp_metadata_ops), as NETDEV_XDP_RX_METADATA_*."""

    phony_headroom = False
    """IFF_PHONY_HEADROOM: the room that its devices want is what others told them."""

    reduces_vlan_mtu = False
    """netif_reduces_vlan_mtu(): its MTU has no room for the tag of a VLAN."""

    lag = False
    """netif_is_lag_master(): it makes one link of several, which are its slaves."""

    has_rx_mode = True
    """ndo_set_rx_mode is there, though it may do nothing that shows here."""

    def has(self, name: str) -> bool:
        """Whether the driver provides the method of that name."""
        return getattr(type(self), name) is not getattr(DeviceOps, name)

    def bridge_binding(self, dev: Device) -> int | None:
        """VLAN_FLAG_BRIDGE_BINDING: the number of the VLAN whose ports of a bridge the device's link follows."""
        return None

    # net_shaper_ops

    def shaper_capabilities(self, dev: Device, scope: NetShaperScope) -> NetShaperCaps:
        """capabilities: what the device can do for shapers of that scope; none, if it has no such shapers."""
        raise Refusal(EOPNOTSUPP)

    # macsec_ops

    def macsec_ops(self, dev: Device) -> MacsecOps | None:
        """dev->macsec_ops: who does the work of MACsec on that device; None: nobody there can."""
        return None

    # net_device_ops

    def init(self, dev: Device) -> None:
        """ndo_init: the last preparations before a device is registered; may refuse."""

    def uninit(self, dev: Device) -> None:
        """ndo_uninit: the device is being unregistered; user space has not been told yet."""

    def destroy(self, dev: Device) -> None:
        """priv_destructor, and whatever the driver frees after the device is gone."""

    def open(self, dev: Device) -> None:
        """ndo_open: the device comes up; may refuse."""

    def stop(self, dev: Device) -> None:
        """ndo_stop: the device goes down."""

    def get_iflink(self, dev: Device) -> int:
        """ndo_get_iflink: the ifindex shown as IFLA_LINK (dev_get_iflink()); the device's own without the method."""
        return dev.ifindex

    def set_mac(self, dev: Device, address: bytes) -> None:
        """ndo_set_mac_address. eth_mac_addr() is `address.set_ethernet_mac`."""
        raise Refusal(EOPNOTSUPP)

    def validate_address(self, dev: Device) -> None:
        """ndo_validate_addr, asked before a device is opened."""

    def change_mtu(self, dev: Device, mtu: int) -> None:
        """ndo_change_mtu; must set dev.mtu."""
        dev.mtu = mtu

    def fib_table(self, dev: Device) -> int:
        """l3mdev_fib_table: the device is the master of a domain of routing, and that is its table (l3mdev.py)."""
        return 0

    def check_ip(self, dev: Device, address: int, family: int) -> None:
        """What the driver has on the chains of validators (register_inetaddr_validator_notifier(), and of IPv6): an
        address is about to be added; may refuse with a text."""

    def fdb_add(self, dev: Device, address: bytes, *, replace: bool) -> None:
        """ndo_fdb_add: an entry of a forwarding table, which may be one that is there. Without it the address is let
        in."""
        raise Refusal(EOPNOTSUPP)

    def fdb_delete(self, dev: Device, address: bytes) -> None:
        """ndo_fdb_del."""
        raise Refusal(EOPNOTSUPP)

    def change_carrier(self, dev: Device, carrier: bool) -> None:
        """ndo_change_carrier."""
        raise Refusal(EOPNOTSUPP)

    def set_rx_headroom(self, dev: Device, headroom: int) -> None:
        """ndo_set_rx_headroom: so much room is wanted before what comes in; in bytes, less than none
        for as much as usual."""

    def set_rx_mode(self, dev: Device) -> None:
        """ndo_set_rx_mode: the filters are to be as the device wants (rx_mode.py)."""

    def change_rx_flags(self, dev: Device, change: int) -> None:
        """ndo_change_rx_flags: IFF_PROMISC or IFF_ALLMULTI is another one now."""

    def work(self, dev: Device, events: int) -> None:
        """ndo_work: what was put off by `kernel.netdev_work.schedule()`, by bits of the driver's own."""

    def fix_features(self, dev: Device, features: int) -> int:
        """ndo_fix_features: the features the device can have, given those."""
        return features

    def set_features(self, dev: Device, features: int) -> bool:
        """ndo_set_features. True: the driver has set dev.features itself."""
        return False

    def get_phys_port_name(self, dev: Device) -> str | None:
        """ndo_get_phys_port_name; None: EOPNOTSUPP, nothing shown."""
        return None

    def get_port_parent_id(self, dev: Device) -> bytes | None:
        """ndo_get_port_parent_id, or what devlink knows of the port (IFLA_PHYS_SWITCH_ID); None: nothing shown."""
        return None

    def get_phys_port_id(self, dev: Device) -> bytes | None:
        """ndo_get_phys_port_id; None: nothing shown."""
        return None

    def get_peer(self, dev: Device) -> Device | None:
        """ndo_get_peer_dev, and what the pair drivers know of each other."""
        return None

    def add_slave(self, dev: Device, slave: Device) -> None:
        """ndo_add_slave: the device becomes the master of another; may refuse with a text."""
        raise Refusal(EOPNOTSUPP)

    def del_slave(self, dev: Device, slave: Device) -> None:
        """ndo_del_slave: the device lets a slave go."""
        raise Refusal(EOPNOTSUPP)

    folds_stats = False
    """ndo_get_stats64 adds up what others have counted."""

    def fold_stats(self, dev: Device, stats: Stats) -> None:
        """ndo_get_stats64, of a driver that has none of its own: brings them up to date."""

    has_bpf = False
    """ndo_bpf is there: XDP programs are the driver's business unless they ask for the stack."""
    wakes_xsk = False
    """ndo_xdp_xmit and ndo_xsk_wakeup are there: what netkit asks of a device before it hands AF_XDP down to it."""

    def setup_xsk_pool(self, dev: Device, index: int, pool: BufferPool | None) -> None:
        """ndo_bpf with XDP_SETUP_XSK_POOL: zero-copy AF_XDP on a queue begins, or with None ends; may refuse."""
        raise Refusal(EINVAL)

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        """ndo_bpf with XDP_SETUP_PROG: a native XDP program comes, or takes another's place; may refuse."""
        raise Refusal(EOPNOTSUPP)

    def xdp_is_set_up(self, dev: Device) -> None:
        """What ndo_bpf does when the program is there."""

    def clear_xdp(self, dev: Device) -> None:
        """The same without a program: the one that there was is gone."""

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """ndo_start_xmit: a frame of that many bytes goes out, and is counted as the driver counts. Returns what the
        driver says of it, and the device at which it arrives, if any."""
        return Xmit.SUCCESS, None

    # queue_mgmt_ops

    sets_rx_page_size = False
    """QCFG_RX_PAGE_SIZE in supported_params: a memory provider may ask for a page size."""

    def validate_queue_config(self, dev: Device, rx_page_size: int) -> None:
        """ndo_validate_qcfg: whether a queue can have pages of that size, 0 for the usual one; may refuse."""

    def queue_create(self, dev: Device) -> int:
        """ndo_queue_create: the index of a new RX queue that can be leased; may refuse with a text."""
        raise Refusal(EOPNOTSUPP)

    def queue_mem_alloc(self, dev: Device, index: int) -> Any:
        """ndo_queue_mem_alloc: what a new queue needs; the driver's own, handed back to the other three."""
        raise Refusal(EOPNOTSUPP)

    def queue_mem_free(self, dev: Device, memory: Any) -> None:
        """ndo_queue_mem_free."""

    def queue_start(self, dev: Device, memory: Any, index: int) -> None:
        """ndo_queue_start: the queue runs on that memory."""

    def queue_stop(self, dev: Device, index: int) -> Any:
        """ndo_queue_stop: the memory that the queue ran on."""
        return None

    def queue_dma_device(self, dev: Device, index: int) -> Any:
        """netdev_queue_get_dma_dev() without leases: the bus device if it can do DMA (it has a mask), else None.
        Two queues can be bound at once when they have the same one."""
        return None

    # netdev_stat_ops

    def get_queue_stats_rx(self, dev: Device, index: int, stats: RxStats) -> None:
        """Sets what the driver counts of a receive queue."""

    def get_queue_stats_tx(self, dev: Device, index: int, stats: TxStats) -> None:
        """Sets what the driver counts of a transmit queue."""

    def get_base_stats(self, dev: Device, rx: RxStats, tx: TxStats) -> None:
        """Sets what was counted on no queue that is there now; None stays what the driver never counts."""

    # ethtool_ops; the rules around them are in ethtool.py

    def bus_info(self, dev: Device) -> str:
        """What get_drvinfo says of where the device is; without that, its parent's name."""
        return "" if dev.parent is None else dev.parent.name

    def get_msglevel(self, dev: Device) -> int:
        """Which classes of messages the driver logs (NETIF_MSG_*)."""
        raise Refusal(EOPNOTSUPP)

    def set_msglevel(self, dev: Device, level: int) -> None:
        """Takes which are logged."""
        raise Refusal(EOPNOTSUPP)

    def get_priv_flags(self, dev: Device) -> int:
        """Which of the driver's own flags are on, as bits; get_strings() names them (ETH_SS_PRIV_FLAGS)."""
        raise Refusal(EOPNOTSUPP)

    def set_priv_flags(self, dev: Device, flags: int) -> None:
        """Takes which are on."""
        raise Refusal(EOPNOTSUPP)

    settable_rings: frozenset[str] = frozenset()
    """supported_ring_params, as names of fields of ethtool.Rings."""
    settable_coalesce: frozenset[str] = frozenset()
    """supported_coalesce_params, as names of fields of ethtool.Coalesce."""

    def get_channels(self, dev: Device) -> Channels:
        """How many channels there are and may be."""
        raise Refusal(EOPNOTSUPP)

    def set_channels(self, dev: Device, channels: Channels) -> None:
        """Takes counts that were checked against the most."""
        raise Refusal(EOPNOTSUPP)

    def get_ringparam(self, dev: Device, rings: Rings) -> None:
        """Sets what the driver knows; the split and its threshold are the configuration's already."""

    def set_ringparam(self, dev: Device, rings: Rings) -> None:
        """Takes sizes that were checked against the most."""
        raise Refusal(EOPNOTSUPP)

    def get_coalesce(self, dev: Device) -> Coalesce:
        """How interrupts are held back."""
        raise Refusal(EOPNOTSUPP)

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        """Takes what holds interrupts back."""
        raise Refusal(EOPNOTSUPP)

    def get_per_queue_coalesce(self, dev: Device, queue: int) -> Coalesce:
        """How those of a queue are."""
        raise Refusal(EOPNOTSUPP)

    def set_per_queue_coalesce(self, dev: Device, queue: int, coalesce: Coalesce) -> None:
        """Takes what holds those of a queue back."""
        raise Refusal(EOPNOTSUPP)

    def get_pauseparam(self, dev: Device) -> Pause:
        """Which pause frames are sent and heeded."""
        raise Refusal(EOPNOTSUPP)

    def set_pauseparam(self, dev: Device, pause: Pause) -> None:
        """Takes which pause frames are sent and heeded."""
        raise Refusal(EOPNOTSUPP)

    def get_pause_stats(self, dev: Device, stats: PauseStats) -> None:
        """Sets what the driver counts."""

    def get_link(self, dev: Device) -> bool:
        """Whether there is a link, asked of a running device only."""
        return False

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        """Speed, modes and port of the link."""
        raise Refusal(EOPNOTSUPP)

    links_lanes = False
    """cap_link_lanes_supported: lanes are told, and may be said where nothing is negotiated."""

    def set_link_ksettings(self, dev: Device, wanted: LinkSettings) -> None:
        """Takes how the link is to be."""
        raise Refusal(EOPNOTSUPP)

    def get_strings(self, dev: Device, string_set: int) -> tuple[str, ...]:
        """get_sset_count and get_strings: the driver's strings of a set (ETH_SS_*)."""
        return ()

    def get_ethtool_stats(self, dev: Device) -> Sequence[int]:
        """The counters that ETH_SS_STATS names, in that order."""
        return ()

    def get_wol(self, dev: Device) -> Wol:
        """What wakes the machine up."""
        raise Refusal(EOPNOTSUPP)

    def set_wol(self, dev: Device, wol: Wol) -> None:
        """Takes what is to wake it up, which can."""
        raise Refusal(EOPNOTSUPP)

    def get_tunable(self, dev: Device, which: int) -> int:
        """A number that the driver can be told (Tunable)."""
        raise Refusal(EOPNOTSUPP)

    def set_tunable(self, dev: Device, which: int, value: int) -> None:
        """Takes one."""
        raise Refusal(EOPNOTSUPP)

    def self_test(self, dev: Device, offline: bool) -> tuple[tuple[int, ...], bool]:
        """Tests the device, and returns how it fared, 0 for well, by ETH_SS_TEST, and whether it failed; may take it
        offline."""
        raise Refusal(EOPNOTSUPP)

    def nway_reset(self, dev: Device) -> None:
        """Negotiates the link anew."""
        raise Refusal(EOPNOTSUPP)

    def reset(self, dev: Device, which: int) -> int:
        """Begins parts of it anew, and returns which it did not (ETH_RESET_*)."""
        raise Refusal(EOPNOTSUPP)

    def set_phys_id(self, dev: Device) -> None:
        """Lets a light blink at the device."""
        raise Refusal(EOPNOTSUPP)

    def get_ts_stats(self, dev: Device) -> TsStats | None:
        """What it counts of time stamps; None: nothing."""
        return None

    def get_module_info(self, dev: Device) -> ModuleInfo:
        """Of which sort the module is, and how large its memory."""
        raise Refusal(EOPNOTSUPP)

    def get_module_eeprom(self, dev: Device) -> Module:
        """The module, whose memory is to be read in a row."""
        raise Refusal(EOPNOTSUPP)

    def get_module_eeprom_by_page(self, dev: Device, wanted: ModulePage) -> Module:
        """The module, whose memory is to be read there; may refuse with a text."""
        raise Refusal(EOPNOTSUPP)

    def set_module_eeprom_by_page(self, dev: Device) -> None:
        """The module's memory can be written, as its firmware is: nothing here does."""
        raise Refusal(EOPNOTSUPP)

    def get_standard_stats(self, dev: Device, group: EthtoolStats) -> StandardStats:
        """get_eth_phy_stats, get_eth_mac_stats, get_eth_ctrl_stats, get_rmon_stats: what the driver counts of a
        standard's counters."""
        return NOTHING_COUNTED

    def get_link_down_events(self, dev: Device) -> int | None:
        """get_link_ext_stats: how often the link went down; None: nobody counts."""
        return None

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        """Sets what the driver can stamp, and the number of its clock."""

    def get_fecparam(self, dev: Device) -> Fec:
        """How errors on the link are corrected, and could be."""
        raise Refusal(EOPNOTSUPP)

    def set_fecparam(self, dev: Device, fec: Fec) -> None:
        """Takes how errors on the link are corrected."""
        raise Refusal(EOPNOTSUPP)

    def get_fec_stats(self, dev: Device) -> FecStats:
        """What the driver counts."""
        raise Refusal(EOPNOTSUPP)
