"""The README shows what really happens: its first two commands are the right ones, and the demo prints what it says."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = [block.strip("\n") for block in re.findall(r"```\w*\n(.*?)```", README, re.DOTALL)]


def test_the_first_two_commands() -> None:
    assert BLOCKS[:2] == ["pip install . && nlemu demo", "pip install '.[test]' && pytest"]


def test_the_demo_is_as_it_really_prints() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "emulator", "demo"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.strip() in BLOCKS


def test_the_machine_in_process_answers() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    run = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("['lo']\n", "")


def test_what_is_linked_is_there() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target
