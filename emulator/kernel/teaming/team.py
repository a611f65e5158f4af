"""Teams and their ports: what one is made of (drivers/net/team/team_core.c).

A team is one device to those above, and several to those below: its ports. What it does with frames its mode says
(modes.py), which user space chooses by name, while there are no ports; without one all is dropped. Everything else is
an option too (options.py): of the team, or of each port. User space also says, if it wants to, whether a port's link is
up, and whether it may send and receive; a team decides little by itself.

Whatever changes is told to the group of the team family: options, by a mark that stays until somebody was told, and the
state of a port's link.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bonding.bond import Delayed
from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import link_watch
from nlemu.emulator.kernel.ethtool.link import get_link_settings
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.teaming.modes import Mode
    from nlemu.emulator.kernel.teaming.options import Instance

KEY = "team"
UNKNOWN_SPEED = 0xFFFFFFFF


class Port:
    """struct team_port. linkup: what the team believes of its link: state_linkup, what it is, or, if that is asked for,
    user_linkup, what user space says; tx_index: its place among those that may send, -1 for none; queue_id, priority:
    which of the team's queues is its own, and before whom; changed, removed: who is told next is told so; given: which
    addresses it got from the team; sent: bytes, as load balancing counts them."""

    def __init__(self, team: Team, dev: Device) -> None:
        self.team, self.dev = team, dev
        self.original_mtu, self.original_address = dev.mtu, dev.address
        self.linkup = False
        self.state_linkup = False
        self.speed = self.duplex = 0
        self.user_linkup = self.user_linkup_enabled = False
        self.rx_enabled = False
        self.tx_index = -1
        self.queue_id = self.priority = 0
        self.changed = self.removed = False
        self.given: set[bytes] = set()
        self.sent = self.told_sent = 0

    @property
    def tx_enabled(self) -> bool:
        """team_port_tx_enabled()."""
        return self.tx_index >= 0

    @property
    def enabled(self) -> bool:
        """team_port_enabled()."""
        return self.rx_enabled and self.tx_enabled

    @property
    def txable(self) -> bool:
        """team_port_txable()."""
        return self.linkup and self.tx_enabled


class Repeated:
    """notify_peers and mcast_rejoin of struct team: something is done count times, every so many milliseconds."""

    def __init__(self, team: Team, event: NetdevEvent) -> None:
        self._team, self._event = team, event
        self.count = self.interval = self._pending = 0
        self.work = Delayed(team.dev.kernel, self._do)

    def start(self) -> None:
        """team_notify_peers(), team_mcast_rejoin()."""
        if self.count and self._team.dev.running:
            self._pending += self.count
            self.work.queue(0)

    def _do(self) -> None:
        if not self._pending:
            return
        self._pending -= 1
        dev = self._team.dev
        dev.kernel.notify(self._event, dev)
        if self._pending:
            self.work.queue(self.interval)


class Team:
    """struct team. private: what the mode keeps, which is there before it is the mode; ports: in the order in which
    they came; instances: of options, in the order in which they are told; user_carrier: user space says whether there
    is a carrier; mtu_change: ports may get another MTU; notifier_ctx: the team itself changes features of ports."""

    def __init__(self, dev: Device) -> None:
        self.dev = dev
        self.mode: Mode | None = None
        self.private: Mode | None = None
        self.members: dict[Device, Port] = {}
        self.senders: list[Port] = []
        """Those that may send, by tx_index."""
        self.instances: list[Instance] = []
        self.user_carrier = False
        self.mtu_change = False
        self.notifier_ctx = False
        self.notify_peers = Repeated(self, NetdevEvent.NOTIFY_PEERS)
        self.mcast_rejoin = Repeated(self, NetdevEvent.RESEND_IGMP)

    @property
    def ports(self) -> Iterator[Port]:
        """port_list."""
        return iter(tuple(self.members.values()))

    # What is told

    def tell_options(self, chosen: list[Instance]) -> bool:
        """team_nl_send_event_options_get(): whether anybody heard of it."""
        return self.dev.kernel.announcer.team_options(self, chosen)

    def tell_changed(self) -> None:
        """__team_options_change_check()."""
        self.tell_options([one for one in self.instances if one.changed])

    # Links and carrier

    def refresh(self, port: Port) -> None:
        """team_refresh_port_linkup()"""
        linkup = port.user_linkup if port.user_linkup_enabled else port.state_linkup
        if port.linkup != linkup:
            port.linkup = linkup
            lower_state_changed(port)

    def check_carrier(self) -> None:
        """__team_carrier_check()"""
        if self.user_carrier:
            return
        if any(port.linkup for port in self.ports):
            link_watch.carrier_on(self.dev)
        else:
            link_watch.carrier_off(self.dev)

    def link_changed(self, port: Port, linkup: bool) -> None:
        """__team_port_change_send() and __team_carrier_check(), as of a port that comes, goes, or has another link."""
        port.changed, port.state_linkup = True, linkup
        self.refresh(port)
        port.speed = port.duplex = 0
        if linkup:
            try:
                told = get_link_settings(port.dev)
            except Refusal:
                pass
            else:
                port.speed, port.duplex = told.speed & UNKNOWN_SPEED, int(told.duplex)
        self.dev.kernel.announcer.team_port(self, port)
        self.check_carrier()

    def check_link(self, port: Port, linkup: bool) -> None:
        """team_port_change_check()"""
        if port.state_linkup != linkup:
            self.link_changed(port, linkup)
        else:
            self.check_carrier()

    # Who may send and receive

    def enable(self, port: Port, *, rx: bool = True, tx: bool = True) -> None:
        """team_port_enable(), team_port_enable_rx(), team_port_enable_tx()."""
        rx, tx = rx and not port.rx_enabled, tx and not port.tx_enabled
        if not rx and not tx:
            return
        if rx:
            port.rx_enabled = True
        if tx:
            port.tx_index = len(self.senders)
            self.senders.append(port)
        self.notify_peers.start()
        if rx:
            self.mcast_rejoin.start()
        if tx:
            lower_state_changed(port)

    def disable(self, port: Port, *, rx: bool = True, tx: bool = True) -> None:
        """team_port_disable(), team_port_disable_rx(), team_port_disable_tx()."""
        tx = tx and port.tx_enabled
        if tx:
            if self.mode is not None:
                self.mode.tx_disabled(port)
            self.senders.remove(port)
            for index, one in enumerate(self.senders):
                one.tx_index = index
            port.tx_index = -1
        if rx:
            port.rx_enabled = False
        if tx:
            lower_state_changed(port)


def lower_state_changed(port: Port) -> None:
    """team_lower_state_changed()"""
    port.dev.changed()
    port.dev.kernel.notify(NetdevEvent.CHANGELOWERSTATE, port.dev)


def port_of(dev: Device) -> Port | None:
    """team_port_get_rtnl(): the port that the device is."""
    port: Port | None = dev.attached.get(KEY)
    return port


def repeating(team: Team) -> tuple[Callable[[], None], ...]:
    """What ends with the team."""
    return team.notify_peers.work.cancel, team.mcast_rejoin.work.cancel
