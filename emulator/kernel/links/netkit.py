"""netkit: pairs and single devices whose packets are a BPF program's business (drivers/net/netkit.c).

Of a pair, the primary is the host's end, which alone can be changed; only the other end, the one that goes into a
container, may lease queues. A single device has no peer, always has a carrier while it is up, and may lease. Leased
queues are added to the one that every device has: a device is made with room for them and they are created one by one.

When a physical device goes, every netkit device that leases a queue of it goes with it: check_lease_unregister().
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EACCES, EBUSY, EINVAL, ENOTCONN, EOPNOTSUPP
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import features, flags, link_watch, settings
from nlemu.emulator.kernel.devices.address import (
    check_new_address,
    ether_setup,
    randomize_address,
    set_ethernet_mac,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.links import configure_link, create_link, delete_links
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.queue import min_provider_channels, virtual_queue
from nlemu.emulator.kernel.devices.register import (
    KillList,
    queue_unregister,
    register,
    unregister,
)
from nlemu.emulator.kernel.devices.states import NameAssignment, NetmemTx, RegState, Xmit
from nlemu.emulator.kernel.queues import lease
from nlemu.emulator.kernel.queues.xsk import ACT_XSK
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_ether import ETH_MAX_MTU
from nlemu.protocol.uapi.if_link import NetkitAction, NetkitMode, NetkitPairing, NetkitScrub
from nlemu.protocol.uapi.netdevice import GSO_MAX_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.xsk import BufferPool

MAX_RX_QUEUES = 1024
MAX_TX_QUEUES = 1
FEATURES = (
    features.HW_VLAN
    | features.SG
    | features.FRAGLIST
    | features.HW_CSUM
    | features.RXCSUM
    | features.SCTP_CRC
    | features.HIGHDMA
    | features.GSO_SOFTWARE
    | features.GSO_ENCAP_ALL
)
NOARP = int(IFF.NOARP)
NET_SKB_PAD = 64
"""The room before a frame that there always is, in bytes: a line of the cache."""


@dataclass(slots=True)
class NetkitParams:
    """IFLA_INFO_DATA of a netkit; None: it was not there."""

    mode: int | None = None
    policy: int | None = None
    peer_policy: int | None = None
    scrub: int | None = None
    peer_scrub: int | None = None
    headroom: int | None = None
    tailroom: int | None = None
    pairing: int | None = None
    peer_info: LinkParams | None = None


FIXED = (
    ("mode", "operating mode"),
    ("scrub", "scrubbing"),
    ("peer_scrub", "peer scrubbing"),
    ("peer_info", "peer info"),
    ("headroom", "headroom"),
    ("tailroom", "tailroom"),
    ("pairing", "pairing"),
)
"""What cannot be changed, in the order of the checks, and what the refusal calls it."""


class Netkit:
    """struct netkit. headroom: how much is wanted before frames, by who made it, later by a bridge; in bytes."""

    __slots__ = ("headroom", "mode", "pair", "peer", "policy", "primary", "scrub")

    def __init__(self) -> None:
        self.peer: Device | None = None
        self.headroom = 0
        self.primary = False
        self.mode = NetkitMode.L3
        self.pair = NetkitPairing.PAIR
        self.policy = NetkitAction.PASS
        self.scrub = NetkitScrub.DEFAULT


class NetkitOps(DeviceOps):
    """netkit_netdev_ops, netkit_ethtool_ops and netkit_queue_mgmt_ops."""

    driver = "netkit"
    has_bpf = True  # for AF_XDP alone: XDP programs it takes none
    phony_headroom = True

    def set_rx_headroom(self, dev: Device, headroom: int) -> None:
        """netkit_set_headroom(): both ends have what either wants."""
        netkit: Netkit = dev.priv
        peer = netkit.peer
        netkit.headroom = room = NET_SKB_PAD if headroom < 0 else headroom
        if peer is not None:
            room = max(room, peer.priv.headroom)
        for end in (dev,) if peer is None else (dev, peer):
            end.needed_headroom = room
            end.changed()

    def open(self, dev: Device) -> None:
        netkit: Netkit = dev.priv
        if netkit.pair == NetkitPairing.SINGLE:
            link_watch.carrier_on(dev)
            return
        peer = netkit.peer
        if peer is None:
            raise Refusal(ENOTCONN)
        if peer.up:
            link_watch.carrier_on(dev)
            link_watch.carrier_on(peer)

    def stop(self, dev: Device) -> None:
        link_watch.carrier_off(dev)
        if dev.priv.peer is not None:
            link_watch.carrier_off(dev.priv.peer)

    def get_iflink(self, dev: Device) -> int:
        peer: Device | None = dev.priv.peer
        return 0 if peer is None else peer.ifindex

    def get_peer(self, dev: Device) -> Device | None:
        peer: Device | None = dev.priv.peer
        return peer

    def set_mac(self, dev: Device, address: bytes) -> None:
        if dev.priv.mode != NetkitMode.L2:
            raise Refusal(EOPNOTSUPP)
        set_ethernet_mac(dev, address)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        netkit: Netkit = dev.priv
        peer = netkit.peer
        if peer is None or not peer.up or netkit.policy == NetkitAction.DROP:
            dev.stats.tx_dropped += 1
            return Xmit.DROP, None
        dev.stats.sent(size)
        peer.stats.received(size)
        return Xmit.SUCCESS, peer

    def uninit(self, dev: Device) -> None:
        # Queue 0 is the device's own; all others were created for a lease.
        for index in range(1, dev.real_num_rx_queues):
            lease.unlease(dev.rx[index])

    def queue_create(self, dev: Device) -> int:
        netkit: Netkit = dev.priv
        count = dev.real_num_rx_queues
        if netkit.pair == NetkitPairing.PAIR and netkit.primary:
            raise Refusal(EOPNOTSUPP, "netkit can only lease against the peer device")
        if count + 1 > dev.num_rx_queues:
            raise Refusal(EINVAL, "netkit maximum queue limit reached")
        settings.set_real_num_rx_queues(dev, count + 1)
        return count

    def setup_xsk_pool(self, dev: Device, index: int, pool: BufferPool | None) -> None:
        """netkit_xsk(): a single device hands it down to the physical one; of a pair not even the end that leases."""
        if dev.priv.pair == NetkitPairing.PAIR:
            raise Refusal(EOPNOTSUPP)
        if index >= dev.real_num_rx_queues:
            raise Refusal(EINVAL)
        physical = dev.rx[index].lease
        if physical is None or not physical.dev.ops.wakes_xsk:
            raise Refusal(EOPNOTSUPP)
        lessor = physical.dev
        if pool is not None:
            if lessor.xdp_features & ACT_XSK != ACT_XSK:
                raise Refusal(EOPNOTSUPP)
            if min_provider_channels(lessor):
                raise Refusal(EBUSY)
        lessor.ops.setup_xsk_pool(lessor, physical.index, pool)


OPS = NetkitOps()


def setup(dev: Device) -> None:
    """netkit_setup()."""
    ether_setup(dev)
    dev.priv = Netkit()
    dev.max_mtu = ETH_MAX_MTU
    dev.flags |= NOARP
    dev.live_address_change = True
    dev.no_queue = True
    dev.netmem_tx = NetmemTx.NO_DMA
    dev.queue_mgmt_ops = True
    dev.features = dev.hw_features = FEATURES
    dev.vlan_features = FEATURES & ~features.HW_VLAN
    settings.set_tso_max_size(dev, GSO_MAX_SIZE)


def check_policy(policy: int, at: str) -> NetkitAction:
    """netkit_check_policy(): EINVAL."""
    if policy not in (NetkitAction.PASS, NetkitAction.DROP):
        raise Refusal(EINVAL, "Provided default xmit policy not supported", at=at)
    return NetkitAction(policy)


def check_lease_unregister(event: NetdevEvent, dev: Device, info: Info) -> None:
    """netkit_notifier() and netkit_check_lease_unregister(): a physical device goes, and its netkit lessees with it,
    in the order of the queues they lease."""
    if dev.reg_state != RegState.UNREGISTERING or dev.parent is None:
        return
    delete_links(_lessees(dev))


def _lessees(dev: Device) -> Iterator[Device]:
    """Each of them once: by the time that another of its queues comes, it is queued to go."""
    for queue in dev.rx.made(dev.real_num_rx_queues):
        lessee = virtual_queue(queue)
        if lessee is not None and lessee.dev.ops is OPS and not lessee.dev.unregister_queued:
            yield lessee.dev


class NetkitKind(Kind):
    """netkit_link_ops."""

    name = "netkit"
    option = "NETKIT"
    ops = OPS
    setup = staticmethod(setup)
    params = NetkitParams
    notifiers = ((Stage.DRIVERS, check_lease_unregister, (NetdevEvent.UNREGISTER,)),)

    def alloc(self, net: Net, name: str, assignment: NameAssignment, tx: int, rx: int) -> Device:
        if tx > MAX_TX_QUEUES or rx > MAX_RX_QUEUES:
            raise Refusal(EOPNOTSUPP)
        dev = super().alloc(net, name, assignment, tx, rx)
        dev.real_num_tx_queues = 1
        dev.real_num_rx_queues = 1
        return dev

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        data: NetkitParams = params.data or NetkitParams()
        policy = NetkitAction.PASS if data.policy is None else check_policy(data.policy, "policy")
        peer_policy = (
            NetkitAction.PASS if data.peer_policy is None else check_policy(data.peer_policy, "peer_policy")
        )
        mode = NetkitMode.L3 if data.mode is None else NetkitMode(data.mode)
        pair = NetkitPairing.PAIR if data.pairing is None else NetkitPairing(data.pairing)
        peer_params = params if data.peer_info is None else data.peer_info
        if mode != NetkitMode.L2 and (params.address is not None or peer_params.address is not None):
            raise Refusal(EOPNOTSUPP)
        peer = None
        if pair == NetkitPairing.PAIR:
            peer = self._new_peer(dev, params, data, mode, peer_policy)
        elif (
            data.peer_info is not None
            or data.peer_scrub is not None
            or data.peer_policy is not None
            or data.scrub is not None
            or policy != NetkitAction.PASS
        ):
            raise Refusal(EOPNOTSUPP)
        if mode == NetkitMode.L2 and params.address is None:
            randomize_address(dev)
        dev.name = "nk%d" if params.name is None else params.name
        _make_room(dev, data)
        netkit: Netkit = dev.priv
        netkit.primary = True
        netkit.policy = policy
        netkit.scrub = NetkitScrub.DEFAULT if data.scrub is None else NetkitScrub(data.scrub)
        netkit.mode = mode
        netkit.pair = pair
        if pair == NetkitPairing.SINGLE:
            features.set_xdp_features(dev, ACT_XSK)
        try:
            register(dev)
        except Refusal:
            if peer is not None:
                unregister(peer)
            raise
        link_watch.carrier_off(dev)
        if mode == NetkitMode.L2:
            flags.change_flags(dev, dev.flags & ~NOARP)
        if peer is not None:
            netkit.peer, peer.priv.peer = peer, dev
            dev.seen_by, peer.seen_by = peer, dev
            dev.moved()

    def _new_peer(self, dev: Device, params: LinkParams, data: NetkitParams, mode: NetkitMode,
                  policy: NetkitAction) -> Device:
        given = data.peer_info
        name, assignment = "nk%d", NameAssignment.ENUM
        if given is not None and given.name is not None:
            name, assignment = given.name, NameAssignment.USER
        peer = create_link(params.peer_net or dev.net, name, assignment, self, params if given is None else given)
        settings.inherit_tso_max(peer, dev)
        _make_room(peer, data)
        if mode == NetkitMode.L2 and (given is None or given.address is None):
            randomize_address(peer)
        if given is not None and dev.ifindex:
            peer.ifindex = given.ifindex
        netkit: Netkit = peer.priv
        netkit.policy = policy
        netkit.scrub = NetkitScrub.DEFAULT if data.peer_scrub is None else NetkitScrub(data.peer_scrub)
        netkit.mode = mode
        register(peer)
        link_watch.carrier_off(peer)
        if mode == NetkitMode.L2:
            flags.change_flags(peer, peer.flags & ~NOARP)
        configure_link(peer, None)
        return peer

    def del_link(self, dev: Device, kill: KillList) -> None:
        peer = dev.priv.peer
        dev.moved()
        dev.priv.peer = dev.seen_by = None
        queue_unregister(dev, kill)
        if peer is not None:
            peer.priv.peer = peer.seen_by = None
            if not peer.unregister_queued:
                queue_unregister(peer, kill)

    def change_link(self, dev: Device, data: NetkitParams) -> None:
        netkit: Netkit = dev.priv
        if not netkit.primary:
            raise Refusal(EACCES, "netkit link settings can be changed only through the primary device")
        for name, words in FIXED:
            if getattr(data, name) is not None:
                raise Refusal(EACCES, f"netkit link {words} cannot be changed after device creation", at=name)
        if data.policy is not None:
            if netkit.pair != NetkitPairing.PAIR:
                raise Refusal(EOPNOTSUPP)
            netkit.policy = check_policy(data.policy, "policy")
            dev.moved()
        if data.peer_policy is not None:
            if netkit.peer is None:
                raise Refusal(EOPNOTSUPP)
            netkit.peer.priv.policy = check_policy(data.peer_policy, "peer_policy")
            dev.moved()

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        netkit: Netkit = dev.priv
        peer = None if netkit.peer is None else netkit.peer.priv
        return {
            "primary": int(netkit.primary),
            "policy": netkit.policy,
            "mode": netkit.mode,
            "scrub": netkit.scrub if netkit.pair == NetkitPairing.PAIR else None,
            "headroom": dev.needed_headroom,
            "tailroom": dev.needed_tailroom,
            "pairing": netkit.pair,
            "peer_policy": None if peer is None else peer.policy,
            "peer_scrub": None if peer is None else peer.scrub,
        }

    def get_link_net(self, dev: Device) -> Net | None:
        peer: Device | None = dev.priv.peer
        return dev.net if peer is None else peer.net



def _make_room(dev: Device, data: NetkitParams) -> None:
    if data.headroom:
        dev.needed_headroom = dev.priv.headroom = data.headroom
    if data.tailroom:
        dev.needed_tailroom = data.tailroom


KIND = NetkitKind()
