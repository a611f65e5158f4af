"""Measures a threaded suite: `python -m tests.bench.threads [--tests N] [--parallel N] [--rounds N]`.

Each test of suite_test.go locks its thread, takes it into a namespace of its own, makes a pair of veths, gives it an
address, sets links up, adds a route, lists links, addresses and routes, and takes the pair away. The same program runs
under `nlemu run --` and under `unshare -rn`, in turn. Seconds by the clock, and of processors, what all processes took
together; of the kernel's own threads, which tear namespaces down later, nothing is seen. Needs go and Debian's
golang-github-vishvananda-netlink-dev.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).parent / "suite_test.go"
SETTINGS = {"GO111MODULE": "off", "CGO_ENABLED": "0", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
WAYS = {"nlemu run --": (sys.executable, "-m", "nlemu", "run", "--"), "unshare -rn": ("unshare", "-rn")}


def built(place: Path) -> Path:
    """The suite as a program."""
    shutil.copy(SOURCE, place)
    program = place / "suite"
    environment = os.environ | SETTINGS | {"GOCACHE": str(place / "cache")}
    subprocess.run(["go", "test", "-c", "-o", str(program), "."], cwd=place, env=environment, check=True)
    return program


def run(command: list[str], tests: int) -> tuple[float, float]:
    """Seconds by the clock, and of processors."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | {"COUNT": str(tests)}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or "PASS" not in said:
        raise SystemExit(f"{command} fails:\n{said[-2000:]}")
    return took, used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures a threaded suite.")
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as place:
        program = built(Path(place))
        for _ in range(options.rounds):
            for way, prefix in WAYS.items():
                command = [*prefix, str(program), f"-test.parallel={options.parallel}"]
                found[way].append(run(command, options.tests))
    print(f"{options.tests} tests, {options.parallel} at once, medians of {options.rounds}")
    for way, times in found.items():
        clock, processors = (statistics.median(values) for values in zip(*times, strict=True))
        print(f"  {way:14} {clock:8.2f} s   {processors:8.2f} s of processors   "
              f"{clock / options.tests * 1000:6.2f} ms a test")


if __name__ == "__main__":
    main()
