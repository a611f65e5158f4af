"""The client's side: requests from names and values, replies to names and values."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import traces
from nlemu.emulator.script import trace
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import PLAIN, decode
from nlemu.protocol.decode.tree import Node
from nlemu.protocol.encode.conversation import Conversation, NlError, specification, specifications
from nlemu.protocol.encode.request import BadValue, encode
from nlemu.protocol.families.netdev import DEV_ADD_NTF, QUEUE_CREATE, QUEUE_GET, Dev, Queue
from nlemu.protocol.frame import message, split
from nlemu.protocol.names.known import recorded_machine, route
from nlemu.protocol.names.words import address, address_bytes
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netdev import QueueType
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.wire.acks import ack, done
from nlemu.protocol.wire.extack import Extack

GENERIC, ROUTE, NETDEV = 16, 0, 20
LEASE = {
    "ifindex": 3,
    "type": "rx",
    "lease": {"ifindex": 2, "queue": {"id": 15, "type": "rx"}, "netns-id": 0},
}


def asked(family: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    """What a request of those values says, read back."""
    known = specification(family)
    data = encode(known.operation(name), values, number=NETDEV, seq=1)
    return decode(data, known.protocol, {NETDEV: known.family})


# -- requests -------------------------------------------------------------------------------------------


def test_a_request_says_what_was_asked() -> None:
    told = asked("netdev", "queue-create", LEASE)
    assert told["op"] == "queue-create" and told["flags"] == ["request", "ack"]
    assert told["attributes"] == LEASE
    assert list(told["attributes"]) == list(LEASE)


def test_the_bytes_of_a_request() -> None:
    data = encode(QUEUE_CREATE, {"type": 0, "ifindex": 3, "lease": {}}, number=NETDEV, seq=9)
    assert data == message(
        NETDEV, 5, 9, 0, struct.pack("<BBH", 16, 1, 0) + struct.pack("<HHIHHIHH", 8, 3, 0, 8, 2, 3, 4, 0x8008)
    )


def test_attributes_keep_the_order_in_which_they_are_given() -> None:
    one = encode(QUEUE_GET, {"id": 1, "ifindex": 2}, number=NETDEV, seq=1)
    other = encode(QUEUE_GET, {"ifindex": 2, "id": 1}, number=NETDEV, seq=1)
    assert one != other and len(one) == len(other)


def test_numbers_names_and_digits_are_the_same_value() -> None:
    for value in (1, "1", "0x1", "tx"):
        assert asked("netdev", "queue-get", {"type": value})["attributes"] == {"type": "tx"}


def test_flags_are_names_a_name_or_a_number() -> None:
    for value in (["basic", "redirect"], 3, "3"):
        told = asked("netdev", "dev-get", {"xdp-features": value})["attributes"]
        assert told == {"xdp-features": ["basic", "redirect"]}
    assert asked("netdev", "dev-get", {"xdp-features": "basic"})["attributes"] == {"xdp-features": ["basic"]}


def test_what_may_stand_several_times_is_a_list_or_one() -> None:
    two = asked("netdev", "bind-rx", {"queues": [{"id": 1}, {"id": 2}]})
    assert two["attributes"] == {"queues": [{"id": 1}, {"id": 2}]}
    assert asked("netdev", "bind-rx", {"queues": {"id": 1}})["attributes"] == {"queues": [{"id": 1}]}


def test_a_link_with_its_structure_its_kind_and_its_peer() -> None:
    values = {
        "ifi-flags": ["up"], "ifi-change": 1, "ifname": "nk0", "address": "02:00:00:00:00:01",
        "linkinfo": {
            "kind": "netkit",
            "data": {"mode": "l3", "policy": "blackhole", "peer-info": {"ifi-index": 7, "ifname": "nk1"}},
        },
    }
    told = asked("rt-link", "newlink", values)
    assert told["header"]["ifi-flags"] == ["up"] and told["header"]["ifi-change"] == 1
    assert told["attributes"]["address"] == "02:00:00:00:00:01"
    data = told["attributes"]["linkinfo"]["data"]
    assert data["mode"] == "l3" and data["policy"] == "blackhole"
    assert data["peer-info"]["ifi-index"] == 7 and data["peer-info"]["ifname"] == "nk1"


def test_names_of_the_header_do_as_well_as_those_of_the_specification() -> None:
    for name in ("forward", "pass"):
        values = {"linkinfo": {"kind": "netkit", "data": {"policy": name}}}
        assert asked("rt-link", "newlink", values)["attributes"]["linkinfo"]["data"] == {"policy": "forward"}


@pytest.mark.parametrize(
    ("family", "name", "values", "words"),
    [
        ("netdev", "queue-get", {"ifindx": 1}, ("queue-get", "ifindx", "ifindex")),
        ("netdev", "queue-get", {"ifindex": "eth0"}, ("ifindex", "number from 0 to 4294967295", "'eth0'")),
        ("netdev", "queue-get", {"ifindex": -1}, ("ifindex", "-1")),
        ("netdev", "queue-get", {"ifindex": 1 << 32}, ("ifindex", "4294967295")),
        ("netdev", "queue-get", {"ifindex": None}, ("ifindex", "None")),
        ("netdev", "queue-get", {"ifindex": [1]}, ("ifindex", "[1]")),
        ("netdev", "queue-get", {"type": "up"}, ("type", "one of rx, tx")),
        ("netdev", "queue-create", {"lease": 5}, ("lease", "an object", "5")),
        ("netdev", "queue-create", {"lease": {"queue": {"nr": 5}}}, ("lease.queue", "'nr'", "id, type")),
        (
            "netdev",
            "dev-get",
            {"xdp-features": ["basic", "fast"]},
            ("xdp-features", "some of basic", "'fast'"),
        ),
        ("rt-link", "newlink", {"ifi-index": 1 << 40}, ("newlink", "too large")),
        ("rt-link", "newlink", {"address": "zz"}, ("address", "an address or hexadecimal digits")),
        ("rt-link", "newlink", {"ifname": ["a"]}, ("ifname", "a text")),
        ("rt-link", "newlink", {"linkinfo": {"data": {}}}, ("linkinfo.data", "kind", "netkit")),
        ("rt-link", "newlink", {"linkinfo": {"kind": "ovpn", "data": {}}}, ("linkinfo.data", "kind")),
        ("rt-link", "newlink", {"map": {"irqs": 1}}, ("map", "'irqs'", "irq")),
    ],
)
def test_what_cannot_be_written_is_one_line_with_the_attributes_name(
    family: str, name: str, values: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(BadValue) as caught:
        asked(family, name, values)
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line


def test_families_and_operations_that_are_not_there_are_told_with_those_that_are() -> None:
    with pytest.raises(BadValue, match="netdev"):
        specification("netdevv")
    with pytest.raises(BadValue, match="queue-get"):
        specification("netdev").operation("queue-set")
    with pytest.raises(BadValue):
        specification("netdev").operation("dev-add-ntf")


def test_every_declared_operation_is_in_one_specification() -> None:
    of_route = [
        op for known in specifications().values() if known.protocol == ROUTE for op in known.messages.values()
    ]
    assert len(of_route) == len(set(of_route))
    assert set(route().operations.values()) <= set(of_route)
    for family in recorded_machine().values():
        if family.operations:
            assert set(family.operations.values()) <= set(specification(family.name).messages.values())


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["rx", "netkit", "00:11", "1"]),
    lambda inside: st.lists(inside, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["ifindex", "lease", "queue", "id", "type", "queues", "linkinfo", "data", "kind", "peer-info", "address",
             "ifname", "map", "stats64", "af-spec", "inet6", "conf", "token", "ifi-index", "ops", "policy"]
        ),
        inside, max_size=4,
    ),
    max_leaves=12,
), st.data())
def test_any_values_are_written_or_refused(values: Any, data: st.DataObject) -> None:
    known = data.draw(st.sampled_from(list(specifications().values())))
    op = data.draw(st.sampled_from(list(known.operations.values()))) if known.operations else None
    if op is None or not isinstance(values, dict):
        return
    try:
        written = encode(op, values, number=NETDEV, seq=1)
    except BadValue as error:
        assert "\n" not in str(error)
    else:
        ((_, one),) = split(written)
        assert one == written


def requests() -> Iterator[tuple[str, bytes, int]]:
    """Every request of the recorded traces."""
    for path in traces():
        protocols = {}
        for step in trace.read(path).steps:
            if step.verb == "open":
                protocols[step.subject] = step["proto"]
            elif step.verb == "send" and not step.get("patch_fd"):
                for _, one in split(bytes.fromhex(step["hex"])):
                    yield path.stem, one, protocols[step.subject]


def test_what_the_printer_reads_of_a_request_can_be_written_again() -> None:
    """Every well-formed request of the traces: decoded, built again, and decoded to the same."""
    count = 0
    for name, data, protocol in requests():
        told = read(data, protocol)
        if (
            told.op is None
            or protocol not in (ROUTE, GENERIC)  # of others no requests are written
            or not told.is_request
            or told.rest
            or not all(map(plain, repeated(told.attributes)))
            or (protocol == ROUTE and told.op.cmd != told.header.type)  # of a type that is only ever told
        ):
            continue
        before = decode(data, protocol)
        values = dict(before["attributes"])
        if protocol == ROUTE:
            if values.keys() & before.get("header", {}).keys():
                continue  # a rule's table stands in both, and one name cannot mean two values
            values |= before.get("header", {})
        header = told.header
        again = encode(told.op, values, number=header.type, seq=header.seq, flags=header.flags)
        after = decode(again, protocol)
        for part in ("type", "op", "flags", "attributes", *(["header"] if protocol == ROUTE else [])):
            assert after.get(part) == before.get(part), name
        count += 1
    assert count > 300


def plain(nodes: list[Node]) -> bool:
    """Whether attributes of one name are what their declarations say: known, whole, and as often as they may be."""
    return all(
        node.form != "unknown"
        and not node.notes
        and (len(nodes) == 1 or (node.attr is not None and node.attr.multi))
        and all(map(plain, repeated(node.children)))
        for node in nodes
    )


def repeated(nodes: list[Node]) -> Iterable[list[Node]]:
    found: dict[tuple[str, int], list[Node]] = {}
    for node in nodes:
        found.setdefault((node.name, node.number), []).append(node)
    return found.values()


# -- replies --------------------------------------------------------------------------------------------


def conversation() -> Conversation:
    return Conversation(specification("netdev"), NETDEV)


def refused(request: bytes, refusal: Refusal, *, capped: bool = True) -> bytes:
    extack = Extack()
    extack.merge(refusal)
    return ack(request, 1, 7, refusal.errno, extack, capped=capped, extended=True)


def test_a_reply_and_its_ack() -> None:
    talk = conversation()
    request = talk.ask("queue-get", {"ifindex": 2, "type": "rx", "id": 0})
    body = QUEUE_GET.body({Queue.id: 0, Queue.type: QueueType.RX, Queue.ifindex: 2})
    talk.hear(message(NETDEV, 0, 1, 7, body))
    assert talk.requests and request.replies == [{"id": 0, "type": "rx", "ifindex": 2}]
    talk.hear(ack(request.data, 1, 7, 0, Extack(), capped=True, extended=True))
    assert request.done and request.error is None and not talk.requests


def test_a_dump_in_two_datagrams() -> None:
    talk = conversation()
    request = talk.ask("queue-get", {"ifindex": 2}, dump=True)
    assert decode(request.data, GENERIC)["flags"] == ["request", "ack", "dump"]
    for index in range(2):
        body = QUEUE_GET.body({Queue.id: index})
        talk.hear(message(NETDEV, int(NLM_F.MULTI), 1, 7, body) * 2)
    talk.hear(done(1, 7, 0, 0, Extack(), extended=True, room=1000))
    assert request.done and request.replies == [{"id": 0}, {"id": 0}, {"id": 1}, {"id": 1}]


def test_a_dump_that_was_interrupted_says_so() -> None:
    talk = conversation()
    request = talk.ask("queue-get", dump=True)
    talk.hear(done(1, 7, int(NLM_F.DUMP_INTR), 0, Extack(), extended=True, room=1000))
    assert request.done and request.interrupted


def test_a_refusal_is_told_as_the_kernels_own_tool_tells_it() -> None:
    talk = conversation()
    request = talk.ask("queue-get", {"ifindex": 0, "type": "rx", "id": 0})
    talk.hear(refused(request.data, Refusal(34, "integer out of range", at=20, policy=Queue.ifindex)))
    assert isinstance(request.error, NlError) and request.error.errno == 34
    assert str(request.error) == (
        "Netlink error: integer out of range: Numerical result out of range "
        "{'policy': {'min-value': 1, 'max-value': 4294967295, 'type': 'u32'}, 'bad-attr': '.ifindex'}"
    )


@pytest.mark.parametrize("capped", [True, False])
def test_what_is_blamed_is_found_in_the_request(capped: bool) -> None:
    talk = conversation()
    request = talk.ask("queue-create", LEASE)
    offset = 20 + 8 + 8 + 4 + 8 + 4  # ifindex, type, the lease's header, its ifindex, the queue's header
    talk.hear(refused(request.data, Refusal(22, at=offset), capped=capped))
    assert request.error is not None and request.error.extack == {"bad-attr": ".lease.queue.id"}
    assert str(request.error) == "Netlink error: Invalid argument {'bad-attr': '.lease.queue.id'}"


def test_what_is_missing_is_named() -> None:
    talk = conversation()
    request = talk.ask("queue-get", {"ifindex": 1, "type": 0})
    talk.hear(refused(request.data, Refusal(22, missing=Queue.id.number)))
    assert str(request.error) == "Netlink error: Invalid argument {'miss-type': 'id'}"


def test_a_warning_does_not_refuse() -> None:
    talk = conversation()
    request = talk.ask("queue-get")
    extack = Extack()
    extack.text = "old"
    talk.hear(ack(request.data, 1, 7, 0, extack, capped=True, extended=True))
    assert request.error is None and request.warning == {"msg": "old"}


def test_news_in_between_are_kept_apart() -> None:
    talk = conversation()
    request = talk.ask("dev-get", {"ifindex": 2})
    talk.hear(message(NETDEV, 0, 0, 0, DEV_ADD_NTF.body({Dev.ifindex: 9, Dev.xdp_features: 1})))
    assert not request.replies
    (news,) = talk.notifications
    assert news.name == "dev-add-ntf" and news.values == {"ifindex": 9, "xdp-features": ["basic"]}


def test_each_request_has_its_own_number() -> None:
    talk = conversation()
    one, other = talk.ask("dev-get"), talk.ask("dev-get")
    talk.hear(ack(other.data, 2, 7, 0, Extack(), capped=True, extended=True))
    assert other.done and not one.done


@given(st.binary(max_size=120))
def test_any_datagram_is_heard(data: bytes) -> None:
    talk = conversation()
    talk.ask("dev-get")
    talk.hear(data)


# -- addresses ------------------------------------------------------------------------------------------


@given(
    st.one_of(
        st.binary(min_size=6, max_size=6),
        st.binary(min_size=4, max_size=4),
        st.binary(min_size=16, max_size=16),
    )
)
def test_addresses_are_read_as_they_are_written(data: bytes) -> None:
    assert address_bytes(address(data)) == data


@pytest.mark.parametrize("text", ["", "1.2.3", "xx:yy", "001", "0:1:2:3:4:fff"])
def test_what_is_no_address(text: str) -> None:
    if text:
        with pytest.raises(ValueError):
            address_bytes(text)
    else:
        assert address_bytes(text) == b""


def test_plain_values_do_not_depend_on_who_reads() -> None:
    node = read(encode(QUEUE_GET, {"type": "tx"}, number=NETDEV, seq=1), GENERIC).attributes[0]
    assert PLAIN.value(node) == "tx"
