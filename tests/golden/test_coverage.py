"""Every declared command has a handler, and a recorded trace that asks for it."""

from collections.abc import Iterator

import pytest

from fixtures import traces
from nlemu.emulator.handlers import doits, dumpits
from nlemu.emulator.script import trace as tape
from nlemu.protocol.families import REGISTERED
from nlemu.protocol.families.route.family import route
from nlemu.protocol.frame import GENERIC, split
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkProtocol

DECLARED = [op for family in (*REGISTERED, route) for op in family.operations.values()]
NUMBERS = {"nlctrl": 16, "netdev": 20, "ethtool": 21}

# Commands without a trace that asks for them, each with the reason.
UNRECORDED: dict[str, str] = {}


def asked() -> Iterator[tuple[str, int]]:
    """Every command that a recorded trace asks for, as its family and number."""
    for path in traces():
        trace = tape.read(path)
        protocols = {step.subject: step["proto"] for step in trace.steps if step.verb == "open"}
        families = {number: name for name, number in {**NUMBERS, **trace.header.families}.items()}
        for step in trace.steps:
            if step.verb != "send":
                continue
            for header, message in split(bytes.fromhex(step["hex"])):
                if not header.flags & NLM_F.REQUEST:
                    continue
                if protocols[step.subject] == NetlinkProtocol.ROUTE:
                    yield "route", header.type
                elif len(message) >= 20 and header.type in families:
                    yield families[header.type], GENERIC.unpack_from(message, 16)[0]


ASKED = set(asked())


def test_all_handlers_are_of_declared_operations() -> None:
    assert set(doits) | set(dumpits) <= set(DECLARED)


@pytest.mark.parametrize("op", DECLARED, ids=repr)
def test_it_has_a_handler(op: Operation) -> None:
    assert (op.do is None) == (op not in doits)
    assert (op.dump is None) == (op not in dumpits)


@pytest.mark.parametrize("op", DECLARED, ids=repr)
def test_it_has_a_trace(op: Operation) -> None:
    recorded = (op.family.name, op.cmd) in ASKED
    why = "recorded after all" if recorded else "no trace asks for it"
    assert recorded != (repr(op) in UNRECORDED), f"{op!r}: {why}"
