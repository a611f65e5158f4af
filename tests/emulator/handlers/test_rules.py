"""What is told of rules with numbers at their ends; the soak found one (tests/soak)."""

from __future__ import annotations

import pytest

from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.frame import message
from nlemu.protocol.schema.attributes import pack
from nlemu.protocol.uapi.rtnetlink import RTM
from tests.emulator.handlers.route_requests import ACK, CREATE_NEW, DUMP, REQUEST, route_socket

HEADER = bytes((2, 0, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0))
PRIORITY, SUPPRESS_IFGROUP, SUPPRESS_PREFIXLEN = 6, 13, 14


@pytest.mark.parametrize("attribute", [SUPPRESS_IFGROUP, SUPPRESS_PREFIXLEN])
@pytest.mark.parametrize("number", [0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE])
def test_what_is_suppressed_is_a_number_with_a_sign_and_told_without_one(attribute: int, number: int) -> None:
    machine = Machine()
    sock = route_socket(machine)
    told = pack(attribute, number.to_bytes(4, "little"))
    sock.send(message(RTM.NEWRULE, CREATE_NEW | ACK, 1, 0, HEADER + pack(PRIORITY, b"\x07\0\0\0") + told))
    answer = sock.receive()
    assert answer is not None and answer[16:20] == bytes(4)
    sock.send(message(RTM.GETRULE, REQUEST | DUMP, 2, 0, HEADER))
    dump = sock.receive()
    assert dump is not None and told in dump
    assert not machine.bugs
