"""The device that stands for a bond: drivers/net/bonding, as far as it is a device and a kind of link.

What a bond does is in kernel/bonding; here is how its device is made, asked and told of, and what it hears of its
slaves.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields
from errno import EADDRNOTAVAIL, EINVAL, ENODEV
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.bonding import (
    active,
    balance,
    lacp,
    lacp_machines,
    lacp_ports,
    monitor,
    options,
    slaves,
    spread,
)
from nlemu.emulator.kernel.bonding import bond as bonds
from nlemu.emulator.kernel.bonding.bond import DOWN, FAIL, SPEED_UNKNOWN, Bond, Delayed, Slave, slave_of
from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import features, flags, link_watch, rx_mode, settings
from nlemu.emulator.kernel.devices.address import (
    NO_ADDRESS,
    check_new_address,
    ether_setup,
    randomize_address,
    set_mac,
    valid_ethernet,
)
from nlemu.emulator.kernel.devices.device import RX_HANDLER
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import register, unregister
from nlemu.emulator.kernel.devices.states import AddressAssignment, Xmit
from nlemu.emulator.kernel.ethtool.link import LinkSettings, TsInfo, carrier_as_link, get_ts_info
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.release import V7_3
from nlemu.protocol.uapi.ethtool import Duplex, Port
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_bonding import BOND_DEFAULT_TX_QUEUES, BondMode
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_MAX_MTU
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nlemu.emulator.kernel.devices.device import Device, Stats
    from nlemu.emulator.kernel.kernel import Kernel

PROMISC, ALLMULTI, MASTER, SLAVE = int(IFF.PROMISC), int(IFF.ALLMULTI), int(IFF.MASTER), int(IFF.SLAVE)
VLANS = features.HW_VLAN_RX | features.word(NetifF.HW_VLAN_CTAG_FILTER, NetifF.HW_VLAN_STAG_FILTER)
FEATURES = features.UPPER_VLAN_FEATURES | VLANS | features.GSO_ENCAP_ALL
TX_SOFTWARE = 1 << 1
"""SOF_TIMESTAMPING_TX_SOFTWARE"""
ABI_VERSION = "2"


@dataclass(slots=True)
class BondParams:
    """IFLA_BOND_*, in the order in which bond_changelink() sets them; None for what was not said. Targets: the payloads
    of their attributes."""

    mode: int | None = None
    active_slave: int | None = None
    miimon: int | None = None
    updelay: int | None = None
    downdelay: int | None = None
    peer_notif_delay: int | None = None
    use_carrier: int | None = None
    arp_interval: int | None = None
    arp_ip_target: list[bytes] | None = None
    ns_ip6_target: list[bytes] | None = None
    arp_validate: int | None = None
    arp_all_targets: int | None = None
    primary: int | None = None
    primary_reselect: int | None = None
    fail_over_mac: int | None = None
    xmit_hash_policy: int | None = None
    resend_igmp: int | None = None
    num_peer_notif: int | None = None
    all_slaves_active: int | None = None
    min_links: int | None = None
    lp_interval: int | None = None
    packets_per_slave: int | None = None
    ad_lacp_active: int | None = None
    ad_lacp_rate: int | None = None
    ad_select: int | None = None
    ad_actor_sys_prio: int | None = None
    ad_user_port_key: int | None = None
    ad_actor_system: bytes | None = None
    tlb_dynamic_lb: int | None = None
    missed_max: int | None = None
    coupled_control: int | None = None
    broadcast_neigh: int | None = None
    lacp_strict: int | None = None


@dataclass(slots=True)
class SlaveParams:
    """IFLA_BOND_SLAVE_*."""

    queue_id: int | None = None
    prio: int | None = None
    actor_port_prio: int | None = None


class BondOps(DeviceOps):
    """bond_netdev_ops and bond_ethtool_ops."""

    driver = "bonding"
    firmware = ABI_VERSION
    folds_stats = lag = True
    has_bpf = True

    def init(self, dev: Device) -> None:
        if dev.address == NO_ADDRESS and dev.addr_assign_type == AddressAssignment.PERM:
            randomize_address(dev)

    def uninit(self, dev: Device) -> None:
        slaves.release_all(dev.priv)
        dev.priv.usable = None

    def destroy(self, dev: Device) -> None:
        for work in dev.priv.works:
            work.cancel()

    def open(self, dev: Device) -> None:
        """bond_open()."""
        bond: Bond = dev.priv
        for slave in bond.slaves:
            if bond.uses_primary and slave is not bond.curr_active:
                bonds.set_inactive_flags(slave)
            elif bond.mode != BondMode.B8023AD:
                bonds.set_active_flags(slave)
        if bond.balances:
            bond.rlb_enabled = bond.mode == BondMode.ALB
            if bond.params.tlb_dynamic_lb or bond.rlb_enabled:
                bond.alb_work.queue(0)
        if bond.params.miimon:
            bond.mii_work.queue(0)
        if bond.params.arp_interval:
            bond.arp_work.queue(0)
        if bond.mode == BondMode.B8023AD:
            bond.ad_work.queue(0)
            if bond.lacp is None:
                bond.lacp = lacp.Lacp()
            bond.lacp.agg_select_timer = 1
            for slave in bond.slaves:
                rx_mode.add_group(slave.dev, lacp.GROUP)
        if bond.can_use_hash:
            spread.update_usable(bond)

    def stop(self, dev: Device) -> None:
        """bond_close()."""
        bond: Bond = dev.priv
        for work in bond.works:
            work.cancel()
        bond.send_peer_notif = 0
        for slave in active.filtering(bond):
            active.flush(bond, slave.dev)

    def change_rx_flags(self, dev: Device, change: int) -> None:
        for slave in active.filtering(dev.priv):
            if change & PROMISC:
                flags.set_promiscuity(slave.dev, 1 if dev.flags & PROMISC else -1)
            if change & ALLMULTI:
                rx_mode.change_allmulti(slave.dev, 1 if dev.flags & ALLMULTI else -1)

    def set_rx_mode(self, dev: Device) -> None:
        for slave in active.filtering(dev.priv):
            active.sync(dev.priv, slave)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        """bond_change_mtu(): all or none."""
        done: list[Slave] = []
        for slave in dev.priv.slaves:
            try:
                settings.set_mtu(slave.dev, mtu)
            except Refusal:
                for other in done:
                    with suppress(Refusal):
                        settings.set_mtu(other.dev, dev.mtu)
                raise
            done.append(slave)
        dev.mtu = mtu

    def set_mac(self, dev: Device, address: bytes) -> None:
        """bond_set_mac_address(): all or none."""
        bond: Bond = dev.priv
        if bond.mode == BondMode.ALB:
            balance.set_bond_address(bond, address)
            return
        if bond.params.fail_over_mac and bond.mode == BondMode.ACTIVEBACKUP:
            return
        if not valid_ethernet(address):
            raise Refusal(EADDRNOTAVAIL)
        done: list[Slave] = []
        for slave in bond.slaves:
            try:
                set_mac(slave.dev, address)
            except Refusal:
                for other in done:
                    with suppress(Refusal):
                        set_mac(other.dev, dev.address)
                raise
            done.append(slave)
        dev.address = address[: dev.addr_len]
        dev.changed()

    def fix_features(self, dev: Device, features_: int) -> int:
        """bond_fix_features()."""
        mask, features_ = features_, features.base(features_)
        for slave in dev.priv.slaves:
            features_ = features.increment(features_, slave.dev.features, mask)
        return features.add_tso(features_, mask)

    def add_slave(self, dev: Device, slave: Device) -> None:
        slaves.enslave(dev.priv, slave)

    def del_slave(self, dev: Device, slave: Device) -> None:
        slaves.release(dev.priv, slave)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        return spread.transmit(dev.priv, size)

    def fold_stats(self, dev: Device, stats: Stats) -> None:
        spread.fold_stats(dev.priv, stats)

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        """bond_ethtool_get_link_ksettings(): what all that carry frames have together."""
        bond: Bond = dev.priv
        speeds, duplex = [], Duplex.UNKNOWN
        for slave in bond.slaves:
            if slave.can_tx:
                slaves.update_speed_duplex(slave)
                if slave.speed != SPEED_UNKNOWN:
                    speeds.append(slave.speed)
                if duplex == Duplex.UNKNOWN:
                    duplex = Duplex(slave.duplex)
        least = bond.mode == BondMode.BROADCAST
        speed = min(speeds, default=0) if least else sum(speeds)
        return LinkSettings(speed=speed or -1, duplex=duplex, port=Port.OTHER)

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        """bond_ethtool_get_ts_info(): the active slave's, or that all can stamp what they send."""
        bond: Bond = dev.priv
        if bond.active_dev is not None:
            told = get_ts_info(bond.active_dev)
            info.so_timestamping, info.phc_index = told.so_timestamping, told.phc_index
            info.tx_types, info.rx_filters = told.tx_types, told.rx_filters
        elif bond.has_slaves and all(get_ts_info(one.dev).so_timestamping & TX_SOFTWARE for one in bond.slaves):
            info.so_timestamping |= TX_SOFTWARE


