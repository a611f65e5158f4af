"""The device that stands for a bridge: net/bridge/br_device.c, br_netlink.c, br.c.

What a bridge does is in kernel/bridge; here is how its device is made, asked and told of, and what it hears of its
ports.
"""

from __future__ import annotations

from dataclasses import asdict
from errno import EADDRNOTAVAIL, EBUSY, EINVAL, EPROTONOSUPPORT
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.bridge import (
    fdb,
    forward,
    ports,
    promisc,
    settings,
    snoopers,
    stp,
    vlan_binding,
    vlans,
)
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, Vlan, bridge_of, port_of
from nlemu.emulator.kernel.bridge.params import BridgeParams, PortParams
from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.address import (
    check_new_address,
    ether_setup,
    randomize_address,
    valid_ethernet,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.links import delete_links
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register
from nlemu.emulator.kernel.devices.states import AddressAssignment, RegState, Xmit
from nlemu.emulator.kernel.ethtool.link import LinkSettings, carrier_as_link, get_link_settings
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Duplex
from nlemu.protocol.uapi.ethtool import Port as Connector
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_bridge import MCAST_COUNTS, BrBoolopt, BrVlanInfo
from nlemu.protocol.uapi.if_ether import ETH_MAX_MTU, ETH_P

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.devices.device import Device

PROMISC, PVID = int(IFF.PROMISC), int(BrVlanInfo.PVID)
VLAN_VID_MASK = 4095
FEATURES = features.SG | features.FRAGLIST | features.HIGHDMA | features.GSO_MASK | features.HW_CSUM
"""COMMON_FEATURES"""
SPEED_UNKNOWN = -1
OPTIONS = (1 << len(BrBoolopt)) - 1


class BridgeOps(DeviceOps):
    """br_netdev_ops and br_ethtool_ops."""

    driver = "bridge"
    driver_version = "2.3"
    firmware = "N/A"

    def init(self, dev: Device) -> None:
        vlans.init_bridge(dev.priv)

    def uninit(self, dev: Device) -> None:
        vlans.flush(dev.priv)

    def open(self, dev: Device) -> None:
        features.update_features(dev)
        stp.enable_bridge(dev.priv)
        if dev.priv.snooping:
            snoopers.join(dev)

    def stop(self, dev: Device) -> None:
        stp.disable_bridge(dev.priv)
        if dev.priv.snooping:
            snoopers.leave(dev)

    def change_rx_flags(self, dev: Device, change: int) -> None:
        if change & PROMISC:
            promisc.manage(dev.priv)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        dev.mtu = mtu
        dev.priv.mtu_set_by_user = True

    def set_mac(self, dev: Device, address: bytes) -> None:
        if not valid_ethernet(address):
            raise Refusal(EADDRNOTAVAIL)
        if dev.reg_state != RegState.REGISTERED:
            raise Refusal(EBUSY)
        stp.change_address(dev.priv, address[: dev.addr_len])

    def fix_features(self, dev: Device, features_: int) -> int:
        """br_features_recompute()."""
        br: Bridge = dev.priv
        if not br.ports:
            return features_
        mask = features_
        features_ &= ~features.ONE_FOR_ALL
        for theirs in dict.fromkeys([port.dev.features for port in br.ports]):
            features_ = features.increment(features_, theirs, mask)
        return features.add_tso(features_, mask)

    def add_slave(self, dev: Device, slave: Device) -> None:
        ports.add(dev.priv, slave)

    def del_slave(self, dev: Device, slave: Device) -> None:
        ports.delete(dev.priv, slave)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        return Xmit.SUCCESS, forward.transmit(dev.priv, size)

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        """br_get_link_ksettings(): of its ports the fastest."""
        br: Bridge = dev.priv
        speed = SPEED_UNKNOWN
        for port in br.ports:
            if port.usable:
                try:
                    speed = max(speed, get_link_settings(port.dev).speed)
                except Refusal:
                    continue
        return LinkSettings(speed=speed, duplex=Duplex.UNKNOWN, port=Connector.OTHER)


OPS = BridgeOps()


def setup(dev: Device) -> None:
    """br_dev_setup()."""
    ether_setup(dev)
    randomize_address(dev)
    dev.no_queue = True
    dev.netns_immutable = True
    dev.features = dev.hw_features = FEATURES | features.HW_VLAN_TX
    dev.vlan_features = FEATURES
    dev.max_mtu = ETH_MAX_MTU
    dev.priv = Bridge(dev)
    stp.init_timers(dev.priv)


def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
    """br_device_event(): something happens to a bridge, or to a port."""
    br = bridge_of(dev)
    if br is not None:
        if event == NetdevEvent.REGISTER:
            fdb.change_bridge_address(br, dev.address)
            vlans.bridge_registered(br)
        elif event == NetdevEvent.UNREGISTER:
            vlans.bridge_unregistered(br)
        elif event == NetdevEvent.CHANGEUPPER:
            assert info.upper is not None
            vlan_binding.upper_changed(br, info.upper, info.linking)
        else:
            vlan_binding.bridge_changed(br, event)
    if dev.kind is not None and dev.kind.name == "vlan" and dev.lowers:
        vlan_binding.vlan_changed(dev, next(iter(dev.lowers)), event)
    port = port_of(dev)
    if port is not None and event in PORT_EVENTS:
        told = PORT_EVENTS[event](port, info)
        if event != NetdevEvent.UNREGISTER:
            vlan_binding.port_changed(port, event)
        if not told and event in REFRESHING:
            stp.tell(port)


def _mtu_changed(port: Port, info: Info) -> bool:
    ports.adjust_mtu(port.bridge)
    return False


def _address_to_change(port: Port, info: Info) -> bool:
    dev = port.bridge.dev
    if dev.addr_assign_type != AddressAssignment.SET:
        dev.kernel.notify(NetdevEvent.PRE_CHANGEADDR, dev, info)
    return False


def _address_changed(port: Port, info: Info) -> bool:
    br = port.bridge
    fdb.change_port_address(port, port.dev.address)
    if stp.recalculate_address(br):
        br.dev.kernel.notify(NetdevEvent.CHANGEADDR, br.dev)
    return False


def _state_changed(port: Port, info: Info) -> bool:
    return ports.check_carrier(port)


def _features_changed(port: Port, info: Info) -> bool:
    features.update_features(port.bridge.dev)
    return False


def _went_down(port: Port, info: Info) -> bool:
    if not port.bridge.dev.up:
        return False
    stp.disable_port(port)
    return True


def _came_up(port: Port, info: Info) -> bool:
    if not port.bridge.dev.running or not port.usable:
        return False
    stp.enable_port(port)
    return True


def _unregistered(port: Port, info: Info) -> bool:
    ports.delete(port.bridge, port.dev)
    return False


def _type_to_change(port: Port, info: Info) -> bool:
    raise Refusal(1)


def _asked_for_groups(port: Port, info: Info) -> bool:
    port.dev.kernel.notify(NetdevEvent.RESEND_IGMP, port.bridge.dev)
    return False


PORT_EVENTS = {
    NetdevEvent.CHANGEMTU: _mtu_changed,
    NetdevEvent.PRE_CHANGEADDR: _address_to_change,
    NetdevEvent.CHANGEADDR: _address_changed,
    NetdevEvent.CHANGE: _state_changed,
    NetdevEvent.FEAT_CHANGE: _features_changed,
    NetdevEvent.DOWN: _went_down,
    NetdevEvent.UP: _came_up,
    NetdevEvent.UNREGISTER: _unregistered,
    NetdevEvent.PRE_TYPE_CHANGE: _type_to_change,
    NetdevEvent.RESEND_IGMP: _asked_for_groups,
}
"""What is done for a port. True: its state is another one, and was told."""
REFRESHING = frozenset({NetdevEvent.CHANGEADDR, NetdevEvent.UP, NetdevEvent.CHANGE, NetdevEvent.DOWN})
"""What is told of a port in any case."""


class BridgeKind(Kind):
    """br_link_ops."""

    name = "bridge"
    option = "BRIDGE"
    ops = OPS
    setup = staticmethod(setup)
    devtype = "bridge"
    timed = goes_first = True
    params = BridgeParams
    slave_params = PortParams
    notifiers = ((Stage.BRIDGE, follow, frozenset({NetdevEvent.REGISTER, NetdevEvent.CHANGEUPPER, *PORT_EVENTS})),)

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)
        data: BridgeParams | None = params.data
        if data is None:
            return
        if data.vlan_protocol is not None and data.vlan_protocol not in (ETH_P.VLAN_8021Q, ETH_P.VLAN_8021AD):
            raise Refusal(EPROTONOSUPPORT)
        if data.vlan_default_pvid is not None and data.vlan_default_pvid >= VLAN_VID_MASK:
            raise Refusal(EINVAL)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        register(dev)
        if params.address is not None:
            stp.change_address(dev.priv, params.address)
        if params.data is not None:
            try:
                settings.change_bridge(dev.priv, params.data)
            except Refusal:
                delete_links([dev])
                raise

    def del_link(self, dev: Device, kill: KillList) -> None:
        """br_dev_delete()."""
        ports.delete_all(dev.priv)
        queue_unregister(dev, kill)

    def change_link(self, dev: Device, data: BridgeParams) -> None:
        settings.change_bridge(dev.priv, data)

    def change_slave(self, dev: Device, slave: Device, data: PortParams) -> None:
        port = port_of(slave)
        assert port is not None
        settings.change_port(port, data)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        br: Bridge = dev.priv
        multicast = br.multicast
        told = {
            "hello_timer": br.hello_timer.left,
            "tcn_timer": br.tcn_timer.left,
            "topology_change_timer": br.topology_change_timer.left,
            "gc_timer": br.gc.left,
            "forward_delay": br.forward_delay,
            "hello_time": br.hello_time,
            "max_age": br.max_age,
            "ageing_time": br.ageing_time,
            "stp_state": br.stp,
            "priority": int.from_bytes(br.id[:2], "big"),
            "vlan_filtering": br.vlan_filtering,
            "group_fwd_mask": br.group_fwd_mask,
            "bridge_id": bridge_id(br.id),
            "root_id": bridge_id(br.root),
            "root_port": br.root_port,
            "root_path_cost": br.root_path_cost,
            "topology_change": br.topology_change,
            "topology_change_detected": br.topology_change_detected,
            "group_addr": br.group_addr,
            "multi_boolopt": {"optval": br.options, "optmask": OPTIONS},
            "fdb_n_learned": fdb.learned(br),
            "fdb_max_learned": br.max_learned,
            "stp_mode": br.stp_mode,
            "mcast_router": multicast.router,
            "mcast_snooping": br.snooping,
            "mcast_query_use_ifaddr": br.query_use_ifaddr,
            "mcast_querier": multicast.querier,
            "mcast_stats_enabled": br.multicast_stats,
            "mcast_hash_elasticity": settings.ELASTICITY,
            "mcast_hash_max": br.hash_max,
            "mcast_last_member_cnt": multicast.last_member_count,
            "mcast_startup_query_cnt": multicast.startup_query_count,
            "mcast_igmp_version": multicast.igmp_version,
            "mcast_mld_version": multicast.mld_version,
            "mcast_last_member_intvl": multicast.last_member_interval,
            "mcast_membership_intvl": multicast.membership_interval,
            "mcast_querier_intvl": multicast.querier_interval,
            "mcast_query_intvl": multicast.query_interval,
            "mcast_query_response_intvl": multicast.query_response_interval,
            "mcast_startup_query_intvl": multicast.startup_query_interval,
        }
        if multicast.querier and br.snooping:
            told["mcast_querier_state"] = {"ip_address": bytes(4), "ipv6_address": bytes(16)}
        if dev.kernel.build.has(vlans.OPTION):
            told |= {
                "vlan_protocol": br.vlan_protocol,
                "vlan_default_pvid": br.default_pvid,
                "vlan_stats_enabled": br.vlan_stats,
                "vlan_stats_per_port": br.vlan_stats_per_port,
            }
        return told

    def fill_slave_info(self, dev: Device, slave: Device) -> Mapping[str, Any]:
        port = port_of(slave)
        return {} if port is None else fill_port(port)

    def fill_linkxstats(self, dev: Device, slave: Device | None) -> Mapping[str, Any] | None:
        """br_fill_linkxstats(). What is said of groups (IGMP, MLD) is not counted; no spanning tree is heard of."""
        owner: Bridge | Port | None = dev.priv if slave is None else port_of(slave)
        if owner is None:
            return {}
        told: dict[str, Any] = {"vlan": [], "mcast": dict.fromkeys(MCAST_COUNTS, 0)}
        if owner.vlans is not None:
            told["vlan"] = [fill_vlan(vlan, owner.vlans.pvid) for vlan in owner.vlans]
        if isinstance(owner, Port):
            told["stp"] = {"rx_bpdu": 0, "rx_tcn": 0, "tx_tcn": 0} | asdict(owner.stp_counts)
        return {"bridge": told}


