"""Running a program under supervision needs a kernel that allows it.

Without one these tests are skipped; in CI that is a failure.
"""

from __future__ import annotations

import pytest

from tests.emulator.launch import nobody


@pytest.fixture(scope="session")
def supervision() -> None:
    """Supervision works here."""
    checked = nobody.nlemu("check")
    if checked.returncode:
        nobody.lacking(checked.stdout)
