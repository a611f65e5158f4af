"""What a suite has exercised: data that is written down, read back, and added up over processes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from nlemu import __version__

FORMAT = 1
"""Of the file: one of another format is not read."""


class CoverageError(ValueError):
    """A file that is no coverage, or not ours to add up: one line."""


class Met(NamedTuple):
    """A refusal as it was met. operation: family and name; dump: it was asked for all there is; what: who refused:
    "kernel", a function of it; "required", "type", "range", "unknown" or "header", the declaration of the request;
    "privilege"; "netlink", before the operation was found; "fault", one that a test had set; "absent", the emulator,
    which does not do that. errno: its name; text: of the extended ack; about: the attribute, where a declaration
    refused; functions: of the kernel, the one that refused first; place: file and line of ours."""

    operation: str
    dump: bool
    what: str
    errno: str
    text: str | None
    about: str | None
    functions: tuple[str, ...]
    place: str


@dataclass
class Seen:
    """asked: requests by operation and whether they were dumps, and of rtnetlink by protocol family (-1 elsewhere);
    attributes: of requests, by operation, as paths; notices: what was told to a socket of the suite; refused: refusals,
    and how often each was met; devices: drivers and kinds of links that there were, by class; kinds: kinds of links
    that requests named."""

    asked: Counter[tuple[str, bool, int]] = field(default_factory=Counter)
    attributes: dict[str, set[str]] = field(default_factory=dict)
    notices: Counter[str] = field(default_factory=Counter)
    refused: Counter[Met] = field(default_factory=Counter)
    devices: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    def add(self, other: Seen) -> None:
        """What another process has exercised, too."""
        self.asked.update(other.asked)
        self.notices.update(other.notices)
        self.refused.update(other.refused)
        self.devices |= other.devices
        self.kinds |= other.kinds
        for operation, paths in other.attributes.items():
            self.attributes.setdefault(operation, set()).update(paths)

    def clear(self) -> None:
        """Nothing has been exercised yet, on the devices that there are."""
        self.asked.clear()
        self.attributes.clear()
        self.notices.clear()
        self.refused.clear()
        self.kinds.clear()

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "nlemu-coverage": FORMAT,
            "nlemu": __version__,
            "asked": [[*key, count] for key, count in sorted(self.asked.items())],
            "attributes": {operation: sorted(paths) for operation, paths in sorted(self.attributes.items())},
            "notices": dict(sorted(self.notices.items())),
            "refused": [
                {**one._asdict(), "count": count}
                for one, count in sorted(self.refused.items(), key=lambda one: str(one[0]))
            ],
            "devices": sorted(self.devices),
            "kinds": sorted(self.kinds),
        }


def read(told: Mapping[str, Any], where: str) -> Seen:
    """The same back from JSON. where: what a mistake is blamed on. CoverageError."""
    if told.get("nlemu-coverage") != FORMAT:
        raise CoverageError(f"{where}: no coverage that this nlemu has written")
    if told.get("nlemu") != __version__:
        raise CoverageError(f"{where}: it is of nlemu {told.get('nlemu')}, and this is {__version__}")
    try:
        seen = Seen(
            Counter({(str(name), bool(dump), int(family)): int(count) for name, dump, family, count in told["asked"]}),
            {str(name): set(paths) for name, paths in told["attributes"].items()},
            Counter(told["notices"]), Counter(), set(told["devices"]), set(told["kinds"]),
        )
        for one in told["refused"]:
            count = one.pop("count")
            seen.refused[Met(**{**one, "functions": tuple(one["functions"])})] += count
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CoverageError(f"{where}: it is damaged ({error})") from None
    return seen


def load(path: Path) -> Seen:
    """What is in a file. OSError, CoverageError."""
    try:
        told = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise CoverageError(f"{path}: no JSON") from None
    if not isinstance(told, dict):
        raise CoverageError(f"{path}: no coverage that this nlemu has written")
    return read(told, str(path))


def combined(paths: Iterable[Path]) -> Seen:
    """All that is in some files, and in those of directories. OSError, CoverageError."""
    total, found = Seen(), False
    for path in paths:
        for one in sorted(path.glob("*.json")) if path.is_dir() else (path,):
            total.add(load(one))
            found = True
    if not found:
        raise CoverageError("there is nothing to report: no file that ends in .json")
    return total
