"""Tests of somebody's project: in a directory of their own, with nothing of ours but the plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_tests(text: str, place: Path) -> subprocess.CompletedProcess[str]:
    """What pytest says of tests that are written so, in an empty directory."""
    (place / "test_mine.py").write_text(text)
    options = ["-q", "-W", "error", "-p", "nlemu.pytest_plugin", "-p", "no:cacheprovider", "--rootdir", str(place)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", *options]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=60)
