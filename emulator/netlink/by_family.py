"""One message type, several protocol families: rtnl_get_link() and rtnl_dump_all() of net/core/rtnetlink.c.

The first byte of a request says which family it is for. Who answers is registered by message type and family; what a
family does not answer falls back to those registered for no family at all (PF_UNSPEC), and for some messages that is
all families, one after the other.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from nlemu.emulator.netlink.call import Body, Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.schema.kinds import Structure
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.wire.validate import validate

Doit = Callable[[Call], Body | None]
Dumpit = Callable[[Call], Dump]
Walk = Callable[[Call], Messages]

HEADER = 16  # struct nlmsghdr
UNSPEC = 0
_doits: dict[Operation, dict[int, Doit]] = {}
_dumpits: dict[Operation, dict[int, Dumpit]] = {}


def family_of(call: Call) -> int:
    """rtnl_msg_family()."""
    return call.message[HEADER]


def doit_of(op: Operation, family: int) -> Callable[[Doit], Doit]:
    """Makes a function the one that answers a request to do, of that family."""

    def register(function: Doit) -> Doit:
        if op not in _doits:
            _doits[op] = {}
            doit(op)(lambda call: _do(op, call))
        _doits[op][family] = function
        return function

    return register


def dumpit_of(op: Operation, family: int) -> Callable[[Dumpit], Dumpit]:
    """Makes a function the one that answers a request to dump, of that family."""

    def register(function: Dumpit) -> Dumpit:
        if op not in _dumpits:
            _dumpits[op] = {}
            dumpit(op)(lambda call: _dump(op, call))
        _dumpits[op][family] = function
        return function

    return register


def answered(op: Operation, family: int) -> bool:
    """Whether a request to do is answered by somebody (rtnl_get_link())."""
    known = _doits.get(op)
    return known is None or family in known or UNSPEC in known


def _do(op: Operation, call: Call) -> Body | None:
    known = _doits[op]
    function = known.get(family_of(call)) or known.get(UNSPEC)
    if function is None:
        raise Refusal(errno.EOPNOTSUPP)
    return function(call)


def _dump(op: Operation, call: Call) -> Dump:
    known = _dumpits[op]
    function = known.get(family_of(call)) or known.get(UNSPEC)
    if function is None:
        raise Refusal(errno.EOPNOTSUPP)
    return function(call)


def dump_all(walks: dict[int, Walk]) -> Dumpit:
    """rtnl_dump_all(): the dumps of all families in one; what the first one refuses ends it. Its DONE stands apart."""

    def every(call: Call) -> Messages:
        for walk in walks.values():
            yield from walk(call)

    return lambda call: Dump(call, every(call), done_apart=True)


def parse(call: Call, header: Structure, policy: Policy, level: int = LIBERAL) -> Attrs:
    """nlmsg_parse_deprecated(), or a stricter one: header and attributes, which the call keeps too. EINVAL, and
    what the policy refuses."""
    message = call.message
    start, end = HEADER + (header.size or 0), len(message)
    if end < start:
        raise Refusal(errno.EINVAL, "Invalid header length")
    call.fixed = header.decode(message, HEADER, start)
    call.attrs = Attrs(message, validate(policy, message, start, end, level, call.extack), start, end)
    return call.attrs


def header_of(call: Call, header: Structure, complaint: str) -> Any:
    """nlmsg_payload(): the structure that the request begins with; EINVAL with that text if it is cut short."""
    start = HEADER + (header.size or 0)
    if len(call.message) < start:
        raise Refusal(errno.EINVAL, complaint)
    return header.decode(call.message, HEADER, start)
