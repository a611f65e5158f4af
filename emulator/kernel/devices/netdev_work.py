"""What is to be done with devices once the request at hand is through: net/core/netdev_work.c.

A device waits once, in the order in which devices were put on the list, with all that has been asked for meanwhile:
events of the driver's own (ndo_work), and that its filters are brought up to date (rx_mode.py). A device that is being
unregistered waits for nothing any more. This work is done before link-watch looks at what the same request caused: it
waits on the processor that the request ran on, link-watch on any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import rx_mode
from nlemu.emulator.kernel.devices.states import RegState

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.work import Work
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(slots=True)
class Pending:
    """What one device waits for. events: bits of its driver's; rx_mode: NETDEV_WORK_RX_MODE."""

    events: int = 0
    rx_mode: bool = False


class NetdevWork:
    """The list of one kernel."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: dict[Device, Pending] = {}
        self._scheduled = False

    def schedule(self, dev: Device, events: int = 0, *, rx_mode: bool = False) -> None:
        """netdev_work_sched(), __netdev_work_core_sched(): the device waits for these events too."""
        if dev.reg_state > RegState.REGISTERED:
            return
        pending = self._waiting.setdefault(dev, Pending())
        pending.events |= events
        pending.rx_mode |= rx_mode
        if not self._scheduled:
            self._scheduled = True
            self._work.defer(self._run, first=True)

    def cancel(self, dev: Device, events: int) -> None:
        """netdev_work_cancel(): it does not wait for these events any more."""
        pending = self._waiting.get(dev)
        if pending is not None:
            pending.events &= ~events
            if not pending.events and not pending.rx_mode:
                del self._waiting[dev]

    def cancel_all(self, dev: Device) -> None:
        """netdev_work_cancel_all()."""
        self._waiting.pop(dev, None)

    def sync_rx_mode(self, dev: Device) -> None:
        """netif_rx_mode_sync(): if the filters wait, it is done now."""
        pending = self._waiting.get(dev)
        if pending is not None and pending.rx_mode:
            pending.rx_mode = False
            if not pending.events:
                del self._waiting[dev]
            rx_mode.run(dev)

    def _run(self) -> None:
        """netdev_work_proc(): what comes while it runs is done in the same go."""
        self._scheduled = False
        while self._waiting:
            dev = next(iter(self._waiting))
            pending = self._waiting.pop(dev)
            if not dev.present:
                continue
            if pending.rx_mode:
                rx_mode.run(dev)
            if pending.events:
                dev.ops.work(dev, pending.events)
