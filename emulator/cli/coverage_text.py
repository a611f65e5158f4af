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
    from nlemu.emulator.coverage.report import met

    return (
        used.name, used.asked, used.refused or None, f"{len(used.sent)}/{len(used.all)}",
        f"{met(used.kernel)}/{len(used.kernel)}", f"{met(used.policies)}/{len(used.policies)}",
    )


def sums(report: Report) -> Iterator[str]:
    """One line for each kind of thing."""
    from nlemu.emulator.coverage.report import met

    used = report.used
    kernel = [line for one in used for line in one.kernel]
    policies = [line for one in used for line in one.policies]
    for what, part, whole, about in (
        ("operations", len(used), len(used) + len(report.unused), "of the families used"),
        ("attributes", sum(len(one.sent) for one in used), sum(len(one.all) for one in used), "of these operations"),
        ("notifications", len(report.heard), len(report.heard) + len(report.unheard), "of these families"),
        ("refusals", met(kernel), len(kernel), "that functions of the kernel give to these operations"),
        ("", met(policies), len(policies), "that their declarations give"),
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
