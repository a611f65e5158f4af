"""Virtual Ethernet pairs: what goes in at one end comes out at the other (drivers/net/veth.c).

Both ends have a carrier while both are up. An end has room for as many queues as the machine has processors, and uses
one of them unless the request said how many it wants. With generic receive offload, which is off by default, each
receive queue is polled by a NAPI instance of its own while the end is up.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EINVAL, ENOSPC, ENOTCONN, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features, link_watch, settings
from nlemu.emulator.kernel.devices.address import (
    check_new_address,
    ether_setup,
    randomize_address,
    set_ethernet_mac,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.links import configure_link, create_link
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register, unregister
from nlemu.emulator.kernel.devices.states import NameAssignment, Xmit
from nlemu.emulator.kernel.ethtool.link import SOFTWARE_STAMPS, LinkSettings, TsInfo, carrier_as_link
from nlemu.emulator.kernel.ethtool.settings import Channels
from nlemu.emulator.kernel.queues.napi import Napi
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.release import V7_3
from nlemu.protocol.uapi.ethtool import Autoneg, Duplex, Port, StringSet
from nlemu.protocol.uapi.if_ether import ETH_MAX_MTU, ETH_MIN_MTU
from nlemu.protocol.uapi.netdev import XdpAct, XdpRxMetadata
from nlemu.protocol.uapi.netdevice import GSO_MAX_SIZE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel
    from nlemu.emulator.kernel.queues.page_pool import PagePool
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink

MAX_QUEUES = 4096
FEATURES = (
    features.SG
    | features.FRAGLIST
    | features.HW_CSUM
    | features.RXCSUM
    | features.SCTP_CRC
    | features.HIGHDMA
    | features.GSO_SOFTWARE
    | features.GSO_ENCAP_ALL
    | features.HW_VLAN
)
SPEED = 10000
RX_STATS = ("xdp_packets", "xdp_bytes", "drops", "xdp_redirect", "xdp_drops", "xdp_tx", "xdp_tx_errors")
TX_STATS = ("xdp_xmit", "xdp_xmit_errors")
PAGE_POOL_STATS = (
    "rx_pp_alloc_fast", "rx_pp_alloc_slow", "rx_pp_alloc_slow_ho", "rx_pp_alloc_empty", "rx_pp_alloc_refill",
    "rx_pp_alloc_waive", "rx_pp_recycle_cached", "rx_pp_recycle_cache_full", "rx_pp_recycle_ring",
    "rx_pp_recycle_ring_full", "rx_pp_recycle_released_ref",
)
"""What ethtool -S calls its counters; the last are page_pool_ethtool_stats_get_strings()."""
XDP_RECEIVES = int(XdpAct.BASIC | XdpAct.REDIRECT | XdpAct.RX_SG)
XDP_ROOM = 4096 - 256 - 320
"""SKB_WITH_OVERHEAD(PAGE_SIZE - VETH_XDP_HEADROOM): what a page has for a packet that a program sees."""
FRAGMENTS = 17 * 4096
"""MAX_SKB_FRAGS pages"""
ETH_HLEN = 14
XDP_TRANSMITS = int(XdpAct.NDO_XMIT | XdpAct.NDO_XMIT_SG)


@dataclass(slots=True)
class VethParams:
    """IFLA_INFO_DATA of a veth. peer: VETH_INFO_PEER; None when it was not there."""

    peer: LinkParams | None = None


class Veth:
    """struct veth_priv. queues: the NAPI instance and page pool of each receive queue that is polled; program: whether
    there is one of XDP; requested_headroom: what a bridge wants before frames."""

    __slots__ = ("peer", "program", "queues", "requested_headroom")

    def __init__(self) -> None:
        self.peer: Device | None = None
        self.program = False
        self.requested_headroom = 0
        self.queues: list[tuple[Napi, PagePool]] = []


def gro_requested(dev: Device) -> bool:
    """veth_gro_requested()."""
    return bool(dev.wanted_features & features.GRO)


def enable_napi(dev: Device, start: int, end: int) -> None:
    """veth_napi_enable_range(): the queues from start to end are polled."""
    napis = [Napi() for _ in range(start, end)]
    for napi in napis:
        napi.add(dev)
    # veth_create_page_pool() does not say for which device, so user space never sees these.
    pools = [dev.kernel.page_pools.create(None, None) for _ in napis]
    for napi in napis:
        napi.enable()
    dev.priv.queues[start:end] = zip(napis, pools, strict=True)


def delete_napi(dev: Device, start: int, end: int) -> None:
    """veth_napi_del_range(): they are not any more."""
    gone = dev.priv.queues[start:end]
    del dev.priv.queues[start:end]
    for napi, _ in gone:
        napi.disable()
        napi.delete()
    for _, pool in gone:
        pool.destroy()


def polled(dev: Device) -> bool:
    """Whether its queues are polled while it is up: who merges packets, or has a program for each, wants that."""
    return gro_requested(dev) or dev.priv.program


def update_xdp_features(dev: Device) -> None:
    """veth_set_xdp_features(): XDP needs a receive queue for each transmit queue of the other end."""
    peer: Device | None = dev.priv.peer
    xdp = 0
    if peer is not None and peer.real_num_tx_queues <= dev.real_num_rx_queues:
        xdp = XDP_RECEIVES | XDP_TRANSMITS if gro_requested(peer) else XDP_RECEIVES
    features.set_xdp_features(dev, xdp)


class VethOps(DeviceOps):
    """veth_netdev_ops and veth_ethtool_ops."""

    driver = "veth"
    driver_version = "1.0"
    has_bpf = True
    phony_headroom = True
    xdp_rx_metadata = int(XdpRxMetadata.TIMESTAMP | XdpRxMetadata.HASH | XdpRxMetadata.VLAN_TAG)

    def set_rx_headroom(self, dev: Device, headroom: int) -> None:
        """veth_set_rx_headroom(): both ends have what either wants."""
        peer: Device | None = dev.priv.peer
        if peer is None:
            return
        headroom = max(headroom, 0)
        dev.priv.requested_headroom = headroom
        for end in (dev, peer):
            end.needed_headroom = max(headroom, peer.priv.requested_headroom)
            end.changed()

    def open(self, dev: Device) -> None:
        peer = dev.priv.peer
        if peer is None:
            raise Refusal(ENOTCONN)
        if polled(dev):
            enable_napi(dev, 0, dev.real_num_rx_queues)
        if peer.up:
            link_watch.carrier_on(dev)
            link_watch.carrier_on(peer)
        update_xdp_features(dev)
        update_xdp_features(peer)

    def stop(self, dev: Device) -> None:
        link_watch.carrier_off(dev)
        if dev.priv.peer is not None:
            link_watch.carrier_off(dev.priv.peer)
        if polled(dev):
            delete_napi(dev, 0, dev.real_num_rx_queues)

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        """veth_xdp_set(): packets have to fit into a page, and there has to be a queue for each of the other end's."""
        peer = dev.priv.peer
        if peer is None:
            raise Refusal(ENOTCONN, "veth: Cannot set XDP when peer is detached")
        max_mtu = XDP_ROOM - ETH_HLEN + (FRAGMENTS if link.fragments else 0)
        if peer.mtu > max_mtu:
            raise Refusal(ERANGE, "veth: Peer MTU is too large to set XDP")
        if dev.real_num_rx_queues < peer.real_num_tx_queues:
            raise Refusal(ENOSPC, "veth: XDP expects number of rx queues not less than peer tx queues")
        first, dev.priv.program = not dev.priv.program, True
        if first:
            if dev.up and not gro_requested(dev):
                enable_napi(dev, 0, dev.real_num_rx_queues)
            peer.hw_features &= ~features.GSO_SOFTWARE
        if first or dev.kernel.build.release >= V7_3:
            peer.max_mtu = max_mtu
        features.set_xdp_features(peer, peer.xdp_features | XDP_TRANSMITS)
        if first:
            features.update_features(peer)

    def clear_xdp(self, dev: Device) -> None:
        """veth_xdp_set() of none."""
        peer, dev.priv.program = dev.priv.peer, False
        if dev.up and not gro_requested(dev):
            delete_napi(dev, 0, dev.real_num_rx_queues)
        if peer is not None:
            if not gro_requested(dev):
                features.set_xdp_features(peer, peer.xdp_features & ~XDP_TRANSMITS)
            peer.hw_features |= features.GSO_SOFTWARE
            peer.max_mtu = ETH_MAX_MTU
            features.update_features(peer)

    def fix_features(self, dev: Device, features_: int) -> int:
        """veth_fix_features(): a program on the other end takes no packets that are to be cut up."""
        peer = dev.priv.peer
        return features_ & ~features.GSO_SOFTWARE if peer is not None and peer.priv.program else features_

    def get_iflink(self, dev: Device) -> int:
        peer: Device | None = dev.priv.peer
        return 0 if peer is None else peer.ifindex

    def get_peer(self, dev: Device) -> Device | None:
        peer: Device | None = dev.priv.peer
        return peer

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        peer: Device | None = dev.priv.peer
        if peer is None or not peer.takes(size):
            dev.stats.tx_dropped += 1
            return Xmit.DROP, None
        dev.stats.sent(size)
        peer.stats.received(size)
        return Xmit.SUCCESS, peer

    def set_features(self, dev: Device, wanted: int) -> bool:
        if (wanted ^ dev.features) & features.GRO and dev.up and not dev.priv.program:
            peer = dev.priv.peer
            if wanted & features.GRO:
                enable_napi(dev, 0, dev.real_num_rx_queues)
                if peer is not None:
                    features.set_xdp_features(peer, peer.xdp_features | XDP_TRANSMITS)
            else:
                if peer is not None:
                    features.set_xdp_features(peer, peer.xdp_features & ~XDP_TRANSMITS)
                delete_napi(dev, 0, dev.real_num_rx_queues)
        return False

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        return LinkSettings(speed=SPEED, duplex=Duplex.FULL, port=Port.TP, autoneg=Autoneg.DISABLE)

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        info.so_timestamping = SOFTWARE_STAMPS

    def get_strings(self, dev: Device, string_set: int) -> tuple[str, ...]:
        if string_set != StringSet.STATS:
            return ()
        return (
            "peer_ifindex",
            *(f"rx_queue_{queue}_{stat}" for queue in range(dev.real_num_rx_queues) for stat in RX_STATS),
            *(f"tx_queue_{queue}_{stat}" for queue in range(dev.real_num_tx_queues) for stat in TX_STATS),
            *PAGE_POOL_STATS,
        )

    def get_ethtool_stats(self, dev: Device) -> tuple[int, ...]:
        """veth_get_ethtool_stats(): no packet goes through a program here, or through a page pool."""
        others = len(RX_STATS) * dev.real_num_rx_queues + len(TX_STATS) * dev.real_num_tx_queues + len(PAGE_POOL_STATS)
        return (self.get_iflink(dev), *(0,) * others)

    def get_channels(self, dev: Device) -> Channels:
        return Channels(
            rx_max=dev.num_rx_queues,
            tx_max=dev.num_tx_queues,
            rx_count=dev.real_num_rx_queues,
            tx_count=dev.real_num_tx_queues,
        )

    def set_channels(self, dev: Device, channels: Channels) -> None:
        """veth_set_channels(): a program wants a receive queue for each transmit queue of the other end."""
        if not channels.rx_count or not channels.tx_count:
            raise Refusal(EINVAL)
        peer: Device | None = dev.priv.peer
        if peer is not None:
            too_few = dev.priv.program and channels.rx_count < peer.real_num_tx_queues
            if too_few or (peer.priv.program and channels.tx_count > peer.real_num_rx_queues):
                raise Refusal(EINVAL)
        old, new = dev.real_num_rx_queues, channels.rx_count
        running = dev.running and polled(dev)
        if dev.running:
            link_watch.carrier_off(dev)
            if peer is not None:
                link_watch.carrier_off(peer)
        if running and new > old:
            enable_napi(dev, old, new)
        settings.set_real_num_rx_queues(dev, new)
        settings.set_real_num_tx_queues(dev, channels.tx_count)
        if running and new < old:
            delete_napi(dev, new, old)
        if dev.running:
            link_watch.carrier_on(dev)
            if peer is not None:
                link_watch.carrier_on(peer)
        update_xdp_features(dev)
        if peer is not None:
            update_xdp_features(peer)


