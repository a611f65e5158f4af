"""Walks: random sequences of steps, made up while the emulator performs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.conformance.generic import Generic
from tests.conformance.kinds.area import Kinds
from tests.conformance.machines import Emulator
from tests.conformance.sockets import Sockets
from tests.conformance.world import ALL_AREAS, AREAS, NETS


class Walk(Generic, Kinds, Sockets):
    """One walk. Takes a seed, the emulator, and the areas that it is to visit. `step()` makes the next step."""

    WEIGHTS = {
        "nlctrl": 0.4,
        "netdev": 2.0,
        "ethtool": 1.5,
        "link": 3.0,
        "nsid": 0.5,
        "address": 1.0,
        "route": 1.0,
        "socket": 0.3,
        "raw": 0.3,
        "kinds": 6.0,
    }

    def __init__(self, seed: int | str, emulator: Emulator, areas: Sequence[str] = AREAS) -> None:
        super().__init__(seed, emulator, areas)
        if self.chance(0.7):
            self._furnish()

    def _furnish(self) -> None:
        """A world in which there is something to talk about: a NIC that is up, and namespaces that know each other."""
        self.nsim()
        for _ in range(self.rng.randrange(6)):
            self.net = self.rng.choice(NETS)
            self.rng.choice((self.plain_link, self.nsim, self.updown, self.know))()

    def step(self) -> None:
        """Makes the next step, or a few that belong together."""
        self.net = self.rng.choice(("init", "init", "b", "c"))
        area = self.rng.choices(self.areas, [self.WEIGHTS[area] for area in self.areas])[0]
        act: Callable[[], None] = getattr(self, area)
        act()
        if "link" not in self.areas and self.chance(0.1):  # there should be something to look at
            self.rng.choice((self.nsim, self.plain_link, self.updown))()


__all__ = ["ALL_AREAS", "AREAS", "Walk"]
