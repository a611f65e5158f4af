"""``nlemu replay``: recorded traces and captures performed again, and compared."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlemu.emulator.cli import OK, REFUSED, Usage, kernel_argument, world_argument, world_of
from nlemu.emulator.cli.dissect import PROTOCOLS
from nlemu.emulator.cli.progress import Progress
from nlemu.emulator.kernel.core.build import NoBuild, nearest, recorded_on

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.script.recapture import Replayed
    from nlemu.emulator.script.replay import Result
    from nlemu.emulator.script.trace import Trace

DESCRIPTION = """Perform each trace's steps on a fresh machine of the kind it was recorded on, and compare all that
every socket had to read, datagram by datagram. What differs is told attribute by attribute.

A capture (pcap or pcapng of an nlmon device, strace, hexadecimal digits) begins in the middle: the world in which it
does is worked out from what it tells, its requests are performed there, and the answers compared. What a second life
of the same world may call otherwise (indices, port ids, addresses that were drawn, times of a cacheinfo) has to be
consistent, everything else equal; docs/traces.md tells more."""
EPILOG = """exit code: 0 when everything is equal, 1 when something differs or a capture breaks off, 2 when one cannot
be read"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "traces", metavar="FILE", nargs="+",
        help="a trace of this project (fixtures/README.md), or a capture; - for one on standard input",
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
        "--json", action="store_true", help="only the numbers: traces, steps, datagrams, different; or requests"
    )
    how = parser.add_argument_group("captures")
    how.add_argument("--strict", action="store_true", help="compare bytes, datagram by datagram")
    world_argument(how)
    how.add_argument("--save-world", metavar="FILE", help="write the world in which it begins (for one capture)")
    how.add_argument(
        "--protocol", choices=PROTOCOLS, default="route", help="the protocol of hexadecimal digits (default: route)"
    )


def run(options: argparse.Namespace) -> int:
    """Performs the traces and shows where they differ; the exit code."""
    from nlemu.emulator.script import trace
    from nlemu.emulator.script.replay import replay

    if options.actual and len(options.traces) > 1:
        raise Usage(f"--actual takes one trace, and there are {len(options.traces)}")
    results = []
    captures = [path for path in options.traces if is_capture(path)]
    if captures:
        if len(captures) < len(options.traces):
            raise Usage(f"{captures[0]} is a capture; replay captures and traces apart")
        return replay_captures(captures, options)
    with Progress() as progress:
        for number, path in enumerate(options.traces, 1):
            progress.show(f"trace {number} of {len(options.traces)}: {path}")
            result = replay(found := read(path), build_for(path, found, options))
            results.append(result)
            if not options.json:
                progress.clear()
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


def is_capture(path: str) -> bool:
    """Whether a file is another one than a trace of this project. Raises Usage."""
    from nlemu.emulator.script.captured import is_captured, is_trace
    from nlemu.protocol.captures.events import CaptureError
    from nlemu.protocol.captures.formats import opened

    if path == "-":
        return True
    try:
        with opened(path) as source:
            head = source.peek()
            return bool(head) and (is_captured(head) or (head[:1] != b"{" and not is_trace(head)))
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from None
    except CaptureError:
        return True


def replay_captures(paths: Sequence[str], options: argparse.Namespace) -> int:
    """Replays captures and shows where the answers differ; the exit code."""
    from nlemu.emulator.script.captured import kept_events
    from nlemu.emulator.script.recapture import replay_capture
    from nlemu.emulator.script.recapture_report import numbers
    from nlemu.emulator.world.world import WorldError
    from nlemu.protocol.captures.events import CaptureError

    if options.save_world and len(paths) > 1:
        raise Usage(f"--save-world takes one capture, and there are {len(paths)}")
    well, world = True, world_of(options.world, options.kernel)
    for path in paths:
        try:
            with Progress() as progress, kept_events(path) as events:
                result = replay_capture(
                    events, build=options.kernel, strict=options.strict, protocol=PROTOCOLS[options.protocol],
                    world=world, heed=progress.show,
                )
        except OSError as error:
            raise Usage(f"{path}: {error.strerror}") from None
        except (CaptureError, WorldError) as error:
            raise Usage(str(error)) from None
        if options.save_world:
            save_world(options.save_world, result)
        well &= result.equal and result.cut_off is None and not result.bugs
        if options.json:
            print(json.dumps(numbers(result)))
            continue
        tell_capture(f"{path}: {len(result.compared)} requests, on {result.build.name}", result)
    return OK if well else REFUSED


def save_world(path: str, result: Replayed) -> None:
    """Writes the world in which a capture begins. Raises Usage."""
    from nlemu.emulator.world.file import write
    from nlemu.emulator.world.reduce import reduced

    world = result.world
    world.kernel = result.build.name
    try:
        Path(path).write_text(write(reduced(world)), encoding="utf-8")
    except OSError as error:
        raise Usage(f"--save-world {path}: {error.strerror}") from None


def tell_capture(what: str, result: Replayed) -> None:
    """Prints what came of a capture."""
    from nlemu.emulator.cli.table import Paint
    from nlemu.emulator.script.recapture_report import report

    paint = Paint()
    print(f"{paint.green('equal    ') if result.equal else paint.red('different')}  {what}")
    for line in report(result):
        sign = line.lstrip()[:1]
        print(paint.red(line) if sign == "-" else paint.green(line) if sign == "+" else line)


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
