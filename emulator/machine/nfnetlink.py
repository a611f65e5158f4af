"""NETLINK_NETFILTER: from a datagram to the subsystem for each message, alone or in a batch (nfnetlink_rcv()).

A batch is a datagram between a beginning and an end: its messages are for one subsystem, are all looked at whatever
becomes of those before, and take effect together or not at all. What came of each is told when all is over.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers import load
from nlemu.emulator.machine import answer
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.parse import parse_message
from nlemu.emulator.netlink.protocol import KernelSocket
from nlemu.emulator.netlink.registry import doits, dumpits
from nlemu.protocol.families.netfilter import BATCH, BATCHED, HEADER, Batch, netfilter
from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_MIN_TYPE
from nlemu.protocol.uapi.nfnetlink import (
    NFNL_MSG_BATCH_BEGIN,
    NFNL_MSG_BATCH_END,
    NFNL_SUBSYS_COUNT,
    NfnlGroup,
    Subsys,
)

if TYPE_CHECKING:
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.family import Operation

load("netfilter")

REQUEST, ACK, DUMP = int(NLM_F.REQUEST), int(NLM_F.ACK), int(NLM_F.DUMP)
LEAST = HEADER_SIZE + (HEADER.size or 0)
OPTIONS = {
    Subsys.CTNETLINK: "NF_CT_NETLINK", Subsys.CTNETLINK_EXP: "NF_CT_NETLINK", Subsys.QUEUE: "NETFILTER_NETLINK_QUEUE",
    Subsys.ULOG: "NETFILTER_NETLINK_LOG", Subsys.IPSET: "IP_SET", Subsys.ACCT: "NETFILTER_NETLINK_ACCT",
    Subsys.NFTABLES: "NF_TABLES", Subsys.HOOK: "NETFILTER_NETLINK_HOOK",
}
"""Of each subsystem, the option."""
GENERATION = 1


def receive(endpoint: Endpoint, datagram: bytes) -> None:
    """nfnetlink_rcv(): one datagram. All of it wants CAP_NET_ADMIN."""
    if len(datagram) < HEADER_SIZE:
        return
    length, kind, *_ = NLMSGHDR.unpack_from(datagram)
    if length < HEADER_SIZE or len(datagram) < length:
        return
    if not endpoint.credentials.net_admin:
        endpoint.acknowledge(_call(endpoint, datagram, 0), errno.EPERM)
    elif kind == NFNL_MSG_BATCH_BEGIN:
        _receive_batch(endpoint, datagram)
    else:
        endpoint.process(datagram)


def _call(endpoint: Endpoint, datagram: bytes, at: int) -> Call:
    length, kind, flags, seq, _ = NLMSGHDR.unpack_from(datagram, at)
    return Call(endpoint, datagram[at : at + length], kind, flags, seq)


def has(machine: Machine, subsys: int) -> bool:
    """nfnetlink_get_subsys()."""
    option = OPTIONS.get(Subsys(subsys)) if subsys in tuple(Subsys) else None
    return option is not None and machine.build.has(option)


def receive_message(call: Call) -> Dump | None:
    """nfnetlink_rcv_msg(): one message outside of a batch. Replies are queued; a dump is returned. Raises Refusal."""
    if len(call.message) < LEAST:
        return None
    op = _operation(call)
    half = op.do or op.dump
    assert half is not None
    parse_message(call, HEADER, half.accepts)
    if op in BATCHED:
        raise Refusal(errno.EINVAL)
    if op.dump is not None and (call.flags & DUMP or op.do is None):
        dump = answer.dump(call, op.dump, dumpits[op])
        call.endpoint.check_no_dump()
        return dump
    _answer(call, op)
    return None


def _operation(call: Call) -> Operation:
    op = netfilter.operations.get(call.type)
    if op is None or not has(call.machine, call.type >> 8):
        raise Refusal(errno.EINVAL)
    call.op = op
    return op


def _answer(call: Call, op: Operation) -> None:
    if op not in doits:
        call.machine.refuse_not_emulated(f"netfilter {op.name}")
    answer.do(call, doits[op])


# Batches


def _receive_batch(endpoint: Endpoint, datagram: bytes) -> None:
    """nfnetlink_rcv_skb_batch(), nfnetlink_rcv_batch()."""
    begin = _call(endpoint, datagram, 0)
    if len(datagram) < LEAST:
        return
    try:
        parse_message(begin, HEADER, BATCH)
    except Refusal as refusal:
        begin.extack.text = None
        endpoint.acknowledge(begin, refusal.errno)
        return
    begin.extack.text = None
    res_id = begin.fixed.res_id
    if res_id == Subsys.NFTABLES << 8:  # old programs have it in the order of their own bytes
        res_id = int(Subsys.NFTABLES)
    failed = _check_begin(begin, res_id)
    if failed:
        endpoint.acknowledge(begin, failed)
        return
    told: list[tuple[Call, int]] = [(begin, 0)] if begin.flags & ACK else []
    if not _walk(endpoint, datagram, len(begin.message) + 3 & ~3, res_id, told):
        told.clear()
    for call, number in told:
        endpoint.acknowledge(call, number)


def _check_begin(begin: Call, subsys: int) -> int:
    """Whether a batch may begin: an errno, or 0. Only nftables has batches."""
    if subsys >= NFNL_SUBSYS_COUNT:
        return errno.EINVAL
    if subsys != Subsys.NFTABLES or not has(begin.machine, subsys):
        return errno.EOPNOTSUPP
    generation = begin.attrs.get(Batch.genid, 0)
    return 0 if generation in (0, GENERATION) else errno.ERESTART


def _walk(endpoint: Endpoint, datagram: bytes, at: int, subsys: int, told: list[tuple[Call, int]]) -> bool:
    """The messages of a batch, and what is to be told of each. False when the batch is malformed, and nothing is."""
    succeeded = True
    while len(datagram) - at >= HEADER_SIZE:
        length, kind, flags, *_ = NLMSGHDR.unpack_from(datagram, at)
        if length < LEAST or length > len(datagram) - at:
            return False
        call = _call(endpoint, datagram, at)
        failed = 0
        if not flags & REQUEST:
            failed = errno.EINVAL
        elif kind == NFNL_MSG_BATCH_BEGIN:
            return False
        elif kind == NFNL_MSG_BATCH_END:
            if succeeded and flags & ACK:
                told.append((call, 0))
            return True
        elif kind < NLMSG_MIN_TYPE or kind >> 8 != subsys:
            failed = errno.EINVAL
        else:
            failed = _take(call)
        if failed or flags & ACK:
            told.append((call, failed))
        succeeded = succeeded and not failed
        at += length + 3 & ~3
    return True


def _take(call: Call) -> int:
    """One message of a batch: an errno, or 0."""
    try:
        op = _operation(call)
        if op not in BATCHED:
            raise Refusal(errno.EINVAL)
        assert op.do is not None
        parse_message(call, HEADER, op.do.accepts)
        _answer(call, op)
    except Refusal as refusal:
        call.extack.merge(refusal)
        return refusal.errno
    return 0


KERNEL = KernelSocket(groups=max(NfnlGroup), receive=receive_message, receive_datagram=receive)
