"""How long a snapshot takes, and the way back: ``python -m tests.bench.snapshots`` (docs/performance.md)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from nlemu import NLM_F, Kernel

ROUNDS = 300
WORLDS = Path(__file__).resolve().parents[2] / "fixtures" / "worlds"


def microseconds(measured: Callable[[], object], before: Callable[[], object] = lambda: None) -> int:
    """The median."""
    taken = []
    for _ in range(ROUNDS):
        before()
        begin = time.perf_counter()
        measured()
        taken.append(time.perf_counter() - begin)
    return round(median(taken) * 1e6)


def main() -> None:
    """Prints a table."""
    print("| | snapshot | back | back, after a pair was made |\n|---|---|---|---|")
    worlds: dict[str, dict[str, Any]] = {
        "a fresh machine": {},
        **{name: {"world": WORLDS / name} for name in ("lease.toml", "cards.toml")},
    }
    for name, options in worlds.items():
        with Kernel(**options) as kernel:
            links, base = kernel.family("rt-link"), kernel.snapshot()

            def make() -> None:
                links.do("newlink", {"ifname": "v0", "linkinfo": {"kind": "veth"}}, NLM_F.CREATE)  # noqa: B023

            took = microseconds(lambda: kernel.do(snapshot="again"))
            print(f"| {name} | {took} | {microseconds(base.restore)} | {microseconds(base.restore, make)} |")


if __name__ == "__main__":
    main()
