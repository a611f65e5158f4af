"""MPLS on a device: struct mpls_dev of net/mpls/internal.h.

Every device that registers has it, in a kernel that is built so; whether it takes labelled packets is a setting. Its
settings are files, so it is told of again when the device gets another name (mpls_dev_notify() of net/mpls/af_mpls.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_MPLS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

OPTION = "MPLS_ROUTING"
EVENTS = (NetdevEvent.REGISTER, NetdevEvent.UNREGISTER, NetdevEvent.CHANGENAME)


class MplsDevice:
    """struct mpls_dev. input: whether labelled packets are taken (net.mpls.conf.DEVICE.input)."""

    __slots__ = ("input",)

    def __init__(self) -> None:
        self.input = 0


def on_event(event: NetdevEvent, dev: Device, info: Info) -> None:
    """mpls_dev_notify()."""
    if event == NetdevEvent.REGISTER:
        dev.mpls = MplsDevice()
    elif dev.mpls is None:
        return
    else:
        dev.kernel.announcer.netconf(dev.net, RTM.DELNETCONF, AF_MPLS, dev.ifindex, dev.mpls, ())
    if event == NetdevEvent.UNREGISTER:
        dev.mpls = None
    else:
        dev.kernel.announcer.netconf(dev.net, RTM.NEWNETCONF, AF_MPLS, dev.ifindex, dev.mpls)