OPS = VethOps()


def setup(dev: Device) -> None:
    """veth_setup()."""
    ether_setup(dev)
    dev.priv = Veth()
    dev.live_address_change = True
    dev.no_queue = True
    dev.features = dev.hw_features = FEATURES
    dev.vlan_features = FEATURES & ~features.HW_VLAN
    dev.max_mtu = ETH_MAX_MTU
    settings.set_tso_max_size(dev, GSO_MAX_SIZE)


def disable_gro(dev: Device) -> None:
    """veth_disable_gro()."""
    dev.features &= ~features.GRO
    dev.wanted_features &= ~features.GRO
    features.update_features(dev)


def use_queues(dev: Device, params: LinkParams) -> None:
    """veth_init_queues(): one of each, unless the request says how many there are."""
    if params.num_tx_queues is None and dev.num_tx_queues > 1:
        settings.set_real_num_tx_queues(dev, 1)
    if params.num_rx_queues is None and dev.num_rx_queues > 1:
        settings.set_real_num_rx_queues(dev, 1)


def _forget_received(dev: Device) -> None:
    """What a device has received is what its peer has sent: without a peer that is nothing (veth_get_stats64())."""
    if dev.counted:
        dev.stats.rx_packets = dev.stats.rx_bytes = 0


class VethKind(Kind):
    """veth_link_ops."""

    name = "veth"
    option = "VETH"
    ops = OPS
    setup = staticmethod(setup)
    params = VethParams

    def num_tx_queues(self, kernel: Kernel) -> int:
        return min(kernel.cpus, MAX_QUEUES)

    def num_rx_queues(self, kernel: Kernel) -> int:
        return min(kernel.cpus, MAX_QUEUES)

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)
        if params.mtu is not None and not ETH_MIN_MTU <= params.mtu <= ETH_MAX_MTU:
            raise Refusal(EINVAL)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        given = None if params.data is None else params.data.peer
        peer_params = params if given is None else given
        name, assignment = "veth%d", NameAssignment.ENUM
        if given is not None and given.name is not None:
            name, assignment = given.name, NameAssignment.USER
        peer = create_link(params.peer_net or dev.net, name, assignment, self, peer_params)
        if given is None or given.address is None:
            randomize_address(peer)
        if given is not None and dev.ifindex:
            peer.ifindex = given.ifindex
        settings.inherit_tso_max(peer, dev)
        register(peer)
        try:
            disable_gro(peer)
            link_watch.carrier_off(peer)
            configure_link(peer, given)
            if params.address is None:
                randomize_address(dev)
            dev.name = "veth%d" if params.name is None else params.name
            register(dev)
        except Refusal:
            unregister(peer)
            raise
        link_watch.carrier_off(dev)
        self._join(dev, peer)
        use_queues(dev, params)
        use_queues(peer, params)
        disable_gro(dev)
        update_xdp_features(dev)
        update_xdp_features(peer)

    def _join(self, dev: Device, peer: Device) -> None:
        dev.priv.peer, peer.priv.peer = peer, dev
        dev.seen_by, peer.seen_by = peer, dev
        dev.moved()

    def del_link(self, dev: Device, kill: KillList) -> None:
        peer = dev.priv.peer
        dev.moved()
        _forget_received(dev)
        dev.priv.peer = dev.seen_by = None
        queue_unregister(dev, kill)
        if peer is not None:
            _forget_received(peer)
            peer.priv.peer = peer.seen_by = None
            queue_unregister(peer, kill)

    def get_link_net(self, dev: Device) -> Net | None:
        peer: Device | None = dev.priv.peer
        return dev.net if peer is None else peer.net


KIND = VethKind()