OPS = BondOps()


def setup(dev: Device) -> None:
    """bond_setup()."""
    ether_setup(dev)
    dev.max_mtu = ETH_MAX_MTU
    dev.flags |= MASTER
    dev.unicast_filter = dev.no_queue = dev.netns_immutable = True
    dev.hw_features = FEATURES
    dev.features = FEATURES | features.HW_VLAN_TX | features.GSO_PARTIAL
    bond = dev.priv = Bond(dev)
    kernel = dev.kernel
    bond.mii_work = Delayed(kernel, lambda: monitor.look(bond))
    bond.arp_work = Delayed(kernel, lambda: monitor.probe(bond))
    bond.alb_work = Delayed(kernel, lambda: balance.tick(bond))
    bond.ad_work = Delayed(kernel, lambda: lacp_machines.tick(bond))
    bond.mcast_work = Delayed(kernel, lambda: active.resend_igmp(bond))
    bond.slave_arr_work = Delayed(kernel, lambda: spread.update_usable(bond))
    bond.peer_notify_work = Delayed(kernel, lambda: active.reset_peer_notify(bond))


# What happens to slaves


def _up_or_changed(slave: Slave, dev: Device) -> None:
    bond = slave.bond
    known = slaves.update_speed_duplex(slave)
    if bond.mode == BondMode.B8023AD:
        if not known:
            slave.link = FAIL if slave.last_link_up else DOWN
            dev.changed()
        lacp_ports.speed_changed(slave)
    _down(slave, dev)


