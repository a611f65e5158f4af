"""What all tests share: nothing may fail for being slow, in CI nothing is skipped, and a daemon for who wants one."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

settings.register_profile("nlemu", deadline=None, derandomize=True, database=None)
settings.load_profile("nlemu")

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI everything that the tests need is installed: one that is skipped fails, and says what it missed."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"in CI nothing is skipped. {reason}"
    return report


@pytest.fixture
def daemon(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """The directory of a running daemon, which is a process of its own."""
    directory = tmp_path / "nlemu"
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator", "serve", "--dir", str(directory)], cwd=ROOT, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        assert process.stderr.readline(), "the daemon did not start"
        yield directory
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert not directory.exists()
