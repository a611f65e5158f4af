"""nlemu replay: exit codes, the numbers, and the trace written again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures import TRACES
from nlemu.emulator.cli import OK, REFUSED, USAGE, main

EQUAL = TRACES / "c01_getfamily.jsonl"


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A trace in which the kernel is said to have answered something else."""
    lines = EQUAL.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if '"got"' in line)
    step = json.loads(lines[at])
    ((socket, (first, *others)),) = step["got"].items()
    step["got"] = {socket: [first.replace("6e6c", "6e6d", 1), *others]}
    assert step != json.loads(lines[at])
    lines[at] = json.dumps(step)
    path = tmp_path / "spoilt.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_equal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(EQUAL)]) == OK
    assert capsys.readouterr().out.startswith(f"equal      {EQUAL}: ")


def test_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", str(EQUAL), str(EQUAL)]) == OK
    numbers = json.loads(capsys.readouterr().out)
    assert list(numbers) == ["traces", "steps", "datagrams", "different"]
    assert (
        numbers["traces"] == 2
        and numbers["steps"] > 2
        and numbers["datagrams"] > 2
        and numbers["different"] == 0
    )


def test_different(spoilt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(EQUAL), str(spoilt)]) == REFUSED
    out = capsys.readouterr().out
    assert f"different  {spoilt}" in out and "step " in out and "socket a, datagram 1" in out
    assert out.splitlines()[-1].startswith("1 of 2 traces equal")
    assert main(["replay", "--json", str(spoilt)]) == REFUSED
    assert json.loads(capsys.readouterr().out)["different"] == 1


def test_the_trace_again_with_our_own_answers(
    spoilt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    actual = tmp_path / "actual.jsonl"
    assert main(["replay", str(spoilt), "--actual", str(actual)]) == REFUSED
    assert actual.read_text() == EQUAL.read_text()
    assert main(["replay", str(EQUAL), str(EQUAL), "--actual", str(actual)]) == USAGE
    assert "one trace" in capsys.readouterr().err


def test_what_is_no_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t").write_text('{"trace": 2}\n')
    assert main(["replay", str(tmp_path / "t")]) == USAGE
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[0].startswith(f"nlemu replay: {tmp_path / 't'}:1: ")
    assert main(["replay", str(tmp_path)]) == USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A trace of a kernel that is not here."""
    first, *rest = EQUAL.read_text().splitlines()
    header = json.loads(first) | {"kernel": "5.15.0"}
    path = tmp_path / "elsewhere.jsonl"
    path.write_text("\n".join([json.dumps(header), *rest]) + "\n")
    return path


def test_a_kernel_that_is_not_here(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(elsewhere)]) == USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{elsewhere}: there is no kernel 5.15.0 (recorded); there are 7.2.13, 7.2.13-recorded" in line
    assert "--nearest" in line and "--kernel" in line


def test_the_nearest_kernel_or_any_if_told_to(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--nearest", str(elsewhere)]) == OK
    assert main(["replay", "--kernel", "7.2.13", str(elsewhere)]) == OK
    capsys.readouterr()
    assert main(["replay", "--kernel", "7.2", str(elsewhere)]) == USAGE
    assert "there is no kernel '7.2'; there are 7.2.13, 7.2.13-recorded" in capsys.readouterr().err
