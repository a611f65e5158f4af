"""``nlemu coverage``: what suites have exercised, added up and told."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nlemu.emulator.cli import OK, Refused, Usage

if TYPE_CHECKING:
    from nlemu.emulator.coverage.seen import Seen
    from nlemu.emulator.coverage.watch import Watch

DESCRIPTION = """Add up what `nlemu run --coverage=FILE.json`, `nlemu serve --coverage=FILE.json` and pytest's
--nlemu-coverage have written, and tell what was exercised and what was never met: operations, attributes,
notifications, and the refusals that these operations can come to."""
EPILOG = """examples:
  nlemu run --coverage=coverage/ -- go test ./...
  nlemu coverage coverage/ -o coverage.html"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="what was written, or directories of such files")
    report_arguments(parser)


def report_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what is made of it."""
    parser.add_argument(
        "-o", "--output", metavar="FILE", action="append", default=[],
        help="a page (FILE.html), or the report as JSON (FILE.json), which can be added up again; can be repeated",
    )
    parser.add_argument("--all", action="store_true", help="every refusal that was never met, not just a few of each")
    parser.add_argument("-q", "--quiet", action="store_true", help="the sums alone")


def run(options: argparse.Namespace) -> int:
    """Adds up and tells; the exit code."""
    from nlemu.emulator.coverage.seen import CoverageError, combined

    check_outputs(options)
    try:
        seen = combined(map(Path, options.files))
    except CoverageError as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise Usage(f"{error.filename}: {error.strerror}") from None
    for line in told(seen, options):
        print(line)
    return OK


def check_outputs(options: argparse.Namespace) -> None:
    """Raises Usage for a file that nobody could write."""
    from nlemu.emulator.coverage.files import DATA, PAGE

    for path in map(Path, options.output):
        if path.suffix not in (DATA, PAGE):
            raise Usage(f"-o: takes FILE.html or FILE.json, and not {str(path)!r}")


def told(seen: Seen, options: argparse.Namespace) -> list[str]:
    """Writes what options ask for; the report as lines. Refused."""
    from nlemu.emulator.cli.coverage_text import lines, sums
    from nlemu.emulator.cli.table import Paint
    from nlemu.emulator.coverage.files import write
    from nlemu.emulator.coverage.report import report

    found = report(seen)
    try:
        for path in map(Path, options.output):
            write(seen, found, path)
    except OSError as error:
        raise Refused(f"{error.filename}: {error.strerror}") from None
    return list(sums(found)) if options.quiet else lines(found, Paint(), everything=options.all)


def coverage_argument(parser: argparse.ArgumentParser) -> None:
    """Declares ``--coverage`` of what runs a machine."""
    parser.add_argument(
        "--coverage", metavar="FILE", nargs="?", const="",
        help="watch what is exercised of netlink: tell it at the end, or write it into FILE.json or a directory (DIR/) "
        "for `nlemu coverage`, or as a page (FILE.html)",
    )


class Coverage:
    """What `--coverage` asks for: a watch, and where what it sees goes. Raises Usage for a place that cannot be."""

    def __init__(self, wanted: str | None) -> None:
        self.watch: Watch | None = None
        self._path: Path | None = None
        if wanted is None:
            return
        from nlemu.emulator.coverage.files import place
        from nlemu.emulator.coverage.seen import CoverageError
        from nlemu.emulator.coverage.watch import Watch

        try:
            self._path = place(wanted) if wanted else None
        except CoverageError as error:
            raise Usage(f"--coverage {error}; a command stands behind --") from None
        except OSError as error:
            raise Usage(f"--coverage {wanted}: {error.strerror}") from None
        self.watch = Watch()

    def finish(self) -> None:
        """The end: what was seen is written, or told on standard error. Refused where it cannot be written."""
        if self.watch is None:
            return
        if self._path is not None:
            from nlemu.emulator.coverage.files import save

            try:
                save(self.watch.seen, self._path)
            except OSError as error:
                raise Refused(f"--coverage {self._path}: {error.strerror}") from None
            return
        from nlemu.emulator.cli.coverage_text import summary
        from nlemu.emulator.cli.table import Paint
        from nlemu.emulator.coverage.report import report

        print(*summary(report(self.watch.seen), Paint(sys.stderr)), sep="\n", file=sys.stderr, flush=True)
