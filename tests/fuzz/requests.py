"""What a case begins from: every different request of the recorded traces."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from fixtures import traces
from nlemu.emulator.script import trace as tape
from nlemu.protocol.frame import HEADER_SIZE, split

GENERIC = 16


class Asked(NamedTuple):
    """A request. kind, flags: of its header, or of generic netlink the family's name; body: what follows the header."""

    protocol: int
    kind: int | str
    flags: int
    body: bytes


@cache
def asked() -> tuple[Asked, ...]:
    """All of them, in an order that does not change as long as the traces do not."""
    found: dict[Asked, None] = {}
    for path in traces():
        trace = tape.read(path)
        protocols = {step.subject: step["proto"] for step in trace.steps if step.verb == "open"}
        families = {number: name for name, number in trace.header.families.items()}
        for step in trace.steps:
            if step.verb != "send":
                continue
            for header, message in split(bytes.fromhex(step["hex"])):
                protocol = protocols[step.subject]
                kind = families.get(header.type, header.type) if protocol == GENERIC else header.type
                found[Asked(protocol, kind, header.flags, message[HEADER_SIZE:])] = None
    return tuple(found)
