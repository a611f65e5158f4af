"""Who answers what: each half of each declared operation has one function.

A doit takes the call and returns the reply: values for the operation's layout, a body that is encoded already, or
None where the kernel sends no reply. A dumpit takes the call and returns an iterator of fills, one a message. What
raises while the dumpit itself is called is an error before the dump began (NLMSG_ERROR); what raises while it is
iterated ends the dump (NLMSG_DONE): so most dumpits are generators, whose bodies run later. A dumpit that has more to
say of its dump than its messages returns the Dump itself.

An operation of rtnetlink has such functions for each protocol family that it is registered for: `doit_of(NEWADDR,
AF_INET)`, `dumpit_of(GETADDR, AF_INET)`.
"""

from __future__ import annotations

from collections.abc import Callable

from nlemu.emulator.netlink.call import Body, Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.protocol.schema.family import Operation

Doit = Callable[[Call], Body | None]
Dumpit = Callable[[Call], Messages | Dump]

doits: dict[Operation, Doit] = {}
dumpits: dict[Operation, Dumpit] = {}
doits_of: dict[tuple[Operation, int], Doit] = {}
dumpits_of: dict[tuple[Operation, int], Dumpit] = {}
"""Of rtnetlink, by operation and protocol family."""


def doit(op: Operation) -> Callable[[Doit], Doit]:
    """Makes a function the one that answers a request to do."""

    def register(function: Doit) -> Doit:
        assert op.do is not None and not op.registered and op not in doits
        doits[op] = function
        return function

    return register


def dumpit(op: Operation) -> Callable[[Dumpit], Dumpit]:
    """Makes a function the one that answers a request to dump."""

    def register(function: Dumpit) -> Dumpit:
        assert op.dump is not None and not op.registered and op not in dumpits
        dumpits[op] = function
        return function

    return register


def doit_of(op: Operation, family: int) -> Callable[[Doit], Doit]:
    """Makes a function the one that answers a request of that protocol family to do."""

    def register(function: Doit) -> Doit:
        assert op.registered[family].do is not None and (op, family) not in doits_of
        doits_of[op, family] = function
        return function

    return register


def dumpit_of(op: Operation, family: int) -> Callable[[Dumpit], Dumpit]:
    """Makes a function the one that answers a request of that protocol family to dump."""

    def register(function: Dumpit) -> Dumpit:
        assert op.registered[family].dump is not None and (op, family) not in dumpits_of
        dumpits_of[op, family] = function
        return function

    return register
