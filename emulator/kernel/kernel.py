"""The machine: what all namespaces share."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from emulator.kernel.device import Device
from emulator.kernel.events import Announcer, Info, NetdevEvent, Notifier, NullAnnouncer
from emulator.kernel.net import Net


class Kernel:
    """One machine. cpus: how many; seed: of all that is random; families: the dynamic generic netlink family ids by name;
    netdevsim: "plain" or "dma", which of the two netdevsim drivers it has."""

    cpus: int
    families: dict[str, int]
    netdevsim: str
    random: random.Random
    init_net: Net
    nets: dict[str, Net]
    """Those that are alive, by our name."""
    chain: list[Notifier]
    """The netdevice notifier chain, in the order of registration."""
    announcer: Announcer
    """Assign one's own to hear of links and namespace ids."""

    def __init__(self, *, cpus: int = 2, seed: int = 0, families: dict[str, int] | None = None,
                 netdevsim: str = "plain") -> None:
        self.announcer = NullAnnouncer()
        self.chain = []
        self.random = random.Random(seed)

    def new_net(self, name: str) -> Net:
        """copy_net_ns(): a new namespace with a loopback device that is down."""
        raise NotImplementedError

    def delete_net(self, name: str) -> None:
        """The last reference goes: it is torn down later (cleanup_net())."""

    def notify(self, event: NetdevEvent, dev: Device, info: Info | None = None) -> None:
        """call_netdevice_notifiers(): in the chain's order; a Refusal of a notifier ends it and comes out."""

    def register_notifier(self, notifier: Notifier, after: Any = None) -> None:
        """register_netdevice_notifier(), without the replay for devices that exist."""

    def defer(self, work: Callable[[], None]) -> None:
        """schedule_work(): run by settle(), first come first served."""

    def settle(self) -> None:
        """Runs what was deferred, and what that defers, and timers that are due."""

    def advance(self, seconds: float) -> None:
        """Time passes: timers run as they become due."""
