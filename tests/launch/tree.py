"""The kernel's source tree, of which the tests run the selftests and the client: NLEMU_KERNEL_TREE names it."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest


def kernel_tree(temporary: pytest.TempPathFactory) -> Path:
    """The directory; an archive is unpacked. Without one the test is skipped."""
    named = os.environ.get("NLEMU_KERNEL_TREE")
    if not named:
        pytest.skip("NLEMU_KERNEL_TREE does not say where the kernel's tree is")
    path = Path(named)
    if path.is_dir():
        return path
    place = temporary.mktemp("tree")
    with tarfile.open(path) as archive:
        archive.extractall(place, filter="data")
    for parent in (place, *place.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
        if parent == Path(place.anchor) or parent.name == "tmp":
            break
    inside = [entry for entry in place.iterdir() if entry.is_dir()]
    return inside[0] if len(inside) == 1 and not (place / "tools").exists() else place
