"""Traces are read whole, written back byte for byte, and refused with the place and the reason."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import traces
from nlemu.emulator.script import trace
from nlemu.emulator.script.trace import TraceError, matches, text_of
from nlemu.emulator.script.verbs import VERBS

HEADER = {"trace": 1, "about": "a", "kernel": "7.2.13", "cpus": 2, "families": {"nlctrl": 16}}


def parse(*lines: Any) -> trace.Trace:
    written = [line if isinstance(line, str) else json.dumps(line) for line in (HEADER, *lines)]
    return trace.parse("\n".join(written), "t.jsonl")


@pytest.mark.parametrize("path", traces(), ids=lambda path: path.stem)
def test_recorded_traces_come_back_byte_for_byte(path: Path, tmp_path: Path) -> None:
    read = trace.read(path)
    trace.write(tmp_path / "copy", read)
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    assert trace.read(tmp_path / "copy") == read
    assert len(read.steps) == len(path.read_text().splitlines()) - 1
    assert read.header.kernel == "7.2.13"
    assert (read.header.netdevsim == "dma") == path.name.startswith("q")


def test_a_step_and_its_outcome() -> None:
    read = parse(
        {"open": "a", "netns": "red", "proto": 16, "port": 1000, "opts": [[10, 1]]},
        {"hex": "00ff", "about": "odd order", "send": "a", "got": {"a": ["0102", "!ENOBUFS"]}},
        {"xsk": "x", "ifindex": 2, "queue": 0, "error": "EBUSY"},
    )
    opened, sent, refused = read.steps
    assert (opened.verb, opened.subject, opened["netns"], opened.got, opened.error) == ("open", "a", "red", {}, 0)
    assert (sent.verb, sent.subject, sent.about, sent.line) == ("send", "a", "odd order", 3)
    assert sent.got == {"a": ["0102", "!ENOBUFS"]}
    assert (refused.error, refused.get("flags", 0)) == (errno.EBUSY, 0)


def test_unknown_keys_are_kept() -> None:
    read = trace.parse(json.dumps(HEADER | {"host": "h"}) + '\n{"sleep": 0.5, "why": [1]}\n')
    assert trace.render(read) == json.dumps(HEADER | {"host": "h"}) + '\n{"sleep": 0.5, "why": [1]}\n'
    assert read.header.extra == {"host": "h"}
    assert read.steps[0]["why"] == [1]


def test_another_outcome_replaces_the_first() -> None:
    (step,) = parse({"send": "a", "hex": "00", "got": {"a": ["01"]}, "about": "x"}).steps
    assert step.answered({"b": ["02"]}).fields == {"send": "a", "hex": "00", "about": "x", "got": {"b": ["02"]}}
    refused = step.answered({}, errno.EPERM)
    assert refused.fields == {"send": "a", "hex": "00", "about": "x", "error": "EPERM"}
    assert refused.error == errno.EPERM


@given(data=st.binary(max_size=40), more=st.binary(min_size=1, max_size=3), at=st.integers(0, 39))
def test_patterns(data: bytes, more: bytes, at: int) -> None:
    pattern = text_of(data)
    assert matches(pattern, data)
    assert not matches(pattern, data + more)
    if at < len(data):
        other = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert not matches(pattern, other)
        blurred = pattern[: 2 * at] + ".." + pattern[2 * at + 2 :]
        assert matches(blurred, data)
        assert matches(blurred, other)
        assert not matches(blurred, other + more)
        assert not matches(blurred, data[:-1])


def test_a_blurred_byte_does_not_hide_its_neighbour() -> None:
    assert matches("01..03", b"\x01\x00\x03")
    assert not matches("01..03", b"\x01\x02\x04")
    assert trace.open_bytes("01..03") == (b"\x01\x00\x03", frozenset({1}))


def test_failed_receives() -> None:
    failed = OSError(errno.ENOBUFS, "No buffer space available")
    assert text_of(failed) == "!ENOBUFS"
    assert matches("!ENOBUFS", failed)
    assert not matches("!ENOBUFS", b"")
    assert not matches("", failed)
    assert not matches("!EAGAIN", failed)


WRONG = [
    ("{", "t.jsonl:2: not JSON: Expecting property name enclosed in double quotes (column 2)"),
    ([1], "t.jsonl:2: a step is an object, and not [1]"),
    ({}, "t.jsonl:2: no step is known by any of no keys at all"),
    ({"jump": 1}, "t.jsonl:2: no step is known by any of 'jump'"),
    ({"open": "a", "close": "a"}, "t.jsonl:2: 'open' and 'close' are two steps"),
    ({"send": "a"}, "t.jsonl:2: 'send' needs 'hex'"),
    ({"send": "", "hex": ""}, "t.jsonl:2: 'send' should be a name, and not \"\""),
    ({"send": "a", "hex": "0"}, "t.jsonl:2: 'hex' should be an even number of hexadecimal digits, and not \"0\""),
    ({"open": "a", "proto": "xfrm"}, "t.jsonl:2: 'proto' should be a number from 0 to 4294967295, and not \"xfrm\""),
    ({"open": "a", "proto": 16, "port": -1}, "t.jsonl:2: 'port' should be a number from 0 to 4294967295, and not -1"),
    ({"open": "a", "proto": True}, "t.jsonl:2: 'proto' should be a number from 0 to 4294967295, and not true"),
    (
        {"open": "a", "proto": 0, "opts": [[1]]},
        "t.jsonl:2: 'opts' should be a list in which [1] is a list of 2, and not [[1]]",
    ),
    ({"nsim_new": [1, 2]}, "t.jsonl:2: 'nsim_new' should be a list of 3, and not [1, 2]"),
    ({"sleep": "long"}, "t.jsonl:2: 'sleep' should be a number of seconds up to 1000000000, and not \"long\""),
    (
        {"send": "a", "hex": "0000000000", "patch_fd": [[2, "n"]]},
        "t.jsonl:2: 'patch_fd': four bytes at 2 are outside the datagram",
    ),
    ({"xsk": "x", "ifindex": 1, "queue": 0, "error": 16}, "'error' should be the name of an errno, and not 16"),
    ({"end": "x", "got": {"a": ["0g"]}}, "an object in which [\"0g\"] is a list in which \"0g\" is hexadecimal"),
    ({"end": "x", "got": {"a": ["!ENOSUCH"]}}, "\"!ENOSUCH\" is the name of an errno, and not {\"a\": "),
    ({"end": "x", "got": {"a": "00"}}, "'got' should be an object in which \"00\" is a list, and not"),
]


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_wrong_steps(line: Any, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        parse(line)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "t.jsonl: empty; a trace begins with a header"),
        ("3", "t.jsonl:1: a header is an object, and not 3"),
        ('{"sleep": 1}', "t.jsonl:1: the header needs 'trace'"),
        (json.dumps(HEADER | {"trace": 2}), "t.jsonl:1: 'trace' should be 1, and not 2"),
        (
            json.dumps(HEADER | {"families": {"a": "b"}}),
            "t.jsonl:1: 'families' should be an object in which \"b\" is a number",
        ),
    ],
)
def test_wrong_headers(header: str, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        trace.parse(header, "t.jsonl")
    assert str(caught.value).startswith(message)


def test_the_line_number_counts_every_line() -> None:
    with pytest.raises(TraceError, match=r"^t\.jsonl:5: "):
        parse("", {"sleep": 1}, "   ", "nonsense")


def test_wrong_files(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b'{"trace": \xff}')
    with pytest.raises(TraceError, match=r"t: not UTF-8 \(byte 10\)$"):
        trace.read(tmp_path / "t")
    with pytest.raises(FileNotFoundError):
        trace.read(tmp_path / "none")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*VERBS, "hex", "got", "opts", "patch_fd"]), inner, max_size=4),
    )
)
def test_whatever_stands_in_a_line_is_a_step_or_an_error_with_a_place(line: Any) -> None:
    try:
        (step,) = parse(json.dumps(line)).steps
    except TraceError as error:
        assert str(error).startswith("t.jsonl:2: ")
    else:
        assert step.verb in VERBS
        assert step.fields == line
