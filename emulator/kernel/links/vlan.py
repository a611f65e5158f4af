"""VLANs: links of their own for the frames of another device that bear a tag (net/8021q).

A VLAN stands on a device, is known there by protocol and number, and goes with it. What it has of that device it gets
when it is made: flags, sizes, features, and its address unless it was given one. Later it follows: it comes up and
goes down with the device unless it is loosely bound, shrinks with it, takes its address over as long as it has none of
its own, and can offload what the device can for tagged frames. Most of that is done once the request that changed the
device is through (vlan_dev_work()); the operational state and the address follow at once.

What a VLAN keeps for the device below is there under "vlan" (`Device.attached`): the VLANs, by protocol and number.

Registration protocols (GVRP, MVRP) are flags here, and a group that is listened to below.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from errno import EADDRNOTAVAIL, EEXIST, EINVAL, ENETDOWN, ENODEV, EOPNOTSUPP, EPERM, EPROTONOSUPPORT, ERANGE
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import adjacency, features, flags, link_watch, qdisc, rx_mode, settings
from nlemu.emulator.kernel.devices.address import (
    NO_ADDRESS,
    check_address,
    check_new_address,
    ether_setup,
    valid_ethernet,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.links import delete_links
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import (
    KillList,
    queue_unregister,
    register,
    unregister,
)
from nlemu.emulator.kernel.devices.states import AddressAssignment, RegState, Xmit
from nlemu.emulator.kernel.ethtool.link import (
    LinkSettings,
    TsInfo,
    carrier_as_link,
    get_link_settings,
    get_ts_info,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_HLEN, ETH_MAX_MTU, ETH_P, VLAN_HLEN
from nlemu.protocol.uapi.if_vlan import VLAN_PRIO_MASK, VLAN_PRIO_SHIFT, VLAN_VID_MASK, VlanFlag, VlanNames

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

KEY = "vlan"
NAMES = "vlan names"
PROTOCOLS = (ETH_P.VLAN_8021Q, ETH_P.VLAN_8021AD)
"""In the order in which the VLANs of a device are gone through."""
CHANGEABLE = int(
    VlanFlag.REORDER_HDR | VlanFlag.GVRP | VlanFlag.LOOSE_BINDING | VlanFlag.MVRP | VlanFlag.BRIDGE_BINDING
)
LOOSE = int(VlanFlag.LOOSE_BINDING)
BRIDGE = int(VlanFlag.BRIDGE_BINDING)
PRIORITIES = 8
BUCKETS = 16
"""The outgoing map is hashed; it shows in the order in which it is told."""

UP = int(IFF.UP)
PROMISC = int(IFF.PROMISC)
ALLMULTI = int(IFF.ALLMULTI)
NOT_INHERITED = int(IFF.UP | IFF.PROMISC | IFF.ALLMULTI | IFF.MASTER | IFF.SLAVE)
FEATURES = (
    features.HW_CSUM
    | features.SG
    | features.FRAGLIST
    | features.GSO_SOFTWARE
    | features.GSO_ENCAP_ALL
    | features.HIGHDMA
    | features.SCTP_CRC
    | features.FCOE_CRC
    | features.FSO
)

REGISTRATION = bytes.fromhex("0180c2000021")
"""The group of the registration protocols."""

WORK_LINK_STATE = 1
WORK_MTU = 2
WORK_FEATURES = 4
"""enum vlan_work: what is put off."""


@dataclass(slots=True)
class VlanParams:
    """IFLA_INFO_DATA of a VLAN; None: it was not there. flags: with flags and mask; the maps: {"mapping": [...]} of
    what has from_ and to; protocol: ETH_P_*."""

    id: int | None = None
    flags: Any = None
    egress_qos: Mapping[str, Any] | None = None
    ingress_qos: Mapping[str, Any] | None = None
    protocol: int | None = None


@dataclass(slots=True)
class Vlan:
    """struct vlan_dev_priv. below: the device that it stands on; below_address: that device's address, as it was last
    looked at; ingress: of each priority in the tag what it becomes, 0 for nothing; egress: the other way, by buckets,
    the newest first; given, groups_given: the addresses and groups that the device below lets in for it."""

    below: Device
    protocol: ETH_P
    id: int
    flags: int = int(VlanFlag.REORDER_HDR)
    below_address: bytes = NO_ADDRESS
    ingress: list[int] = field(default_factory=lambda: [0] * PRIORITIES)
    egress: list[dict[int, int]] = field(default_factory=lambda: [{} for _ in range(BUCKETS)])
    given: set[bytes] = field(default_factory=set)
    groups_given: set[bytes] = field(default_factory=set)

    @property
    def number(self) -> tuple[int, int]:
        """Where it stands among the VLANs of its device."""
        return PROTOCOLS.index(self.protocol), self.id

    def egress_tags(self) -> Iterator[tuple[int, int]]:
        """Of which priority of packets which one stands in the tag, in the order in which that is told."""
        return (
            (priority, qos >> VLAN_PRIO_SHIFT)
            for bucket in self.egress for priority, qos in reversed(bucket.items())
        )

    @property
    def loose(self) -> bool:
        """It does not go up and down with its device."""
        return self.flags & LOOSE != 0

    @property
    def bridged(self) -> bool:
        """Its state follows the ports of a bridge, not its device."""
        return self.flags & BRIDGE != 0


Group = dict[tuple[int, int], "Device"]


def vlans_on(dev: Device) -> list[Device]:
    """vlan_group_for_each_dev(): the VLANs that stand on a device, by protocol and number."""
    group: Group = dev.attached.get(KEY, {})
    return [group[number] for number in sorted(group)]


def names_of(net: Net) -> VlanNames:
    """vlan_net.name_type: what VLANs are called that an ioctl makes there."""
    names: VlanNames = net.generic.get(NAMES, VlanNames.RAW_PLUS_VID_NO_PAD)
    return names


def name_by(net: Net, names: VlanNames) -> None:
    """SET_VLAN_NAME_TYPE_CMD."""
    net.generic[NAMES] = names


def transfer_operstate(dev: Device) -> None:
    """vlan_stacked_transfer_operstate()."""
    vlan: Vlan = dev.priv
    if not vlan.bridged:
        link_watch.transfer_operstate(vlan.below, dev)


def make_room(dev: Device) -> None:
    """The room that the device below wants, and that of the tag."""
    below: Device = dev.priv.below
    dev.hard_header_len = below.hard_header_len
    dev.needed_headroom = below.needed_headroom + VLAN_HLEN
    dev.needed_tailroom = below.needed_tailroom


def inherit_address(dev: Device) -> bool:
    """vlan_dev_inherit_address(): True when the address is that of the device below, and now the same again."""
    if dev.addr_assign_type != AddressAssignment.STOLEN:
        return False
    dev.address = dev.priv.below.address
    dev.changed()
    dev.kernel.notify(NetdevEvent.CHANGEADDR, dev)
    return True


class VlanOps(DeviceOps):
    """vlan_netdev_ops and vlan_ethtool_ops."""

    driver = "802.1Q VLAN Support"
    driver_version = "1.8"
    firmware = "N/A"

    def init(self, dev: Device) -> None:
        """vlan_dev_init(): what it has of the device below."""
        vlan: Vlan = dev.priv
        below = vlan.below
        dev.flags = below.flags & ~NOT_INHERITED
        dev.no_carrier = below.no_carrier or vlan.bridged
        dev.dormant = below.dormant
        dev.hw_features = FEATURES | below.vlan_features & features.HW_MACSEC
        dev.features |= dev.hw_features
        settings.inherit_tso_max(dev, below)
        dev.vlan_features = below.vlan_features & ~(features.FCOE_CRC | features.FSO)
        if dev.address == NO_ADDRESS:
            dev.address = below.address
            dev.addr_assign_type = AddressAssignment.STOLEN
        if dev.broadcast == NO_ADDRESS:
            dev.broadcast = below.broadcast
        make_room(dev)

    def uninit(self, dev: Device) -> None:
        dev.priv.egress = [{} for _ in range(BUCKETS)]

    def open(self, dev: Device) -> None:
        vlan: Vlan = dev.priv
        below = vlan.below
        if not below.up and not vlan.loose:
            raise Refusal(ENETDOWN)
        dev.kernel.netdev_work.cancel(dev, WORK_LINK_STATE)
        if dev.address != below.address and not inherit_address(dev):
            rx_mode.add_address(below, dev.address)
        vlan.below_address = below.address
        if below.carrier and not vlan.bridged:
            link_watch.carrier_on(dev)

    def stop(self, dev: Device) -> None:
        vlan: Vlan = dev.priv
        dev.kernel.netdev_work.cancel(dev, WORK_LINK_STATE)
        rx_mode.unsync_groups(vlan.below, dev, vlan.groups_given)
        rx_mode.unsync(vlan.below, vlan.given)
        if dev.address != vlan.below.address:
            rx_mode.delete_address(vlan.below, dev.address)
        if not vlan.bridged:
            link_watch.carrier_off(dev)

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def set_mac(self, dev: Device, address: bytes) -> None:
        below: Device = dev.priv.below
        if not valid_ethernet(address):
            raise Refusal(EADDRNOTAVAIL)
        if dev.up:
            if address != below.address:
                rx_mode.add_address(below, address)
            if dev.address != below.address:
                rx_mode.delete_address(below, dev.address)
        dev.address = address[:ETH_ALEN]
        dev.changed()

    def set_rx_mode(self, dev: Device) -> None:
        rx_mode.sync_groups(dev.priv.below, dev, dev.priv.groups_given)
        rx_mode.sync(dev.priv.below, dev, dev.priv.given)

    def change_rx_flags(self, dev: Device, change: int) -> None:
        below: Device = dev.priv.below
        if change & ALLMULTI:
            rx_mode.change_allmulti(below, 1 if dev.flags & ALLMULTI else -1)
        if change & PROMISC:
            flags.set_promiscuity(below, 1 if dev.flags & PROMISC else -1)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        if mtu > max_mtu(dev.priv.below):
            raise Refusal(ERANGE)
        dev.mtu = mtu

    def fix_features(self, dev: Device, features_: int) -> int:
        below: Device = dev.priv.below
        lower = features.intersect(below.vlan_features | features.RXCSUM, below.features)
        if lower & (features.IP_CSUM | features.IPV6_CSUM):
            lower |= features.HW_CSUM
        kept = features_ & (features.SOFT_FEATURES | features.GSO_SOFTWARE)
        return features.intersect(features_, lower) | kept

    def work(self, dev: Device, events: int) -> None:
        """vlan_dev_work(): what was put off, by what the device below is like now."""
        vlan: Vlan = dev.priv
        below = vlan.below
        if events & WORK_LINK_STATE and below.up != dev.up:
            shown = flags.get_flags(dev)
            if not vlan.loose:
                with suppress(Refusal):
                    flags.change_flags(dev, shown | UP if below.up else shown & ~UP)
            if below.up or not vlan.loose:
                transfer_operstate(dev)
        if events & WORK_MTU and dev.mtu > below.mtu:
            with suppress(Refusal):
                settings.set_mtu(dev, below.mtu)
        if events & WORK_FEATURES:
            settings.inherit_tso_max(dev, below)
            make_room(dev)
            features.update_features(dev)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """vlan_dev_hard_start_xmit(), and vlan_do_receive() where it arrives. A tag that vlan_dev_hard_header() has put
        in by then is counted as well."""
        vlan: Vlan = dev.priv
        in_frame = 0 if vlan.below.features & qdisc.HW_TAG[vlan.protocol] else VLAN_HLEN
        with qdisc.tagged(dev.kernel, 0 if in_frame else vlan.protocol):
            xmit, receiver = qdisc.transmit(vlan.below, size + in_frame)
        vlan.below.changed()
        if xmit == Xmit.DROP:
            dev.stats.tx_dropped += 1
        else:
            dev.stats.sent(size if vlan.flags & VlanFlag.REORDER_HDR else size + in_frame)
        return xmit, None if receiver is None else receive(receiver, vlan.number, size)

    def bridge_binding(self, dev: Device) -> int | None:
        vlan: Vlan = dev.priv
        return vlan.id if vlan.bridged else None

    def get_iflink(self, dev: Device) -> int:
        below: Device = dev.priv.below
        return below.ifindex

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        return get_link_settings(dev.priv.below)

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        below = get_ts_info(dev.priv.below)
        info.so_timestamping, info.phc_index = below.so_timestamping, below.phc_index
        info.tx_types, info.rx_filters = below.tx_types, below.rx_filters


def receive(dev: Device, number: tuple[int, int], size: int) -> Device | None:
    """vlan_do_receive(): a tagged frame to a group, of that many bytes without the tag, has come to a device; the VLAN
    that it is for. What is for none is somebody else's, but with number 0, which says a priority alone, the device's
    own (check_vlan_id of __netif_receive_skb_core())."""
    dev.changed()
    vlan: Device | None = dev.attached.get(KEY, {}).get(number)
    if vlan is None:
        if not number[1]:
            return dev
        dev.own_stats.rx_otherhost_dropped += 1
        return None
    if not vlan.up:
        return None
    vlan.stats.received(size - ETH_HLEN)
    vlan.stats.multicast += 1
    vlan.changed()
    return vlan


def max_mtu(below: Device) -> int:
    """The largest MTU of a VLAN on that device, in the kernel's unsigned arithmetic."""
    return below.mtu - VLAN_HLEN & 0xFFFFFFFF if below.ops.reduces_vlan_mtu else below.mtu


