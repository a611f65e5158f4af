"""`python -m tests.conformance --kernel bzImage --steps 2000 --seed 1`: random walks on the emulator and on Linux.

Prints the fewest steps that differ for each walk that does, and a summary. Exit code 1 when something differed.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from fixtures.recorder.guest import GuestError
from nlemu.emulator.kernel.core.build import Build
from nlemu.emulator.script.trace import Header
from tests.conformance.compare import FAMILIES
from tests.conformance.machines import Fields, Linux, Outcome
from tests.conformance.run import AREAS, Found, compared, differs, shrink, walked

WALKS_A_BOOT = 40


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--kernel", type=pathlib.Path, required=True, help="the kernel image")
    parser.add_argument("--steps", type=int, default=2000, help="how many steps in all (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first walk (%(default)s)")
    parser.add_argument("--length", type=int, default=200, help="steps of one walk (%(default)s)")
    parser.add_argument("--areas", default=",".join(AREAS), help="what to visit (%(default)s)")
    parser.add_argument("--save", type=pathlib.Path, help="where differences are written, a trace each")
    parser.add_argument(
        "--limit", type=int, default=10, help="give up after so many differences (%(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="do not shrink")
    options = parser.parse_args()
    areas = options.areas.split(",")
    done = datagrams = walks = lost = bugs = 0
    found: list[Found] = []
    linux: Linux | None = None
    began = time.monotonic()
    try:
        while done < options.steps and len(found) < options.limit:
            seed = f"{options.seed + walks}"
            if linux is None or linux.walks >= WALKS_A_BOOT:
                if linux is not None:
                    linux.close()
                linux = boot(options.kernel)
            counters = linux.renew() if linux.walks else None
            linux.walks += 1
            walk = walked(seed, options.length, areas, counters, linux.build)
            walks += 1
            try:
                one = compared(linux, walk, seed)
            except GuestError as error:
                print(f"seed {seed}: {error}", flush=True)
                linux.close()
                linux = None
                lost += 1
                continue
            done += len(walk.steps)
            datagrams += sum(len(got) for outcome in walk.outcomes for got in outcome.got.values())
            if walk.machine.bugs:
                bugs += walk.machine.bugs
                print(f"seed {seed}: {walk.machine.bugs} bugs of the emulator, see above", flush=True)
            if one is None:
                continue
            found.append(one)
            print(f"\n== seed {seed}, step {len(one.steps)}", flush=True)
            if not options.quick:
                one.steps = shortened(linux, one)
            tell(linux, one, options.save)
    finally:
        if linux is not None:
            linux.close()
    print(
        f"{done} steps in {walks} walks, {datagrams} datagrams, seeds {options.seed} to {options.seed + walks - 1}, "
        f"areas {options.areas}: {len(found)} walks differ, {bugs} bugs, "
        f"{lost} walks lost with their guest and not counted; {time.monotonic() - began:.0f} s"
    )
    return 1 if found or bugs or lost else 0


def boot(kernel: pathlib.Path) -> Linux:
    """Linux; an early crash of the guest, which happens, is tried again."""
    for _ in range(3):
        try:
            return Linux(kernel)
        except GuestError as error:
            print(error, file=sys.stderr)
    raise SystemExit("the kernel does not boot")


def shortened(linux: Linux, found: Found) -> list[Fields]:
    """The fewest steps found that still differ on their last."""

    def still(steps: list[Fields]) -> bool:
        return differs(linux, steps) is not None

    return shrink(found.steps, still) if still(found.steps) else found.steps


def tell(linux: Linux, found: Found, folder: pathlib.Path | None) -> None:
    """Prints what differs, and keeps the steps as a trace with what Linux said."""
    different = differs(linux, found.steps)
    for step in found.steps:
        if "open" not in step and "netns" not in step:
            print("   ", json.dumps(step), flush=True)
    if different is None:
        print("it did not differ again: a race on Linux that is not known as one, perhaps; at first it was")
        last = len(found.steps)
        samples = [replace(one, place=replace(one.place, step=last)) for one in found.samples]
        different = replace(
            found, differences=[replace(one, step=last) for one in found.differences], samples=samples
        )
    for line in islice(different.told(), 40):
        print(line, flush=True)
    if folder is not None:
        linux.renew()
        theirs = linux.perform(found.steps)
        folder.mkdir(parents=True, exist_ok=True)
        save(folder / f"{found.seed}.jsonl", found.seed, linux.build, found.steps, theirs)


def save(
    path: pathlib.Path, seed: str, build: Build, steps: Sequence[Fields], outcomes: Sequence[Outcome]
) -> None:
    """Keeps steps as a trace, with what Linux made of them."""
    lines: list[dict[str, object]] = [
        Header(f"found by seed {seed}", str(build.release), 2, FAMILIES, config=build.config).fields()
    ]
    for step, outcome in zip(steps, outcomes, strict=True):
        line = dict(step)
        if outcome.error is not None:
            line["error"] = outcome.error
        if outcome.got:
            line["got"] = {name: list(got) for name, got in outcome.got.items()}
        lines.append(line)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
