"""The drawings of `nlemu bench --plots`: what of the figures is in them, and that they are SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from nlemu.emulator.bench.figures import Figure
from nlemu.emulator.bench.plot import draw, nice, series

FIGURES = [
    Figure("sizes", "get <by> name, among 10,000", 9, "us"), Figure("sizes", "get <by> name, among 10", 8, "us"),
    Figure("sizes", "make, among 10", 50, "us"), Figure("sizes", "memory of a device, of 1,000", 6, "KiB"),
    Figure("links", "make a pair of 2,000", 90, "us"),
]


def test_what_was_measured_at_several_sizes_is_a_line() -> None:
    assert series(FIGURES, "us") == {"get <by> name": [(10, 8), (10_000, 9)]}
    assert series(FIGURES, "KiB") == {}


def test_a_drawing() -> None:
    root = ElementTree.fromstring(draw("A request", "us", series(FIGURES, "us")))
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"A request, us", "10", "10,000", "devices", "get <by> name"} <= set(words)
    (line,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert points[0][0] < points[1][0] and points[0][1] > points[1][1], "to the right is more devices, and up is dearer"


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        draw("", "us", {})


@pytest.mark.parametrize(("value", "top"), [(1, 1), (1.1, 2), (9, 10), (43, 50), (0.3, 0.4)])
def test_the_axis_ends_at_a_short_number(value: float, top: float) -> None:
    assert nice(value) == pytest.approx(top)
