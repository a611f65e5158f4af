"""Readers and files that are not what they should be: at random, and each fault that was found so."""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import struct
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlemu.emulator.script.captured import events_of_trace
from nlemu.protocol.captures import pcapng
from nlemu.protocol.captures.events import CaptureError, Datagram, Event, Unread
from nlemu.protocol.captures.source import Source
from tests.protocol.captures import fuzz
from tests.protocol.captures.files import CAPTURES, datagrams, read, read_on
from tests.protocol.captures.test_pcap import GETLINK

LONG = 300_000
"""Characters of a line on which anything but linear work does not end."""


@pytest.mark.parametrize("seed", range(4))
def test_changed_files(tmp_path: Path, seed: int) -> None:
    for data in itertools.islice(fuzz.files(seed), 60):
        fuzz.look_at(data, tmp_path / "capture")


HEADS = st.sampled_from([
    b"", b"\xd4\xc3\xb2\xa1\x02\0\4\0" + bytes(8) + b"\0\0\4\0\xfd\0\0\0",
    b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a",
    b'{"trace": 1, ', b"sendto(3, [{nlmsg_len=", b"[pid 7] recvmsg(3, {msg_name=", b"0000  ", b"0x12, ", b'b"\\x12',
    b"\x1f\x8b\x08\0\0\0\0\0\0\3", b"\x28\xb5\x2f\xfd",
])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=HEADS, rest=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes(tmp_path: Path, head: bytes, rest: bytes) -> None:
    fuzz.look_at(head + rest, tmp_path / "capture")


def trace_events(data: bytes) -> list[Event]:
    found: list[Event] = []
    with contextlib.suppress(CaptureError):
        found.extend(events_of_trace(Source(io.BytesIO(data), "trace")))
    return found


@pytest.mark.parametrize("data", fuzz.bodies(), ids=lambda data: f"{len(data)} of {data[:8].hex()}")
def test_what_was_read_before_a_file_breaks_off_is_kept(data: bytes) -> None:
    """Of text, the last datagram may be a part of what it was; of gzip, what its blocks hold."""
    take = trace_events if data.startswith(b"{") else lambda data: read_on(data)[0]
    whole = take(data)
    binary = data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a")
    for end in range(200, len(data), max(len(data) // 23, 1)):
        part = take(data[:end])
        sure = len(part) if binary else max(len(part) - 1, 0)
        assert part[:sure] == whole[:sure]
    squeezed = gzip.compress(data)
    if not data.startswith(b"{"):
        assert [one for one in read_on(squeezed[:-9])[0] if isinstance(one, Datagram)] == [
            one for one in whole[: len(read_on(squeezed[:-9])[0])] if isinstance(one, Datagram)
        ]


# -- what was found so


@pytest.mark.parametrize(
    "line",
    [
        "/*" * LONG, "20 00 " + r"\"" * LONG, "'" * LONG, "b'" * LONG, "1" * LONG, "0" * LONG + ")",
        "20 " * LONG + "zz",
        "20" + " " * LONG + "zz", "[ " * LONG, "(" * LONG, ")=1<" * LONG, ") " * LONG + "= 0", "{a=" * LONG,
        "/**/" * LONG, "0x" * LONG, "1" * LONG + ":" + "1" * LONG, "[pid" + " " * LONG + "7",
    ],
    ids=lambda line: f"{line[:4]}...{line[-2:]}",
)
@pytest.mark.parametrize("first", [b"20 00 00 00\n", b'sendto(3, "\\x14", 1, 0, NULL, 0) = 1\n'], ids=["hex", "strace"])
def test_long_lines_take_no_longer_than_their_length(first: bytes, line: str) -> None:
    read_on(first + line.encode() + b"\n")


def straced(arguments: str) -> list[Event]:
    text = f"""socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 3
sendto(3, {arguments}, 32, 0, NULL, 0) = 32
"""
    return read(text.encode())


HEADER = "{nlmsg_len=32, nlmsg_type=RTM_GETLINK, nlmsg_flags=NLM_F_REQUEST, nlmsg_seq=1, nlmsg_pid=0}"


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ("[{nlmsg_len=1<<99999999999, nlmsg_type=1, nlmsg_flags=1, nlmsg_seq=1, nlmsg_pid=0}]", "no number is"),
        ("[{nlmsg_len=99999999999, nlmsg_type=1, nlmsg_flags=1, nlmsg_seq=1, nlmsg_pid=0}]", "format requires"),
        (
            f'[{HEADER}, {{ifi_family=AF_UNSPEC}}, [{{nla_len=4294967295, nla_type=IFLA_IFNAME}}, "x"]]',
            "an attribute of 4294967295 bytes",
        ),
        (f"[{HEADER}, {{ifi_family=0, ifi_index=makedev(-1, -1)}}]", "can't convert negative"),
    ],
)
def test_numbers_that_strace_does_not_write(arguments: str, reason: str) -> None:
    """Neither memory nor an exception of another kind."""
    (said,) = (one for one in straced(arguments) if isinstance(one, Unread))
    assert reason in said.reason


def test_a_number_without_end_in_a_trace(tmp_path: Path) -> None:
    (trace,) = (CAPTURES.parent / "traces").glob("n01_*.jsonl")
    (tmp_path / "trace").write_bytes(trace.read_bytes() + b'{"advance": ' + b"9" * 5000 + b"}\n")
    assert fuzz.look_at((tmp_path / "trace").read_bytes(), tmp_path / "trace") > 0


def test_a_section_that_begins_between_two_reads() -> None:
    """Files are read in pieces of 64 KiB; the second section's first bytes stand in two of them."""
    for over in range(12):
        stream = io.BytesIO()
        writer = pcapng.Writer(stream)
        fill = (1 << 16) - over - len(stream.getvalue()) - 12
        writer._block(77, bytes(fill & ~3))
        stream.write(other_section())
        assert [one.data for one in datagrams(stream.getvalue())] == [GETLINK], over


def other_section() -> bytes:
    """One of the other byte order, with a packet."""
    def block(kind: int, body: bytes) -> bytes:
        return struct.pack(">II", kind, len(body) + 12) + body + struct.pack(">I", len(body) + 12)

    packet = struct.pack(">HHH8xH", 4, 824, 0, 0) + GETLINK
    return (
        block(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack(">HHI", 253, 0, 0))
        + block(6, struct.pack(">IIIII", 0, 0, 1, 48, 48) + packet)
    )


def test_zstandard_of_much_takes_little() -> None:
    """A few bytes that are many zeros: they are read in pieces."""
    from nlemu.protocol.captures import source

    squeezed = zstandard.ZstdCompressor().compress(bytes(1 << 26))
    frames = source._Frames(io.BufferedReader(io.BytesIO(squeezed)), zstandard.ZstdDecompressor())
    frames.read(1)
    assert len(frames.left) < 1 << 25


def test_comments_and_strings_of_one_line() -> None:
    text = b'20 /* one */ 00 /* two */ 00 00 // rest\n\n/* open 20 00\n\nb"\\x01" /* and */ b"\\x02" "\n'
    assert [one.data.hex() for one in datagrams(text)] == ["20000000", "0102"]
