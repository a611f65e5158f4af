"""``nlemu check``: whether this machine can run programs with ``nlemu run``."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

DESCRIPTION = """Say whether `nlemu run` works here, and what to do if it does not.

It needs no privileges, but a kernel and a sandbox that allow seccomp user notification."""
EPILOG = """Where it does not work there are other ways in: `nlemu serve` and its Unix sockets (nlemu ynl, or any
program that can be told to connect to one), and pyynl and pyroute2 in-process."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")


def run(options: argparse.Namespace) -> int:
    """Shows what this machine has of what `nlemu run` needs; the exit code."""
    from nlemu.emulator.cli import OK, REFUSED
    from nlemu.emulator.launch.check import findings

    if options.json:
        found = list(findings())
        works = all(finding.remedy is None for finding in found)
        print(json.dumps({"works": works, "findings": [asdict(finding) for finding in found]}))
        return OK if works else REFUSED
    good = True
    for finding in findings():
        good = good and finding.remedy is None
        print(f"{'ok ' if finding.remedy is None else 'NO '} {finding.what}: {finding.how}")
        if finding.remedy is not None:
            print(f"    {finding.remedy}")
    print("nlemu run works here" if good else f"nlemu run does not work here. {' '.join(EPILOG.split())}")
    return OK if good else REFUSED
