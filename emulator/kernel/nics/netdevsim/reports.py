"""netdevsim: packets that are trapped (nsim_dev_trap_report_work() of drivers/net/netdevsim/dev.c).

Ten times a second the driver makes a packet for each network device that is up and each trap whose packets are not
dropped, and says that it was trapped. Who looks at the counts sees them; nobody else is told. So they are worked out
when somebody looks, or when something changes of what they depend on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.protocol.uapi.devlink import DevlinkTrapAction

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.netdevsim.device import BusDevice

INTERVAL = 100_000_000
"""NSIM_TRAP_REPORT_INTERVAL_MS, in nanoseconds."""
SIZE = 14 + 20 + 8 + 100
"""nsim_dev_trap_skb_build(): Ethernet, IPv4, UDP and NSIM_TRAP_L4_DATA_LEN."""


class Reports:
    """Of one device, since its driver began."""

    def __init__(self, device: BusDevice) -> None:
        self._device = device
        self._begun = device.bus.kernel.clock.now
        self._done = 0
        self._up: set[Device] = set()

    def began(self, dev: Device) -> None:
        """A network device came up."""
        self.catch_up()
        self._up.add(dev)

    def ended(self, dev: Device) -> None:
        """One goes down."""
        self.catch_up()
        self._up.discard(dev)

    def catch_up(self) -> None:
        """Counts what came since the last time."""
        device = self._device
        rounds = (device.bus.kernel.clock.now - self._begun) // INTERVAL
        packets, self._done = (rounds - self._done) * len(self._up), rounds
        if not packets:
            return
        groups = {group.name: group for group in device.groups}
        for trap in device.traps:
            if trap.action is not DevlinkTrapAction.DROP:
                for stats in (trap.stats, groups[trap.group].stats):
                    stats.packets += packets
                    stats.bytes += packets * SIZE
