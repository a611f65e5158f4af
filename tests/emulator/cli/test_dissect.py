"""`nlemu dissect`: what it says of real captures, of parts of them, and of what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlemu.emulator.cli import main

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
LEASE = str(CAPTURES / "lease.pcap")


def dissect(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    assert main(["dissect", *arguments]) == code
    return capsys.readouterr().out.splitlines()


def test_a_line_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    """The creation of a lease: the family's number is what nlctrl told in frame 12."""
    lines = dissect(capsys, "--brief", "--command", "queue-create", LEASE)
    assert [line.split(maxsplit=2)[2] for line in lines] == [
        "8.628062 > 0/27297 netdev queue-create request  "
        "ifindex: 4, type: rx, lease: {ifindex: 3, queue: {type: rx, id: 2}}",
        "8.629144 < 63/27297 netdev queue-create reply  id: 1",
        "8.629209 < 63/27297 ack to netdev queue-create request",
        "11.474864 > 0/6807 netdev queue-create request  "
        "ifindex: 4, type: rx, lease: {ifindex: 3, queue: {type: rx, id: 2}}",
        "11.475130 < 64/6807 error EBUSY: Device or resource busy to netdev queue-create request  "
        "msg: Device queue in use due to queue leasing",
    ]


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    lines = dissect(capsys, "--errno", "EBUSY", LEASE)
    assert lines[:5] == [
        "frame 21, to a program, 11.475130 s, answers frame 20 after 0.266 ms",
        "error EBUSY: Device or resource busy   (seq 6807, port 64, capped ack-tlvs)",
        "    msg: Device queue in use due to queue leasing",
        "    to netdev queue-create request   (seq 6807, port 0, request ack)",
        "",
    ]


def test_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Every message has a number; replies tell the request's, and how long it took."""
    found = [json.loads(line) for line in dissect(capsys, "--json", LEASE)]
    assert [one["number"] for one in found] == list(range(1, len(found) + 1))
    by_number = {one["number"]: one for one in found}
    error = next(one for one in found if one["kind"] == "failed")
    assert error["message"]["errno"] == "EBUSY"
    assert error["after"] == 266_000
    asked = by_number[error["answers"]]
    assert (asked["kind"], asked["message"]["op"]) == ("request", "queue-create")
    assert error["time"] - asked["time"] == error["after"]
    assert {one["kind"] for one in found} == {"request", "reply", "failed"}


def test_devices_are_known_by_the_names_that_the_capture_tells(capsys: pytest.CaptureFixture[str]) -> None:
    """nk has index 4; that is what netdev's messages say."""
    by_name = dissect(capsys, "--brief", "--device", "nk", "--family", "netdev", LEASE)
    by_index = dissect(capsys, "--brief", "--device", "4", "--family", "netdev", LEASE)
    assert by_name == by_index
    assert any("queue-get" in line for line in by_name)
    assert not dissect(capsys, "--brief", "--device", "nk1", LEASE)


def test_requests_are_paired_within_a_socket(capsys: pytest.CaptureFixture[str]) -> None:
    """Every `ip` on little-dude's machine began its sequence numbers at the same second."""
    capture = str(CAPTURES / "public/little-dude-rtnetlink.pcap.gz")
    found = [json.loads(line) for line in dissect(capsys, "--json", capture)]
    by_number = {one["number"]: one for one in found}
    replies = [one for one in found if one["kind"] == "reply"]
    assert len(replies) > 500
    for one in replies:
        asked = by_number[one["answers"]]["message"]
        if one["message"]["type"] not in ("done", "error"):
            assert one["message"]["type"].replace("new", "get") == asked["type"]
        assert one["message"]["seq"] == asked["seq"]


def test_bodies_of_messages_from_a_source_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An array of a Rust library's tests, from behind the message's header."""
    file = tmp_path / "ipv4.rs"
    file.write_text("let raw = vec![\n    0x02, 0x08, 0x80, 0xfe, 0x01, 0x00, 0x00, 0x00, // header\n"
                    "    0x08, 0x00, 0x02, 0x00, 0x7f, 0x00, 0x00, 0x01,\n];\n")
    lines = dissect(capsys, "--type", "newaddr", str(file))
    assert lines == [
        "line 2, to a program", "newaddr notification   (seq 0, port 0)",
        "    header",
        "        ifa-family: inet, ifa-prefixlen: 8, ifa-flags: [permanent], ifa-scope: host, ifa-index: 1",
        "    local: 127.0.0.1", "",
    ]


def test_the_number_of_a_family_can_be_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "hex"
    file.write_text("1c 00 00 00 14 00 05 00 01 00 00 00 00 00 00 00 01 01 00 00 08 00 01 00 03 00 00 00")
    unknown = dissect(capsys, "--brief", "--protocol", "generic", str(file))
    assert "type 20 command 1 request" in unknown[0]
    known = dissect(capsys, "--brief", "--protocol", "generic", "--number", "netdev=20", str(file))
    assert "netdev dev-get request  ifindex: 3" in known[0]


def test_our_own_traces(capsys: pytest.CaptureFixture[str]) -> None:
    (trace,) = CAPTURES.parent.glob("traces/n01_*.jsonl")
    lines = dissect(capsys, "--brief", str(trace))
    assert lines[:3] == [
        "    line 3  > 0/1 netdev dev-get request  ifindex: 1",
        "    line 3  < 1000/1 netdev dev-get reply  ifindex: 1",
        "    line 3  < 1000/1 ack to netdev dev-get request",
    ]


def test_a_capture_that_breaks_off_is_shown_as_far_as_it_goes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "short.pcap"
    file.write_bytes(Path(LEASE).read_bytes()[:300])
    assert main(["dissect", "--brief", str(file)]) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert said.err == f"nlemu dissect: {file}: byte 124: the file ends in frame 2, after 176 of 952 bytes\n"


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["/nowhere"], "/nowhere: No such file or directory"),
        ([LEASE, "--errno", "EWHAT"], "EWHAT is the name of no errno"),
        ([LEASE, "--type", "newlunk"], "no type of message is called 'newlunk'; newlink is one, and 16 its number"),
        ([LEASE, "--number", "netdev"], "--number takes NAME=NUMBER, as netdev=20, and not 'netdev'"),
        (["/dev/null"], "/dev/null: empty"),
    ],
)
def test_what_cannot_be_read_at_all(capsys: pytest.CaptureFixture[str], arguments: list[str], text: str) -> None:
    assert main(["dissect", *arguments]) == 2
    assert capsys.readouterr().err == f"nlemu dissect: {text}\n"


def test_uevents_are_text(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "hex"
    file.write_text(b"add@/devices/virtual/net/nk0\0ACTION=add\0IFINDEX=4\0".hex())
    assert dissect(capsys, "--protocol", "uevent", str(file)) == [
        "line 1, to a program", "uevent add@/devices/virtual/net/nk0", "    ACTION=add", "    IFINDEX=4", "",
    ]
    (line,) = dissect(capsys, "--brief", "--protocol", "uevent", "--family", "uevent", str(file))
    assert line.split()[2:] == ["<", "uevent", "add@/devices/virtual/net/nk0", "ACTION:", "add,", "IFINDEX:", "4"]
    (one,) = (json.loads(line) for line in dissect(capsys, "--json", "--protocol", "uevent", str(file)))
    assert one["uevent"]["variables"] == {"ACTION": "add", "IFINDEX": "4"}
