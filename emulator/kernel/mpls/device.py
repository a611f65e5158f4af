"""MPLS on a device: struct mpls_dev of net/mpls/internal.h.

Every device that registers has it, in a kernel that is built so; whether it takes labelled packets is a setting. Its
settings are files, so it is told of again when the device gets another name (mpls_dev_notify() of net/mpls/af_mpls.c).
What leads through the device is told what happens to it (labels.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices.flags import get_flags
from nlemu.emulator.kernel.mpls import labels
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_MPLS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.mpls.labels import Labels

OPTION = "MPLS_ROUTING"
EVENTS = (
    NetdevEvent.REGISTER, NetdevEvent.UNREGISTER, NetdevEvent.CHANGENAME, NetdevEvent.UP, NetdevEvent.DOWN,
    NetdevEvent.CHANGE,
)


class MplsDevice:
    """struct mpls_dev. input: whether labelled packets are taken (net.mpls.conf.DEVICE.input)."""

    __slots__ = ("input",)

    def __init__(self) -> None:
        self.input = 0


def on_event(event: NetdevEvent, dev: Device, info: Info) -> None:
    """mpls_dev_notify()."""
    if event == NetdevEvent.REGISTER:
        dev.mpls = MplsDevice()
        _tell(dev)
    elif dev.mpls is None:
        return
    elif event == NetdevEvent.CHANGENAME:
        _untell(dev)
        _tell(dev)
    elif event == NetdevEvent.UNREGISTER:
        if (table := labels.known(dev.net)) is not None:
            table.gone(dev)
        _untell(dev)
        dev.mpls = None
    elif (table := labels.known(dev.net)) is not None:
        _follow(event, dev, table)


def _follow(event: NetdevEvent, dev: Device, table: Labels) -> None:
    """What leads through it is up or down as it is."""
    carries = bool(get_flags(dev) & labels.CARRIES)
    if event == NetdevEvent.DOWN:
        table.down(dev, labels.DEAD | labels.LINKDOWN)
    elif carries:
        table.up(dev, labels.DEAD | labels.LINKDOWN)
    elif event == NetdevEvent.UP:
        table.up(dev, labels.DEAD)
    else:
        table.down(dev, labels.LINKDOWN)


def _tell(dev: Device) -> None:
    """mpls_dev_sysctl_register()."""
    dev.kernel.announcer.netconf(dev.net, RTM.NEWNETCONF, AF_MPLS, dev.ifindex, dev.mpls)


def _untell(dev: Device) -> None:
    """mpls_dev_sysctl_unregister()."""
    dev.kernel.announcer.netconf(dev.net, RTM.DELNETCONF, AF_MPLS, dev.ifindex, dev.mpls, ())


def set_input(dev: Device, value: int) -> None:
    """mpls_conf_proc(): whether it takes labelled packets; told of if that is new."""
    if dev.mpls is not None and dev.mpls.input != value:
        dev.mpls.input = value
        dev.kernel.announcer.netconf(dev.net, RTM.NEWNETCONF, AF_MPLS, dev.ifindex, dev.mpls, ("input",))
