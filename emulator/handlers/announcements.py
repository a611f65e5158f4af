"""What the model announces, as notifications: one class a family of messages, and all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.handlers.netdev_notify import NetdevNotify
from emulator.kernel.events import NullAnnouncer, Stage

if TYPE_CHECKING:
    from emulator.machine import Machine


class Announcements(NetdevNotify, NullAnnouncer):
    """The announcer of one machine (emulator/kernel/events.py: Announcer)."""


def listen(machine: Machine) -> None:
    """Makes the machine's model announce to the machine's sockets."""
    announcements = Announcements(machine)
    machine.announcer = announcements
    machine.register_notifier(Stage.NETDEV, announcements.on_event)
