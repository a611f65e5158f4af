"""The last step of a request that was let in: its handler is called, and what it returns is sent."""

from __future__ import annotations

from nlemu.emulator.handlers import doits, dumpits
from nlemu.emulator.netlink.by_family import answered
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.dump import Dump
from nlemu.protocol.schema.family import Half

__all__ = ["answer", "answered"]


def answer(call: Call, half: Half, dump: bool) -> Dump | None:
    """Calls the handler of ``call.op``. The reply of a doit is queued; a dump is returned. Raises Refusal."""
    faults = call.machine.faults
    if faults:
        faults.refuse(call)
    if dump:
        messages = dumpits[call.op](call)
        begun = messages if isinstance(messages, Dump) else Dump(call, messages, done_apart=half.done_apart)
        if faults:
            faults.interrupt(begun)
        return begun
    body = doits[call.op](call)
    if body is not None:
        call.endpoint.deliver(call.encode(body))
    return None
