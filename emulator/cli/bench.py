"""``nlemu bench``: how fast it is here, beside what else there is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlemu.emulator.cli import OK, REFUSED, Refused, Usage
from nlemu.emulator.cli.table import table

if TYPE_CHECKING:
    from nlemu.emulator.bench.figures import Change, Figure

AREAS = ("requests", "links", "namespaces", "starts", "crowds", "sizes")
DESCRIPTION = """Measure the emulator on this machine, and beside it, in the same run, what it can be compared with:
servers that only send back what they are sent, this machine's kernel, the start of an interpreter.

Each figure has its yardsticks, and how many times as good as each it is. A figure alone is of one processor on one day;
compare ratios, and look twice on a machine that does something else. With --against, the exit code is 1 where a figure
has become worse than by chance."""
EPILOG = """examples:
  nlemu bench requests starts
  nlemu bench --json > before.json; ...; nlemu bench --against before.json"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("areas", metavar="AREA", nargs="*", help=f"what to measure: {', '.join(AREAS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--against", metavar="FILE", help="compare with what --json printed before")
    parser.add_argument("--plots", metavar="DIR", help="draw cost against size there, as SVG")
    parser.add_argument(
        "--quick", action="store_true", help="measure everything once, and hardly: to see that it can be measured"
    )


def run(options: argparse.Namespace) -> int:
    """Measures; the exit code."""
    from nlemu.emulator.bench import all as everything
    from nlemu.emulator.bench.figures import BadFigures, compare, read, write
    from nlemu.emulator.bench.requests import Refused as RequestRefused
    from nlemu.emulator.bench.servers import DidNotStart

    for area in options.areas:
        if area not in AREAS:
            raise Usage(f"there is no area {area!r}; there are {', '.join(AREAS)}")
    before = None
    if options.against:
        try:
            before = read(Path(options.against).read_text())
        except (OSError, UnicodeDecodeError, BadFigures) as error:
            raise Usage(f"--against {options.against}: {getattr(error, 'strerror', None) or error}") from None
    effort = everything.QUICK if options.quick else everything.THOROUGH
    figures: list[Figure] = []
    try:
        for area in options.areas or AREAS:
            print(f"nlemu: measuring {area}", file=sys.stderr, flush=True)
            figures += everything.AREAS[area](effort)
    except (RequestRefused, DidNotStart) as error:
        raise Refused(str(error)) from error
    if options.plots:
        plot(Path(options.plots), figures)
    print(write(figures) if options.json else "\n".join(lines(figures)), end="" if options.json else "\n")
    if before is None:
        return OK
    changes = compare(before, figures)
    print(*compared(changes), sep="\n", file=sys.stderr if options.json else sys.stdout)
    return REFUSED if any(change.worse for change in changes) else OK


def lines(figures: Iterable[Figure]) -> Sequence[str]:
    """A table of figures: one a line, and its yardsticks behind it."""
    rows = [
        (one.area, one.name, number(one.value), one.unit,
         ", ".join(f"{number(one.yardsticks[name])} {name} ({ratio:.2f} times)" for name, ratio in one.ratios()))
        for one in figures
    ]
    return table(("AREA", "WHAT", "NLEMU", "", "BESIDE IT"), rows)


def compared(changes: Sequence[Change]) -> Sequence[str]:
    """What got worse, the worst first; or that nothing did."""
    worse = [change for change in changes if change.worse]
    if not worse:
        return [f"nothing has become worse, of {len(changes)} figures"]
    rows = [
        (one.key, f"{number(one.before.value)} {one.before.unit}", f"{number(one.now.value)} {one.now.unit}",
         f"{one.factor:.2f}")
        for one in worse
    ]
    return ["worse than before:", *table(("WHAT", "BEFORE", "NOW", "TIMES AS BAD"), rows)]


def number(value: float) -> str:
    """Three digits that count, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def plot(place: Path, figures: Sequence[Figure]) -> None:
    """Draws what was measured at several sizes. Raises Refused."""
    from nlemu.emulator.bench.plot import draw, series

    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, title, unit in (("requests", "A request among so many devices", "us"),
                                  ("memory", "Memory of a device among so many", "KiB")):
            drawn = series(figures, unit)
            if drawn:
                (place / f"{name}.svg").write_text(draw(title, unit, drawn))
    except OSError as error:
        raise Refused(f"--plots {place}: {error.strerror}") from None
