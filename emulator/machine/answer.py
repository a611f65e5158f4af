"""The last step of a request that was let in: its handler is called, and what it returns is sent."""

from __future__ import annotations

from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import Doit, Dumpit
from nlemu.protocol.schema.family import Half

__all__ = ["do", "dump"]


def do(call: Call, doit: Doit) -> None:
    """Calls the handler of ``call.op``, and queues its reply. Raises Refusal."""
    faults = call.machine.faults
    if faults:
        faults.refuse(call)
    body = doit(call)
    if body is not None:
        call.endpoint.deliver(call.encode(body))


def dump(call: Call, half: Half, dumpit: Dumpit) -> Dump:
    """Begins the dump of ``call.op``. Raises Refusal."""
    faults = call.machine.faults
    if faults:
        faults.refuse(call)
    messages = dumpit(call)
    begun = messages if isinstance(messages, Dump) else Dump(call, messages, done_apart=half.done_apart)
    if faults:
        faults.follow(begun)
    return begun
