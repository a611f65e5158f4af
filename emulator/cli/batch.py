"""Lines for ``nlemu ctl batch``: each a verb as it is typed, or a line of the control socket."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nlemu.emulator.cli import Refused, Usage
from nlemu.emulator.client.control import ControlError

if TYPE_CHECKING:
    from nlemu.emulator.client.control import Control

ENDLESS = ("batch", "watch", "top")
"""Verbs that are for people."""


def perform(control: Control, path: str, parser: argparse.ArgumentParser, *, force: bool, as_json: bool) -> Any:
    """Performs the lines of a file and shows what each tells; their answers. parser: of a line's verb. Raises Refused
    for the first line that is refused, or behind the last one if `force` goes on; Usage for one that is no verb."""
    answers, refused = [], 0
    for place, line in lines(path):
        try:
            if line.startswith("{"):
                answer, shown = control.do(**fields(line)), []
            else:
                options = parser.parse_args(shlex.split(line, comments=True))
                if options.verb in ENDLESS:
                    raise Usage(f"{options.verb} does not go into a batch")
                answer, shown = options.perform(control, options)
        except (ValueError, Usage) as error:
            raise Usage(f"{place}: {error}") from None
        except (ControlError, Refused) as error:
            if not force:
                raise Refused(f"{place}: {error}") from None
            print(f"nlemu ctl: {place}: {error}", file=sys.stderr)
            refused += 1
            continue
        answers.append(answer)
        if not as_json:
            print(*shown, sep="\n", end="\n" if shown else "")
    if refused:
        raise Refused(f"{refused} lines were refused")
    return answers


def lines(path: str) -> Iterator[tuple[str, str]]:
    """The lines of a file in which something stands, and their places. Usage."""
    name = "standard input" if path == "-" else path
    try:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.lstrip().startswith("#"):
                    yield f"{name}:{number}", line.strip()
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from None


def fields(line: str) -> dict[str, Any]:
    """An object. ValueError."""
    told = json.loads(line)
    if not isinstance(told, dict):
        raise ValueError("a line is an object")
    return told
