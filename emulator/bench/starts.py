"""How long a start takes, by the clock, beside that of an interpreter that does nothing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from nlemu.emulator.bench.figures import Figure
from nlemu.emulator.bench.servers import daemon

FIXTURE = "import nlemu; nlemu.Kernel(record=True).close()"


def finished(*arguments: str) -> float:
    """Seconds until that command of Python has ended, which knows of no daemon."""
    start = time.perf_counter()
    alone = {name: value for name, value in os.environ.items() if name != "NLEMU_DIR"}
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=alone)
    return time.perf_counter() - start


def served() -> float:
    """Seconds until a daemon can be reached."""
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        with daemon(Path(place) / "d"):
            return time.perf_counter() - start


STARTS: Mapping[str, Callable[[], float]] = {
    "nlemu run -- true": lambda: finished("-m", "nlemu", "run", "--", "true"),
    "nlemu serve": served,
    "the fixture": lambda: finished("-c", FIXTURE),
}
NOTHING, TRIO = "python -c pass", "import trio"


def measure(rounds: int) -> Iterator[Figure]:
    """Milliseconds, the medians of so many rounds; where a program cannot be run, nothing of that."""
    runs: dict[str, Callable[[], float]] = {
        **STARTS, NOTHING: lambda: finished("-c", "pass"), TRIO: lambda: finished("-c", "import trio"),
    }
    for name in [name for name in STARTS if not works(runs[name])]:
        del runs[name]
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            taken[name].append(1e3 * run())
    medians = {name: statistics.median(times) for name, times in taken.items()}
    yardsticks = {name: medians.pop(name) for name in (NOTHING, TRIO)}
    for name, value in medians.items():
        yield Figure("starts", name, value, "ms", yardsticks=yardsticks)


def works(run: Callable[[], float]) -> bool:
    """Whether it does here; the first time, which also leaves bytecode behind, is not counted."""
    try:
        run()
    except subprocess.CalledProcessError:
        return False
    return True
