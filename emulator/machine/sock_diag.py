"""NETLINK_SOCK_DIAG: from a message to the function for its type (sock_diag_rcv_msg())."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers import load
from nlemu.emulator.machine import answer
from nlemu.emulator.netlink.protocol import KernelSocket
from nlemu.emulator.netlink.registry import doits, dumpits
from nlemu.protocol.families.sock_diag import sock_diag
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.sock_diag import SockDiagGroup

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump

load("sock_diag")

DUMP = int(NLM_F.DUMP)


def receive(call: Call) -> Dump | None:
    """One request; it wants no capability. Replies are queued; a dump is returned. Raises Refusal."""
    op = sock_diag.operations.get(call.type)
    if op is None:
        raise Refusal(errno.EINVAL)
    call.op = op
    if op.dump is not None and call.flags & DUMP:
        dump = answer.dump(call, op.dump, dumpits[op])
        call.endpoint.check_no_dump()
        return dump
    answer.do(call, doits[op])
    return None


KERNEL = KernelSocket(groups=max(SockDiagGroup), receive=receive)
