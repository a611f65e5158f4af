"""Every declared command has a handler, and a recorded trace that asks for it."""

from collections.abc import Iterator

import pytest

from fixtures import traces
from nlemu.emulator.machine.protocols import PROTOCOLS
from nlemu.emulator.netlink.registry import doits, doits_of, dumpits, dumpits_of
from nlemu.emulator.script import trace as tape
from nlemu.protocol.families.messages import messages
from nlemu.protocol.families.registered import REGISTERED
from nlemu.protocol.frame import GENERIC, split
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkProtocol

for protocol in PROTOCOLS:
    assert protocol.kernel, "its handlers are there from now on"

route = messages()["route"]
OTHERS = {
    NetlinkProtocol[name.upper()]: family for name, family in messages().items() if family is not route
}
"""Protocols whose messages are declared like rtnetlink's."""
DECLARED = [op for family in (*REGISTERED, route, *OTHERS.values()) for op in family.operations.values()]
NUMBERS = {"nlctrl": 16, "netdev": 20, "ethtool": 21}

NOT_EMULATED = {
    *(f"xfrm.{name}" for name in (
        "newsa", "newpolicy", "allocspi", "acquire", "expire", "updpolicy", "updsa", "polexpire", "migrate",
        "setdefault", "migrate-state",
    )),
    *(f"netfilter.{name}" for name in (
        "ct-new", "exp-new", "acct-new", "ipset-create", "ipset-add", "ipset-del", "ipset-test", "ipset-type",
        "nft-newtable", "nft-newchain", "nft-newrule", "nft-newset", "nft-newsetelem", "nft-newobj", "nft-newflowtable",
    )),
}
"""Commands that are declared so that a request is read as the kernel reads it, and then refused as not ours."""

# Commands without a trace that asks for them, each with the reason.
UNRECORDED: dict[str, str] = {"netfilter.nft-getgen": "it tells the process id and the name of who asks"}


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
                elif protocols[step.subject] in OTHERS:
                    yield OTHERS[protocols[step.subject]].name, header.type
                elif (
                    protocols[step.subject] == NetlinkProtocol.GENERIC
                    and len(message) >= 20
                    and header.type in families
                ):
                    yield families[header.type], GENERIC.unpack_from(message, 16)[0]


ASKED = set(asked())


def test_all_handlers_are_of_declared_operations() -> None:
    assert set(doits) | set(dumpits) | {op for op, _ in (*doits_of, *dumpits_of)} <= set(DECLARED)


@pytest.mark.parametrize("op", [op for op in DECLARED if not op.registered], ids=repr)
def test_it_has_a_handler(op: Operation) -> None:
    if repr(op) in NOT_EMULATED:
        assert op not in doits and op not in dumpits, "emulated after all"
        return
    assert (op.do is None) == (op not in doits)
    assert (op.dump is None) == (op not in dumpits)


@pytest.mark.parametrize("op", [op for op in DECLARED if op.registered], ids=repr)
def test_it_has_a_handler_for_each_protocol_family(op: Operation) -> None:
    for family, registered in op.registered.items():
        assert (registered.do is None) == ((op, family) not in doits_of)
        dumps = registered.dump
        assert (dumps is None or bool(dumps.every)) == ((op, family) not in dumpits_of)
    assert {family for one, family in (*doits_of, *dumpits_of) if one is op} <= set(op.registered)


@pytest.mark.parametrize("op", DECLARED, ids=repr)
def test_it_has_a_trace(op: Operation) -> None:
    recorded = (op.family.name, op.cmd) in ASKED
    why = "recorded after all" if recorded else "no trace asks for it"
    assert recorded != (repr(op) in UNRECORDED) or repr(op) in NOT_EMULATED, f"{op!r}: {why}"
