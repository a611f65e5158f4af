"""What came of a replayed capture, for people and for programs: commands in a table, each difference once.

    getlink, newlink.min-mtu: 12 requests, first at frame 18
      - .min-mtu: 256
      + .min-mtu: 68
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nlemu.emulator.script.recapture import Compared, Replayed


def report(result: Replayed) -> Iterator[str]:
    """Lines for people."""
    for note in result.notes:
        yield f"  assumed: {note}"
    for message, attributes in result.newer.items():
        yield f"  newer than the capture's kernel, of {message}: {', '.join(attributes)}"
    if result.counted:
        yield f"  counted otherwise, since packets are in no capture: {', '.join(result.counted)}"
    for line in result.bound.unread:
        yield f"  not read: {line}"
    width = max((len(row[0]) for row in result.summary()), default=0)
    for command, equal, different, skipped in result.summary():
        parts = [f"{equal} equal" if equal else "", f"{different} different" if different else "",
                 f"{skipped} not compared" if skipped else ""]
        yield f"  {command.ljust(width)}  {', '.join(part for part in parts if part)}"
    for reason, count in skipped_for(result).items():
        yield f"  not compared, {count}: {reason}"
    yield from notifications(result)
    for command, found in differences(result).items():
        for (message, path), (lines, places) in found.items():
            yield f"  {command}{f', {message}{path}' if message else ''}: {times(places)}"
            yield from (f"    {line}" for line in lines)
    if result.cut_off:
        yield f"  the capture breaks off: {result.cut_off}"
    if result.bugs:
        yield f"  requests that met a bug of the emulator's own, see its log: {result.bugs}"


def notifications(result: Replayed) -> Iterator[str]:
    """What came of notifications."""
    told, compared = result.told, result.told.equal + len(result.told.different)
    if compared:
        different = f", {len(told.different)} different" if told.different else ""
        yield f"  notifications: {told.equal} equal{different}"
    for what, names in (("heard, from causes outside the capture", told.outside), ("told here alone", told.unheard)):
        if names:
            yield f"  {what}: {', '.join(f'{count} {name}' for name, count in sorted(names.items()))}"
    if result.bound.heard and not compared and not told.outside:
        heard = ", ".join(f"{count} {name}" for name, count in sorted(result.bound.heard.items()))
        yield f"  heard, and not compared: {heard}"


def times(places: list[str]) -> str:
    """How often, and where first."""
    return places[0] if len(places) == 1 else f"{len(places)} requests, first at {places[0]}"


def skipped_for(result: Replayed) -> dict[str, int]:
    """How many requests were not compared, by reason."""
    reasons: dict[str, int] = {}
    for one in result.compared:
        if one.skipped:
            reasons[one.skipped] = reasons.get(one.skipped, 0) + 1
    return reasons


Found = dict[tuple[str, str], tuple[list[str], list[str]]]
"""By message and path: the first difference there, as lines, and the places of all requests with one."""


def differences(result: Replayed) -> dict[str, Found]:
    """By command, each path that differs once."""
    commands: dict[str, Found] = {}
    told = [Compared(place, f"told of {name}", lines) for name, place, lines in result.told.different]
    for one in [*result.compared, *told]:
        for message, lines in pieces(one.lines):
            path = lines[0][2:].partition(": ")[0]
            found = commands.setdefault(one.command, {})
            if not message:  # the request itself
                path = lines[0]
            _, places = found.setdefault((message, path if path.startswith(".") else f".{path}"), (lines, []))
            if one.place not in places[-1:]:
                places.append(one.place)
    return commands


def pieces(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The differences of one request apart from each other: in which message, what was expected, what there is."""
    message, minus = "", ""
    for line in [*lines, ""]:
        if minus and not line.startswith("+ "):
            yield message, [minus]
            minus = ""
        if line.startswith("- "):
            minus = line
        elif line.startswith("+ "):
            yield message, [minus, line] if minus else [line]
            minus = ""
        else:
            message = line.strip().partition("   ")[0]


def numbers(result: Replayed) -> dict[str, Any]:
    """The numbers, for programs."""
    return {
        "kernel": result.build.name,
        "requests": len(result.compared),
        "equal": sum(not one.lines and not one.skipped for one in result.compared),
        "different": result.different,
        "skipped": sum(one.skipped is not None for one in result.compared),
        "heard": sum(result.bound.heard.values()),
        "notifications": {
            "equal": result.told.equal, "different": len(result.told.different),
            "outside": sum(result.told.outside.values()), "here": sum(result.told.unheard.values()),
        },
        "unread": len(result.bound.unread),
        "commands": {
            command: {"equal": equal, "different": different, "skipped": skipped}
            for command, equal, different, skipped in result.summary()
        },
        "cut_off": result.cut_off,
    }
