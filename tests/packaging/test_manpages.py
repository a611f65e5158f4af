"""docs/man is what the commands say of themselves."""

from __future__ import annotations

import sys

import pytest

from tests.packaging.manpages import PLACE, pages


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="each Python words usage otherwise; 3.11 wrote the pages")
def test_the_manual_says_what_the_commands_say() -> None:
    assert {file.name: file.read_text() for file in PLACE.glob("*.1")} == dict(pages())
