"""Figures: what was measured, how much of it, and of a yardstick in the same run; written, read and compared."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

VERSION = 1
WORSE = 1.1
"""How many times as bad a figure has to be to be called worse: less is chance on most machines."""


class BadFigures(Exception):
    """A file that holds no figures: one line."""


@dataclass(frozen=True)
class Figure:
    """One measurement. area, name: what of; value: the median, in `unit`; more: whether more is better, as of rates;
    yardsticks: what others reached, by their names, in the same unit and the same run."""

    area: str
    name: str
    value: float
    unit: str
    more: bool = False
    yardsticks: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What it is called in a comparison."""
        return f"{self.area}: {self.name}"

    def ratios(self) -> Iterator[tuple[str, float]]:
        """How many times as good as each yardstick it is."""
        for name, other in self.yardsticks.items():
            if self.value and other:
                yield name, self.value / other if self.more else other / self.value


@dataclass(frozen=True)
class Change:
    """A figure in two runs. factor: how many times as bad it has become, by its first yardstick where both have it, so
    that a slow day of the machine counts for nothing; less than 1 is better."""

    key: str
    before: Figure
    now: Figure
    factor: float

    @property
    def worse(self) -> bool:
        """Whether it is more than chance."""
        return self.factor > WORSE


def write(figures: Iterable[Figure]) -> str:
    """JSON, with what it was measured on."""
    about = {"nlemu bench": VERSION, "python": platform.python_version(), "kernel": platform.release()}
    return json.dumps({**about, "figures": [asdict(one) for one in figures]}, indent=1) + "\n"


def read(text: str) -> list[Figure]:
    """What write() wrote. Raises BadFigures."""
    try:
        found: Any = json.loads(text)
        if found["nlemu bench"] != VERSION:
            raise BadFigures(f"it is of version {found['nlemu bench']}, and this one reads {VERSION}")
        return [Figure(**one) for one in found["figures"]]
    except (ValueError, TypeError, KeyError) as error:
        raise BadFigures("it holds no figures of `nlemu bench --json`") from error


def compare(before: Iterable[Figure], now: Iterable[Figure]) -> list[Change]:
    """What is in both, the worst first."""
    earlier = {one.key: one for one in before}
    changes = [
        Change(one.key, earlier[one.key], one, _factor(earlier[one.key], one)) for one in now if one.key in earlier
    ]
    return sorted(changes, key=lambda change: -change.factor)


def _factor(before: Figure, now: Figure) -> float:
    """How many times as bad."""
    then, today = dict(before.ratios()), dict(now.ratios())
    for name in then:
        if name in today:
            return then[name] / today[name]
    if not (before.value and now.value):
        return 1.0
    return before.value / now.value if now.more else now.value / before.value
