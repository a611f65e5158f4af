"""`python -m tests.soak --minutes N --seed S`."""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from nlemu.emulator.client.control import NoDaemon
from tests.soak.daemon import Daemon, Found
from tests.soak.rounds import Effort, Round, Told, base_of

CLIENTS = ("walk", "walk", "play", "play", "leave")
GREAT = 12
"""Every so many rounds there are as many namespaces as were wished for."""
END_S = 1.0
"""How many seconds of a processor the daemon has from SIGTERM to its end, however much there is to do: what else this
machine has to do is not counted."""
LEFT = 500
"""With at most how many namespaces, each of which costs a fifth of a millisecond to take out of the file system."""
WARM = 4
"""Rounds after which memory is to be flat: what is imported with the first of its kind is there by then."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--namespaces", type=int, default=10_000, help="of the great rounds, of which each is the 12th")
    parser.add_argument("--steps", type=int, default=1500, help="of each client in a round")
    options = parser.parse_args()
    files = 2 * options.namespaces + 6000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < files:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, files))
    files = min(files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    most = min(options.namespaces, (files - 4000) // 2)
    rng, end, number, found = random.Random(options.seed), time.monotonic() + 60 * options.minutes, 0, 0
    rounds: list[Told] = []
    with tempfile.TemporaryDirectory() as place:
        while time.monotonic() < end:
            daemon = Daemon(Path(place), files=files, seed=options.seed)
            try:
                base = base_of(daemon)
                while time.monotonic() < end:
                    number += 1
                    great = most if number % GREAT == 0 else 0
                    effort = Effort(options.steps, rng.randrange(4, 12), CLIENTS, 25.0, great)
                    told = Round(daemon, rng, number, effort).run(base)
                    rounds.append(told)
                    print(told.line(), flush=True)
                loaded(daemon, rng, min(most, LEFT))
            except (Found, NoDaemon, OSError) as error:
                found += 1
                code = daemon.process.poll()
                print(f"found: {error!r}; exit code {code}", *daemon.complaints()[-60:], sep="\n  ", flush=True)
                rounds.clear()
            finally:
                daemon.kill()
    if len(rounds) > WARM:
        print(*growth(rounds), sep="\n")
    print(f"{number} rounds, {found} found")
    return 1 if found else 0


def loaded(daemon: Daemon, rng: random.Random, namespaces: int) -> None:
    """SIGTERM while clients work, a thousand are connected, and there are so many namespaces."""
    load = Round(daemon, rng, 0, Effort(1 << 30, 0, CLIENTS, 0.0))
    for name in range(namespaces):
        daemon.control.do(netns=f"many{name}")
    held = [daemon.connect() for _ in range(1000)]
    for kind in CLIENTS:
        load.begin(kind)
    time.sleep(5)
    took, processor = daemon.end()
    for sock in held:
        sock.close()
    for client in load.clients:
        client.kill()
        client.wait()
    there = f"{len(held) + len(CLIENTS)} clients, {len(CLIENTS)} of them busy, and {namespaces} namespaces"
    print(f"SIGTERM: {took:.2f} s, {processor:.2f} of a processor, with {there}")
    if processor > END_S:
        raise Found(f"SIGTERM takes {processor:.2f} s of a processor")


def growth(rounds: list[Told]) -> list[str]:
    """What there is more of at the end than after the first few rounds, and how much a round on average."""
    warm = rounds[WARM:]
    half = len(warm) // 2 or 1
    early, late = warm[:half], warm[half:] or warm
    between = (late[-1].number - early[0].number) / 2 or 1
    lines = [f"from round {early[0].number} to {late[-1].number}, the median of the first half, and of the second:"]
    for name, unit, values in (
        ("resident memory", "MiB", lambda told: told.resident), ("blocks", "", lambda told: told.there["blocks"]),
        ("objects", "", lambda told: sum(told.there["objects"].values())),
    ):
        before, after = (statistics.median(map(values, part)) for part in (early, late))
        lines.append(f"  {name:16} {before:12,.1f} {after:12,.1f} {unit}, {(after - before) / between:+.2f} a round")
    first, last = warm[0].there["objects"], warm[-1].there["objects"]
    more = {name: count - first.get(name, 0) for name, count in last.items() if count > first.get(name, 0)}
    lines += [f"  {count:+} {name}" for name, count in sorted(more.items(), key=lambda one: -one[1])[:12]]
    return lines


if __name__ == "__main__":
    sys.exit(main())
