"""Fixtures of the emulator's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory with a short path: pytest's own can be too long for sockets."""
    with tempfile.TemporaryDirectory(prefix="nlemu") as directory:
        yield Path(directory)
