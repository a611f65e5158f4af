"""Messages on a terminal: which are wanted, and how each is shown. For `nlemu dissect` and `nlemu ctl watch`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlemu.emulator.cli.table import Paint
    from nlemu.emulator.script.dissection import Dissected, Dissection, Wanted


def only_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares which messages are wanted."""
    only = parser.add_argument_group("only some messages")
    only.add_argument("--family", metavar="NAME", help="of that family: route, sock_diag, uevent, netdev ...")
    only.add_argument("--command", metavar="NAME", help="of that operation, and its replies: newlink ...")
    only.add_argument("--device", metavar="NAME|INDEX", help="which name that device")
    only.add_argument("--errno", metavar="NAME", help="requests that failed so, and the errors; any for whichever")
    only.add_argument("--netns", metavar="NAME", help="of that namespace, where it is told")


def wanted(options: argparse.Namespace) -> Wanted:
    """What was declared. ValueError."""
    from nlemu.emulator.script.dissection import Wanted

    return Wanted(options.family, options.command, options.device, options.errno, options.netns)


def show(dissection: Dissection, form: str, count: int | None = None) -> None:
    """Shows the messages that are wanted, or the first so many of them. form: "json", an object a line; "brief", a line
    a message; "whole"."""
    from nlemu.emulator.cli.table import Paint

    write, paint = sys.stdout.write, Paint()
    for one in islice(dissection.found(), count):
        for line in shown(one, form, paint):
            write(line + "\n")
        if dissection.live:
            sys.stdout.flush()


def shown(one: Dissected, form: str, paint: Paint) -> Iterator[str]:
    """The lines for a message."""
    if form == "json":
        yield json.dumps(one.values())
    elif form == "brief":
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
