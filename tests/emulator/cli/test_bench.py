"""`nlemu bench`: that everything is measured, in which form it is told, and what a comparison says. Never how fast."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nlemu.emulator.bench.all import AREAS, QUICK
from nlemu.emulator.bench.figures import Figure, read, write
from nlemu.emulator.bench.starts import finished
from nlemu.emulator.cli import OK, REFUSED, USAGE, bench, main

EXPECTED = {
    "requests": {f"{name}, {how}" for name in ("queue-get", "getlink", "getfamily")
                 for how in ("round trips", "pipeline of 32")},
    "links": {"make a pair of 5", "dump a link of 5", "delete a pair of 5"},
    "namespaces": {"make one of 2, with a pair and a lease", "dump a link of 2", "tear one of 2 down"},
    "starts": {"nlemu serve", "the fixture"},
    "crowds": {"requests of 3 clients", "notifications to 2 listeners"},
    "sizes": {f"{what}, among {size}" for size in QUICK.sizes
              for what in ("get by index", "get by name", "make", "delete", "dump a link")},
}


def test_everything_is_measured(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["bench", "--quick", "--json", "--plots", str(tmp_path)]) == OK
    told = capsys.readouterr().out
    found: dict[str, set[str]] = {}
    for one in read(told):
        found.setdefault(one.area, set()).add(one.name)
        assert one.value > 0 and all(value > 0 for value in one.yardsticks.values()), one
    for area, names in EXPECTED.items():
        assert names <= found[area] and len(found[area] - names) <= 1  # a program under `nlemu run`, where one can be
    assert {"python", "kernel", "figures"} <= json.loads(told).keys()
    assert "<polyline" in (tmp_path / "requests.svg").read_text()


def test_starts_know_of_no_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLEMU_DIR", str(tmp_path))
    assert finished("-c", "import os, sys; sys.exit('NLEMU_DIR' in os.environ)") > 0


def test_the_areas_are_those_that_the_help_names() -> None:
    assert tuple(AREAS) == bench.AREAS


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """What is measured instead of anything."""
    figures = [Figure("starts", "nlemu serve", 200, "ms", yardsticks={"python -c pass": 20})]
    monkeypatch.setitem(AREAS, "starts", lambda effort: iter(figures))
    return figures


def test_a_table(measured: list[Figure], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "starts"]) == OK
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["AREA", "WHAT", "NLEMU", "BESIDE", "IT"],
        ["starts", "nlemu", "serve", "200", "ms", "20", "python", "-c", "pass", "(0.10", "times)"],
    ]


def test_a_comparison(measured: list[Figure], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    before.write_text(write(measured))
    assert main(["bench", "starts", "--against", str(before)]) == OK
    assert "nothing has become worse, of 1 figures" in capsys.readouterr().out
    before.write_text(write([Figure("starts", "nlemu serve", 100, "ms", yardsticks={"python -c pass": 20})]))
    assert main(["bench", "starts", "--against", str(before)]) == REFUSED
    assert capsys.readouterr().out.splitlines()[-1].split() == [
        "starts:", "nlemu", "serve", "100", "ms", "200", "ms", "2.00"
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["speed"], "there is no area 'speed'; there are requests, links"),
        (["--against", "/nowhere"], "--against /nowhere: No such file or directory"),
        (["--against", "/dev/null"], "--against /dev/null: it holds no figures of `nlemu bench --json`"),
    ],
)
def test_mistakes(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *arguments]) == USAGE
    told: Any = capsys.readouterr().err
    assert says in told and len(told.splitlines()) == 1
