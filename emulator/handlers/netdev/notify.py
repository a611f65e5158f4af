"""Notifications of the netdev family: devices to "mgmt", page pools to "page-pool".

netdev_genl_netdevice_event() and netdev_nl_page_pool_event(). They answer nobody, so port and sequence number are 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.netdev.device import fill_dev
from nlemu.emulator.handlers.netdev.page_pool import fill_page_pool
from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.queues.page_pool import PagePoolEvent
from nlemu.protocol.families.netdev import (
    DEV_ADD_NTF,
    DEV_CHANGE_NTF,
    DEV_DEL_NTF,
    PAGE_POOL_ADD_NTF,
    PAGE_POOL_CHANGE_NTF,
    PAGE_POOL_DEL_NTF,
)
from nlemu.protocol.frame import message

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.page_pool import PagePool
    from nlemu.emulator.machine.machine import Machine

DEVICE_EVENTS = {
    NetdevEvent.REGISTER: DEV_ADD_NTF,
    NetdevEvent.UNREGISTER: DEV_DEL_NTF,
    NetdevEvent.XDP_FEAT_CHANGE: DEV_CHANGE_NTF,
}
POOL_EVENTS = {
    PagePoolEvent.ADD: PAGE_POOL_ADD_NTF,
    PagePoolEvent.DEL: PAGE_POOL_DEL_NTF,
    PagePoolEvent.CHANGE: PAGE_POOL_CHANGE_NTF,
}


class NetdevNotify:
    """What one machine's netdev family tells its groups."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def on_event(self, event: NetdevEvent, dev: Device, info: Info) -> None:
        """The notifier on the netdevice chain."""
        op, machine = DEVICE_EVENTS[event], self.machine
        machine.families.notify(dev.net, op, lambda: message(machine.number(op), 0, 0, 0, op.body(fill_dev(dev))))

    def page_pool(self, event: PagePoolEvent, pool: PagePool) -> None:
        """A page pool came, went or changed."""
        op, machine = POOL_EVENTS[event], self.machine
        assert pool.dev is not None
        machine.families.notify(
            pool.dev.net, op, lambda: message(machine.number(op), 0, 0, 0, op.body(fill_page_pool(pool)))
        )


def start(machine: Machine) -> None:
    """From now on the machine's model tells the family of its devices and page pools."""
    machine.netdev = notify = NetdevNotify(machine)
    machine.register_notifier(Stage.NETDEV, notify.on_event, DEVICE_EVENTS)
