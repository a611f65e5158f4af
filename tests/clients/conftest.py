"""What tests of real clients need: a daemon, and the kernel's own tools.

The kernel tree is looked for where NLEMU_KERNEL_TREE points to: a directory of sources, or an archive of them.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.launch.tree import kernel_tree as find_tree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def kernel_tree(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The top of a kernel source tree."""
    return find_tree(tmp_path_factory)


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
