"""The exam: the kernel's own selftests, unmodified, run by nobody on the emulator.

Each does what it does on the recorded kernel with the same programs: not all pass there. Where one fails because of
something that the recorded kernel lacks, it has to fail here as well, and where it skips, to skip.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.emulator.launch import nobody
from tests.emulator.launch.test_clients import packages

pytestmark = pytest.mark.usefixtures("supervision")


@dataclass(frozen=True)
class Marks:
    """What one script does on the recorded kernel. passed: how many of its tests; failed, skipped: the others, and why;
    until: of one that fails, the command at which it does on the emulator."""

    passed: int
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    until: dict[str, str] = field(default_factory=dict)


EXAM = {
    "net/nk_qlease.py": Marks(45),
    "net/nl_netdev.py": Marks(11),
    "net/nl_nlctrl.py": Marks(4),
    "net/link_netns.py": Marks(
        2,
        failed={
            # It goes through thirteen kinds of links, twice. Then it names a device of the namespace that link-netns
            # says, which Debian's ip looks for in its own: on Linux too.
            "test_link_net": "iproute2 6.1 does not find the device below",
            "test_peer_net": "the recorded kernel has no vxcan, with which it begins",
        },
        until={"test_link_net": "link dummy1 foo type ipvlan", "test_peer_net": "type vxcan"},
    ),
    "net/rtnetlink.py": Marks(
        0,
        failed={"dump_mcaddr_check": "lo is down on the recorded machine, so it listens to no group"},
        skipped={"ipv4_devconf_notify": "ip 6.1 cannot set what it sets"},
    ),
    "drivers/net/queues.py": Marks(3, failed={"check_xsk": "it needs a compiled program"}),
    "drivers/net/stats.py": Marks(8),
}


def sit(path: Path, before: str = ":") -> str:
    """What a script prints. before: a command that prepares for it."""
    nobody.need("ip")
    nobody.need("ethtool")
    yaml = packages("yaml")
    try:
        done = nobody.nlemu("run", "--", "sh", "-c", f'{before}; cd "$1"; shift; exec "$@"', "sh", str(path.parent),
                            "env", f"PYTHONPATH={yaml}", nobody.python(), path.name, timeout=300)
    finally:
        shutil.rmtree(yaml)
    return done.stdout + done.stderr


def results(said: str) -> tuple[set[str], set[str], set[str]]:
    """The names of the tests that passed, that failed, and that were skipped."""
    passed, failed, skipped = set[str](), set[str](), set[str]()
    for result, name, rest in re.findall(r"^(ok|not ok) \d+ \w+\.(\S+)(.*)$", said, re.MULTILINE):
        (failed if result != "ok" else skipped if "SKIP" in rest else passed).add(name)
    return passed, failed, skipped


@pytest.mark.parametrize("script", EXAM)
def test_selftest(kernel_tree: Path, script: str) -> None:
    marks = EXAM[script]
    said = sit(kernel_tree / "tools/testing/selftests" / script)
    passed, failed, skipped = results(said)
    assert (len(passed), failed, skipped) == (marks.passed, set(marks.failed), set(marks.skipped)), said
    for name, words in marks.until.items():
        before = said[: said.index(f".{name}\n")]
        stopped = re.findall(r"CMD: (.*)", before)
        assert words in stopped[-1], said


def test_the_groups_of_a_machine_whose_lo_is_up(kernel_tree: Path) -> None:
    """What rtnetlink.py looks for is there where it would be."""
    said = sit(kernel_tree / "tools/testing/selftests/net/rtnetlink.py", before="ip link set lo up")
    assert results(said) == ({"dump_mcaddr_check"}, set(), {"ipv4_devconf_notify"}), said
