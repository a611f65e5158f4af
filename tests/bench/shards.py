"""`python -m tests.bench.shards [N ...]`: so many suites at once, each with a kernel of its own.

A suite is `nlemu run -- sh -c ...` with a few requests. What is told: how many end a minute, and what one takes of
memory while all of them are there, which is its own and its share of what they have in common (PSS).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

SUITE = "ip link add red type dummy; ip link set red up; ip addr add 192.0.2.1/24 dev red; ip -br addr >&2; read line"
"""It waits at its end, so that all of them are there at once."""


def memory(pid: int) -> int:
    """Bytes of a process and its children, each page shared by so many counted by its share."""
    total = 0
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            children = Path(f"/proc/{one}/task/{one}/children").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
        waiting += map(int, children.split())
    return total


def run(count: int) -> tuple[float, float, float]:
    """Seconds until all of them are there, until all have ended, and bytes of one."""
    began = time.monotonic()
    command = [sys.executable, "-m", "nlemu", "run", "--", "sh", "-c", SUITE]
    suites = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(count)
    ]
    for suite in suites:
        assert suite.stderr is not None
        while "192.0.2.1" not in (line := suite.stderr.readline()):
            assert line, "a suite has failed"
    there = time.monotonic() - began
    taken = sum(memory(suite.pid) for suite in suites) / count
    for suite in suites:
        suite.communicate("\n")
        assert suite.returncode in (0, 1)
    return there, time.monotonic() - began, taken


def main() -> None:
    counts = [int(text) for text in sys.argv[1:]] or [1, 10, 50, 100]
    print(f"{os.cpu_count()} processors; a load of {os.getloadavg()[0]:.1f} before")
    print(f"{'AT ONCE':>8} {'ALL THERE':>10} {'ALL ENDED':>10} {'A MINUTE':>9} {'MB OF ONE':>10}")
    for count in counts:
        there, ended, taken = run(count)
        print(f"{count:8} {there:9.2f}s {ended:9.2f}s {count / ended * 60:9.0f} {taken / 1e6:10.1f}")


if __name__ == "__main__":
    main()
