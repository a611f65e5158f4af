"""What a fault does when it strikes: data, which `requests` and `notices` walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from nlemu.emulator.machine.faults.aim import Aim


class Fate(Enum):
    """What becomes of a notification."""

    LOSE = "lose"
    """Nobody hears it."""
    DUPLICATE = "duplicate"
    """It comes twice."""
    DELAY = "delay"
    """It comes later, by some seconds of the machine's time."""
    SWAP = "swap"
    """It comes behind the next one for the same reader."""


class HangUp(Enum):
    """When a socket is closed from our side."""

    ASKED = "asked"
    """Before anything is done."""
    DONE = "done"
    """When the request has been performed, before it is answered."""


@dataclass
class Fault:
    """One that waits. name: by which it is listed and taken away.

    For requests. errno: which is refused, 0 for none; text: what the refusal says; at: the attribute that it
    blames, by its name; interrupt: a dump says that it may be inconsistent; after: a dump is not struck at once but
    behind so many of its messages; split: it has so many messages a datagram; then: what is done when it strikes,
    before the request is answered, which returns why it could not be, or None; hang_up: the socket that asked is
    closed, and nothing answered; restart: everybody's is, and the machine is a fresh one. For notifications. fate:
    what becomes of one; seconds: of a delay. step: what set it, for people. failed: why what was to be done then
    was not, when it struck last."""

    name: str
    aim: Aim
    errno: int = 0
    text: str | None = None
    at: str | None = None
    interrupt: bool = False
    after: int = 0
    split: int = 0
    then: Callable[[], str | None] | None = None
    hang_up: HangUp | None = None
    restart: bool = False
    fate: Fate | None = None
    seconds: float = 0.0
    step: Mapping[str, Any] = field(default_factory=dict)
    failed: str | None = None

    @property
    def in_dumps(self) -> bool:
        """It has to do with a dump under way, and with nothing else."""
        return bool(self.interrupt or self.after or self.split)
