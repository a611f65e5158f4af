"""strace: sockets, options, and messages put together again from what it wrote."""

from __future__ import annotations

from typing import Any

import pytest

from nlemu.protocol.captures import strace_values
from nlemu.protocol.captures.events import Act, Datagram, Unread, Way
from nlemu.protocol.decode.printer import decode
from nlemu.protocol.frame import split
from tests.protocol.captures.files import CAPTURES, datagrams, read

RAW = (CAPTURES / "ip.strace").read_bytes()
DECODED = (CAPTURES / "ip-decoded.strace").read_bytes()
PROCESSES = (CAPTURES / "processes.strace").read_bytes()
ETHTOOL = (CAPTURES / "ethtool.strace").read_bytes()


def test_sockets_and_what_was_asked_of_them() -> None:
    acts = [(one.verb, one.socket, dict(one.fields)) for one in read(RAW) if isinstance(one, Act)]
    assert acts == [
        ("open", "s1", {"proto": 0}),
        ("opt", "s1", {"name": 11, "value": 1}),
        ("port", "s1", {"port": 75}),
        ("opt", "s1", {"name": 12, "value": 1}),
        ("open", "s2", {"proto": 0}),
        ("opt", "s2", {"name": 11, "value": 1}),
        ("port", "s2", {"port": 2594706258}),
    ]


def test_what_strace_took_apart_is_put_together() -> None:
    """Both files are of one program on one kernel: the same messages but for the port ids."""
    for content in (RAW, DECODED):
        found = datagrams(content)
        assert [(one.socket, one.way, len(one.data)) for one in found] == [
            ("s2", Way.TO_KERNEL, 48), ("s2", Way.TO_USER, 872), ("s1", Way.TO_KERNEL, 48), ("s1", Way.TO_USER, 872),
        ]
        assert not any(one.cut for one in found)
    one, other = ([event.data for event in datagrams(content)] for content in (RAW, DECODED))
    assert [data[:12] + data[16:] for data in one] == [data[:12] + data[16:] for data in other]
    told = decode(one[1], 0)
    assert told["attributes"]["linkinfo"] == {
        "kind": "netkit",
        "data": {
            "primary": 1, "policy": "forward", "mode": "l2", "headroom": 0, "tailroom": 0, "pairing": "single",
        },
    }
    assert told["attributes"]["af-spec"]["inet6"]["conf"]["hoplimit"] == 64


def test_it_is_the_message_that_a_capture_of_the_same_boot_has() -> None:
    """lease.pcap saw the same program on the same boot: its last reply is this, but for index, port and sequence."""
    seen = datagrams((CAPTURES / "lease.pcap").read_bytes())[-1].data
    put = datagrams(DECODED)[-1].data
    assert (seen[:4], len(seen)) == (put[:4], len(put))
    assert seen[16:20] + seen[24:] == put[16:20] + put[24:]


def test_the_name_of_an_index_is_told() -> None:
    """The traced machine knew the index, strace wrote the name it has."""
    said = [one for one in read(RAW) if isinstance(one, Unread)]
    assert [(one.place, one.reason) for one in said] == [
        ("line 16", "strace wrote the name nk for an index; 1001 stands for it here"),
    ]


def test_generic_netlink_and_the_family_s_name() -> None:
    found = datagrams(ETHTOOL)
    assert [(one.way is Way.TO_KERNEL, len(one.data), one.data[4]) for one in found] == [
        (True, 32, 16), (False, 1116, 16), (False, 36, 2), (True, 36, 21), (False, 148, 21), (False, 36, 2),
    ]


def test_processes_parts_of_calls_and_refusals() -> None:
    """A child has the parent's socket, under whatever number; a call in two parts counts once; of what was left out
    nothing is made up. (The file is written by hand.)"""
    events = read(PROCESSES)
    assert [type(one).__name__ for one in events] == [
        "Act", "Act", "Act", "Datagram", "Datagram", "Unread", "Datagram", "Act",
    ]
    assert [one.fields for one in events if isinstance(one, Act)][1:3] == [
        {"name": 1, "value": 1}, {"name": 1, "value": 5},
    ]
    asked, told, refused = (one for one in events if isinstance(one, Datagram))
    assert asked.data.hex() == "1800000016000103050000000000000002000000" + "00000000"
    assert {one.socket for one in (asked, told, refused)} == {"s1"}
    assert decode(told.data, 0)["attributes"]["local"] == "127.0.0.1"
    assert decode(told.data, 0)["attributes"]["label"] == "lo"
    assert decode(refused.data, 0)["errno"] == "EPERM"
    unread = next(one for one in events if isinstance(one, Unread))
    assert unread.reason == "sendmsg() of 32 bytes: strace left fields of a structure out (-v makes it write all)"


