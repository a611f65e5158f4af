"""nlemu demo: it tells the whole story, fits the terminal, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

from nlemu.emulator.cli.demo import WIDTH
from tests.emulator.cli.conftest import nlemu


def test_the_story(tmp_path: Path) -> None:
    result = nlemu("demo", TMPDIR=str(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")
    out = result.stdout
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "\033" not in out
    for words in (
        "lease: {queue: {id: 1, type: rx}, ifindex: 2, netns-id: 0}",
        "error EBUSY",
        "Device queue in use due to queue leasing",
        "dev-del-ntf",
        "dellink",
    ):
        assert words in out
    assert list(tmp_path.iterdir()) == []


def test_it_is_the_same_story_every_time() -> None:
    assert nlemu("demo").stdout == nlemu("demo").stdout


def test_a_terminal_without_unicode() -> None:
    result = nlemu("demo", PYTHONIOENCODING="ascii")
    assert result.returncode == 0 and " > queue-create" in result.stdout
