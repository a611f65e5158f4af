"""Cost against size, drawn: an SVG of lines over a logarithmic axis, for the documentation.

It is small on purpose, and has no other use; whoever wants to draw more takes a library and the JSON.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from nlemu.emulator.bench.figures import Figure

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 30, 45
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Those of Okabe and Ito, which people who see fewer colours can tell apart."""
AMONG = re.compile(r"(.*), (?:among|of) ([\d,]+)")

Series = Mapping[str, Sequence[tuple[int, float]]]
"""Lines by name: size and value, the smallest size first."""


def series(figures: Iterable[Figure], unit: str) -> Series:
    """What was measured at several sizes, in that unit."""
    found: dict[str, list[tuple[int, float]]] = {}
    for one in figures:
        match = AMONG.fullmatch(one.name)
        if one.area == "sizes" and one.unit == unit and match is not None:
            found.setdefault(match[1], []).append((int(match[2].replace(",", "")), one.value))
    return {name: sorted(points) for name, points in found.items() if len(points) > 1}


def draw(title: str, unit: str, lines: Series) -> str:
    """The SVG. ValueError where there is nothing to draw."""
    points = [point for line in lines.values() for point in line]
    if not points:
        raise ValueError("nothing was measured at several sizes")
    low, high = (edge(size for size, _ in points) for edge in (min, max))
    top = nice(max(value for _, value in points))

    def x(size: float) -> float:
        across = math.log(size / low) / math.log(high / low)
        return LEFT + across * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-size="14">{escape(title)}, {escape(unit)}</text>',
    ]
    for step in range(5):
        value = top * step / 4
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for size in sorted({size for size, _ in points}):
        parts.append(f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:,}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">devices</text>')
    for at, (name, line) in enumerate(lines.items()):
        colour = COLOURS[at % len(COLOURS)]
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<rect x="{WIDTH - RIGHT + 12}" y="{TOP + 20 * at}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 30}" y="{TOP + 20 * at + 10}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def nice(value: float) -> float:
    """The least of 1, 2, 4, 5, 8 and 10 times a power of ten that is not below it, so that a quarter of it is short."""
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value)
