"""``nlemu dissect``: what is in a capture, message by message, in the words of the specifications."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nlemu.emulator.cli import OK, REFUSED, Usage

if TYPE_CHECKING:
    from nlemu.emulator.cli.table import Paint
    from nlemu.emulator.script.dissection import Dissected

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
    only = parser.add_argument_group("only some messages")
    only.add_argument("--family", metavar="NAME", help="of that family: route, sock_diag, uevent, netdev ...")
    only.add_argument("--command", metavar="NAME", help="of that operation, and its replies: newlink ...")
    only.add_argument("--device", metavar="NAME|INDEX", help="which name that device")
    only.add_argument("--errno", metavar="NAME", help="requests that failed so, and the errors; any for whichever")
    raw = parser.add_argument_group("what a capture does not tell")
    raw.add_argument("--protocol", choices=PROTOCOLS, default="route", help="the protocol of hexadecimal digits")
    raw.add_argument("--type", metavar="NAME|NUMBER", dest="kind",
                     help="hexadecimal digits begin behind the header of a message of this type: newlink, 16 ...")
    raw.add_argument("--number", metavar="NAME=NUMBER", action="append", default=[],
                     help="the number of a generic netlink family, if no answer of nlctrl tells it")


def run(options: argparse.Namespace) -> int:
    """Shows a capture; the exit code."""
    from nlemu.emulator.cli.table import Paint
    from nlemu.emulator.script.dissection import Dissection, Wanted

    try:
        wanted = Wanted(options.family, options.command, options.device, options.errno)
        dissection = Dissection(
            options.capture, wanted, protocol=PROTOCOLS[options.protocol], kind=options.kind, numbers=numbers(options)
        )
        with dissection:
            write = sys.stdout.write
            for one in dissection.found():
                for line in shown(one, options, Paint()):
                    write(line + "\n")
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


def shown(one: Dissected, options: argparse.Namespace, paint: Paint) -> Iterator[str]:
    """The lines for a message."""
    if options.json:
        yield json.dumps(one.values())
    elif options.brief:
        yield coloured(one, one.brief(), paint)
    else:
        lines = one.lines()
        yield paint.dim(one.where()) if one.where() else ""
        yield coloured(one, lines[0], paint)
        yield from lines[1:]
        yield ""


def coloured(one: Dissected, line: str, paint: Paint) -> str:
    """A line in the colour of its kind: what failed red, requests cyan, notifications green."""
    colours: dict[str, Any] = {"failed": paint.red, "request": paint.cyan, "notification": paint.green}
    return str(colours.get(one.kind, lambda text: text)(line))
