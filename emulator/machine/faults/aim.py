"""Whom a fault is for, and how often."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlemu.protocol.uapi.ethtool import EthtoolIoctl
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.protocol.schema.family import Operation

IOCTLS: dict[str, EthtoolIoctl | Sioc] = {
    **{f"SIOC{one.name}": one for one in Sioc if one is not Sioc.ETHTOOL},
    **{f"ETHTOOL_{one.name}": one for one in EthtoolIoctl},
}
"""Those that can be refused, by the names of the kernel's constants."""
COMMANDS: dict[int, EthtoolIoctl | Sioc] = {int(one): one for one in IOCTLS.values()}


@dataclass
class Aim:
    """operations: any of these, or None where ``wanted`` says so by itself; netns, port: None for every namespace and
    every socket; wanted: looks at a message of a protocol, None at none; skip: so many are passed over first; count: so
    many are struck then, 0 for no end; chance: with what probability each is, drawn from a sequence of its own that
    begins with ``seed``.

    met: how many it was for; struck: how many of them it struck."""

    operations: tuple[Operation | EthtoolIoctl | Sioc, ...] | None
    netns: str | None = None
    port: int | None = None
    wanted: Callable[[int, bytes], bool] | None = None
    skip: int = 0
    count: int = 1
    chance: float = 1.0
    seed: int = 0
    met: int = 0
    struck: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @property
    def left(self) -> int | None:
        """How many it will strike yet; None for no end."""
        return self.count - self.struck if self.count else None

    def hits(self, operation: object, netns: str, port: int, protocol: int, message: bytes) -> bool:
        """Whether it strikes what is there now, which counts."""
        if self.left == 0:
            return False
        if self.operations is not None and not any(one is operation for one in self.operations):
            return False
        if self.netns not in (None, netns) or self.port not in (None, port):
            return False
        if self.wanted is not None and not self.wanted(protocol, message):
            return False
        self.met += 1
        if self.met <= self.skip or (self.chance < 1 and self._random.random() >= self.chance):
            return False
        self.struck += 1
        return True
