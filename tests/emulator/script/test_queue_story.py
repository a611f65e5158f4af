"""The story in docs/queues.md is what the commands answer."""

from __future__ import annotations

from tests.emulator.script.queue_story import commands, page, tell
from tests.emulator.script.queue_table import PAGE


def test_the_story() -> None:
    text = PAGE.read_text(encoding="utf-8")
    typed = commands(text)
    assert len(typed) > 15
    assert page(text, typed, tell(typed)) == text, "run python -m tests.emulator.script.queue_story"
