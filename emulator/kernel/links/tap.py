"""The character devices of macvtaps and ipvtaps: drivers/net/tap.c, as much of them as is seen from outside.

Each such link has one, tapN after the link's index, with a number of its own under the driver's major number. It comes
and goes with the link, also where that only moves, and uevents say so. Nobody opens one here, so frames pass it by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.core.uevents import Action
from nlemu.emulator.kernel.devices import rx_handler, uevents
from nlemu.emulator.kernel.devices.kind import Kind
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import LinkParams
    from nlemu.emulator.kernel.devices.register import KillList

READ_QUEUE = 500
"""TUN_READQ_SIZE: how long the queue of such a link is."""
MAJORS = {"macvtap": 247, "ipvtap": 248}
"""The numbers that the recorded kernel gives to the drivers, which ask for any."""
HEEDED = frozenset({NetdevEvent.REGISTER, NetdevEvent.UNREGISTER})


def name_of(dev: Device) -> str:
    """What the character device is called."""
    return f"tap{dev.ifindex}"


def number_of(dev: Device) -> tuple[int, int] | None:
    """Its major and minor number; None: it has none."""
    minor = dev.kernel.tap_minors.get(dev)
    return None if minor is None or dev.kind is None else (MAJORS[dev.kind.name], minor)


def follower(kind: str) -> Callable[[NetdevEvent, Device, Info], None]:
    """macvtap_device_event(), ipvtap_device_event(): what the driver of that kind of links does on the chain."""

    def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
        if dev.kind is None or dev.kind.name != kind:
            return
        minors = dev.kernel.tap_minors
        if event == NetdevEvent.REGISTER:
            taken = {minor for other, minor in minors.items() if other.kind is dev.kind}
            minors[dev] = next(minor for minor in range(1, len(taken) + 2) if minor not in taken)
            _announce(dev, Action.ADD)
        elif dev in minors:
            _announce(dev, Action.REMOVE)
            del minors[dev]

    return follow


def _announce(dev: Device, action: Action) -> None:
    """device_create(), device_destroy()."""
    numbers = number_of(dev)
    assert numbers is not None and dev.kind is not None
    kind, name = dev.kind.name, name_of(dev)
    dev.kernel.uevents.send(
        dev.net, action, f"{uevents.devpath(dev)}/{kind}/{name}", kind,
        ("MAJOR", numbers[0]), ("MINOR", numbers[1]), ("DEVNAME", name),
    )


class Tap(Kind):
    """What macvtap_newlink() and ipvtap_newlink(), and the functions that delete, do around those of the kind below."""

    def new_link(self, dev: Device, params: LinkParams) -> None:
        rx_handler.register(dev, pass_by)
        try:
            super().new_link(dev, params)
        except Refusal:
            rx_handler.unregister(dev)
            raise

    def del_link(self, dev: Device, kill: KillList) -> None:
        rx_handler.unregister(dev)
        super().del_link(dev, kill)


def pass_by(dev: Device, size: int, sender: bytes) -> Device | None:
    """tap_handle_frame() as long as nobody has opened the character device."""
    return dev
