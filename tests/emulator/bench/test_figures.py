"""Figures of `nlemu bench`: written, read, and compared with those of another day."""

from __future__ import annotations

import pytest

from nlemu.emulator.bench.figures import BadFigures, Figure, compare, read, write


def rate(value: float, echo: float) -> Figure:
    return Figure("requests", "getlink, round trips", value, "/s", more=True, yardsticks={"trio echo": echo})


def test_what_is_written_can_be_read() -> None:
    figures = [rate(100, 50), Figure("starts", "nlemu serve", 200, "ms")]
    assert read(write(figures)) == figures


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nlemu bench": 1, "figures": [{"area": 1}]}', "null"])
def test_what_holds_no_figures(text: str) -> None:
    with pytest.raises(BadFigures, match="holds no figures"):
        read(text)


def test_of_another_version() -> None:
    with pytest.raises(BadFigures, match="of version 2"):
        read('{"nlemu bench": 2, "figures": []}')


def test_how_many_times_as_good() -> None:
    assert dict(rate(100, 50).ratios()) == {"trio echo": 2}
    slow = Figure("links", "make", 100, "us", yardsticks={"kernel": 50, "nothing": 0})
    assert dict(slow.ratios()) == {"kernel": 0.5}


def test_a_slow_day_is_not_worse() -> None:
    (change,) = compare([rate(100, 50)], [rate(50, 25)])
    assert change.factor == 1 and not change.worse


def test_what_got_worse_stands_first() -> None:
    before = [rate(100, 50), Figure("starts", "nlemu serve", 100, "ms"), Figure("starts", "gone", 1, "ms")]
    now = [rate(110, 50), Figure("starts", "nlemu serve", 150, "ms"), Figure("starts", "new", 1, "ms")]
    changes = compare(before, now)
    assert [(change.key, round(change.factor, 2), change.worse) for change in changes] == [
        ("starts: nlemu serve", 1.5, True), ("requests: getlink, round trips", 0.91, False)
    ]


def test_a_rate_without_a_yardstick() -> None:
    before, now = (Figure("crowds", "told", rate, "/s", more=True) for rate in (100, 50))
    (change,) = compare([before], [now])
    assert change.factor == 2
