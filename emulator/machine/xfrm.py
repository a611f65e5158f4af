"""NETLINK_XFRM: from a message to the function for its type (xfrm_user_rcv_msg())."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers import load
from nlemu.emulator.machine import answer
from nlemu.emulator.netlink.parse import parse_message
from nlemu.emulator.netlink.protocol import KernelSocket
from nlemu.emulator.netlink.registry import doits, dumpits
from nlemu.protocol.families.xfrm import TAKEN, UNASKED, Xfrma, xfrm
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.xfrm import XFRM_MSG_MAX, XfrmGroup, XfrmMsg

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump

load("xfrm")

DUMP = int(NLM_F.DUMP)
OF_NEW_STATES = frozenset({XfrmMsg.NEWSA, XfrmMsg.UPDSA, XfrmMsg.ALLOCSPI})
ONLY_FOR = (
    (Xfrma.sa_dir, "Invalid attribute SA_DIR", OF_NEW_STATES),
    (Xfrma.sa_pcpu, "Invalid attribute SA_PCPU", OF_NEW_STATES | {XfrmMsg.ACQUIRE}),
)
"""xfrm_reject_unused_attr(): attributes with the messages that may hold them, and what is said of all others."""
OF_MIGRATION = frozenset({
    Xfrma.mark, Xfrma.encap, Xfrma.offload_dev, Xfrma.set_mark, Xfrma.set_mark_mask, Xfrma.mtimer_thresh,
    Xfrma.nat_keepalive_interval,
})
"""What XFRM_MSG_MIGRATE_STATE may hold."""


def receive(call: Call) -> Dump | None:
    """One XFRM request; all of them want CAP_NET_ADMIN. Replies are queued; a dump is returned. Raises Refusal."""
    if call.type > XFRM_MSG_MAX:
        raise Refusal(errno.EINVAL)
    if not call.ns_capable():
        raise Refusal(errno.EPERM)
    op = xfrm.operations.get(call.type)
    if op is not None and op.dump is not None and call.flags & DUMP:
        call.op = op
        call.endpoint.check_no_dump()
        return answer.dump(call, op.dump, dumpits[op])
    if op is None or op.do is None:
        parse_message(call, UNASKED[XfrmMsg(call.type)], TAKEN)
        reject_unused(call)
        raise Refusal(errno.EINVAL)
    call.op = op
    parse_message(call, op.fixed, op.do.accepts, op.do.level)
    if op.do.accepts is TAKEN:
        reject_unused(call)
    if op not in doits:
        call.machine.refuse_not_emulated(f"xfrm {op.name}")
    answer.do(call, doits[op])
    return None


def reject_unused(call: Call) -> None:
    """xfrm_reject_unused_attr(): EINVAL."""
    for attr, text, messages in ONLY_FOR:
        if attr in call.attrs and call.type not in messages:
            raise Refusal(errno.EINVAL, text)
    if call.type == XfrmMsg.MIGRATE_STATE:
        for attr in Xfrma.spec.by_number.values():
            if attr in call.attrs and attr not in OF_MIGRATION:
                text = "Unsupported attribute in XFRM_MSG_MIGRATE_STATE"
                raise Refusal(errno.EINVAL, text, at=call.attrs.offset(attr))


KERNEL = KernelSocket(groups=max(XfrmGroup), receive=receive)
