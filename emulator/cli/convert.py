"""``nlemu convert``: a capture in one format written in another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nlemu.emulator.cli import OK, REFUSED, Usage
from nlemu.emulator.cli.dissect import PROTOCOLS

DESCRIPTION = """Read a capture (pcap, pcapng, strace, hexadecimal digits, a trace of this project, each also
compressed) and write it as a pcap, a pcapng, or a trace. What a format cannot hold is told on standard error: of pcap,
which namespace something went over; of packets, what was asked of sockets beside messages."""
EPILOG = """exit code: 0; 1 when the capture cannot be read to its end, and what could be is written; 2 when it cannot
be read at all

  nlemu convert ip.strace ip.pcapng
  nlemu convert lease.pcap - --to jsonl"""

FORMS = ("pcapng", "pcap", "jsonl")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("capture", metavar="IN", help="the capture; - for standard input")
    parser.add_argument("output", metavar="OUT", help="where it goes; - for standard output")
    parser.add_argument("--to", choices=FORMS, help="in which format (default: what OUT ends with)")
    parser.add_argument(
        "--protocol", choices=PROTOCOLS, default="route", help="the protocol of hexadecimal digits (default: route)"
    )
    parser.add_argument(
        "--type", metavar="NAME|NUMBER", dest="kind",
        help="hexadecimal digits begin behind the header of a message of this type: newlink, 16 ...",
    )


def run(options: argparse.Namespace) -> int:
    """Converts a capture; the exit code."""
    from nlemu.emulator.script.conversion import Conversion
    from nlemu.protocol.captures.events import CaptureError

    form = options.to or Path(options.output).suffix.removeprefix(".")
    if form not in FORMS:
        raise Usage(f"{options.output}: in which format? its name ends with none of {', '.join(FORMS)}; --to says")
    try:
        conversion = Conversion(options.capture, PROTOCOLS[options.protocol], options.kind)
        with conversion, output(options.output) as stream:
            conversion.write(stream, form)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Usage(f"{error.filename or options.output}: {error.strerror}") from None
    except (CaptureError, ValueError) as error:
        raise Usage(str(error)) from None
    for line in conversion.remarks():
        print(f"nlemu convert: {line}", file=sys.stderr)
    return REFUSED if conversion.cut_off else OK


@contextmanager
def output(path: str) -> Iterator[BinaryIO]:
    """The file to be written, or standard output for "-". Raises OSError."""
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with open(path, "wb") as stream:
        yield stream
