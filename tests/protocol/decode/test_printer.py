"""The printer: names instead of numbers, whatever the bytes.

What the recorded kernel sent is decoded without a rest: no attribute without a name, nothing odd, nothing left over.
Anything else is decoded too, and never raises.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import traces
from nlemu.emulator.script import trace
from nlemu.protocol.decode.facts import facts
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import decode, describe, one_line, text
from nlemu.protocol.decode.tree import Node
from nlemu.protocol.families.netdev import QUEUE_CREATE, QUEUE_GET, Lease, Queue, QueueId
from nlemu.protocol.families.route.link import GETLINK, NEWLINK, Link
from nlemu.protocol.frame import message, split
from nlemu.protocol.names.known import Families, numbered, route
from nlemu.protocol.uapi.netdev import QueueType
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_HDRLEN, NlmsgType

GENERIC, ROUTE = 16, 0
NETDEV = 20
LEASED = {
    Queue.id: 15, Queue.type: QueueType.RX, Queue.ifindex: 2,
    Queue.lease: {Lease.queue: {QueueId.id: 1, QueueId.type: QueueType.RX}, Lease.ifindex: 3, Lease.netns_id: 0},
}
TOLD = {
    "id": 15, "type": "rx", "ifindex": 2, "lease": {"queue": {"id": 1, "type": "rx"}, "ifindex": 3, "netns-id": 0},
}


def reply(body: bytes, *, flags: int = 0, kind: int = NETDEV) -> bytes:
    return message(kind, flags, 3, 1000, body)


def create(values: object = None, flags: int = int(NLM_F.REQUEST | NLM_F.ACK)) -> bytes:
    """A queue-create, with the attributes of LEASED."""
    return message(NETDEV, flags, 7, 0, QUEUE_CREATE.head + Queue.spec.layout.encode(LEASED))


def error(request: bytes, number: int, told: bytes = b"", flags: int = 0) -> bytes:
    return message(2, flags, 7, 1000, struct.pack("<i", -number) + request + told)


# -- values ---------------------------------------------------------------------------------------------


def test_a_reply() -> None:
    assert decode(reply(QUEUE_GET.body(LEASED)), GENERIC) == {
        "type": "netdev", "flags": [], "seq": 3, "port": 1000, "op": "queue-get", "version": 1, "attributes": TOLD,
    }


def test_a_request() -> None:
    told = decode(create(), GENERIC)
    assert told["flags"] == ["request", "ack"] and told["op"] == "queue-create"
    assert told["attributes"] == TOLD


def test_flags_of_values_are_lists_and_unknown_bits_are_kept() -> None:
    body = (
        struct.pack("<BBH", 1, 1, 0)
        + struct.pack("<HHI", 8, 1, 2)
        + struct.pack("<HHQ", 12, 3, 0b11 | 1 << 40)
    )
    assert decode(reply(body), GENERIC)["attributes"] == {
        "ifindex": 2,
        "xdp-features": ["basic", "redirect", hex(1 << 40)],
    }


def test_an_attribute_that_nobody_declared() -> None:
    body = struct.pack("<BBH", 10, 1, 0) + struct.pack("<HHI", 8, 1234, 0x04030201)
    assert decode(reply(body), GENERIC)["attributes"] == {1234: "01020304"}
    assert any("unknown" in line and "[1234]: 01020304" in line for line in describe(reply(body), GENERIC))


def test_an_enum_without_a_name_stays_a_number() -> None:
    body = struct.pack("<BBH", 10, 1, 0) + struct.pack("<HHI", 8, 3, 9)
    assert decode(reply(body), GENERIC)["attributes"] == {"type": 9}


def test_what_stands_several_times_is_a_list() -> None:
    one = struct.pack("<HH", 12, 2 | 0x8000) + struct.pack("<HHI", 8, 1, 5)
    body = struct.pack("<BBH", 13, 1, 0) + one
    assert decode(reply(body), GENERIC)["attributes"] == {"queues": [{"id": 5}]}
    assert decode(reply(body + one), GENERIC)["attributes"] == {"queues": [{"id": 5}, {"id": 5}]}


def test_a_link_with_its_structure_and_addresses() -> None:
    assert NEWLINK.fixed is not None
    fixed = NEWLINK.fixed.encode({"index": 4, "type": 1, "flags": 0x1003})
    body = NEWLINK.body({Link.ifname: "nk0", Link.address: bytes.fromhex("020000000001")}, fixed)
    told = decode(message(16, 0, 0, 0, body), ROUTE)
    assert told["type"] == "newlink"
    assert told["header"]["ifi-index"] == 4
    assert told["header"]["ifi-type"] == "ether"
    assert told["header"]["ifi-flags"] == ["up", "broadcast", "multicast"]
    assert told["attributes"] == {"ifname": "nk0", "address": "02:00:00:00:00:01"}


def test_high_flags_mean_what_the_message_makes_of_them() -> None:
    flags = int(NLM_F.REQUEST | 0x600)
    assert decode(message(16, flags, 1, 0, bytes(16)), ROUTE)["flags"] == ["request", "excl", "create"]
    assert decode(message(18, int(NLM_F.REQUEST | NLM_F.DUMP), 1, 0, bytes(16)), ROUTE)["flags"] == [
        "request",
        "dump",
    ]
    assert decode(message(17, int(NLM_F.REQUEST | 0x200), 1, 0, bytes(16)), ROUTE)["flags"] == [
        "request",
        "bulk",
    ]
    assert decode(message(2, 0x300, 1, 0, bytes(20)), ROUTE)["flags"] == ["capped", "ack-tlvs"]


def test_families_are_the_callers() -> None:
    body = QUEUE_GET.body(LEASED)
    assert decode(reply(body, kind=99), GENERIC)["type"] == 99
    assert decode(reply(body, kind=99), GENERIC, {99: QUEUE_GET.family})["attributes"] == TOLD


# -- errors ---------------------------------------------------------------------------------------------


def offset_of(request: bytes, *names: str) -> int:
    """Where an attribute's header stands in a request."""
    nodes = read(request, GENERIC).attributes
    node: Node | None = None
    for name in names:
        node = next(one for one in nodes if one.name == name)
        nodes = node.children
    assert node is not None
    return node.start - 4


