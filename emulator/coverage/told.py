"""A report as JSON: for programs, and for whoever wants a threshold in CI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nlemu.emulator.coverage.report import Line, Report


def told(report: Report) -> dict[str, Any]:
    """The numbers first, then each operation with what it never met."""
    sums = report.sums
    return {
        "operations": {"used": sums["operations"].part, "all": sums["operations"].whole},
        "attributes": {"sent": sums["attributes"].part, "all": sums["attributes"].whole},
        "notifications": {"heard": sums["notifications"].part, "all": sums["notifications"].whole},
        "refusals": {name: {"met": sums[name].part, "all": sums[name].whole} for name in ("kernel", "policies")},
        "used": {
            one.name: {
                "asked": one.asked, "refused": one.refused, "faults": one.faults, "not emulated": one.absent,
                "sent": sorted(one.sent),
                "never sent": sorted(one.all - one.sent), "met": refusals(line for line in one.lines if line.met),
                "never met": refusals(line for line in one.lines if not line.met),
            }
            for one in report.used
        },
        "never used": report.unused,
        "heard": report.heard,
        "never heard": report.unheard,
        "kinds": report.kinds,
    }


def refusals(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Refusals, each with what is known of it."""
    names = ("what", "errno", "text", "about", "function", "place")
    return [
        {name: getattr(line, name) for name in names if getattr(line, name) is not None}
        | ({"met": line.met} if line.met else {}) | ({} if line.foreseen else {"foreseen": False})
        for line in lines
    ]
