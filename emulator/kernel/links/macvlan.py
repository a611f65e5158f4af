"""macvlan: links of their own for the frames of another device that bear their addresses (drivers/net/macvlan.c).

A macvlan stands on a device and has an address of its own, which the device below lets in beside its own while the
macvlan is up. The mode says to whom it talks: to nobody but the outside, which may send frames back, to the others
directly, or it has the device to itself (passthru), and then the address of the one is that of the other. In source
mode it hears the senders on a list. One that stands on another stands on the device below that.

What macvlans of one device share, and the way of frames among them, is in macvlan_port.py.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from errno import EADDRINUSE, EADDRNOTAVAIL, EINVAL, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import (
    address,
    adjacency,
    features,
    flags,
    link_watch,
    rx_handler,
    rx_mode,
    settings,
)
from nlemu.emulator.kernel.devices.address import (
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
from nlemu.emulator.kernel.devices.states import RegState, Xmit
from nlemu.emulator.kernel.ethtool.link import (
    LinkSettings,
    TsInfo,
    carrier_as_link,
    get_link_settings,
    get_ts_info,
)
from nlemu.emulator.kernel.links.macvlan_port import (
    KEY,
    NO_CUTOFF,
    PASSTHRU,
    SOURCE,
    Macvlan,
    Port,
    arrive,
    bucket,
    port_of,
    transmit,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.release import V7_3
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_MAX_MTU, ETH_MIN_MTU
from nlemu.protocol.uapi.if_link import MacvlanFlag, MacvlanMacaddrMode, MacvlanMode
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nlemu.emulator.kernel.core.events import Notifier
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

MACADDR = 4
"""IFLA_MACVLAN_MACADDR, the only attribute that a list of addresses may hold."""
MODES = frozenset(int(mode) for mode in MacvlanMode)
MACADDR_MODES = frozenset(int(mode) for mode in MacvlanMacaddrMode)
ALL_FLAGS = int(MacvlanFlag.NOPROMISC | MacvlanFlag.NODST)
NOPROMISC = int(MacvlanFlag.NOPROMISC)
PROMISC = int(IFF.PROMISC)
ALLMULTI = int(IFF.ALLMULTI)
LOOPBACK = int(IFF.LOOPBACK)

ALWAYS_ON = (
    features.SG
    | features.HW_CSUM
    | features.GSO_SOFTWARE
    | features.word(NetifF.GSO_ROBUST)
    | features.GSO_ENCAP_ALL
)
FEATURES = (
    features.SG
    | features.HW_CSUM
    | features.HIGHDMA
    | features.FRAGLIST
    | features.GSO
    | features.TSO
    | features.LRO
    | features.TSO_ECN
    | features.TSO6
    | features.GRO
    | features.RXCSUM
    | features.word(NetifF.HW_VLAN_CTAG_FILTER, NetifF.HW_VLAN_STAG_FILTER)
)


@dataclass(slots=True)
class MacvlanParams:
    """IFLA_INFO_DATA of a macvlan; None: it was not there. macaddr_data: pairs of an attribute's number and payload;
    macaddr_count: refused."""

    mode: int | None = None
    flags: int | None = None
    macaddr_mode: int | None = None
    macaddr: bytes | None = None
    macaddr_data: Sequence[tuple[int, bytes]] | None = None
    macaddr_count: int | None = None
    bc_queue_len: int | None = None
    bc_cutoff: int | None = None


def create_port(lower: Device) -> Port:
    """macvlan_port_create(): EINVAL, EBUSY."""
    if lower.type != ARPHRD.ETHER or lower.flags & LOOPBACK:
        raise Refusal(EINVAL)
    port = Port(lower, lower.address)
    rx_handler.register(lower, arrive)
    lower.attach(KEY, port)
    return port


def destroy_port(port: Port) -> None:
    """macvlan_port_destroy(): the device has the address that it had before somebody had it to himself."""
    port.dev.attach(KEY, None)
    rx_handler.unregister(port.dev)
    if port.passthru and port.dev.address != port.address:
        with suppress(Refusal):
            address.set_mac(port.dev, port.address)


def sync_address(dev: Device, new: bytes) -> None:
    """macvlan_sync_address(): EADDRINUSE."""
    vlan: Macvlan = dev.priv
    port = vlan.port
    if not dev.up:
        dev.address = new
    else:
        if port.is_busy(new):
            raise Refusal(EADDRINUSE)
        if not port.passthru:
            rx_mode.add_address(vlan.lower, new)
            rx_mode.delete_address(vlan.lower, dev.address)
        del port.by_address[dev.address]
        dev.address = new
        port.by_address[new] = dev
    dev.changed()
    if port.passthru and not port.address_changing:
        port.address = vlan.lower.address
    port.address_changing = False


class MacvlanOps(DeviceOps):
    """macvlan_netdev_ops and macvlan_ethtool_ops."""

    driver = "macvlan"
    driver_version = "0.1"

    def init(self, dev: Device) -> None:
        vlan: Macvlan = dev.priv
        lower = vlan.lower
        dev.no_carrier, dev.dormant = lower.no_carrier, lower.dormant
        dev.features = lower.features & FEATURES | ALWAYS_ON
        dev.hw_features |= features.LRO
        dev.vlan_features = lower.vlan_features & FEATURES | ALWAYS_ON
        settings.inherit_tso_max(dev, lower)
        settings.inherit_room(dev, lower)
        vlan.port.count += 1

    def uninit(self, dev: Device) -> None:
        port: Port = dev.priv.port
        dev.priv.sources.clear()
        port.count -= 1
        if not port.count:
            destroy_port(port)

    def open(self, dev: Device) -> None:
        """macvlan_open(): EADDRINUSE."""
        vlan: Macvlan = dev.priv
        lower = vlan.lower
        if vlan.port.passthru:
            if not vlan.flags & NOPROMISC:
                flags.set_promiscuity(lower, 1)
        else:
            if vlan.port.is_busy(dev.address):
                raise Refusal(EADDRINUSE)
            rx_mode.add_address(lower, dev.address)
            if dev.flags & ALLMULTI:
                rx_mode.change_allmulti(lower, 1)
            if dev.flags & PROMISC:
                flags.set_promiscuity(lower, 1)
        vlan.port.by_address[dev.address] = dev

    def stop(self, dev: Device) -> None:
        vlan: Macvlan = dev.priv
        lower = vlan.lower
        rx_mode.unsync(lower, vlan.given)
        rx_mode.unsync_groups(lower, dev, vlan.groups_given)
        if vlan.port.passthru:
            if not vlan.flags & NOPROMISC:
                flags.set_promiscuity(lower, -1)
        else:
            if dev.flags & ALLMULTI:
                rx_mode.change_allmulti(lower, -1)
            if dev.flags & PROMISC:
                flags.set_promiscuity(lower, -1)
            rx_mode.delete_address(lower, dev.address)
        del vlan.port.by_address[dev.address]

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def set_mac(self, dev: Device, address_: bytes) -> None:
        """macvlan_set_mac_address(): EADDRNOTAVAIL, EADDRINUSE, and what the device below refuses."""
        vlan: Macvlan = dev.priv
        if not valid_ethernet(address_):
            raise Refusal(EADDRNOTAVAIL)
        new = address_[:ETH_ALEN]
        if new == dev.address:
            return
        if vlan.mode == PASSTHRU:
            vlan.port.address_changing = True
            address.set_mac(vlan.lower, new)
            return
        if vlan.port.is_busy(new):
            raise Refusal(EADDRINUSE)
        sync_address(dev, new)

    def change_rx_flags(self, dev: Device, change: int) -> None:
        vlan: Macvlan = dev.priv
        if not dev.up:
            return
        if change & ALLMULTI:
            rx_mode.change_allmulti(vlan.lower, 1 if dev.flags & ALLMULTI else -1)
        if not vlan.port.passthru and change & PROMISC:
            flags.set_promiscuity(vlan.lower, 1 if dev.flags & PROMISC else -1)

    def set_rx_mode(self, dev: Device) -> None:
        vlan: Macvlan = dev.priv
        rx_mode.sync(vlan.lower, dev, vlan.given)
        rx_mode.sync_groups(vlan.lower, dev, vlan.groups_given)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        if dev.priv.lower.mtu < mtu:
            raise Refusal(EINVAL)
        dev.mtu = mtu

    def fdb_add(self, dev: Device, address_: bytes, *, replace: bool) -> None:
        """macvlan_fdb_add(): addresses are for those that have the device below to themselves."""
        if not dev.priv.port.passthru and not address_[0] & 1:
            raise Refusal(EOPNOTSUPP)
        if replace:
            raise Refusal(EOPNOTSUPP)
        if address_[0] & 1:
            rx_mode.add_group_alone(dev, address_)
        else:
            rx_mode.add_address_alone(dev, address_)

    def fdb_delete(self, dev: Device, address_: bytes) -> None:
        """macvlan_fdb_del()."""
        if not dev.priv.port.passthru and not address_[0] & 1:
            raise Refusal(EOPNOTSUPP)
        rx_mode.forget(dev, address_)

    def fix_features(self, dev: Device, features_: int) -> int:
        """macvlan_fix_features(): all that the device below has, and what needs nothing of it."""
        features_ |= features.ALL_FOR_ALL
        lower = dev.priv.lower.features & (features_ | ~features.LRO)
        return features.increment(lower, features_, features_) & (ALWAYS_ON | FEATURES) | ALWAYS_ON

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        return transmit(dev, size)

    def get_iflink(self, dev: Device) -> int:
        lower: Device = dev.priv.lower
        return lower.ifindex

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        return get_link_settings(dev.priv.lower)

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        lower = get_ts_info(dev.priv.lower)
        info.so_timestamping, info.phc_index = lower.so_timestamping, lower.phc_index
        info.tx_types, info.rx_filters = lower.tx_types, lower.rx_filters


OPS = MacvlanOps()


def common_setup(dev: Device) -> None:
    """macvlan_common_setup()."""
    ether_setup(dev)
    dev.max_mtu = ETH_MAX_MTU
    dev.unicast_filter = True
    dev.change_proto_down = True


def setup(dev: Device) -> None:
    """macvlan_setup()."""
    common_setup(dev)
    dev.no_queue = True


# Following the device below


PASSED_ON = (NetdevEvent.NOTIFY_PEERS, NetdevEvent.BONDING_FAILOVER, NetdevEvent.RESEND_IGMP)
OF_STATE = (NetdevEvent.UP, NetdevEvent.DOWN, NetdevEvent.CHANGE)
HEEDED = frozenset({
    NetdevEvent.FEAT_CHANGE, NetdevEvent.CHANGEMTU, NetdevEvent.CHANGEADDR, NetdevEvent.UNREGISTER,
    NetdevEvent.PRE_TYPE_CHANGE, *OF_STATE, *PASSED_ON,
})


def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
    """macvlan_device_event(): something happens to a device that macvlans may stand on."""
    port = port_of(dev)
    if port is None:
        return
    vlans = tuple(port.vlans)
    if event in OF_STATE:
        for vlan in vlans:
            link_watch.transfer_operstate(dev, vlan)
    elif event == NetdevEvent.FEAT_CHANGE:
        for vlan in vlans:
            settings.inherit_tso_max(vlan, dev)
            settings.inherit_room(vlan, dev)
            features.update_features(vlan)
    elif event == NetdevEvent.CHANGEMTU:
        for vlan in vlans:
            if vlan.mtu > dev.mtu:
                with suppress(Refusal):
                    settings.set_mtu(vlan, dev.mtu)
    elif event == NetdevEvent.CHANGEADDR:
        if port.passthru and vlans:
            with suppress(Refusal):
                sync_address(vlans[0], dev.address)
    elif event == NetdevEvent.UNREGISTER:
        if dev.reg_state == RegState.UNREGISTERING:
            delete_links(vlans)
    elif event == NetdevEvent.PRE_TYPE_CHANGE:
        raise Refusal(EPERM)
    else:
        for vlan in vlans:
            dev.kernel.notify(event, vlan)


class MacvlanKind(Kind):
    """macvlan_link_ops, and what macvlan_link_register() gives to all that are like it."""

    name = "macvlan"
    option = "MACVLAN"
    ops: DeviceOps = OPS
    setup = staticmethod(setup)
    params = MacvlanParams
    notifiers: tuple[tuple[Stage, Notifier, Iterable[NetdevEvent]], ...] = ((Stage.DRIVERS, follow, HEEDED),)

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)
        data: MacvlanParams | None = params.data
        if data is None:
            return
        if data.flags is not None and data.flags & ~ALL_FLAGS:
            raise Refusal(EINVAL)
        if data.mode is not None and data.mode not in MODES:
            raise Refusal(EINVAL)
        if data.macaddr_mode is not None and data.macaddr_mode not in MACADDR_MODES:
            raise Refusal(EINVAL)
        check_new_address(data.macaddr)
        for number, payload in data.macaddr_data or ():
            if number != MACADDR:
                raise Refusal(EINVAL)
            check_new_address(payload)
        if data.macaddr_count is not None:
            raise Refusal(EINVAL)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """macvlan_common_newlink()."""
        lower = params.demanded_lower()
        if isinstance(lower.ops, MacvlanOps):
            lower = lower.priv.lower
        if params.mtu is None:
            dev.mtu = lower.mtu
        elif dev.mtu > lower.mtu:
            raise Refusal(EINVAL)
        dev.min_mtu, dev.max_mtu = ETH_MIN_MTU, lower.max_mtu
        if params.address is None:
            address.randomize_address(dev)
        port = port_of(lower)
        created = port is None
        if port is None:
            port = create_port(lower)
        vlan = dev.priv = Macvlan(lower, port)
        try:
            if port.passthru:
                raise Refusal(EINVAL)
            self._take(dev, vlan, params.data or MacvlanParams())
            register(dev)
        except Refusal:
            if created and port_of(lower) is port:
                destroy_port(port)
            raise
        try:
            adjacency.link(lower, dev)
        except Refusal:
            unregister(dev)
            raise
        port.vlans.append(dev)
        port.update_queue_len()
        link_watch.transfer_operstate(lower, dev)
        dev.kernel.link_watch.fire(dev)

    def _take(self, dev: Device, vlan: Macvlan, data: MacvlanParams) -> None:
        """What the request says of a new one: EINVAL."""
        port = vlan.port
        if data.mode is not None:
            vlan.mode = data.mode
        if data.flags is not None:
            vlan.flags = data.flags
        if vlan.mode == PASSTHRU:
            if port.count:
                raise Refusal(EINVAL)
            port.passthru = True
            dev.address, dev.addr_assign_type = vlan.lower.address, vlan.lower.addr_assign_type
        self._take_sources(vlan, data)
        if data.bc_queue_len is not None:
            vlan.queue_len = data.bc_queue_len
        self._take_cutoff(port, data)

    def _take_cutoff(self, port: Port, data: MacvlanParams) -> None:
        """update_port_bc_cutoff()."""
        if data.bc_cutoff is not None:
            port.cutoff = data.bc_cutoff
            for vlan in port.vlans:
                vlan.changed()

    def _take_sources(self, vlan: Macvlan, data: MacvlanParams) -> None:
        """macvlan_changelink_sources(): EINVAL."""
        if data.macaddr_mode is None:
            return
        if vlan.mode != SOURCE:
            raise Refusal(EINVAL)
        if data.macaddr_mode in (MacvlanMacaddrMode.ADD, MacvlanMacaddrMode.DEL):
            if data.macaddr is None:
                raise Refusal(EINVAL)
            if data.macaddr_mode == MacvlanMacaddrMode.ADD:
                _listen(vlan, data.macaddr)
            elif data.macaddr in vlan.sources:
                vlan.sources.remove(data.macaddr)
            return
        vlan.sources.clear()
        if data.macaddr_mode == MacvlanMacaddrMode.SET:
            if data.macaddr is not None:
                _listen(vlan, data.macaddr)
            for _, payload in data.macaddr_data or ():
                _listen(vlan, payload)

    def del_link(self, dev: Device, kill: KillList) -> None:
        """macvlan_dellink()."""
        vlan: Macvlan = dev.priv
        if vlan.mode == SOURCE:
            vlan.sources.clear()
        if dev in vlan.port.vlans:
            vlan.port.vlans.remove(dev)
        vlan.port.update_queue_len()
        queue_unregister(dev, kill)
        adjacency.unlink(vlan.lower, dev)

    def change_link(self, dev: Device, data: MacvlanParams) -> None:
        """macvlan_changelink(): EINVAL. What was done before that stays done."""
        vlan: Macvlan = dev.priv
        dev.changed()
        if data.mode is not None:
            if (data.mode == PASSTHRU) != (vlan.mode == PASSTHRU):
                raise Refusal(EINVAL)
            if vlan.mode == SOURCE != data.mode:
                vlan.sources.clear()
        if data.flags is not None:
            asked = dev.running or dev.kernel.build.release < V7_3  # since then a closed one has asked for nothing
            if asked and vlan.port.passthru and (data.flags ^ vlan.flags) & NOPROMISC:
                flags.set_promiscuity(vlan.lower, -1 if data.flags & NOPROMISC else 1)
            vlan.flags = data.flags
        if data.bc_queue_len is not None:
            vlan.queue_len = data.bc_queue_len
            vlan.port.update_queue_len()
        self._take_cutoff(vlan.port, data)
        if data.mode is not None:
            vlan.mode = data.mode
        self._take_sources(vlan, data)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        vlan: Macvlan = dev.priv
        port = vlan.port
        sources = [(MACADDR, source) for source in sorted(vlan.sources, key=bucket)]
        return {
            "mode": vlan.mode,
            "flags": vlan.flags,
            "macaddr_count": len(sources),
            "macaddr_data": sources or None,
            "bc_queue_len": vlan.queue_len,
            "bc_queue_len_used": port.queue_len,
            "bc_cutoff": None if port.cutoff == NO_CUTOFF else port.cutoff,
        }

    def get_link_net(self, dev: Device) -> Net | None:
        lower: Device = dev.priv.lower
        return lower.net


def _listen(vlan: Macvlan, source: bytes) -> None:
    """macvlan_hash_add_source()."""
    if source not in vlan.sources:
        vlan.sources.insert(0, source)


KIND = MacvlanKind()
