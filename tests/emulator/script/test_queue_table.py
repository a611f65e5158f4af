"""Every row of the table in docs/queues.md holds, and the page has the table as it is."""

from __future__ import annotations

import errno

import pytest

from fixtures import traces
from tests.emulator.script.queue_table import PAGE, SECTIONS, page
from tests.emulator.script.queue_world import Row, World, outcome

ROWS = [
    pytest.param(row, id=f"{title}-{number}") for title, rows in SECTIONS.items() for number, row in enumerate(rows, 1)
]


@pytest.mark.parametrize("row", ROWS)
def test_a_row(row: Row) -> None:
    world = World()
    for doing in row.given:
        assert outcome(world, doing) == (0, None), f"{doing} is given, and is refused"
    before = world.shows()
    number, text = outcome(world, row.done)
    expected = 0 if row.errno is None else getattr(errno, row.errno)
    assert (errno.errorcode.get(number), text) == (errno.errorcode.get(expected), row.text), str(row.done)
    assert world.shows() == (before if row.shows is None else row.shows)
    if row.errno is not None:
        assert row.shows is None, "a refusal changes nothing"
    assert not world.machine.bugs


def test_the_page_has_the_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run python -m tests.emulator.script.queue_table"


def test_a_row_names_a_trace_that_is_there() -> None:
    known = {path.stem for path in traces()}
    named = {row.trace for rows in SECTIONS.values() for row in rows if row.trace is not None}
    assert named <= known