OPS = VlanOps()


def setup(dev: Device) -> None:
    """vlan_setup()."""
    ether_setup(dev)
    dev.no_queue = True
    dev.unicast_filter = True
    dev.min_mtu = 0
    dev.max_mtu = ETH_MAX_MTU
    dev.broadcast = NO_ADDRESS


# Following the device below


def sync_address(vlan_dev: Device, below: Device) -> None:
    """vlan_sync_address(): the device below may have another address now."""
    vlan: Vlan = vlan_dev.priv
    if vlan.below_address == below.address:
        return
    if not inherit_address(vlan_dev):
        if vlan_dev.address == below.address != vlan.below_address:
            rx_mode.delete_address(below, vlan_dev.address)
        elif vlan_dev.address == vlan.below_address != below.address:
            rx_mode.add_address(below, vlan_dev.address)
    vlan.below_address = below.address


PASSED_ON = (NetdevEvent.NOTIFY_PEERS, NetdevEvent.BONDING_FAILOVER, NetdevEvent.RESEND_IGMP)
LATER = {
    NetdevEvent.UP: WORK_LINK_STATE,
    NetdevEvent.DOWN: WORK_LINK_STATE,
    NetdevEvent.CHANGEMTU: WORK_MTU,
    NetdevEvent.FEAT_CHANGE: WORK_FEATURES,
}


