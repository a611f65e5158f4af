"""docs/sockets.md shows what the control socket really answers, and has a row for every verb."""

from __future__ import annotations

import json
import pathlib
import re
import socket

from nlemu.emulator.daemon.background import daemon
from nlemu.emulator.daemon.control import VERBS

PAGE = (pathlib.Path(__file__).resolve().parents[3] / "docs/sockets.md").read_text()
LINE = re.compile(r"^(\{.*?\})(?: {2,}.*)?\n {4}(\{.*\})$", re.MULTILINE)


def test_the_answers_are_as_they_stand() -> None:
    shown = LINE.findall(PAGE)
    assert len(shown) == 3
    with daemon() as directory, socket.socket(socket.AF_UNIX) as control:
        control.connect(str(directory / "control"))
        lines = control.makefile("rw")
        with lines:
            for asked, answer in shown:
                print(asked, file=lines, flush=True)
                assert json.loads(lines.readline()) == json.loads(answer)


def test_every_verb_is_told() -> None:
    rows = "".join(line for line in PAGE.splitlines() if line.startswith("|"))
    told = set(re.findall(r'`\{"(\w+)"', rows))
    assert told == set(VERBS) - {"supervise", "descriptor"}, "those two are for the launcher"