def fill_vlan(vlan: Vlan, pvid: int) -> dict[str, int]:
    """struct bridge_vlan_xstats. Those of the bridge that are there for its ports alone are told too."""
    flags = vlan.flags | (PVID if vlan.vid == pvid else 0)
    return asdict(vlan.counts) | {"vid": vlan.vid, "flags": flags, "pad2": 0}


def bridge_id(number: bytes) -> dict[str, Any]:
    """struct ifla_bridge_id."""
    return {"prio": int.from_bytes(number[:2], "big"), "addr": number[2:]}


SWITCHES = {name: int(flag) for name, flag in settings.SWITCHES.items()}


def fill_port(port: Port) -> dict[str, Any]:
    """br_port_fill_attrs()."""
    told: dict[str, Any] = {name: bool(port.flags & flag) for name, flag in SWITCHES.items()}
    return told | {
        "state": port.state,
        "priority": port.priority,
        "cost": port.cost,
        "root_id": bridge_id(port.designated_root),
        "bridge_id": bridge_id(port.designated_bridge),
        "designated_port": port.designated_port,
        "designated_cost": port.designated_cost,
        "id": port.id,
        "no": port.number,
        "topology_change_ack": port.topology_change_ack,
        "config_pending": port.config_pending,
        "group_fwd_mask": port.group_fwd_mask,
        "mrp_ring_open": 0,
        "mrp_in_open": 0,
        "message_age_timer": port.message_age_timer.left,
        "forward_delay_timer": port.forward_delay_timer.left,
        "hold_timer": port.hold_timer.left,
        "multicast_router": port.multicast.router,
        "mcast_eht_hosts_limit": port.eht_hosts_limit,
        "mcast_eht_hosts_cnt": 0,
        "mcast_n_groups": port.multicast.groups,
        "mcast_max_groups": port.multicast.max_groups,
        "backup_port": None if port.backup is None else port.backup.dev.ifindex,
        "backup_nhid": port.backup_nhid or None,
    }


KIND = BridgeKind()