def test_an_errors_offset_is_resolved_to_a_path() -> None:
    request = create()
    told = struct.pack("<HH5s3x", 9, 1, b"busy\0") + struct.pack(
        "<HHI", 8, 2, offset_of(request, "lease", "queue", "id")
    )
    whole = decode(error(request, 16, told, flags=0x200), GENERIC)
    assert whole["errno"] == "EBUSY"
    assert whole["extack"] == {"msg": "busy", "bad-attr": ".lease.queue.id"}
    assert whole["request"]["attributes"] == TOLD
    capped = error(request[:16], 16, told, flags=0x300)
    assert decode(capped, GENERIC)["extack"] == {
        "msg": "busy",
        "offs": offset_of(request, "lease", "queue", "id"),
    }
    assert decode(capped, GENERIC, request=request)["extack"]["bad-attr"] == ".lease.queue.id"


def test_a_missing_attribute_is_named_in_its_nest() -> None:
    request = create()
    at_the_top = struct.pack("<HHI", 8, 5, 2)
    assert decode(error(request, 22, at_the_top, 0x200), GENERIC)["extack"] == {"missing": ".ifindex"}
    inside = struct.pack("<HHI", 8, 5, 3) + struct.pack("<HHI", 8, 6, offset_of(request, "lease"))
    assert decode(error(request, 22, inside, 0x200), GENERIC)["extack"] == {"missing": ".lease.netns-id"}


def test_the_lines_of_an_error() -> None:
    request = create()
    told = struct.pack("<HH5s3x", 9, 1, b"busy\0") + struct.pack("<HHI", 8, 2, offset_of(request, "lease"))
    assert describe(error(request[:16], 16, told, 0x300), GENERIC, None, {7: request}) == [
        "error EBUSY: Device or resource busy   (seq 7, port 1000, capped ack-tlvs)",
        "    msg: busy",
        "    bad-attr: .lease",
        "    to netdev queue-create request   (seq 7, port 0, request ack)",
    ]


