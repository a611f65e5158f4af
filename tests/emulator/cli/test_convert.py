"""`nlemu convert`: nothing of a capture is lost on the way through another format, but what is said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from nlemu.emulator.script.captured import kept_events
from nlemu.protocol.captures.events import Datagram, Way

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
TRACES = CAPTURES.parent / "traces"
PACKETS = ["lease.pcap", "ip-netkit.pcap", "public/little-dude-rtnetlink.pcap.gz", "public/xtcp2-5.15.164.pcap.gz"]


def nlemu(*arguments: object, code: int = 0, given: bytes = b"") -> tuple[str, str]:
    """Runs the command; what it prints."""
    command = [sys.executable, "-m", "nlemu", *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def datagrams(path: Path) -> list[Datagram]:
    """All that a capture or a trace holds."""
    with kept_events(str(path)) as events:
        return [one for one in events() if isinstance(one, Datagram)]


def told(path: Path) -> Counter[tuple[object, ...]]:
    """What it says of each, without its order."""
    return Counter((one.data, one.protocol, one.way, one.time) for one in datagrams(path))


@pytest.mark.parametrize("name", PACKETS)
def test_packets_into_a_trace_and_back(tmp_path: Path, name: str) -> None:
    """Everything is there again, notifications too, with its time; requests in their order."""
    first, trace, again = CAPTURES / name, tmp_path / "it.jsonl", tmp_path / "again.pcap"
    assert nlemu("convert", first, trace) == nlemu("convert", trace, again) == ("", "")
    assert told(first) == told(trace) == told(again)
    asked = [[one.data for one in datagrams(path) if one.way is Way.TO_KERNEL] for path in (first, trace, again)]
    assert asked[0] == asked[1] == asked[2]


@pytest.mark.parametrize("name", ["lease.pcap", "ip.strace", "ss.strace"])
def test_a_replay_finds_the_same_in_every_format(tmp_path: Path, name: str) -> None:
    first, trace, packets = CAPTURES / name, tmp_path / "it.jsonl", tmp_path / "it.pcapng"
    nlemu("convert", first, trace)
    nlemu("convert", trace, packets)
    found = [json.loads(nlemu("replay", "--json", path)[0]) for path in (first, trace, packets)]
    for one in found:
        del one["unread"]  # an index that only strace does not know
    assert found[0] == found[1] == found[2] and found[0]["requests"]


def test_namespaces_and_ports(tmp_path: Path) -> None:
    """A pcapng has an interface for each, and a trace has sockets in each; a pcap has neither, which is said."""
    (trace,) = TRACES.glob("v01_*.jsonl")
    packets, again, plain = tmp_path / "it.pcapng", tmp_path / "it.jsonl", tmp_path / "it.pcap"
    _, lost = nlemu("convert", trace, packets)
    assert "of which packets tell nothing" in lost
    nlemu("convert", packets, again)

    def where(path: Path) -> Counter[tuple[object, ...]]:
        return Counter((one.data, one.protocol, one.way, one.network or "init") for one in datagrams(path))

    assert where(trace) == where(packets) == where(again)
    assert len({one.network for one in datagrams(packets)}) > 1
    assert "other namespaces than the first, which a pcap does not tell apart" in nlemu("convert", packets, plain)[1]


def test_what_a_socket_was_asked_is_kept_in_a_trace(tmp_path: Path) -> None:
    trace = tmp_path / "it.jsonl"
    nlemu("convert", CAPTURES / "processes.strace", trace)
    steps = [json.loads(line) for line in trace.read_text().splitlines()][1:]
    (opened,) = [one for one in steps if "open" in one]
    joined = [one["value"] for one in steps if one.get("name") == 1] + [one[1] for one in opened.get("opts", [])]
    assert set(joined) >= {1, 5}


def test_digits_and_standard_input_and_output() -> None:
    body = b"02 08 80 fe 01 00 00 00  08 00 02 00 7f 00 00 01\n"
    out, _ = nlemu("convert", "-", "-", "--to", "jsonl", "--type", "newaddr", given=body)
    first, opened, *_ = [json.loads(line) for line in out.splitlines()]
    assert first["captured"] is True and opened["proto"] == 0
    header = "20000000" "1400" "0000" "00000000" "00000000"
    assert opened["got"] == {"told-0-init": [header + body.decode().replace(" ", "").strip()]}


def test_mistakes(tmp_path: Path) -> None:
    assert "in which format?" in nlemu("convert", CAPTURES / "lease.pcap", tmp_path / "it.txt", code=2)[1]
    assert "No such file" in nlemu("convert", tmp_path / "nothing", tmp_path / "it.pcap", code=2)[1]
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((CAPTURES / "lease.pcap").read_bytes()[:2000])
    assert "the file ends in" in nlemu("convert", cut, tmp_path / "it.pcapng", code=1)[1]
    assert datagrams(tmp_path / "it.pcapng")
