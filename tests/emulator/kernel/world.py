"""A machine with one netdevsim port, and the few verbs that the tests of queues share."""

from __future__ import annotations

from dataclasses import dataclass

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.flags import change_flags
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics.netdevsim.bus import new_device
from tests.emulator.kernel.pool_events import PoolEvents


@dataclass
class World:
    kernel: Kernel
    events: PoolEvents
    port: Device


def world(queues: int = 2, netdevsim: str = "plain", up: bool = True) -> World:
    """netdevsim10 with one port, eth0."""
    kernel = Kernel(netdevsim=netdevsim)
    events = PoolEvents()
    kernel.announcer = events
    new_device(kernel, 10, 1, queues)
    port = kernel.init_net.by_name("eth0")
    assert port is not None
    if up:
        set_up(port)
        events.taken()
    return World(kernel, events, port)


def set_up(dev: Device, up: bool = True) -> None:
    """ip link set up, or down."""
    change_flags(dev, dev.flags | 1 if up else dev.flags & ~1)
    dev.kernel.settle()
