"""A report as JSON: for programs, and for whoever wants a threshold in CI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nlemu.emulator.coverage.report import Line, Report, met


def counted(lines: list[Line]) -> dict[str, int]:
    """How many refusals of some there are, and were met."""
    return {"met": met(lines), "all": len(lines)}


def told(report: Report) -> dict[str, Any]:
    """The numbers first, then each operation with what it never met."""
    kernel = [line for one in report.used for line in one.kernel]
    policies = [line for one in report.used for line in one.policies]
    return {
        "operations": {"used": len(report.used), "all": len(report.used) + len(report.unused)},
        "attributes": {
            "sent": sum(len(one.sent) for one in report.used), "all": sum(len(one.all) for one in report.used),
        },
        "notifications": {"heard": len(report.heard), "all": len(report.heard) + len(report.unheard)},
        "refusals": {"kernel": counted(kernel), "policies": counted(policies)},
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
