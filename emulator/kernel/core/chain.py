"""The netdevice notifier chain, and who else registers with the core of the kernel: drivers, and what goes with a
namespace.

A driver of a kind of link is loaded when the first device of its kind is about to be registered. Before there was one
it had nothing to heed, so nobody can tell that it was not there; where it stands on the chain does not depend on when
it was loaded.
"""

from __future__ import annotations

from bisect import insort_right
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent, Notifier, Stage

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.kind import Kind

BEHIND = 1 << 16
"""Where within its stage stands what is no kind of link: behind those that are."""


class Chain:
    """Of one kernel."""

    __slots__ = ("_drivers", "events", "exits", "loaded")

    def __init__(self) -> None:
        self.events: dict[NetdevEvent, list[tuple[Stage, int, Notifier]]] = {event: [] for event in NetdevEvent}
        """As each event meets it: only those stand in it that heed the event."""
        self.exits: list[Callable[[Net], None]] = []
        """What is told first when a namespace is torn down (struct pernet_operations)."""
        self._drivers: list[tuple[int, Kind]] = []
        self.loaded: set[Kind] = set()
        """The same, in no order."""

    def register(self, stage: Stage, notifier: Notifier, events: Iterable[NetdevEvent], place: int = BEHIND) -> None:
        """register_netdevice_notifier(): behind those of its stage and of earlier ones. place: within the stage."""
        for event in events:
            insort_right(self.events[event], (stage, place, notifier), key=itemgetter(0, 1))

    @property
    def drivers(self) -> Iterable[Kind]:
        """The kinds of which there was ever a device, in the order in which Linux would have registered them."""
        return (kind for _, kind in self._drivers)

    def load(self, kind: Kind, place: int) -> None:
        """A device of that kind is about to be registered: from now on its driver hears of devices. place: where the
        kind stands among all."""
        self.loaded.add(kind)
        insort_right(self._drivers, (place, kind), key=itemgetter(0))
        for stage, notifier, events in kind.notifiers:
            self.register(stage, notifier, events, place)
