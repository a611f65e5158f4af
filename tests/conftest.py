"""What tests share: nothing may fail for being slow, in CI no real program is missing; a daemon, a kernel's tree."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

settings.register_profile("nlemu", deadline=None, derandomize=True, database=None)
settings.load_profile("nlemu")

ROOT = pathlib.Path(__file__).resolve().parent.parent
REAL = [
    ROOT / "tests" / name for name in ("clients", "containers", "emulator/daemon/page", "emulator/launch", "packaging")
]
"""Tests of real programs, which may be missing."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI every program that the tests run is installed: a test that is skipped fails, and says what it missed."""
    report = yield
    real = any(place in item.path.parents for place in REAL)
    if real and os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"in CI nothing is skipped. {reason}"
    return report


@pytest.fixture(scope="session")
def kernel_tree() -> Iterator[pathlib.Path]:
    """The kernel's source tree, for its own client and selftests: NLEMU_KERNEL_TREE names it, or an archive of it.

    Everybody may read it, also a user who may not look into the directories of the tests.
    """
    named = os.environ.get("NLEMU_KERNEL_TREE")
    if not named:
        pytest.skip("NLEMU_KERNEL_TREE does not say where the kernel's tree is")
    path = pathlib.Path(named)
    with tempfile.TemporaryDirectory(prefix="nlemu-tests-") as unpacked:
        if path.is_file():
            pathlib.Path(unpacked).chmod(0o755)
            with tarfile.open(path) as archive:
                archive.extractall(unpacked, filter="data")
            (path,) = pathlib.Path(unpacked).iterdir()
        assert (path / "tools/net/ynl/pyynl").is_dir(), f"{path} is no kernel tree"
        yield path


@pytest.fixture
def daemon(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """The directory of a running daemon, which is a process of its own."""
    directory = tmp_path / "nlemu"
    process = subprocess.Popen(
        [sys.executable, "-m", "nlemu", "serve", "--dir", str(directory)], cwd=ROOT, stderr=subprocess.PIPE
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
