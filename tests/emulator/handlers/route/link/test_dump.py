"""Dumps of links that change while they are told."""

from __future__ import annotations

import struct

from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.netlink.dump import GOODSIZE
from nlemu.protocol.frame import split
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTM
from tests.emulator.handlers.route_requests import DUMP, REQUEST, ask, drain, link, new_link, route_socket

DUMP_INTR = int(NLM_F.DUMP_INTR)
INDEX = struct.Struct("<4xi")


def told(datagrams: list[bytes]) -> list[tuple[int, bool]]:
    """The links of a dump: index, and whether the message says that the dump is inconsistent."""
    return [
        (INDEX.unpack_from(whole, 16)[0], bool(header.flags & DUMP_INTR))
        for datagram in datagrams
        for header, whole in split(datagram)
        if header.type == RTM.NEWLINK
    ]


def begin(endpoint: Endpoint) -> bytes:
    """Asks for all links and reads the first datagram."""
    endpoint.send(link(RTM.GETLINK, flags=REQUEST | DUMP))
    first = endpoint.receive(GOODSIZE)
    assert first is not None and len(first) <= GOODSIZE
    return first


def test_a_dump_says_that_it_was_interrupted() -> None:
    machine = Machine()
    endpoint, other = route_socket(machine), route_socket(machine)
    for number in range(9):
        new_link(other, f"d{number}")
    first = begin(endpoint)
    # One datagram waits already; what was made after it is seen in the next.
    new_link(other, "late")
    rest = drain(endpoint, GOODSIZE)
    assert [index for index, _ in told([first, *rest])] == list(range(1, 12))
    assert not any(interrupted for _, interrupted in told([first, rest[0]]))
    assert next(interrupted for _, interrupted in told([rest[1]]))


def test_links_that_go_meanwhile_are_not_told() -> None:
    machine = Machine()
    endpoint, other = route_socket(machine), route_socket(machine)
    indexes = [new_link(other, f"d{number}") for number in range(9)]
    first = begin(endpoint)
    for index in indexes[4:8]:
        ask(other, link(RTM.DELLINK, index=index))
    rest = drain(endpoint, GOODSIZE)
    seen = [index for index, _ in told([first, *rest])]
    assert indexes[8] in seen and not set(indexes[5:8]) & set(seen)


def test_the_done_stands_in_a_datagram_of_its_own() -> None:
    machine = Machine()
    datagrams = ask(route_socket(machine), link(RTM.GETLINK, flags=REQUEST | DUMP))
    assert [len(list(split(datagram))) for datagram in datagrams] == [1, 1]
    assert len(datagrams[-1]) == 20
