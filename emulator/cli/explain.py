"""``nlemu explain``: why the kernel refuses what a capture, or a message of digits, asks for."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import NamedTemporaryFile

from nlemu.emulator.cli import OK, REFUSED, Usage, kernel_argument, world_argument, world_of
from nlemu.emulator.cli.dissect import PROTOCOLS

DESCRIPTION = """Perform the requests of a capture, as `nlemu replay` does, and say of each that is refused which
function of the kernel refuses it, who called it, at which attribute and what was so: also where Linux says EINVAL and
no more. A request of hexadecimal digits can be given as it is."""
EPILOG = """exit code: 0 when nothing is refused, 1 when something is, 2 when a capture cannot be read

  nlemu explain lease.pcap
  nlemu explain --world world.toml 2000000010000506000000000000000000000000ffffff7f0000000000000000"""

DIGITS = re.compile(r"[0-9a-fA-F][0-9a-fA-F\s:,]{7,}")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "captures", metavar="FILE|DIGITS", nargs="+",
        help="a capture or a trace; - for one on standard input; or a message",
    )
    kernel_argument(parser, "on this Linux, and not on the one whose answers are the most like the capture's")
    world_argument(parser)
    parser.add_argument(
        "--protocol", choices=PROTOCOLS, default="route", help="the protocol of hexadecimal digits (default: route)"
    )
    parser.add_argument("--json", action="store_true", help="an object a refusal, a line each")


def run(options: argparse.Namespace) -> int:
    """Explains captures; the exit code."""
    from nlemu.emulator.script.captured import kept_events
    from nlemu.emulator.script.recapture import explained
    from nlemu.emulator.world.world import WorldError
    from nlemu.protocol.captures.events import CaptureError

    code, world = OK, world_of(options.world, options.kernel)
    for given in options.captures:
        try:
            with path_of(given) as path, kept_events(path) as events:
                result = explained(events, build=options.kernel, world=world, protocol=PROTOCOLS[options.protocol])
        except OSError as error:
            raise Usage(f"{given}: {error.strerror}") from None
        except (CaptureError, WorldError) as error:
            raise Usage(str(error)) from None
        if DIGITS.fullmatch(given) and not result.compared:
            raise Usage(f"{given}: these digits are no request of netlink")
        code = REFUSED if result.refused else code
        for place, reason in result.refused:
            explanation = reason.explanation()
            if options.json:
                print(json.dumps({"request": place, **asdict(explanation)}))
            else:
                print(f"{place}: {explanation.lines()[0]}", *explanation.lines()[1:], sep="\n")
        if not options.json:
            print(f"{len(result.refused)} refused of {len(result.compared)} requests, on {result.build.name}")
            for note in result.notes:
                print(f"  {note}")
    return code


@contextmanager
def path_of(given: str) -> Iterator[str]:
    """The file that is meant: one of that name, or one of these digits."""
    if given == "-" or Path(given).exists() or not DIGITS.fullmatch(given):
        yield given
        return
    with NamedTemporaryFile("w", prefix="digits") as file:
        file.write(given + "\n")
        file.flush()
        yield file.name