HEEDED = frozenset({
    NetdevEvent.CHANGE, NetdevEvent.CHANGEADDR, NetdevEvent.UNREGISTER, NetdevEvent.PRE_TYPE_CHANGE, *LATER, *PASSED_ON,
})


def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
    """vlan_device_event(): something happens to a device that VLANs may stand on."""
    if KEY not in dev.attached:
        return
    if event == NetdevEvent.CHANGE:
        for vlan in vlans_on(dev):
            transfer_operstate(vlan)
    elif event == NetdevEvent.CHANGEADDR:
        for vlan in vlans_on(dev):
            if vlan.up:
                sync_address(vlan, dev)
    elif event in LATER:
        for vlan in vlans_on(dev):
            if event != NetdevEvent.CHANGEMTU or vlan.mtu > dev.mtu:
                dev.kernel.netdev_work.schedule(vlan, LATER[event])
    elif event == NetdevEvent.UNREGISTER:
        if dev.reg_state == RegState.UNREGISTERING:
            delete_links(vlans_on(dev))
    elif event == NetdevEvent.PRE_TYPE_CHANGE:
        raise Refusal(EPERM)
    else:
        for vlan in vlans_on(dev):
            dev.kernel.notify(event, vlan)


class VlanKind(Kind):
    """vlan_link_ops."""

    name = "vlan"
    option = "VLAN_8021Q"
    ops = OPS
    setup = staticmethod(setup)
    devtype = "vlan"
    params = VlanParams
    notifiers = ((Stage.VLAN, follow, HEEDED),)

    def validate(self, params: LinkParams) -> None:
        try:
            check_new_address(params.address)
        except Refusal as refused:
            raise Refusal(refused.errno, "8021q: Invalid link address") from refused
        data: VlanParams | None = params.data
        if data is None:
            raise Refusal(EINVAL, "8021q: VLAN properties not specified")
        if data.protocol is not None and data.protocol not in PROTOCOLS:
            raise Refusal(EPROTONOSUPPORT, "8021q: Invalid VLAN protocol")
        if data.id is not None and data.id >= VLAN_VID_MASK:
            raise Refusal(ERANGE, "8021q: Invalid VLAN id")
        if data.flags is not None and data.flags.flags & data.flags.mask & ~CHANGEABLE:
            raise Refusal(EINVAL, "8021q: Invalid VLAN flags")

    def new_link(self, dev: Device, params: LinkParams) -> None:
        data: VlanParams = params.data
        if data.id is None:
            raise Refusal(EINVAL, "8021q: VLAN id not specified")
        if params.link is None:
            raise Refusal(EINVAL, "8021q: link not specified")
        below = params.lower
        if below is None:
            raise Refusal(ENODEV, "8021q: link does not exist")
        vlan = Vlan(below, ETH_P.VLAN_8021Q if data.protocol is None else ETH_P(data.protocol), data.id)
        self.check_below(below, vlan)
        if params.mtu is None:
            dev.mtu = max_mtu(below)
        elif dev.mtu > max_mtu(below):
            raise Refusal(EINVAL)
        dev.priv = vlan
        self.change_link(dev, data)
        self.register(dev, vlan)

    def check_below(self, below: Device, vlan: Vlan) -> None:
        """vlan_check_real_dev()."""
        if below.features & features.VLAN_CHALLENGED or below.type != ARPHRD.ETHER:
            raise Refusal(EOPNOTSUPP, "8021q: VLANs not supported on device")
        if vlan.number in below.attached.get(KEY, {}):
            raise Refusal(EEXIST, "8021q: VLAN device already exists")

    def register(self, dev: Device, vlan: Vlan) -> None:
        """register_vlan_dev()."""
        below = vlan.below
        register(dev)
        try:
            adjacency.link(below, dev)
        except Refusal:
            unregister(dev)
            raise
        transfer_operstate(dev)
        dev.kernel.link_watch.fire(dev)
        if KEY not in below.attached:
            below.attach(KEY, {})
            for _ in _registration(below):
                rx_mode.add_group(below, REGISTRATION)
        below.attached[KEY][vlan.number] = dev
        features.update_features(dev)

    def del_link(self, dev: Device, kill: KillList) -> None:
        """unregister_vlan_dev()."""
        vlan: Vlan = dev.priv
        group: Group = vlan.below.attached[KEY]
        del group[vlan.number]
        if not group:
            vlan.below.attach(KEY, None)
            for _ in _registration(vlan.below):
                rx_mode.delete_group(vlan.below, REGISTRATION)
        adjacency.unlink(vlan.below, dev)
        queue_unregister(dev, kill)

    def change_link(self, dev: Device, data: VlanParams) -> None:
        vlan: Vlan = dev.priv
        if data.flags is not None:
            change_flags(vlan, data.flags.flags, data.flags.mask)
        for pair in _pairs(data.ingress_qos):
            vlan.ingress[pair.from_ % PRIORITIES] = pair.to
        for pair in _pairs(data.egress_qos):
            set_egress(vlan, pair.from_, pair.to)
        dev.changed()

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        vlan: Vlan = dev.priv
        ingress = [{"from_": tag, "to": priority} for tag, priority in enumerate(vlan.ingress) if priority]
        egress = [{"from_": priority, "to": tag} for priority, tag in vlan.egress_tags()]
        return {
            "protocol": vlan.protocol,
            "id": vlan.id,
            "flags": {"flags": vlan.flags, "mask": 0xFFFFFFFF} if vlan.flags else None,
            "ingress_qos": {"mapping": ingress} if ingress else None,
            "egress_qos": {"mapping": egress} if egress else None,
        }

    def get_link_net(self, dev: Device) -> Net | None:
        below: Device = dev.priv.below
        return below.net


def _registration(below: Device) -> list[str]:
    """vlan_gvrp_init_applicant(), vlan_mvrp_init_applicant(): the protocols that listen on a device with VLANs."""
    return [option for option in ("VLAN_8021Q_GVRP", "VLAN_8021Q_MVRP") if below.kernel.build.has(option)]


def change_flags(vlan: Vlan, flags: int, mask: int) -> None:
    """vlan_dev_change_flags(): EINVAL."""
    if mask & ~CHANGEABLE:
        raise Refusal(EINVAL)
    vlan.flags = vlan.flags & ~mask | flags & mask


def set_egress(vlan: Vlan, priority: int, tag: int) -> None:
    """vlan_dev_set_egress_priority(): of a packet of that priority, what stands in the tag; 0 takes it away."""
    bucket = vlan.egress[priority % BUCKETS]
    qos = tag << VLAN_PRIO_SHIFT & VLAN_PRIO_MASK
    if qos:
        bucket[priority] = qos
    else:
        bucket.pop(priority, None)


def _pairs(qos: Mapping[str, Any] | None) -> list[Any]:
    """struct ifla_vlan_qos_mapping, as often as it stands in a map."""
    return [] if qos is None else qos.get("mapping", [])


KIND = VlanKind()
