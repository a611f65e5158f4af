"""What a suite has exercised, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nlemu.emulator.cli.table import Paint, table

if TYPE_CHECKING:
    from nlemu.emulator.coverage.report import Report, Used

FEW = 3
"""Refusals that were never met, of each operation, unless all are wanted."""


def lines(report: Report, paint: Paint, *, everything: bool = False) -> list[str]:
    """The table of operations, the sums, and refusals that were never met."""
    return [*summary(report, paint), *never_met(report, paint, everything)]


def summary(report: Report, paint: Paint) -> list[str]:
    """The table of operations, and the sums."""
    if not report.used:
        return ["nothing was asked of the emulated kernel"]
    rows = [row(one) for one in report.used]
    head, *rest = table(("OPERATION", "ASKED", "REFUSED", "ATTRIBUTES", "KERNEL", "DECLARED"), rows)
    return [paint.bold(head), *rest, "", *sums(report)]


def row(used: Used) -> tuple[object, ...]:
    """An operation's figures: of each kind of thing how many were met, of how many."""
    return used.name, used.asked, used.refused or None, *used.sums.values()


def sums(report: Report) -> Iterator[str]:
    """One line for each kind of thing."""
    used, shares = report.used, report.sums
    for (part, whole), what, about in (
        (shares["operations"], "operations", "of the families used"),
        (shares["attributes"], "attributes", "of these operations"),
        (shares["notifications"], "notifications", "of these families"),
        (shares["kernel"], "refusals", "that functions of the kernel give to these operations"),
        (shares["policies"], "", "that their declarations give"),
    ):
        yield f"{what:<14}{part:>5} of {whole:>5} {about}"
    faults, absent = sum(one.faults for one in used), sum(one.absent for one in used)
    if absent:
        yield f"{'not emulated':<14}{absent:>5} requests were refused by nlemu, which the kernel would have met"
    if faults:
        yield f"{'faults':<14}{faults:>5} requests were refused by faults that a test had set"


def never_met(report: Report, paint: Paint, everything: bool) -> Iterator[str]:
    """What functions of the kernel would have refused, the nearest to the handler first."""
    for one in report.used:
        missing = [line for line in (one.lines if everything else one.kernel) if not line.met]
        if not missing:
            continue
        yield ""
        yield paint.bold(f"{one.name}: {len(missing)} never met")
        shown = missing if everything else missing[:FEW]
        yield from (f"  {line}" for line in shown)
        if len(missing) > len(shown):
            yield f"  ... and {len(missing) - len(shown)} more"
