"""``nlemu diff``: what is different in two captures, or in a capture and a kernel."""

from __future__ import annotations

import argparse
import json

from nlemu.emulator.cli import OK, REFUSED, Usage, kernel_argument
from nlemu.emulator.cli.dissect import PROTOCOLS

DESCRIPTION = """Find the requests of one capture again in another, and compare the answers: by what they say, where
indices, port ids and addresses that were drawn have to stand for each other consistently, or byte by byte. With
--kernel the other side is an emulated kernel, as for nlemu replay."""
EPILOG = "exit code: 0 when nothing differs, 1 when something does, 2 when a capture cannot be read"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("first", metavar="A", help="a capture: pcap, pcapng, strace, a trace of this project")
    parser.add_argument("second", metavar="B", nargs="?", help="another; not with --kernel")
    kernel_argument(parser, "compare with this Linux instead of a second capture")
    parser.add_argument("--strict", action="store_true", help="compare bytes, all but sequence numbers and port ids")
    parser.add_argument("--json", action="store_true", help="only the numbers")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="route", help="the protocol of hexadecimal digits")


def run(options: argparse.Namespace) -> int:
    """Shows the differences; the exit code."""
    from nlemu.emulator.cli.replay import replay_captures, tell_capture
    from nlemu.emulator.script.captured import kept_events
    from nlemu.emulator.script.diff import diff
    from nlemu.emulator.script.recapture_report import numbers
    from nlemu.protocol.captures.events import CaptureError

    if (options.second is None) == (options.kernel is None):
        raise Usage("compares A with B, or with --kernel NAME")
    if options.second is None:
        options.world = options.save_world = None
        return replay_captures([options.first], options)
    try:
        with kept_events(options.first) as one, kept_events(options.second) as other:
            result = diff(one, other, strict=options.strict, protocol=PROTOCOLS[options.protocol])
    except OSError as error:
        raise Usage(f"{error.filename}: {error.strerror}") from None
    except CaptureError as error:
        raise Usage(str(error)) from None
    if options.json:
        found = {key: value for key, value in numbers(result).items() if key != "kernel"}
        print(json.dumps(found))
    else:
        tell_capture(f"{options.first} and {options.second}: {len(result.compared)} requests", result)
    return OK if result.equal and result.cut_off is None else REFUSED
