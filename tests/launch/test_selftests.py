"""The exam: the kernel's own selftests, unmodified, run by nobody on the emulator."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.launch import nobody
from tests.launch.test_clients import packages
from tests.launch.tree import kernel_tree as find

pytestmark = pytest.mark.usefixtures("supervision")

EXAM = {
    "net/nk_qlease.py": 45,
    "net/nl_netdev.py": 11,
    "net/nl_nlctrl.py": 4,
    "drivers/net/queues.py": 3,  # and check_xsk, which needs a compiled program
    "drivers/net/stats.py": 8,
}
"""How many tests of each have to pass."""


@pytest.fixture(scope="session")
def kernel_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return find(tmp_path_factory)


@pytest.mark.parametrize("script", EXAM)
def test_selftest(kernel_tree: Path, script: str) -> None:
    nobody.need("ip")
    nobody.need("ethtool")
    yaml = packages("yaml")
    path = kernel_tree / "tools/testing/selftests" / script
    try:
        done = nobody.nlemu("run", "--", "sh", "-c", 'cd "$1"; shift; exec "$@"', "sh", str(path.parent), "env",
                            f"PYTHONPATH={yaml}", nobody.python(), path.name, timeout=300)  # fmt: skip
    finally:
        shutil.rmtree(yaml)
    results = re.findall(r"^(ok|not ok) \d+ (\S+)(.*)$", done.stdout, re.MULTILINE)
    passed = [name for result, name, rest in results if result == "ok" and "SKIP" not in rest]
    failed = [name for result, name, _ in results if result != "ok" and not name.endswith(".check_xsk")]
    assert not failed, done.stdout + done.stderr
    assert len(passed) == EXAM[script], done.stdout + done.stderr
