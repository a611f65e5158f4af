"""docs/python.md shows what really happens: each example is run as it stands, and prints what the page says."""

from __future__ import annotations

import itertools
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from tests.nlemu.project import run_tests

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", (ROOT / "docs/python.md").read_text(), re.DOTALL)
EXAMPLES = [
    (text, printed)
    for (language, text), (kind, printed) in itertools.pairwise(BLOCKS)
    if language == "python" and not kind
]


def test_every_example_says_what_it_prints() -> None:
    assert len(EXAMPLES) == sum(language == "python" for language, _ in BLOCKS) > 3


TESTS = [example for example in EXAMPLES if "def test_" in example[0]]
SCRIPTS = [example for example in EXAMPLES if "def test_" not in example[0]]


@pytest.mark.parametrize(("text", "printed"), TESTS, ids=range(len(TESTS)))
def test_tests(text: str, printed: str, tmp_path: pathlib.Path) -> None:
    if shutil.which("ip") is None:
        pytest.skip("iproute2 is not installed")
    if subprocess.run([sys.executable, "-m", "nlemu", "check"], cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        pytest.skip("nlemu run does not work here")
    done = run_tests(text, tmp_path)
    assert (done.stderr, done.stdout.splitlines()[:-1]) == ("", printed.splitlines()), done.stdout


def test_a_client_that_does_not_ask_again_fails(tmp_path: pathlib.Path) -> None:
    (text,) = (text for text, _ in TESTS if "while interrupted" in text)
    done = run_tests(text.replace("while interrupted", "for _ in range(1)"), tmp_path)
    assert "2 failed" in done.stdout and " newlink reply dump-intr  ifi-type: loopback" in done.stdout, done.stdout


@pytest.mark.parametrize(("text", "printed"), SCRIPTS, ids=range(len(SCRIPTS)))
def test_example(text: str, printed: str, tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> None:
    if '"linux/' in text:
        (tmp_path / "linux").symlink_to(request.getfixturevalue("kernel_tree"))
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", path + text], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.stderr, done.stdout) == ("", printed)