def test_an_ack_and_a_done() -> None:
    assert decode(error(create()[:16], 0, flags=0x100), GENERIC)["errno"] is None
    assert describe(message(3, 2, 7, 1000, bytes(4)), GENERIC) == ["done   (seq 7, port 1000, multi)"]


# -- text -----------------------------------------------------------------------------------------------


def test_lines_of_a_reply() -> None:
    assert describe(reply(QUEUE_GET.body(LEASED)), GENERIC) == [
        "netdev queue-get reply   (seq 3, port 1000)",
        "    id: 15",
        "    type: rx",
        "    ifindex: 2",
        "    lease: {queue: {id: 1, type: rx}, ifindex: 3, netns-id: 0}",
    ]


def test_what_is_odd_is_said() -> None:
    nest_without_flag = reply(QUEUE_GET.body(LEASED)).replace(
        struct.pack("<H", 8 | 0x8000), struct.pack("<H", 8)
    )
    assert any("not flagged as nested" in line for line in describe(nest_without_flag, GENERIC))
    body = struct.pack("<BBH", 10, 1, 0)
    short = reply(body + struct.pack("<HHH2x", 6, 1, 5))
    assert "    id: 0500  (2 bytes where u32 belongs)" in describe(short, GENERIC)
    assert "    then 0102" in describe(reply(body + b"\1\2"), GENERIC)
    padding = reply(struct.pack("<BBH", 3, 2, 0) + struct.pack("<HH3sB", 7, 2, b"ab\0", 9), kind=16)
    assert "    family-name: ab  (padding 09)" in describe(padding, GENERIC)


def test_several_messages_in_a_datagram() -> None:
    lines = describe(create() + reply(QUEUE_GET.body(LEASED)) + b"\1\2\3", GENERIC)
    assert [line.split("   (")[0] for line in lines if not line.startswith(" ")] == [
        "netdev queue-create request",
        "netdev queue-get reply",
        "3 bytes that are no message: 010203",
    ]


@pytest.mark.parametrize("value", ["", " x", "line\nbreak", "\x00"])
def test_a_text_that_would_not_show_is_quoted(value: str) -> None:
    assert text(value) == repr(value)


# -- facts ----------------------------------------------------------------------------------------------


def test_facts_stand_where_their_bytes_are() -> None:
    datagram = reply(QUEUE_GET.body(LEASED))
    found = {fact.path: fact for fact in facts(datagram, GENERIC)}
    assert found[".lease.queue.id"].text == "1"
    fact = found[".lease.netns-id"]
    assert datagram[fact.start : fact.end] == bytes(4)
    assert [fact.start for fact in facts(datagram, GENERIC)] == sorted(fact.start for fact in found.values())


# -- the recorded kernel --------------------------------------------------------------------------------


def datagrams() -> Iterator[tuple[str, bytes, int, Families]]:
    """Every datagram that the recorded kernels sent, once, and the numbers of families there."""
    seen = set()
    for path in traces():
        protocols = {}
        recorded = trace.read(path)
        families = numbered(recorded.header.families)
        for step in recorded.steps:
            if step.verb == "open":
                protocols[step.subject] = step["proto"]
            for socket, received in step.got.items():
                for pattern in received:
                    if not pattern.startswith("!") and pattern not in seen:
                        seen.add(pattern)
                        yield path.stem, trace.open_bytes(pattern)[0], protocols[socket], families


RECORDED = list(datagrams())
DECLARED = {command & ~3 for command in route().operations}
"""The blocks of rtnetlink's messages that are declared; a message of another is not looked into."""


