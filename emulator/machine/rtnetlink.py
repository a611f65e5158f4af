"""rtnetlink: from a message to the function for its type (rtnetlink_rcv_msg()).

Message types come in blocks of four, new, delete, get, set, and the place in the block says what a request may do: all
but get want CAP_NET_ADMIN, and only get can be a dump. Headers and attributes are parsed by the handlers, because
rtnetlink does it differently from message to message, strictly or liberally as the socket asks.
"""

from __future__ import annotations

import errno

from nlemu.emulator.machine.answer import answer, answered
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.dump import Dump
from nlemu.protocol.families.route.family import route
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTM_MAX

DUMP = int(NLM_F.DUMP)
BULK = int(NLM_F.BULK)
GET, DEL = 2, 1  # enum rtnl_kinds: the place in the block of four


def receive(call: Call) -> Dump | None:
    """One rtnetlink request. Replies are queued; a dump is returned. Raises Refusal."""
    if call.type > RTM_MAX:
        raise Refusal(errno.EOPNOTSUPP)
    if len(call.message) < 17:  # not even a family: nothing is done, and that is a success
        return None
    kind = call.type & 3
    if kind != GET and not call.ns_capable():
        raise Refusal(errno.EPERM)
    op = route.operations.get(call.type)
    if kind == GET and call.flags & DUMP:
        if op is None or op.dump is None:
            raise Refusal(errno.EOPNOTSUPP)
        call.op = op
        call.endpoint.check_no_dump()
        return answer(call, op.dump, dump=True)
    if op is None or op.do is None:
        raise Refusal(errno.EOPNOTSUPP)
    call.op = op
    if kind == DEL and call.flags & BULK and answered(op, call.message[16]):
        raise Refusal(errno.EOPNOTSUPP, "Bulk delete is not supported")
    return answer(call, op.do, dump=False)
