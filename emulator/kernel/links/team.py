"""The device that stands for a team: drivers/net/team, as far as it is a device and a kind of link.

What a team does is in kernel/teaming; here is how its device is made, asked and told of, and what it hears of its
ports. rtnetlink makes it, without a word about its mode; that is set by the team family (handlers/team.py).
"""

from __future__ import annotations

from contextlib import suppress
from errno import EADDRNOTAVAIL, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import features, flags, link_watch, rx_mode, settings
from nlemu.emulator.kernel.devices.address import (
    check_new_address,
    ether_setup,
    randomize_address,
    valid_ethernet,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import register
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.ethtool.link import LinkSettings, carrier_as_link
from nlemu.emulator.kernel.teaming import mode_options, options, ports
from nlemu.emulator.kernel.teaming.team import UNKNOWN_SPEED, Port, Team, port_of, repeating
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Duplex
from nlemu.protocol.uapi.ethtool import Port as Connector
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_MAX_MTU
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel

PROMISC, ALLMULTI = int(IFF.PROMISC), int(IFF.ALLMULTI)
QUEUES = 16
"""TEAM_DEFAULT_NUM_TX_QUEUES, TEAM_DEFAULT_NUM_RX_QUEUES"""
VLANS = features.HW_VLAN_RX | features.word(NetifF.HW_VLAN_CTAG_FILTER, NetifF.HW_VLAN_STAG_FILTER)
FEATURES = features.UPPER_VLAN_FEATURES | VLANS | features.GSO_ENCAP_ALL


def team_of(dev: Device) -> Team | None:
    """The team that the device stands for."""
    return dev.priv if isinstance(dev.priv, Team) else None


class TeamOps(DeviceOps):
    """team_netdev_ops and team_ethtool_ops."""

    driver = "team"
    lag = True

    def init(self, dev: Device) -> None:
        """team_init()"""
        options.register(dev.priv, options.OPTIONS)
        link_watch.carrier_off(dev)

    def uninit(self, dev: Device) -> None:
        """team_uninit()"""
        team: Team = dev.priv
        for port in team.ports:
            ports.delete(team, port.dev)
        options.end_mode(team)
        team.instances.clear()
        for end in repeating(team):
            end()
        features.update_features(dev)

    def open(self, dev: Device) -> None:
        """team_open()"""

    def stop(self, dev: Device) -> None:
        """team_close()"""
        for port in dev.priv.ports:
            rx_mode.unsync(port.dev, port.given)

    def change_rx_flags(self, dev: Device, change: int) -> None:
        for port in dev.priv.ports:
            if change & PROMISC:
                flags.set_promiscuity(port.dev, 1 if dev.flags & PROMISC else -1)
            if change & ALLMULTI:
                rx_mode.change_allmulti(port.dev, 1 if dev.flags & ALLMULTI else -1)

    def set_rx_mode(self, dev: Device) -> None:
        for port in dev.priv.ports:
            rx_mode.sync(port.dev, dev, port.given)

    def set_mac(self, dev: Device, address: bytes) -> None:
        """team_set_mac_address()"""
        team: Team = dev.priv
        if dev.type == ARPHRD.ETHER and not valid_ethernet(address):
            raise Refusal(EADDRNOTAVAIL)
        dev.address = address[: dev.addr_len]
        dev.changed()
        for port in team.ports:
            if team.mode is not None and team.mode.same_address:
                with suppress(Refusal):
                    team.mode.enter(port)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        """team_change_mtu(): all or none."""
        team: Team = dev.priv
        done: list[Port] = []
        team.mtu_change = True
        try:
            for port in team.ports:
                settings.set_mtu(port.dev, mtu)
                done.append(port)
        except Refusal:
            for port in reversed(done):
                with suppress(Refusal):
                    settings.set_mtu(port.dev, dev.mtu)
            raise
        finally:
            team.mtu_change = False
        dev.mtu = mtu

    def add_slave(self, dev: Device, slave: Device) -> None:
        ports.add(dev.priv, slave)

    def del_slave(self, dev: Device, slave: Device) -> None:
        ports.delete(dev.priv, slave)

    def fix_features(self, dev: Device, features_: int) -> int:
        """team_fix_features()"""
        mask, features_ = features_, features.base(features_)
        for port in dev.priv.ports:
            features_ = features.increment(features_, port.dev.features, mask)
        return features.increment(features_, features.ALL_TSO | features.ALL_FOR_ALL, mask)

    def change_carrier(self, dev: Device, carrier: bool) -> None:
        """team_change_carrier(): from now on user space says it."""
        team: Team = dev.priv
        team.user_carrier = True
        (link_watch.carrier_on if carrier else link_watch.carrier_off)(dev)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """team_xmit(): through which port the mode says; without one, or without ports that may send, it is lost."""
        team: Team = dev.priv
        sent, arrived = (False, None) if team.mode is None or not team.senders else team.mode.transmit(size)
        if sent:
            dev.stats.sent(size)
        else:
            dev.stats.tx_dropped += 1
        dev.changed()
        return Xmit.SUCCESS, arrived

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        """team_ethtool_get_link_ksettings(): what all that may send have together."""
        speed, duplex = 0, Duplex.UNKNOWN
        for port in dev.priv.ports:
            if port.txable:
                speed += 0 if port.speed == UNKNOWN_SPEED else port.speed
                if duplex == Duplex.UNKNOWN:
                    duplex = Duplex(port.duplex)
        return LinkSettings(speed=speed or -1, duplex=duplex, port=Connector.OTHER)


def setup(dev: Device) -> None:
    """team_setup()"""
    ether_setup(dev)
    dev.max_mtu = ETH_MAX_MTU
    dev.unicast_filter = dev.no_queue = dev.netns_immutable = dev.live_address_change = True
    dev.hw_features = FEATURES
    dev.features = FEATURES | features.HW_VLAN_TX
    dev.priv = Team(dev)


# What happens to ports


def _up(port: Port, dev: Device) -> None:
    if ports.is_working(dev):
        port.team.check_link(port, True)


def _down(port: Port, dev: Device) -> None:
    port.team.check_link(port, False)


def _changed(port: Port, dev: Device) -> None:
    if dev.running:
        port.team.check_link(port, ports.is_working(dev))


def _unregistered(port: Port, dev: Device) -> None:
    ports.delete(port.team, dev, unregister=True)


def _features_changed(port: Port, dev: Device) -> None:
    team = port.team
    if not team.notifier_ctx:
        team.notifier_ctx = True
        features.follow_slaves(team.dev, update_header=True)
        team.notifier_ctx = False


def _mtu(port: Port, dev: Device) -> None:
    if not port.team.mtu_change:
        raise Refusal(EPERM)


def _type(port: Port, dev: Device) -> None:
    raise Refusal(EPERM)


def _asked_for_groups(port: Port, dev: Device) -> None:
    dev.kernel.notify(NetdevEvent.RESEND_IGMP, port.team.dev)


PORT_EVENTS = {
    NetdevEvent.UP: _up,
    NetdevEvent.DOWN: _down,
    NetdevEvent.CHANGE: _changed,
    NetdevEvent.UNREGISTER: _unregistered,
    NetdevEvent.FEAT_CHANGE: _features_changed,
    NetdevEvent.PRECHANGEMTU: _mtu,
    NetdevEvent.PRE_TYPE_CHANGE: _type,
    NetdevEvent.RESEND_IGMP: _asked_for_groups,
}


def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
    """team_device_event(): something happens to a port."""
    port = port_of(dev)
    if port is not None:
        PORT_EVENTS[event](port, dev)


class TeamKind(Kind):
    """team_link_ops"""

    name = "team"
    option = "NET_TEAM"
    ops = TeamOps()
    setup = staticmethod(setup)
    notifiers = ((Stage.DRIVERS, follow, frozenset(PORT_EVENTS)),)
    mode_options = mode_options
    """Whose options have to be there before a team is."""

    def num_tx_queues(self, kernel: Kernel) -> int:
        return QUEUES

    num_rx_queues = num_tx_queues

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """team_newlink()"""
        if params.address is None:
            randomize_address(dev)
        register(dev)


KIND = TeamKind()
