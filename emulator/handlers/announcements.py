"""What the model announces, as notifications: one class a family of messages, and all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.handlers.ethtool.features import FeatureNotify
from emulator.handlers.netdev.notify import NetdevNotify
from emulator.handlers.route.link.notify import RouteNotify
from emulator.handlers.route.notify import IpNotify
from emulator.kernel.core.events import Stage

if TYPE_CHECKING:
    from emulator.machine.machine import Machine


class Announcements(NetdevNotify, RouteNotify, IpNotify):
    """The announcer of one machine (emulator/kernel/core/events.py: Announcer)."""


def listen(machine: Machine) -> None:
    """Makes the machine's model announce to the machine's sockets."""
    announcements = Announcements(machine)
    machine.announcer = announcements
    machine.register_notifier(Stage.NETDEV, announcements.on_event)
    machine.register_notifier(Stage.ETHTOOL, FeatureNotify(machine.ethtool).on_event)
