"""What the model announces, as notifications: one class a family of messages, and all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.ethtool.features import FeatureNotify
from nlemu.emulator.handlers.netdev.notify import DEVICE_EVENTS, NetdevNotify
from nlemu.emulator.handlers.route.addr.notify import AddressNotify
from nlemu.emulator.handlers.route.link.notify import LinkNotify
from nlemu.emulator.handlers.route.neigh.notify import NeighbourNotify
from nlemu.emulator.handlers.route.nsid.notify import NsidNotify
from nlemu.emulator.handlers.route.route.notify import RouteNotify
from nlemu.emulator.handlers.route.rule.notify import RuleNotify
from nlemu.emulator.handlers.uevent import KERNEL_GROUP, KOBJECT_UEVENT, UeventNotify
from nlemu.emulator.kernel.core.events import NetdevEvent, Stage

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine


class Announcements(
    NetdevNotify, LinkNotify, AddressNotify, RouteNotify, RuleNotify, NeighbourNotify, NsidNotify, UeventNotify
):
    """The announcer of one machine (emulator/kernel/core/events.py: Announcer)."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine


def listen(machine: Machine) -> None:
    """Makes the machine's model announce to the machine's sockets."""
    announcements = Announcements(machine)
    machine.announcer = announcements
    machine.uevents.heard = machine.multicast.ask(KOBJECT_UEVENT, KERNEL_GROUP)
    machine.register_notifier(Stage.NETDEV, announcements.on_event, DEVICE_EVENTS)
    machine.register_notifier(Stage.ETHTOOL, FeatureNotify(machine.ethtool).on_event, (NetdevEvent.FEAT_CHANGE,))
