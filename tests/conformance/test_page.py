"""docs/conformance.md tells of every command, and names traces that really ask for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures import traces
from nlemu.emulator.script import trace as tape
from nlemu.protocol.families.registered import REGISTERED
from nlemu.protocol.frame import GENERIC, split
from nlemu.protocol.names.known import route
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.uapi.netlink import NLM_F

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
ROW = re.compile(r"\| ([\w-]+)(?: \(dump\))? \| ([\w, ]+) \|")
SECTIONS = {"rtnetlink": "route"} | {family.name: family.name for family in REGISTERED}

DECLARED = {
    (family.name, op.name): op for family in (*REGISTERED, route()) for op in family.operations.values()
}


def rows() -> Iterator[tuple[str, str, list[str]]]:
    """Family, command and traces of each row."""
    family = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("#"):
            family = SECTIONS.get(line.lstrip("# "), "")
        elif family and (row := ROW.match(line)) and row[1] not in ("command", "event"):
            yield family, row[1], row[2].split(", ")


ROWS = list(rows())


def asked(name: str) -> Iterator[tuple[str, int]]:
    """What the traces of that number ask for."""
    [path] = traces(f"{name}_")
    trace = tape.read(path)
    families = {number: family for family, number in trace.header.families.items()}
    protocols = {step.subject: step["proto"] for step in trace.steps if step.verb == "open"}
    for step in trace.steps:
        for header, message in split(bytes.fromhex(step["hex"])) if step.verb == "send" else ():
            if not header.flags & NLM_F.REQUEST:
                continue
            if not protocols[step.subject]:
                yield "route", header.type
            elif header.type in families and len(message) >= 20:
                yield families[header.type], GENERIC.unpack_from(message, 16)[0]


def test_every_command_has_a_row() -> None:
    assert {(family, command) for family, command, _ in ROWS} == set(DECLARED)
    assert len(ROWS) == len(DECLARED)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}.{row[1]}")
def test_its_traces_ask_for_it(row: tuple[str, str, list[str]]) -> None:
    family, command, names = row
    op: Operation = DECLARED[family, command]
    assert names
    for name in names:
        assert (family, op.cmd) in set(asked(name)), f"{name} does not ask for {command}"
