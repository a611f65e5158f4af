"""ipvlan: links that have the hardware address of another device, and IP addresses of their own (drivers/net/ipvlan).

What the ipvlans of one device share hangs on that device, which is a port then: how they are told apart (the mode) and
whom they talk to (the flags). Whoever sets either sets it for all; where frames are routed and not switched (L3, L3S)
nobody resolves addresses. A number within the port makes up for the address that is not one's own.

An address is on one ipvlan of a device at most, whatever namespaces they are in: another one refuses it.

Frames here are to groups. Where frames are switched they go out by the device below, and to those that listen to the
group; where they are routed they are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EADDRINUSE, EBUSY, EINVAL, EPERM
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import (
    adjacency,
    features,
    flags,
    link_watch,
    qdisc,
    rx_handler,
    rx_mode,
    settings,
)
from nlemu.emulator.kernel.devices.address import ether_setup
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.links import delete_links
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import (
    KillList,
    queue_unregister,
    register,
    unregister,
)
from nlemu.emulator.kernel.devices.states import RegState, Xmit
from nlemu.emulator.kernel.ethtool.link import LinkSettings, carrier_as_link, get_link_settings
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_HLEN, ETH_MAX_MTU
from nlemu.protocol.uapi.if_link import IpvlanFlag, IpvlanMode
from nlemu.protocol.uapi.netdevice import NetifF
from nlemu.protocol.uapi.socket import AF_INET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nlemu.emulator.kernel.core.events import Notifier
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

KEY = "ipvlan"
L2, L3, L3S = (int(mode) for mode in IpvlanMode)
PRIVATE, VEPA = int(IpvlanFlag.PRIVATE), int(IpvlanFlag.VEPA)
NOARP, LOOPBACK = int(IFF.NOARP), int(IFF.LOOPBACK)
ALLMULTI = int(IFF.ALLMULTI)
ENOTSUPP = 524
"""Not an error of programs, but they are told it."""
LAST_ID, WRAPPED = 0xFFFD, 0xFFFE

ALWAYS_ON_OFFLOADS = (
    features.SG
    | features.HW_CSUM
    | features.word(NetifF.GSO_ROBUST)
    | features.GSO_SOFTWARE
    | features.GSO_ENCAP_ALL
)
ALWAYS_ON = ALWAYS_ON_OFFLOADS | features.VLAN_CHALLENGED
FEATURES = (
    features.SG
    | features.HW_CSUM
    | features.HIGHDMA
    | features.FRAGLIST
    | features.GSO
    | features.ALL_TSO
    | features.word(NetifF.GSO_ROBUST)
    | features.GRO
    | features.RXCSUM
    | features.word(NetifF.HW_VLAN_CTAG_FILTER, NetifF.HW_VLAN_STAG_FILTER)
)


@dataclass(slots=True)
class IpvlanParams:
    """IFLA_INFO_DATA of an ipvlan; None: it was not there."""

    mode: int | None = None
    flags: int | None = None


@dataclass(slots=True, eq=False)
class Port:
    """struct ipvl_port, of the device ``dev``. ipvlans: those that stand on it, in the order of their making; count:
    those that are registered; next_id: where the search for the number of another begins."""

    dev: Device
    mode: int = L3
    flags: int = 0
    ipvlans: list[Device] = field(default_factory=list)
    count: int = 0
    next_id: int = 1
    ids: set[int] = field(default_factory=set)

    def changed(self) -> None:
        """Mode or flags are others, which all show."""
        for ipvlan in self.ipvlans:
            ipvlan.changed()

    def take_id(self) -> int:
        """ida_alloc_range(), from the last one taken on, and then from the beginning."""
        if self.next_id == WRAPPED:
            self.next_id = 1
        around = (*range(self.next_id, LAST_ID + 1), *range(1, self.next_id))
        taken: int = next(number for number in around if number not in self.ids)
        self.ids.add(taken)
        self.next_id = taken + 1
        return taken

    def is_busy(self, address: int, family: int) -> bool:
        """ipvlan_addr_busy(): one of them has the address."""
        return any(_has_address(dev, address, family) for dev in self.ipvlans)


def _has_address(dev: Device, address: int, family: int) -> bool:
    """ipvlan_find_addr(): of an address with a peer the latter counts."""
    if family == AF_INET:
        return dev.ip4 is not None and any(ifa.address == address for ifa in dev.ip4.addresses)
    return dev.ip6 is not None and any(ifa.address == address for ifa in dev.ip6.addresses)


@dataclass(slots=True, eq=False)
class Ipvlan:
    """struct ipvl_dev: what stands on ``lower``. given, groups_given: the addresses and groups that the device below
    lets in for it; msg_enable: what the driver logs."""

    lower: Device
    port: Port | None = None
    given: set[bytes] = field(default_factory=set)
    groups_given: set[bytes] = field(default_factory=set)
    msg_enable: int = 0


def port_of(dev: Device) -> Port | None:
    """ipvlan_port_get_rtnl(): of a device that ipvlans stand on."""
    port: Port | None = dev.attached.get(KEY)
    return port


def set_port_mode(port: Port, mode: int) -> None:
    """ipvlan_set_port_mode(): whether addresses are resolved goes with it."""
    if port.mode == mode:
        return
    if mode == L3S and not port.dev.kernel.build.has("IPVLAN_L3S"):
        raise Refusal(ENOTSUPP)
    for ipvlan in port.ipvlans:
        wanted = ipvlan.flags & ~NOARP if mode == L2 else ipvlan.flags | NOARP
        flags.change_flags(ipvlan, wanted)
    port.mode = mode
    port.changed()


class IpvlanOps(DeviceOps):
    """ipvlan_netdev_ops and ipvlan_ethtool_ops. There is no ndo_set_mac_address."""

    driver = "ipvlan"
    driver_version = "0.1"

    def init(self, dev: Device) -> None:
        """ipvlan_init(): the first one makes the device below a port."""
        lower: Device = dev.priv.lower
        dev.no_carrier, dev.dormant = lower.no_carrier, lower.dormant
        dev.features = lower.features & FEATURES | ALWAYS_ON
        dev.vlan_features = lower.vlan_features & FEATURES | ALWAYS_ON_OFFLOADS
        settings.inherit_tso_max(dev, lower)
        settings.inherit_room(dev, lower)
        port = port_of(lower)
        if port is None:
            rx_handler.register(lower, arrive)
            port = Port(lower)
            lower.attach(KEY, port)
        port.count += 1

    def uninit(self, dev: Device) -> None:
        port = port_of(dev.priv.lower)
        assert port is not None
        port.count -= 1
        if not port.count:
            port.dev.attach(KEY, None)
            rx_handler.unregister(port.dev)

    def open(self, dev: Device) -> None:
        if dev.priv.port.mode == L2:
            dev.flags &= ~NOARP
        else:
            dev.flags |= NOARP

    def stop(self, dev: Device) -> None:
        rx_mode.unsync(dev.priv.lower, dev.priv.given)
        rx_mode.unsync_groups(dev.priv.lower, dev, dev.priv.groups_given)

    def change_rx_flags(self, dev: Device, change: int) -> None:
        if change & ALLMULTI:
            rx_mode.change_allmulti(dev.priv.lower, 1 if dev.flags & ALLMULTI else -1)

    def set_rx_mode(self, dev: Device) -> None:
        rx_mode.sync(dev.priv.lower, dev, dev.priv.given)
        rx_mode.sync_groups(dev.priv.lower, dev, dev.priv.groups_given)

    def fix_features(self, dev: Device, features_: int) -> int:
        """ipvlan_fix_features()."""
        features_ |= features.ALL_FOR_ALL
        together = features.increment(dev.priv.lower.features, features_, features_)
        return (together | ALWAYS_ON) & (FEATURES | ALWAYS_ON)

    def check_ip(self, dev: Device, address: int, family: int) -> None:
        """ipvlan_addr4_validator_event(), ipvlan_addr6_validator_event(): EADDRINUSE."""
        port: Port | None = dev.priv.port
        if port is not None and port.is_busy(address, family):
            raise Refusal(EADDRINUSE, "Address already assigned to an ipvlan device")

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """ipvlan_start_xmit(): of a frame to a group."""
        port: Port = dev.priv.port
        if port.mode != L2:
            dev.stats.tx_dropped += 1
            return Xmit.DROP, None
        dev.stats.sent(size)
        _spread(port, size, dev.priv.lower.address, dev)
        _, receiver = qdisc.transmit(port.dev, size)
        port.dev.changed()
        return Xmit.SUCCESS, receiver

    def get_iflink(self, dev: Device) -> int:
        lower: Device = dev.priv.lower
        return lower.ifindex

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        return get_link_settings(dev.priv.lower)

    def get_msglevel(self, dev: Device) -> int:
        level: int = dev.priv.msg_enable
        return level

    def set_msglevel(self, dev: Device, level: int) -> None:
        dev.priv.msg_enable = level


def _spread(port: Port, size: int, sender: bytes, source: Device | None) -> None:
    """ipvlan_process_multicast(): to all but the source that take it. What one of them sends has its header still when
    it is counted, and that is counted again."""
    for ipvlan in tuple(port.ipvlans):
        if ipvlan is source or not ipvlan.up or not rx_mode.hears(ipvlan):
            continue
        if source is not None and not ipvlan.takes(size):
            ipvlan.stats.rx_errors += 1
            continue
        ipvlan.stats.received(size if source is None else size + ETH_HLEN)
        ipvlan.stats.multicast += 1
        rx_handler.receive(ipvlan, size, sender)


def arrive(dev: Device, size: int, sender: bytes) -> Device | None:
    """ipvlan_handle_frame(): the device below has frames to groups in any case."""
    port = port_of(dev)
    if port is not None and port.mode == L2:
        _spread(port, size, sender, None)
    return dev


OPS = IpvlanOps()


def setup(dev: Device) -> None:
    """ipvlan_link_setup()."""
    ether_setup(dev)
    dev.max_mtu = ETH_MAX_MTU
    dev.unicast_filter = True
    dev.no_queue = True


# Following the device below


PASSED_ON = (NetdevEvent.NOTIFY_PEERS, NetdevEvent.BONDING_FAILOVER, NetdevEvent.RESEND_IGMP)
OF_STATE = (NetdevEvent.UP, NetdevEvent.DOWN, NetdevEvent.CHANGE)
HEEDED = frozenset({
    NetdevEvent.UNREGISTER, NetdevEvent.FEAT_CHANGE, NetdevEvent.CHANGEMTU, NetdevEvent.PRE_CHANGEADDR,
    NetdevEvent.CHANGEADDR, NetdevEvent.PRE_TYPE_CHANGE, *OF_STATE, *PASSED_ON,
})


def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
    """ipvlan_device_event(): something happens to a device that ipvlans may stand on."""
    port = port_of(dev)
    if port is None:
        return
    ipvlans = tuple(port.ipvlans)
    if event == NetdevEvent.UNREGISTER:
        if dev.reg_state == RegState.UNREGISTERING:
            delete_links(ipvlans)
    elif event == NetdevEvent.PRE_TYPE_CHANGE:
        raise Refusal(EPERM)
    else:
        for ipvlan in ipvlans:
            _follow(event, dev, ipvlan, info)


def _follow(event: NetdevEvent, dev: Device, ipvlan: Device, info: Info) -> None:
    """What each ipvlan makes of it."""
    if event in OF_STATE:
        link_watch.transfer_operstate(dev, ipvlan)
    elif event == NetdevEvent.FEAT_CHANGE:
        settings.inherit_tso_max(ipvlan, dev)
        settings.inherit_room(ipvlan, dev)
        features.update_features(ipvlan)
    elif event == NetdevEvent.CHANGEMTU:
        ipvlan.mtu = dev.mtu  # and nobody is told
        ipvlan.changed()
    elif event == NetdevEvent.CHANGEADDR:
        ipvlan.address = dev.address
        ipvlan.changed()
        dev.kernel.notify(event, ipvlan)
    else:
        dev.kernel.notify(event, ipvlan, info)


class IpvlanKind(Kind):
    """ipvlan_link_ops, and what ipvlan_link_register() gives to all that are like it."""

    name = "ipvlan"
    option = "IPVLAN"
    ops: DeviceOps = OPS
    setup = staticmethod(setup)
    params = IpvlanParams
    notifiers: tuple[tuple[Stage, Notifier, Iterable[NetdevEvent]], ...] = ((Stage.DRIVERS, follow, HEEDED),)

    def validate(self, params: LinkParams) -> None:
        data: IpvlanParams | None = params.data
        if data is None:
            return
        if data.mode is not None and data.mode > L3S:
            raise Refusal(EINVAL)
        if data.flags is not None and (data.flags & ~(PRIVATE | VEPA) or data.flags == PRIVATE | VEPA):
            raise Refusal(EINVAL)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """ipvlan_link_new()."""
        lower = params.demanded_lower()
        if isinstance(lower.ops, IpvlanOps):
            lower = lower.priv.lower
        elif port_of(lower) is None:
            if lower.type != ARPHRD.ETHER or lower.flags & LOOPBACK:
                raise Refusal(EINVAL)
            if rx_handler.is_busy(lower):
                raise Refusal(EBUSY)
        ipvlan = dev.priv = Ipvlan(lower)
        if params.mtu is None:
            dev.mtu = lower.mtu
        dev.address = lower.address
        dev.no_rx_handler = True
        register(dev)
        port = ipvlan.port = port_of(lower)
        assert port is not None
        dev.dev_id = port.take_id()
        try:
            self._join(dev, port, params.data or IpvlanParams())
        except Refusal:
            port.ids.discard(dev.dev_id)
            unregister(dev)
            raise

    def _join(self, dev: Device, port: Port, data: IpvlanParams) -> None:
        """Where it stands among the others, and what it makes of them."""
        adjacency.link(port.dev, dev)
        if data.flags is not None:
            port.flags = data.flags
            port.changed()
        try:
            set_port_mode(port, L3 if data.mode is None else data.mode)
        except Refusal:
            adjacency.unlink(port.dev, dev)
            raise
        port.ipvlans.append(dev)
        link_watch.transfer_operstate(port.dev, dev)

    def del_link(self, dev: Device, kill: KillList) -> None:
        """ipvlan_link_delete()."""
        port: Port = dev.priv.port
        port.ids.discard(dev.dev_id)
        if dev in port.ipvlans:
            port.ipvlans.remove(dev)
        queue_unregister(dev, kill)
        adjacency.unlink(port.dev, dev)

    def change_link(self, dev: Device, data: IpvlanParams) -> None:
        """ipvlan_nl_changelink()."""
        port: Port = dev.priv.port
        if data.mode is not None:
            set_port_mode(port, data.mode)
        if data.flags is not None:
            port.flags = data.flags & (PRIVATE | VEPA)
            port.changed()

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        port = port_of(dev.priv.lower)
        return {} if port is None else {"mode": port.mode, "flags": port.flags}

    def get_link_net(self, dev: Device) -> Net | None:
        lower: Device = dev.priv.lower
        return lower.net


KIND = IpvlanKind()
