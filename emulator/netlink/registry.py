"""Who answers what: each half of each declared operation has one function.

A doit takes the call and returns the reply: values for the operation's layout, a body that is encoded already, or
None where the kernel sends no reply. A dumpit takes the call and returns an iterator of fills, one a message. What
raises while the dumpit itself is called is an error before the dump began (NLMSG_ERROR); what raises while it is
iterated ends the dump (NLMSG_DONE): so most dumpits are generators, whose bodies run later. A dumpit that has more to
say of its dump than its messages returns the Dump itself.
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


def doit(op: Operation) -> Callable[[Doit], Doit]:
    """Makes a function the one that answers a request to do."""

    def register(function: Doit) -> Doit:
        assert op.do is not None and op not in doits
        doits[op] = function
        return function

    return register


def dumpit(op: Operation) -> Callable[[Dumpit], Dumpit]:
    """Makes a function the one that answers a request to dump."""

    def register(function: Dumpit) -> Dumpit:
        assert op.dump is not None and op not in dumpits
        dumpits[op] = function
        return function

    return register
