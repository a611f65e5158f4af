"""A report as one page that needs nothing else: no server, no network, light and dark as the reader has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from string import Template

from nlemu import __version__
from nlemu.emulator.coverage.report import WHAT, Line, Report, Used


def page(report: Report) -> str:
    """The page's text."""
    template = Template(Path(__file__).with_name("page.html").read_text())
    return template.substitute(
        version=escape(__version__), tiles="\n".join(tiles(report)), rows="\n".join(map(row, report.used)),
        unused=names(report.unused), heard=names(f"{name} ({count})" for name, count in report.heard.items()),
        unheard=names(report.unheard), kinds=names(report.kinds),
    )


def tiles(report: Report) -> Iterator[str]:
    """The numbers at the top."""
    sums = report.sums
    for (part, whole), what, about in (
        (sums["operations"], "operations", "of the families used"),
        (sums["attributes"], "attributes", "of these operations"),
        (sums["notifications"], "notifications", "of these families"),
        (sums["kernel"], "refusals of the kernel's functions", "of these operations"),
        (sums["policies"], "refusals of declarations", "of these operations"),
    ):
        share = 100 * part // whole if whole else 0
        yield (
            f'<div class="tile"><b>{part}</b> <span>of {whole}</span><div class="bar"><i style="width:{share}%"></i>'
            f"</div>{escape(what)}<br><small>{escape(about)}</small></div>"
        )


def row(used: Used) -> str:
    """An operation, which opens."""
    kernel, policies = used.kernel, used.policies
    cells = "".join(f"<span>{one}</span>" for one in (used.asked, used.refused, *used.sums.values()))
    faults = f"<p>{used.faults} of its refusals were faults that a test had set.</p>" if used.faults else ""
    if used.absent:
        faults += f"<p>{used.absent} of its requests were refused because nlemu does not do that.</p>"
    inside = "".join((
        faults, section("Refusals that were met", [line for line in used.lines if line.met], opened=True),
        section("Refusals of functions of the kernel that were never met", [line for line in kernel if not line.met]),
        section("Refusals of its declaration that were never met", [line for line in policies if not line.met]),
        listed("Attributes that were sent", sorted(used.sent)),
        listed("Attributes that were never sent", sorted(used.all - used.sent)),
    ))
    return (
        f'<details class="operation" data-name="{escape(used.name)}"><summary><b>{escape(used.name)}</b>{cells}'
        f"</summary>{inside}</details>"
    )


def section(title: str, lines: list[Line], *, opened: bool = False) -> str:
    """Refusals as a table."""
    if not lines:
        return ""
    rows = "".join(
        f"<tr><td>{line.met or ''}</td><td>{escape(line.errno or '')}</td><td>{escape(line.text or '')}</td>"
        f"<td>{escape(line.function or WHAT[line.what])}{f' {escape(line.about)}' if line.about else ''}"
        f"{'' if line.foreseen else ' <em>not foreseen</em>'}</td><td>{escape(line.place or '')}</td></tr>"
        for line in lines
    )
    head = "<tr><th>met</th><th>errno</th><th>text</th><th>who refuses</th><th>here</th></tr>"
    return (
        f"<details{' open' if opened else ''}><summary>{escape(title)} ({len(lines)})</summary>"
        f'<div class="wide"><table>{head}{rows}</table></div></details>'
    )


def listed(title: str, found: list[str]) -> str:
    """Names that open."""
    return f"<details><summary>{escape(title)} ({len(found)})</summary>{names(found)}</details>" if found else ""


def names(found: Iterable[str]) -> str:
    """Names, one after the other."""
    told = [f"<code>{escape(one)}</code>" for one in found]
    return f"<p>{' '.join(told)}</p>" if told else "<p>none</p>"