def walk(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from walk(node.children)


def test_everything_recorded_is_decoded_without_a_rest() -> None:
    complaints = []
    for name, datagram, protocol, families in RECORDED:
        if protocol not in (ROUTE, GENERIC):
            continue  # of other protocols only the headers are read, and uevents have none
        assert sum(header.length + 3 & ~3 for header, _ in split(datagram)) == len(datagram)
        for header, one in split(datagram):
            told = read(one, protocol, families=families)
            if header.type == NlmsgType.DONE and not one[NLMSG_HDRLEN:]:
                continue  # teams end their answers so
            if told.op is None and told.errno is None:
                if protocol != ROUTE or header.type & ~3 in DECLARED:
                    complaints.append(f"{name}: type {header.type}, command {told.command}")
                continue
            if told.rest:
                complaints.append(f"{name}: {told.op}: then {told.rest.hex()}")
            for node in walk(told.attributes):
                if node.form == "unknown":
                    complaints.append(f"{name}: {told.op}: unknown {node.number}")
                if node.notes:
                    complaints.append(f"{name}: {told.op}: {node.name} {node.notes}")
    assert sorted(set(complaints)) == []


def test_every_recorded_datagram_is_told_in_lines_and_facts() -> None:
    for _, datagram, protocol, families in RECORDED:
        assert describe(datagram, protocol, families=families)
        assert facts(datagram, protocol)


# -- anything else --------------------------------------------------------------------------------------


@given(st.binary(max_size=200), st.sampled_from([0, 2, 16]))
def test_no_bytes_are_too_strange(data: bytes, protocol: int) -> None:
    describe(data, protocol)
    decode(data, protocol)
    facts(data, protocol)


@given(
    st.sampled_from([2, 3, 16, 20, 21]), st.integers(0, 0xFFFF), st.integers(0, 60),
    st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.binary(max_size=40)), max_size=6), st.binary(max_size=3),
)
def test_no_attributes_are_too_strange(
    kind: int, flags: int, command: int, attributes: list[tuple[int, bool, bytes]], rest: bytes
) -> None:
    body = struct.pack("<BBH", command, 1, 0)
    for number, nested, payload in attributes:
        header = struct.pack("<HH", 4 + len(payload), number | nested << 15)
        body += header + payload + bytes(-len(payload) % 4)
    datagram = message(kind, flags, 1, 2, body + rest)
    describe(datagram, GENERIC, None, {1: datagram})
    decode(datagram, GENERIC)
    facts(datagram, GENERIC)


@given(st.sampled_from(RECORDED), st.data())
def test_nothing_that_was_recorded_can_be_spoilt(
    recorded: tuple[str, bytes, int, Families], data: st.DataObject
) -> None:
    _, datagram, protocol, _ = recorded
    spoilt = bytearray(datagram)
    for at in data.draw(st.lists(st.integers(0, len(spoilt) - 1), max_size=8)):
        spoilt[at] = data.draw(st.integers(0, 255))
    cut = bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))])
    describe(cut, protocol)
    decode(cut, protocol)
    facts(cut, protocol)


def test_what_differs_in_bytes_differs_in_facts() -> None:
    """A changed byte that is part of no length is a fact that changed."""
    datagram = reply(QUEUE_GET.body(LEASED))
    before = facts(datagram, GENERIC)
    for at in range(8, len(datagram)):
        changed = bytearray(datagram)
        changed[at] ^= 1
        assert facts(bytes(changed), GENERIC) != before, f"byte {at}"


def test_the_operations_of_both_directions_are_found() -> None:
    request = message(18, int(NLM_F.REQUEST), 1, 0, bytes(16))
    assert read(request, ROUTE).op is GETLINK
    assert read(message(16, 0, 1, 0, bytes(16)), ROUTE).op is NEWLINK


def test_a_line_says_zero_where_a_message_says_it() -> None:
    """Queue 0 is a queue; the zeros of a link's many attributes are not worth their room."""
    families = numbered({"netdev": NETDEV})
    assert one_line(read(reply(QUEUE_GET.body({Queue.id: 0, Queue.ifindex: 2})), GENERIC, families)).endswith(
        "id: 0, ifindex: 2"
    )
    link = bytes(16) + b"".join(struct.pack("<HHI", 8, kind, 0) for kind in range(30, 40))
    assert "num-tx-queues" not in one_line(read(message(16, 0, 7, 0, link), ROUTE))