@pytest.mark.parametrize("text", ["{a=", "[1, ", '"abc', "f(1", "{a=1 b=2}", "[" * 100])
def test_values_that_break_off(text: str) -> None:
    with pytest.raises(ValueError):
        strace_values.read(text)


def test_values() -> None:
    text = r'{a=1|X, b=[0x2 /* Y */, 1<<3], c="\x00a"..., d=f("x", 2), e=02:00:00:00:00:01, ...}, NULL)'
    (structure, null), end = strace_values.read(text)
    assert end == len(text) - 1
    assert structure["a"].parts == ("1", "X")
    assert [one.text for one in structure["b"]] == ["0x2", "1<<3"]
    assert structure["c"] == strace_values.Text(b"\0a", True)
    assert structure["d"].name == "f" and structure["d"].arguments[0].data == b"x"
    assert structure["e"].data == bytes.fromhex("020000000001")
    assert null.text == "NULL"


SS = (CAPTURES / "ss.strace").read_bytes()
SS_DECODED = (CAPTURES / "ss-decoded.strace").read_bytes()


def is_of(header: dict[str, Any], family: str, state: str) -> bool:
    """Whether a message is about a socket of that family in that state."""
    return (header.get("family"), header.get("state")) == (family, state)


def test_sockets_of_every_family_that_ss_lists() -> None:
    """`ss -aemi`, which asks for every family: strace knows five of them, and writes bytes of the others."""
    found = datagrams(SS)
    assert not [one for one in read(SS) if isinstance(one, Unread)]
    told = [decode(data, 4) for one in found if one.way is Way.TO_USER for _, data in split(one.data)]
    headers = [one["header"] for one in told if one.get("header")]
    assert {one["family"] for one in headers} == {"inet", "inet6", "unix", "packet", 16}
    def socket(family: str, state: str) -> dict[str, Any]:
        return next(one for one in told if is_of(one.get("header") or {}, family, state))

    listening = socket("inet", "listen")
    assert listening["header"]["id"]["sport"] == 7773 and listening["header"]["id"]["src"] == "127.0.0.1"
    assert listening["attributes"]["sockopt"] == ["is-icsk", "mc-loop", "mc-all"]
    six = socket("inet6", "established")
    assert six["header"]["id"]["src"] == six["header"]["id"]["dst"] == "::1"
    assert six["attributes"]["info"]["wscale"] and six["attributes"]["cong"]
    assert socket("unix", "listen")["attributes"]["name"] == "@nlemu"


def test_what_strace_takes_apart_of_sockets_says_the_same_without_its_bytes() -> None:
    """The other was made without -v and -xx: only what ends in the middle of a string is lost, and that is said."""
    lost = [one for one in read(SS_DECODED) if isinstance(one, Unread)]
    assert {one.reason.partition(": ")[2] for one in lost} == {
        "strace wrote only the beginning of a string (-s 100000 makes it write all)"
    }
    assert all(one.way is Way.TO_USER and one.socket for one in lost)
    asked = [[one.data for one in datagrams(data) if one.way is Way.TO_KERNEL] for data in (SS, SS_DECODED)]
    assert asked[0] == asked[1] and len(asked[0]) == 15


def test_a_message_whose_attributes_are_in_other_buffers() -> None:
    """ss asks for MPTCP with an attribute of its own: 72 bytes, and 8 behind them."""
    assert [one.data.hex()[-16:] for one in datagrams(SS) if one.way is Way.TO_KERNEL][-1] == "0800030006010000"


def test_the_first_line_of_a_trace_with_a_long_environment() -> None:
    first = b'7 execve("\\x2f\\x73\\x73", ["\\x73\\x73"], ["' + b"\\x41" * 5000 + b'"]) = 0\n'
    assert read(first + RAW) and [type(one) for one in read(first + RAW)] == [type(one) for one in read(RAW)]
