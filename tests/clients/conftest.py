"""What tests of real clients need: a daemon, and the kernel's own tools.

The kernel tree is looked for where NLEMU_KERNEL_TREE points to: a directory of sources, or an archive of them. The
tests that need it are skipped without it, and in CI that is a failure.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tarfile
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def kernel_tree(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The top of a kernel source tree."""
    named = os.environ.get("NLEMU_KERNEL_TREE")
    if not named:
        message = "NLEMU_KERNEL_TREE names no kernel tree"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    path = pathlib.Path(named)
    if path.is_file():
        unpacked = tmp_path_factory.mktemp("kernel")
        with tarfile.open(path) as archive:
            archive.extractall(unpacked, filter="data")
        (path,) = unpacked.iterdir()
    assert (path / "tools/net/ynl/pyynl").is_dir(), f"{path} is no kernel tree"
    return path


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
