"""``nlemu replay``: recorded traces performed again, and compared."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from nlemu.emulator.cli import OK, REFUSED, Usage, kernel_argument
from nlemu.emulator.kernel.core.build import NoBuild, nearest, recorded_on

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.script.replay import Result
    from nlemu.emulator.script.trace import Trace

DESCRIPTION = """Perform each trace's steps on a fresh machine of the kind it was recorded on, and compare all that
every socket had to read, datagram by datagram. What differs is told attribute by attribute."""
EPILOG = "exit code: 0 when everything is equal, 1 when something differs, 2 when a trace cannot be read"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "traces", metavar="TRACE", nargs="+", help="a file of JSON lines; fixtures/README.md tells the format"
    )
    parser.add_argument(
        "--actual",
        metavar="FILE",
        help="write the trace again, with the emulator's own answers (for one trace)",
    )
    kernel_argument(parser, "replay on this Linux instead of the one that the trace names")
    parser.add_argument(
        "--nearest", action="store_true", help="where that is not here, replay on the one that is most like it"
    )
    parser.add_argument(
        "--json", action="store_true", help="only the numbers: traces, steps, datagrams, different"
    )


def run(options: argparse.Namespace) -> int:
    """Performs the traces and shows where they differ; the exit code."""
    from nlemu.emulator.script import trace
    from nlemu.emulator.script.replay import replay

    if options.actual and len(options.traces) > 1:
        raise Usage(f"--actual takes one trace, and there are {len(options.traces)}")
    results = []
    for path in options.traces:
        result = replay(found := read(path), build_for(path, found, options))
        results.append(result)
        if not options.json:
            tell(path, result)
    if options.actual:
        try:
            trace.write(options.actual, results[0].actual)
        except OSError as error:
            raise Usage(f"--actual {options.actual}: {error.strerror}") from None
    different = sum(len({*(one.step for one in result.differences), *result.not_yet}) for result in results)
    steps = sum(len(result.trace.steps) for result in results)
    datagrams = sum(result.datagrams for result in results)
    if options.json:
        numbers = {"traces": len(results), "steps": steps, "datagrams": datagrams, "different": different}
        print(json.dumps(numbers))
    elif len(results) > 1:
        equal = sum(result.equal for result in results)
        print(
            f"{equal} of {len(results)} traces equal; {steps} steps, {datagrams} datagrams, {different} steps differ"
        )
    return OK if all(result.equal for result in results) else REFUSED


def build_for(path: str, trace: Trace, options: argparse.Namespace) -> Build:
    """The kernel that a trace is replayed on. Raises Usage for one that is not here, unless the options say what
    then."""
    if options.kernel is not None:
        chosen: Build = options.kernel
        return chosen
    header = trace.header
    try:
        return recorded_on(header.kernel, header.config)
    except NoBuild as error:
        if options.nearest:
            return nearest(header.kernel, header.config)
        hint = "--nearest replays it on the one that is most like it, --kernel NAME on any"
        raise Usage(f"{path}: {error}; {hint}") from None


def read(path: str) -> Trace:
    """The trace in that file. Raises Usage where it cannot be read."""
    from nlemu.emulator.script import trace

    try:
        return trace.read(path)
    except trace.TraceError as error:
        raise Usage(str(error)) from None
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from None


def tell(path: str, result: Result) -> None:
    """Prints whether a trace is equal, and each difference."""
    from nlemu.emulator.cli.table import Paint
    from nlemu.emulator.script.report import report

    paint = Paint()
    verdict = paint.green("equal    ") if result.equal else paint.red("different")
    print(f"{verdict}  {path}: {len(result.trace.steps)} steps, {result.datagrams} datagrams")
    for line in report(result):
        sign = line.lstrip()[:1]
        print("  " + (paint.red(line) if sign == "-" else paint.green(line) if sign == "+" else line))
