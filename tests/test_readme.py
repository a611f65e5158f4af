"""The README shows what really happens: its first two commands are the right ones, and the demo prints what it says."""

import pathlib
import re
import subprocess
import sys

import pytest

from tests.nlemu.project import run_tests

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
BLOCKS = [block.strip("\n") for block in re.findall(r"```\w*\n(.*?)```", README, re.DOTALL)]


def test_the_first_two_commands() -> None:
    assert BLOCKS[:2] == ["pip install . && nlemu demo", "pip install '.[test]' && pytest -n auto"]


def test_the_demo_is_as_it_really_prints() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "nlemu", "demo"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.strip() in BLOCKS


def test_the_machine_in_process_answers() -> None:
    _, example = EXAMPLES
    run = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("['lo']\n", "")


def test_the_test(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("pyroute2")
    example, _ = EXAMPLES
    run = run_tests(example, tmp_path)
    assert run.returncode == 0 and "1 passed" in run.stdout, run.stdout


def test_the_daemon(tmp_path: pathlib.Path) -> None:
    (session,) = [block for block in BLOCKS if "serve --detach" in block]
    said = session.replace("/tmp/nlemu", str(tmp_path / "nlemu"))
    script = [f'nlemu() {{ "{sys.executable}" -m nlemu "$@"; }}', "pid=4711"]
    for line in said.splitlines():
        if line.startswith("$ "):
            command = line[2:].replace("4711", "$pid")
            script.append(f"pid=$({command}); echo 4711" if "--detach" in command else command)
    run = subprocess.run(["bash", "-c", "\n".join(script)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    told = [line for line in said.splitlines() if not line.startswith("$ ")]
    log = told.pop(0)  # on standard error, so that $(nlemu serve --detach) is the process id
    assert (run.stdout.splitlines(), run.stderr) == (told, f"{log}\n")


def test_what_is_linked_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", README):
        assert (ROOT / target).exists(), target
