"""The story of docs/queues.md, told again: its commands are typed into a shell against a daemon.

`python -m tests.emulator.script.queue_story` writes what they answer into the page; a test fails when that is not
what they answer now.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nlemu.emulator.daemon.background import daemon
from tests.emulator.script.queue_table import PAGE

ROOT = PAGE.parents[1]
BEGIN, FINISH = "```console\n", "```\n"
PROMPT = "$ "
MARK = "--8<--"


def commands(text: str) -> list[str]:
    """The lines of the first console block that begin with a prompt, without it."""
    _, _, rest = text.partition(BEGIN)
    block, _, _ = rest.partition(FINISH)
    return [line.removeprefix(PROMPT) for line in block.splitlines() if line.startswith(PROMPT)]


def tell(typed: list[str]) -> list[str]:
    """What each command prints, on both channels."""
    with daemon() as directory:
        script = [f'nlemu() {{ "{sys.executable}" -m nlemu "$@"; }}', f"export NLEMU_DIR='{directory}'"]
        for command in typed:
            script += [command, f"echo '{MARK}'"]
        run = subprocess.run(
            ["bash", "-c", "\n".join(script)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=True,
        )
    return run.stdout.split(f"{MARK}\n")[:-1]


def page(text: str, typed: list[str], answers: list[str]) -> str:
    """The page with the answers below the commands."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(FINISH)
    block = "".join(f"{PROMPT}{command}\n{answer}" for command, answer in zip(typed, answers, strict=True))
    return f"{before}{BEGIN}{block}{FINISH}{after}"


def main(path: Path = PAGE) -> None:
    text = path.read_text(encoding="utf-8")
    typed = commands(text)
    path.write_text(page(text, typed, tell(typed)), encoding="utf-8")


if __name__ == "__main__":
    main()
