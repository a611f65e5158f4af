"""What the model announces, as notifications: one class a family of messages, and all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.handlers.ethtool_features import FeatureNotify
from emulator.handlers.ip_notify import IpNotify
from emulator.handlers.netdev_notify import NetdevNotify
from emulator.handlers.route_notify import RouteNotify
from emulator.kernel.events import Stage

if TYPE_CHECKING:
    from emulator.machine import Machine


class Announcements(NetdevNotify, RouteNotify, IpNotify):
    """The announcer of one machine (emulator/kernel/events.py: Announcer)."""


def listen(machine: Machine) -> None:
    """Makes the machine's model announce to the machine's sockets."""
    announcements = Announcements(machine)
    machine.announcer = announcements
    machine.register_notifier(Stage.NETDEV, announcements.on_event)
    machine.register_notifier(Stage.ETHTOOL, FeatureNotify(machine.ethtool).on_event)