def _down(slave: Slave, dev: Device) -> None:
    if slave.bond.can_use_hash:
        spread.update_usable(slave.bond)


def _renamed(slave: Slave, dev: Device) -> None:
    """The primary slave is known by its name."""
    bond = slave.bond
    if not bond.uses_primary or not bond.params.primary:
        return
    if slave is bond.primary:
        bond.primary = None
    elif dev.name == bond.params.primary:
        bond.primary = slave
    else:
        return
    active.select(bond)
    bond.changed()


def _features_changed(slave: Slave, dev: Device) -> None:
    bond = slave.bond
    if not bond.notifier_ctx:
        bond.notifier_ctx = True
        features.follow_slaves(bond.dev, update_header=True)
        bond.notifier_ctx = False


def _unregistered(slave: Slave, dev: Device) -> None:
    slaves.unregistered(slave.bond, dev)


def _asked_for_groups(slave: Slave, dev: Device) -> None:
    dev.kernel.notify(NetdevEvent.RESEND_IGMP, slave.bond.dev)


def _xdp_changed(slave: Slave, dev: Device) -> None:
    spread.set_xdp_features(slave.bond)


SLAVE_EVENTS = {
    NetdevEvent.UNREGISTER: _unregistered,
    NetdevEvent.UP: _up_or_changed,
    NetdevEvent.CHANGE: _up_or_changed,
    NetdevEvent.DOWN: _down,
    NetdevEvent.CHANGENAME: _renamed,
    NetdevEvent.FEAT_CHANGE: _features_changed,
    NetdevEvent.RESEND_IGMP: _asked_for_groups,
    NetdevEvent.XDP_FEAT_CHANGE: _xdp_changed,
}


def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
    """bond_netdev_event(): something happens to a slave."""
    slave = slave_of(dev)
    if slave is not None and dev.flags & SLAVE and RX_HANDLER in dev.attached:
        SLAVE_EVENTS[event](slave, dev)


# What requests set

BY_NUMBER = {
    "mode": "mode", "miimon": "miimon", "updelay": "updelay", "downdelay": "downdelay",
    "peer_notif_delay": "peer_notif_delay", "arp_all_targets": "arp_all_targets",
    "primary_reselect": "primary_reselect", "fail_over_mac": "fail_over_mac", "xmit_hash_policy": "xmit_hash_policy",
    "resend_igmp": "resend_igmp", "num_peer_notif": "num_unsol_na", "all_slaves_active": "all_slaves_active",
    "min_links": "min_links", "lp_interval": "lp_interval", "packets_per_slave": "packets_per_slave",
    "ad_lacp_active": "lacp_active", "ad_lacp_rate": "lacp_rate", "ad_select": "ad_select",
    "ad_actor_sys_prio": "ad_actor_sys_prio", "ad_user_port_key": "ad_user_port_key",
    "tlb_dynamic_lb": "tlb_dynamic_lb", "missed_max": "arp_missed_max", "coupled_control": "coupled_control",
    "broadcast_neigh": "broadcast_neighbor", "lacp_strict": "lacp_strict",
}
"""Attributes that are a number, and the option of each."""


