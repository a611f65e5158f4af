"""What tests of real clients need: the kernel's own tools.

The kernel tree is looked for where NLEMU_KERNEL_TREE points to: a directory of sources, or an archive of them.
"""

from __future__ import annotations

import pathlib

import pytest

from tests.launch.tree import kernel_tree as find_tree


@pytest.fixture(scope="session")
def kernel_tree(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The top of a kernel source tree."""
    return find_tree(tmp_path_factory)
