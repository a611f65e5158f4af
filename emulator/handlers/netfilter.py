"""NETFILTER of a kernel in which nothing was ever filtered: no connections, queues, logs, sets, accounts or tables.

What asks, deletes or flushes finds nothing, in the words of each subsystem. What would make something has no function
here, and is refused as not emulated by the receiver (emulator/machine/nfnetlink.py).
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.wanted import need
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families import netfilter as nf
from nlemu.protocol.families.netfilter import (
    Acct,
    Chain,
    Ct,
    CtGlobal,
    CtStats,
    Elements,
    Exp,
    ExpStats,
    Flowtable,
    Gen,
    Ipset,
    LogConfig,
    Obj,
    QueueConfig,
    Rule,
    Set,
    Table,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.policy import STRICT
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.nfnetlink import NFNETLINK_V0, NFPROTO_UNSPEC, NftMsg
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.netlink.call import Body, Call, Fill, Messages
    from nlemu.protocol.schema.attributes import Attr
    from nlemu.protocol.schema.family import Operation

MULTI, EXCL, DUMP_FILTERED = int(NLM_F.MULTI), int(NLM_F.EXCL), int(NLM_F.DUMP_FILTERED)
CT_FILTERS = (Ct.mark, Ct.filter, Ct.status, Ct.zone)
"""ctnetlink_needs_filter()."""
ENOTSUPP = 524  # include/linux/errno.h: not meant for user space, which gets it all the same
CT_MAX = 8192
"""nf_conntrack_max of the recorded machine, which has 1 GiB of memory."""
GENERATION = 1
"""nft_base_seq(): grows with every batch that changed something."""
IPSET_PROTOCOL, IPSET_PROTOCOL_MIN = 7, 6
IPSET_ERR_PROTOCOL = 4097
NFQNL_BIND, NFQNL_UNBIND, NFQNL_PF_BIND, NFQNL_PF_UNBIND = 1, 2, 3, 4
NFULNL_BIND, NFULNL_UNBIND, NFULNL_PF_BIND, NFULNL_PF_UNBIND = 1, 2, 3, 4


def head(family: int = 0, res_id: int = 0) -> bytes:
    """struct nfgenmsg of a reply."""
    return nf.HEADER.encode((family, NFNETLINK_V0, res_id))


def nothing(call: Call) -> Messages:
    """A dump of none."""
    return iter(())


def done(call: Call) -> Body | None:
    """All of none are gone."""
    return None


def refuse(number: int) -> Callable[[Call], Body | None]:
    """The request fails whatever it says."""

    def refusing(call: Call) -> Body | None:
        raise Refusal(number)

    return refusing


# Connections and expectations (nf_conntrack_netlink.c)

for _op in (nf.CT_GET_DYING, nf.CT_GET_UNCONFIRMED, nf.EXP_GET):
    dumpit(_op)(nothing)
for _op in (nf.CT_GET_DYING, nf.CT_GET_UNCONFIRMED):
    doit(_op)(refuse(errno.EOPNOTSUPP))
for _op in (nf.CT_GET_STATS_CPU, nf.EXP_GET_STATS_CPU):
    doit(_op)(done)


def _find(call: Call, *tuples: Attr[Any]) -> Body | None:
    """EINVAL without a tuple, else ENOENT: what a tuple holds is not looked at."""
    raise Refusal(errno.ENOENT if any(attr in call.attrs for attr in tuples) else errno.EINVAL)


@dumpit(nf.CT_GET)
@dumpit(nf.CT_GET_CTRZERO)
def dump_conntrack(call: Call) -> Dump:
    """ctnetlink_start(): a family, a mark, a status or tuples make it a filtered one."""
    filtered = call.fixed.family or any(attr in call.attrs for attr in CT_FILTERS)
    return Dump(call, iter(()), answer_flags=DUMP_FILTERED if filtered else 0)


@doit(nf.CT_GET)
@doit(nf.CT_GET_CTRZERO)
def get_conntrack(call: Call) -> Body | None:
    """ctnetlink_get_conntrack()."""
    return _find(call, Ct.tuple_orig, Ct.tuple_reply)


@doit(nf.CT_DELETE)
def del_conntrack(call: Call) -> Body | None:
    """ctnetlink_del_conntrack(): one of them, or all that a filter lets through."""
    if Ct.filter not in call.attrs and (Ct.tuple_orig in call.attrs or Ct.tuple_reply in call.attrs):
        raise Refusal(errno.ENOENT)
    return None


@doit(nf.CT_GET_STATS)
def stat_ct(call: Call) -> Body | None:
    """ctnetlink_stat_ct(): a single message that says it is one of several."""
    body = call.op.body({CtGlobal.entries: 0, CtGlobal.max_entries: CT_MAX}, fixed=head())
    call.endpoint.deliver(call.encode(body, MULTI))
    return None


@dumpit(nf.CT_GET_STATS_CPU)
def stat_ct_cpu(call: Call) -> Messages:
    """ctnetlink_stat_ct_cpu()."""
    yield from _stats_by_cpu(call, CtStats.spec.by_number.values())


@dumpit(nf.EXP_GET_STATS_CPU)
def stat_exp_cpu(call: Call) -> Messages:
    """ctnetlink_stat_exp_cpu()."""
    yield from _stats_by_cpu(call, ExpStats.spec.by_number.values())


def _stats_by_cpu(call: Call, attrs: Any) -> Messages:
    def fill(cpu: int) -> Fill:
        return lambda: call.op.body(dict.fromkeys(attrs, 0), fixed=head(res_id=cpu))

    for cpu in range(call.machine.cpus):
        yield fill(cpu)


@doit(nf.EXP_GET)
def get_expect(call: Call) -> Body | None:
    """ctnetlink_get_expect()."""
    return _find(call, Exp.tuple, Exp.master)


@doit(nf.EXP_DELETE)
def del_expect(call: Call) -> Body | None:
    """ctnetlink_del_expect(): one, those of a helper, or all."""
    if Exp.tuple in call.attrs:
        raise Refusal(errno.ENOENT)
    return None


# Queues and logs (nfnetlink_queue.c, nfnetlink_log.c)

doit(nf.QUEUE_PACKET)(refuse(ENOTSUPP))
doit(nf.LOG_PACKET)(refuse(ENOTSUPP))
doit(nf.QUEUE_VERDICT)(refuse(errno.ENODEV))
doit(nf.QUEUE_VERDICT_BATCH)(refuse(errno.ENODEV))


@doit(nf.QUEUE_CFG)
def configure_queue(call: Call) -> Body | None:
    """nfqnl_recv_config(): ENODEV, for there is no queue; to make one is not emulated."""
    told = call.attrs.get(QueueConfig.cmd)
    command = None if told is None else told.command
    if command in (NFQNL_PF_BIND, NFQNL_PF_UNBIND):
        return None
    if QueueConfig.flags in call.attrs and QueueConfig.mask not in call.attrs:
        raise Refusal(errno.EINVAL)
    if command == NFQNL_BIND:
        call.machine.refuse_not_emulated("netfilter queue-config")
    raise Refusal(errno.ENODEV if command in (None, NFQNL_UNBIND) else errno.EOPNOTSUPP)


@doit(nf.LOG_CFG)
def configure_log(call: Call) -> Body | None:
    """nfulnl_recv_config(): the same for logs."""
    told = call.attrs.get(LogConfig.cmd)
    command = None if told is None else told.command
    if command in (NFULNL_BIND, NFULNL_PF_BIND):
        call.machine.refuse_not_emulated("netfilter log-config")
    if command == NFULNL_PF_UNBIND:
        return None
    raise Refusal(errno.ENODEV if command in (None, NFULNL_UNBIND) else ENOTSUPP)


# Sets (ip_set_core.c)

doit(nf.IPSET_CMD_NONE)(refuse(errno.EOPNOTSUPP))


def _check_protocol(call: Call, *needed: Attr[Any], exactly: bool = False) -> None:
    """protocol_min_failed(), protocol_failed(), and what has to be there."""
    told = call.attrs.get(Ipset.protocol)
    wrong = told is None or (told != IPSET_PROTOCOL if exactly else told < IPSET_PROTOCOL_MIN)
    if wrong or any(attr not in call.attrs for attr in needed):
        raise Refusal(IPSET_ERR_PROTOCOL)


@doit(nf.IPSET_CMD_PROTOCOL)
def ipset_protocol(call: Call) -> Body | None:
    """ip_set_protocol()."""
    if Ipset.protocol not in call.attrs:
        raise Refusal(IPSET_ERR_PROTOCOL)
    told = {Ipset.protocol: IPSET_PROTOCOL, Ipset.protocol_min: IPSET_PROTOCOL_MIN}
    return call.op.body(told, fixed=head(call.fixed.family))


@dumpit(nf.IPSET_CMD_LIST)
@dumpit(nf.IPSET_CMD_SAVE)
def ipset_dump(call: Call) -> Messages:
    """ip_set_dump(), ip_set_dump_start(): attributes are looked at once more, strictly and without a word of what is
    wrong; and who asked for an ack is told twice that there is no such set."""
    _check_protocol(call)
    failed = 0
    try:
        validate(nf.IPSET_DUMP, call.message, call.attrs.start, call.attrs.end, STRICT, Extack())
    except Refusal as refusal:
        failed = refusal.errno
    if not failed and Ipset.setname in call.attrs:
        failed = errno.ENOENT
    if failed:
        if call.flags & NLM_F.ACK:
            call.endpoint.acknowledge(call, failed)
        raise Refusal(failed)
    return iter(())


@doit(nf.IPSET_CMD_DESTROY)
def ipset_destroy(call: Call) -> Body | None:
    """ip_set_destroy(): that one does not exist is no error unless NLM_F_EXCL says so."""
    _check_protocol(call)
    if Ipset.setname in call.attrs and call.flags & EXCL:
        raise Refusal(errno.ENOENT)
    return None


@doit(nf.IPSET_CMD_FLUSH)
def ipset_flush(call: Call) -> Body | None:
    """ip_set_flush()."""
    _check_protocol(call)
    if Ipset.setname in call.attrs:
        raise Refusal(errno.ENOENT)
    return None


@doit(nf.IPSET_CMD_RENAME)
@doit(nf.IPSET_CMD_SWAP)
def ipset_rename(call: Call) -> Body | None:
    """ip_set_rename(), ip_set_swap()."""
    _check_protocol(call, Ipset.setname, Ipset.typename)
    raise Refusal(errno.ENOENT)


@doit(nf.IPSET_CMD_HEADER)
def ipset_header(call: Call) -> Body | None:
    """ip_set_header()."""
    _check_protocol(call, Ipset.setname)
    raise Refusal(errno.ENOENT)


@doit(nf.IPSET_CMD_GET_BYNAME)
def ipset_by_name(call: Call) -> Body | None:
    """ip_set_byname()."""
    _check_protocol(call, Ipset.setname, exactly=True)
    raise Refusal(errno.ENOENT)


@doit(nf.IPSET_CMD_GET_BYINDEX)
def ipset_by_index(call: Call) -> Body | None:
    """ip_set_byindex()."""
    _check_protocol(call, Ipset.index, exactly=True)
    raise Refusal(errno.ENOENT)


# Accounts (nfnetlink_acct.c) and hooks (nfnetlink_hook.c)

dumpit(nf.ACCT_GET)(nothing)
dumpit(nf.ACCT_GET_CTRZERO)(nothing)


@doit(nf.ACCT_GET)
@doit(nf.ACCT_GET_CTRZERO)
def get_account(call: Call) -> Body | None:
    """nfnl_acct_get()."""
    return _find(call, Acct.name)


@doit(nf.ACCT_DEL)
def del_account(call: Call) -> Body | None:
    """nfnl_acct_del()."""
    if Acct.name in call.attrs:
        raise Refusal(errno.ENOENT)
    return None


@doit(nf.HOOK_GET)
def get_hooks(call: Call) -> Body | None:
    """nfnl_hook_get()."""
    if nf.Hook.hooknum not in call.attrs:
        raise Refusal(errno.EINVAL)
    call.machine.refuse_not_emulated("netfilter hook-get")


# nftables (nf_tables_api.c)

TABLE_OF: dict[Any, Attr[Any]] = {
    Table: Table.name, Chain: Chain.table, Rule: Rule.table, Set: Set.table, Elements: Elements.table, Obj: Obj.table,
    Flowtable: Flowtable.table,
}
"""Which attribute names the table that something is in."""


def no_table(call: Call) -> None:
    """nft_table_lookup(): EINVAL when no table is named, ENOENT at the name of one that there is not."""
    at = call.attrs.offset(TABLE_OF[call.op.set])
    raise Refusal(errno.EINVAL if at is None else errno.ENOENT, at=at)


def nft_get(call: Call) -> Body | None:
    """nf_tables_gettable() and its like, of one thing."""
    if call.op.set is Set:
        if Set.table not in call.attrs:
            raise Refusal(errno.EAFNOSUPPORT if call.fixed.family == NFPROTO_UNSPEC else errno.EINVAL)
    elif call.op.set is Elements:
        need(call, Elements.elements)
    elif call.op.set is Obj:
        need(call, Obj.name, Obj.type)
    elif call.op.set is Flowtable:
        need(call, Flowtable.name)
    no_table(call)
    return None


def nft_dump(call: Call) -> Messages:
    """nf_tables_dump_tables() and its like. Sets are looked for in a table, and elements in a set, before anything."""
    if call.op.set is Elements or (call.op.set is Set and Set.table in call.attrs):
        no_table(call)
    return iter(())


def nft_delete(call: Call) -> Body | None:
    """nf_tables_deltable() and its like, in a batch. A table that does not exist can be destroyed, and nothing else:
    that a table is missing is an error for all that is in one."""
    attrs = call.attrs
    if call.op.set is Table:
        if call.fixed.family == NFPROTO_UNSPEC or not (Table.name in attrs or Table.handle in attrs):
            return None  # nft_flush()
        if call.op.cmd == NftMsg.DESTROYTABLE:
            return None
        raise Refusal(errno.ENOENT, at=attrs.offset(Table.handle if Table.handle in attrs else Table.name))
    if call.op.set is Set and call.fixed.family == NFPROTO_UNSPEC:
        raise Refusal(errno.EAFNOSUPPORT)
    if call.op.set is Obj:
        need(call, Obj.type, Obj.handle if Obj.handle in attrs else Obj.name)
    elif call.op.set is Flowtable:
        need(call, Flowtable.table, Flowtable.handle if Flowtable.handle in attrs else Flowtable.name)
    no_table(call)
    return None


def _register(ops: dict[NftMsg, Operation]) -> None:
    for msg, op in ops.items():
        if op.dump is not None:
            doit(op)(nft_get)
            dumpit(op)(nft_dump)
        elif msg.name.startswith(("DEL", "DESTROY")):
            doit(op)(nft_delete)


_register(nf.NFT)


@doit(nf.GETGEN)
def nft_generation(call: Call) -> Body | None:
    """nf_tables_getgen(). The last to change something is who asks: its process id, without a name."""
    told = {Gen.id: GENERATION, Gen.proc_pid: call.endpoint.pid, Gen.proc_name: ""}
    return call.op.body(told, fixed=head(res_id=GENERATION))