def change_bond(bond: Bond, said: BondParams) -> None:
    """bond_changelink(): one after the other, up to the first that is refused."""
    for one in fields(BondParams):
        value = getattr(said, one.name)
        if value is None:
            continue
        if one.name in BY_NUMBER:
            options.set_number(bond, BY_NUMBER[one.name], value, at=one.name)
        else:
            OTHERS[one.name](bond, value, said)


def _set_active(bond: Bond, ifindex: int, said: BondParams) -> None:
    name = ""
    if ifindex:
        dev = bond.dev.net.device(ifindex)
        if dev is None:
            raise Refusal(ENODEV)
        name = dev.name
    options.set_raw(bond, "active_slave", name, at="active_slave")


def _set_primary(bond: Bond, ifindex: int, said: BondParams) -> None:
    dev = bond.dev.net.device(ifindex)
    options.set_raw(bond, "primary", "" if dev is None else dev.name, at="primary")


def _set_use_carrier(bond: Bond, value: int, said: BondParams) -> None:
    if value != 1:
        raise Refusal(EINVAL, "option obsolete, use_carrier cannot be disabled", at="use_carrier")


def _set_arp_interval(bond: Bond, value: int, said: BondParams) -> None:
    if value and said.miimon:
        raise Refusal(EINVAL, "ARP monitoring cannot be used with MII monitoring", at="arp_interval")
    options.set_number(bond, "arp_interval", value, at="arp_interval")


def _set_arp_validate(bond: Bond, value: int, said: BondParams) -> None:
    if value and said.miimon:
        blamed = "arp_validate" if bond.dev.kernel.build.release >= V7_3 else "arp_interval"
        raise Refusal(EINVAL, "ARP validating cannot be used with MII monitoring", at=blamed)
    options.set_number(bond, "arp_validate", value, at="arp_validate")


def _set_targets4(bond: Bond, targets: list[bytes], said: BondParams) -> None:
    bond.params.arp_targets.clear()
    for target in targets:
        if len(target) < 4:
            raise Refusal(EINVAL)
        options.set_value(bond, "arp_ip_target", options.add_target4, target[:4], at="arp_ip_target")


def _set_targets6(bond: Bond, targets: list[bytes], said: BondParams) -> None:
    bond.params.ns_targets.clear()
    for target in targets:
        if len(target) < 16:
            raise Refusal(EINVAL, "Invalid IPv6 address")
        options.set_value(bond, "ns_ip6_target", options.add_target6, target[:16], at="ns_ip6_target")


def _set_system(bond: Bond, address: bytes, said: BondParams) -> None:
    if len(address) != ETH_ALEN:
        raise Refusal(EINVAL)
    options.set_value(bond, "ad_actor_system", options.set_system, address, at="ad_actor_system")


OTHERS: dict[str, Callable[[Bond, Any, BondParams], None]] = {
    "active_slave": _set_active, "primary": _set_primary, "use_carrier": _set_use_carrier,
    "arp_interval": _set_arp_interval, "arp_validate": _set_arp_validate, "arp_ip_target": _set_targets4,
    "ns_ip6_target": _set_targets6, "ad_actor_system": _set_system,
}
"""Attributes that are more than a number."""


