"""What the model announces, as rtnetlink's notifications: one class a group of messages, and all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.announcements import Announcements
from nlemu.emulator.handlers.route.addr.notify import AddressNotify
from nlemu.emulator.handlers.route.link.notify import LinkNotify
from nlemu.emulator.handlers.route.mdb.notify import MdbNotify
from nlemu.emulator.handlers.route.neigh.notify import NeighbourNotify
from nlemu.emulator.handlers.route.netconf.notify import NetconfNotify
from nlemu.emulator.handlers.route.nexthop.notify import NexthopNotify
from nlemu.emulator.handlers.route.nsid.notify import NsidNotify
from nlemu.emulator.handlers.route.route.notify import RouteNotify
from nlemu.emulator.handlers.route.rule.notify import RuleNotify
from nlemu.emulator.handlers.route.stats.notify import StatsNotify
from nlemu.emulator.handlers.route.tunnel.notify import TunnelNotify
from nlemu.emulator.handlers.route.vlan.notify import VlanNotify

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine


class RouteAnnouncements(
    LinkNotify, AddressNotify, RouteNotify, RuleNotify, NeighbourNotify, NetconfNotify, NexthopNotify, NsidNotify,
    VlanNotify, MdbNotify, StatsNotify, TunnelNotify, Announcements,
):
    """The announcer of a machine on which rtnetlink is used."""


def start(machine: Machine) -> None:
    """From now on the machine's model announces to rtnetlink's groups too."""
    machine.announcer = RouteAnnouncements(machine)
