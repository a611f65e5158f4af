"""What a case begins from: every different request of the recorded traces."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from fixtures import traces
from nlemu.emulator.script import trace as tape
from nlemu.protocol.frame import HEADER_SIZE, message, split

GENERIC = 16
NLCTRL = 0x10
"""GENL_ID_CTRL"""


class Asked(NamedTuple):
    """A request. kind, flags: of its header, or of generic netlink the family's name; body: what follows the header."""

    protocol: int
    kind: int | str
    flags: int
    body: bytes

    def message(self, numbers: Mapping[str, int], seq: int, body: bytes | bytearray | None = None) -> bytes:
        """It, as it is sent where families have those numbers (one that has none is nlctrl's), with another body where
        one is given."""
        kind = numbers.get(self.kind, NLCTRL) if isinstance(self.kind, str) else self.kind
        return message(kind, self.flags, seq, 0, self.body if body is None else bytes(body))


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
            for header, data in split(bytes.fromhex(step["hex"])):
                protocol = protocols[step.subject]
                kind = families.get(header.type, header.type) if protocol == GENERIC else header.type
                found[Asked(protocol, kind, header.flags, data[HEADER_SIZE:])] = None
    return tuple(found)
