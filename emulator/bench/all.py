"""Everything that is measured, by area, thoroughly or quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nlemu.emulator.bench import crowds, pairs, rates, sizes, starts
from nlemu.emulator.bench.figures import Figure


@dataclass(frozen=True)
class Effort:
    """How much is done: rounds, and seconds of each; pairs, deleted pairs, namespaces, clients, listeners, devices that
    come and go before these; the sizes among which a request is measured, and how often."""

    rounds: int = 15
    seconds: float = 0.2
    pairs: int = 2_000
    deleted: int = 2_000
    namespaces: int = 200
    clients: int = 500
    listeners: int = 200
    storm: int = 100
    sizes: tuple[int, ...] = sizes.SIZES
    asked: int = 200


THOROUGH = Effort()
QUICK = Effort(
    rounds=1, seconds=0.01, pairs=5, deleted=2, namespaces=2, clients=3, listeners=2, storm=2, sizes=(2, 4), asked=2
)
"""Enough to see that everything can be measured; the figures mean nothing."""

AREAS: Mapping[str, Callable[[Effort], Iterator[Figure]]] = {
    "requests": lambda effort: rates.measure(effort.rounds, effort.seconds),
    "links": lambda effort: pairs.measure(effort.pairs, effort.deleted),
    "namespaces": lambda effort: pairs.namespaces(effort.namespaces),
    "starts": lambda effort: starts.measure(effort.rounds),
    "crowds": lambda effort: crowded(effort),
    "sizes": lambda effort: sizes.measure(effort.sizes, effort.asked),
}


def crowded(effort: Effort) -> Iterator[Figure]:
    """Many clients, and many listeners."""
    yield from crowds.clients(effort.clients, effort.rounds)
    yield from crowds.listeners(effort.listeners, effort.storm)
