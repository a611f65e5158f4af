"""Faults that strike notifications, each on its way to one reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.machine.faults.fault import Fate, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.machine.machine import Machine


class Notices:
    """Those of one machine, the oldest first. It stands between a group and its members as long as one waits."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.listed: list[Fault] = []
        self._held: dict[Endpoint, list[Callable[[], None]]] = {}
        """What is to come behind the next one, by reader."""

    def add(self, fault: Fault) -> None:
        """Has a fault happen."""
        self.listed.append(fault)
        self.machine.multicast.disturb = self.disturb

    def clear(self) -> None:
        """No fault waits any more; what was held is told."""
        self.listed.clear()
        self.machine.multicast.disturb = None
        for held in self._held.values():
            for deliver in held:
                deliver()
        self._held.clear()

    def remove(self, name: str) -> bool:
        """One is taken away, by its name. False: there is none."""
        kept = [fault for fault in self.listed if fault.name != name]
        found = len(kept) < len(self.listed)
        self.listed = kept
        if not kept:
            self.clear()
        return found

    def disturb(self, net: Net, endpoint: Endpoint, data: bytes, group: int, nsid: int | None) -> None:
        """A notification from that namespace is to reach that reader."""
        fault = next(
            (one for one in self.listed if one.aim.hits(None, net.name, endpoint.portid, endpoint.protocol, data)), None
        )

        def deliver() -> None:
            endpoint.deliver(data, group, nsid)

        held = self._held.pop(endpoint, [])
        match None if fault is None else fault.fate:
            case Fate.LOSE:
                endpoint.lose(1)
                deliver()
            case Fate.DUPLICATE:
                deliver()
                deliver()
            case Fate.DELAY:
                assert fault is not None
                self.machine.call_later(fault.seconds, deliver)
            case Fate.SWAP:
                self._held[endpoint] = [deliver]
            case _:
                deliver()
        if endpoint in self._held:
            self._held[endpoint] += held  # still behind the next one
            return
        for one in held:
            one()
