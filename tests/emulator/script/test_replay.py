"""Replaying: equal is equal, and what differs is told where it differs."""

from __future__ import annotations

import json

from nlemu.emulator.script.replay import Difference, replay
from nlemu.emulator.script.report import explain, report
from nlemu.emulator.script.trace import Trace, parse, render
from tests.emulator.daemon.edge import getfamily

HEADER = {"trace": 1, "about": "a test", "kernel": "7.2.13", "cpus": 2, "families": {"nlctrl": 16, "netdev": 20}}
OPEN = {"open": "a", "netns": "init", "proto": 16, "port": 7, "opts": [[10, 1], [11, 1]]}
ASK = {"send": "a", "hex": getfamily("nosuch").hex(), "about": "who is that"}
ANSWER = "2400000002000001010000000700" + "0000feffffff20000000100001000100000000000000"


def trace(*steps: object) -> Trace:
    return parse("".join(json.dumps(step) + "\n" for step in (HEADER, *steps)), "test")


def test_equal() -> None:
    result = replay(trace(OPEN, {**ASK, "got": {"a": [ANSWER]}}))
    assert result.equal and result.different == 0 and result.datagrams == 1
    assert report(result) == []
    assert render(result.actual) == render(result.trace)


def test_open_bytes_may_be_anything_and_stay_open() -> None:
    pattern = ANSWER[:24] + "........" + ANSWER[32:]
    result = replay(trace(OPEN, {**ASK, "got": {"a": [pattern]}}))
    assert result.equal
    assert result.actual.steps[1].got == {"a": [pattern]}


def test_another_byte() -> None:
    wrong = ANSWER.replace("feffffff", "ffffffff")
    result = replay(trace(OPEN, {**ASK, "got": {"a": [wrong]}}))
    assert result.differences == [Difference(2, "a", 0, wrong, ANSWER)]
    assert result.different == 1 and not result.equal
    assert result.actual.steps[1].got == {"a": [ANSWER]}
    lines = report(result)
    assert lines[0] == "step 2: send a (who is that): socket a, datagram 1"
    assert {line[:3] for line in lines[1:]} == {"  -", "  +"}
    assert "EPERM" in " ".join(lines) and "ENOENT" in " ".join(lines)


def test_a_datagram_too_few_or_too_many() -> None:
    result = replay(trace(OPEN, {**ASK, "got": {"a": [ANSWER, ANSWER]}}))
    assert result.differences == [Difference(2, "a", 1, ANSWER, None)]
    result = replay(trace(OPEN, ASK))
    assert result.differences == [Difference(2, "a", 0, None, ANSWER)]
    result = replay(trace(OPEN, {**ASK, "got": {"a": [ANSWER], "b": ["00"]}}))
    assert result.differences == [Difference(2, "b", 0, "00", None)]


def test_the_errno_of_a_step() -> None:
    result = replay(trace(OPEN, {**OPEN, "open": "b"}))
    assert result.differences == [Difference(2, None, 0, None, "!EADDRINUSE")]
    assert report(result) == ["step 2: open b: the step itself", "  - nothing", "  + EADDRINUSE"]
    assert result.actual.steps[1].fields["error"] == "EADDRINUSE"
    assert replay(trace(OPEN, {**OPEN, "open": "b", "error": "EADDRINUSE"})).equal


def test_what_cannot_be_performed_is_told_apart() -> None:
    result = replay(trace(OPEN, {"close": "b"}, {**ASK, "got": {"a": [ANSWER]}}))
    assert not result.differences and not result.equal
    assert result.not_yet == {2: "close: there is no socket 'b'"}
    assert report(result) == ["step 2: close b: close: there is no socket 'b'"]


def test_the_same_facts_in_other_bytes() -> None:
    padded = "14000000030002000100000007000000000000" + "00"
    lines = explain(Difference(1, "a", 0, padded, padded[:-2] + "01"), 16)
    assert lines and {line[0] for line in lines} == {"-", "+"}
