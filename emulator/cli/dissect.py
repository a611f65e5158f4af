"""``nlemu dissect``: what is in a capture, message by message, in the words of the specifications."""

from __future__ import annotations

import argparse
import sys

from nlemu.emulator.cli import OK, REFUSED, Usage
from nlemu.emulator.cli.messages import only_arguments, show, wanted

DESCRIPTION = """Read a capture of netlink and show its messages, each decoded: a pcap or pcapng of an nlmon device, an
strace, hexadecimal digits, or a trace of this project. Requests and their replies are paired and timed."""
EPILOG = """exit code: 0; 1 when the capture cannot be read to its end; 2 when it cannot be read at all

  ip link add nlmon0 type nlmon; ip link set nlmon0 up; tcpdump -i nlmon0 -w FILE                  makes a pcap
  strace -f -v -xx -s 100000 -e trace=%network,%desc -o FILE COMMAND     makes an strace that tells enough"""

PROTOCOLS = {"route": 0, "generic": 16, "sock_diag": 4, "xfrm": 6, "netfilter": 12, "uevent": 15}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("capture", metavar="FILE", help="the capture; - for standard input")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--brief", "-b", action="store_true", help="a line a message")
    form.add_argument("--json", action="store_true", help="an object a line")
    only_arguments(parser)
    raw = parser.add_argument_group("what a capture does not tell")
    raw.add_argument("--protocol", choices=PROTOCOLS, default="route", help="the protocol of hexadecimal digits")
    raw.add_argument("--type", metavar="NAME|NUMBER", dest="kind",
                     help="hexadecimal digits begin behind the header of a message of this type: newlink, 16 ...")
    raw.add_argument("--number", metavar="NAME=NUMBER", action="append", default=[],
                     help="the number of a generic netlink family, if no answer of nlctrl tells it")


def run(options: argparse.Namespace) -> int:
    """Shows a capture; the exit code."""
    from nlemu.emulator.script.dissection import Dissection

    try:
        dissection = Dissection(
            options.capture, wanted(options), protocol=PROTOCOLS[options.protocol], kind=options.kind,
            numbers=numbers(options),
        )
        with dissection:
            show(dissection, "json" if options.json else "brief" if options.brief else "whole")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Usage(f"{options.capture}: {error.strerror}") from None
    except ValueError as error:  # a CaptureError too
        raise Usage(str(error)) from None
    sys.stdout.flush()
    for line in dissection.remarks():
        print(f"nlemu dissect: {line}", file=sys.stderr)
    return REFUSED if dissection.cut_off else OK


def numbers(options: argparse.Namespace) -> dict[str, int]:
    """The families of ``--number``. Raises Usage."""
    known = {}
    for text in options.number:
        name, _, number = text.partition("=")
        if not number.isdigit():
            raise Usage(f"--number takes NAME=NUMBER, as netdev=20, and not {text!r}")
        known[name] = int(number)
    return known