class BondKind(Kind):
    """bond_link_ops."""

    name = "bond"
    option = "BONDING"
    ops = OPS
    setup = staticmethod(setup)
    devtype = "bond"
    guarded = frozenset({"ad_actor_sys_prio", "ad_user_port_key", "ad_actor_system"})
    goes_first = True
    params = BondParams
    slave_params = SlaveParams
    notifiers = ((Stage.DRIVERS, follow, frozenset(SLAVE_EVENTS)),)

    def num_tx_queues(self, kernel: Kernel) -> int:
        return BOND_DEFAULT_TX_QUEUES

    num_rx_queues = num_tx_queues

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        register(dev)
        link_watch.carrier_off(dev)
        if params.data is not None:
            try:
                change_bond(dev.priv, params.data)
            except Refusal:
                unregister(dev)
                raise

    def change_link(self, dev: Device, data: BondParams) -> None:
        change_bond(dev.priv, data)

    def change_slave(self, dev: Device, slave: Device, data: SlaveParams) -> None:
        """bond_slave_changelink()."""
        bond: Bond = dev.priv
        if data.queue_id is not None:
            options.set_raw(bond, "queue_id", f"{slave.name}:{data.queue_id}", at="queue_id")
        if data.prio is not None:
            options.set_value(bond, "prio", options.set_prio, slave, data.prio, at="prio")
        if data.actor_port_prio is not None:
            options.set_value(
                bond, "actor_port_prio", options.set_port_prio, slave, data.actor_port_prio, at="actor_port_prio"
            )

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        bond: Bond = dev.priv
        params = bond.params
        active_dev = bond.active_dev
        told: dict[str, Any] = {
            "mode": params.mode,
            "active_slave": None if active_dev is None else active_dev.ifindex,
            "miimon": params.miimon,
            "updelay": params.updelay * params.miimon & 0xFFFFFFFF,
            "downdelay": params.downdelay * params.miimon & 0xFFFFFFFF,
            "peer_notif_delay": params.peer_notif_delay * params.miimon & 0xFFFFFFFF,
            "use_carrier": 1,
            "arp_interval": params.arp_interval,
            "arp_ip_target": [int.from_bytes(one, "big") for one in params.arp_targets] or None,
            "arp_validate": params.arp_validate,
            "arp_all_targets": params.arp_all_targets,
            "ns_ip6_target": list(params.ns_targets) or None,
            "primary": None if bond.primary is None else bond.primary.dev.ifindex,
            "primary_reselect": params.primary_reselect,
            "fail_over_mac": params.fail_over_mac,
            "xmit_hash_policy": params.xmit_policy,
            "resend_igmp": params.resend_igmp,
            "num_peer_notif": params.num_peer_notif,
            "all_slaves_active": params.all_slaves_active,
            "min_links": params.min_links,
            "lp_interval": params.lp_interval,
            "packets_per_slave": params.packets_per_slave,
            "ad_lacp_active": params.lacp_active,
            "ad_lacp_rate": params.lacp_rate,
            "ad_select": params.ad_select,
            "tlb_dynamic_lb": params.tlb_dynamic_lb,
            "missed_max": params.missed_max,
            "coupled_control": params.coupled_control,
            "broadcast_neigh": params.broadcast_neighbor,
            "lacp_strict": params.lacp_strict,
        }
        return told | fill_lacp(bond) if params.mode == BondMode.B8023AD else told

    def fill_slave_info(self, dev: Device, slave: Device) -> Mapping[str, Any]:
        one = slave_of(slave)
        return {} if one is None else fill_slave(one)

    def fill_linkxstats(self, dev: Device, slave: Device | None) -> Mapping[str, Any] | None:
        """bond_fill_linkxstats(): of LACP alone. Only what is sent and received as such is counted here."""
        bond: Bond = dev.priv
        one = None if slave is None else slave_of(slave)
        if bond.mode != BondMode.B8023AD:
            return {"bond": {}}
        counts = one.lacp if one is not None else bond.lacp
        told = dict.fromkeys(lacp.COUNTS, 0)
        if counts is not None:
            told |= {"lacpdu_rx": counts.lacpdu_rx, "lacpdu_tx": counts.lacpdu_tx}
        return {"bond": {"lacp": told}}


def fill_lacp(bond: Bond) -> dict[str, Any]:
    """What bond_fill_info() says of LACP."""
    params, one = bond.params, lacp.active_info(bond)
    return {
        "ad_actor_sys_prio": params.ad_actor_sys_prio,
        "ad_user_port_key": params.ad_user_port_key,
        "ad_actor_system": params.ad_actor_system,
        "ad_info": None if one is None else {
            "aggregator": one.identifier,
            "num_ports": len(one.enabled),
            "actor_key": one.actor_oper_key,
            "partner_key": one.partner_oper_key,
            "partner_mac": one.partner_system,
        },
    }


def fill_slave(slave: Slave) -> dict[str, Any]:
    """bond_fill_slave_info()."""
    told: dict[str, Any] = {
        "state": slave.backup,
        "mii_status": slave.link & 0xFF,
        "link_failure_count": slave.link_failure_count,
        "perm_hwaddr": slave.perm_hwaddr,
        "queue_id": slave.queue_id,
        "prio": slave.prio,
    }
    if slave.bond.mode != BondMode.B8023AD or slave.lacp is None:
        return told
    port = slave.lacp.port
    if port.aggregator is not None:
        told |= {
            "ad_aggregator_id": port.aggregator.identifier,
            "ad_actor_oper_port_state": port.actor_oper_state,
            "ad_partner_oper_port_state": port.partner.port_state,
            "ad_churn_actor_state": port.churn_actor_state,
            "ad_churn_partner_state": port.churn_partner_state,
        }
    return told | {"actor_port_prio": slave.lacp.port_priority}


KIND = BondKind()
