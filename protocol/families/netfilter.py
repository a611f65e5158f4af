"""NETFILTER: conntrack, expectations, queues, logs, sets, accounting, nftables and hooks (net/netfilter/nfnetlink.c).

Every message begins with struct nfgenmsg; what comes behind is validated by the policy of its subsystem's callback. Of
nests the inside is not declared: none is made here.
"""

from enum import IntEnum

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half, Operation
from nlemu.protocol.schema.kinds import (
    Integer,
    array,
    be16,
    be32,
    be64,
    binary,
    nest,
    nul_string,
    string,
    structure,
    u8,
    unspec,
)
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.netlink import NLM_F, AttrType
from nlemu.protocol.uapi.nfnetlink import (
    NFNL_MSG_BATCH_BEGIN,
    NFNL_MSG_BATCH_END,
    AcctMsg,
    CtMsg,
    ExpMsg,
    HookMsg,
    IpsetMsg,
    LogMsg,
    NftMsg,
    QueueMsg,
)


class Messages(Family):
    """Its replies begin with struct nfgenmsg, which whoever fills one knows."""

    def head(self, cmd: int) -> bytes:
        return b""


netfilter = Messages("netfilter", dump_flags=NLM_F.MULTI)

u16 = Integer("u16", c.Int16ub, AttrType.U16)
u32 = Integer("u32", c.Int32ub, AttrType.U32)
u64 = Integer("u64", c.Int64ub, AttrType.U64)
"""Numbers whose policies do not say that they are in network order, as all are here."""

HEADER = structure(c.Struct("family" / c.Int8ul, "version" / c.Int8ul, "res_id" / c.Int16ub), "nfgenmsg")
queue_command = c.Struct("command" / c.Int8ul, c.Padding(1), "pf" / c.Int16ub)
log_command = c.Struct("command" / c.Int8ul)
packet = c.Struct("packet_id" / c.Int32ub, "hw_protocol" / c.Int16ub, "hook" / c.Int8ul)
logged = c.Struct("hw_protocol" / c.Int16ub, "hook" / c.Int8ul, c.Padding(1))
NAME_MAX = 255  # NFT_NAME_MAXLEN - 1
USERDATA_MAX = 256


class Batch(AttrSet):
    """NFNL_BATCH_*."""

    genid = Attr(1, be32)


class CtIp(AttrSet):
    """CTA_IP_*."""

    v4_src = Attr(1, binary)
    v4_dst = Attr(2, binary)
    v6_src = Attr(3, binary)
    v6_dst = Attr(4, binary)


class CtProto(AttrSet):
    """CTA_PROTO_*."""

    num = Attr(1, u8)
    src_port = Attr(2, be16)
    dst_port = Attr(3, be16)
    icmp_id = Attr(4, be16)
    icmp_type = Attr(5, u8)
    icmp_code = Attr(6, u8)
    icmpv6_id = Attr(7, be16)
    icmpv6_type = Attr(8, u8)
    icmpv6_code = Attr(9, u8)


class CtTuple(AttrSet):
    """CTA_TUPLE_*."""

    ip = Attr(1, nest(CtIp))
    proto = Attr(2, nest(CtProto))
    zone = Attr(3, be16)


class CtCounters(AttrSet):
    """CTA_COUNTERS_*."""

    packets = Attr(1, be64)
    bytes = Attr(2, be64)


class CtTimes(AttrSet):
    """CTA_TIMESTAMP_*, nanoseconds since 1970."""

    start = Attr(1, be64)
    stop = Attr(2, be64)


class Ct(AttrSet):
    """CTA_*, as ct_nla_policy has them."""

    tuple_orig = Attr(1, nest(None, told=CtTuple))
    tuple_reply = Attr(2, nest(None, told=CtTuple))
    status = Attr(3, u32)
    protoinfo = Attr(4, nest(None))
    help = Attr(5, nest(None))
    nat_src = Attr(6, nest(None))
    timeout = Attr(7, u32)
    mark = Attr(8, u32)
    id = Attr(12, u32)
    nat_dst = Attr(13, nest(None))
    tuple_master = Attr(14, nest(None, told=CtTuple))
    nat_seq_adj_orig = Attr(15, nest(None))
    nat_seq_adj_reply = Attr(16, nest(None))
    zone = Attr(18, u16)
    mark_mask = Attr(21, u32)
    labels = Attr(22, binary, length=16)
    labels_mask = Attr(23, binary, length=16)
    filter = Attr(25, nest(None))
    status_mask = Attr(26, u32)
    timestamp_event = Attr(27, u64, reject="")


class CtTold(Ct):
    """CTA_* of the kernel, which tells more than it takes."""

    counters_orig = Attr(9, nest(CtCounters))
    counters_reply = Attr(10, nest(CtCounters))
    use = Attr(11, be32)
    secctx = Attr(19, nest(None))
    timestamp = Attr(20, nest(CtTimes))
    synproxy = Attr(24, nest(None))


class CtStats(AttrSet):
    """CTA_STATS_* of a processor."""

    found = Attr(2, be32)
    invalid = Attr(4, be32)
    insert = Attr(8, be32)
    insert_failed = Attr(9, be32)
    drop = Attr(10, be32)
    early_drop = Attr(11, be32)
    error = Attr(12, be32)
    search_restart = Attr(13, be32)
    clash_resolve = Attr(14, be32)
    chain_toolong = Attr(15, be32)


class CtGlobal(AttrSet):
    """CTA_STATS_GLOBAL_*."""

    entries = Attr(1, be32)
    max_entries = Attr(2, be32)


class Exp(AttrSet):
    """CTA_EXPECT_*."""

    master = Attr(1, nest(None))
    tuple = Attr(2, nest(None))
    mask = Attr(3, nest(None))
    timeout = Attr(4, u32)
    id = Attr(5, u32)
    help_name = Attr(6, nul_string, length=15)
    zone = Attr(7, u16)
    flags = Attr(8, be32, mask=7)
    class_ = Attr(9, u32)
    nat = Attr(10, nest(None))
    fn = Attr(11, nul_string)


class ExpStats(AttrSet):
    """CTA_STATS_EXP_*."""

    new = Attr(1, be32)
    create = Attr(2, be32)
    delete = Attr(3, be32)


class Verdict(AttrSet):
    """NFQA_*, as nfqa_verdict_policy has them."""

    header = Attr(2, unspec, length=8)
    mark = Attr(3, u32)
    vlan = Attr(19, nest(None))
    priority = Attr(21, u32)


class QueuePacket(AttrSet):
    """NFQA_* of a packet that is told."""

    packet_hdr = Attr(1, structure(packet, "nfqnl_msg_packet_hdr"))
    mark = Attr(3, be32)
    timestamp = Attr(4, binary)
    ifindex_indev = Attr(5, be32)
    ifindex_outdev = Attr(6, be32)
    ifindex_physindev = Attr(7, be32)
    ifindex_physoutdev = Attr(8, be32)
    hwaddr = Attr(9, binary)
    payload = Attr(10, binary)
    ct = Attr(11, nest(CtTold))
    ct_info = Attr(12, be32)
    cap_len = Attr(13, be32)
    skb_info = Attr(14, be32)
    uid = Attr(16, be32)
    gid = Attr(17, be32)
    secctx = Attr(18, binary)
    vlan = Attr(19, nest(None))
    l2hdr = Attr(20, binary)
    priority = Attr(21, be32)
    cgroup_classid = Attr(22, be32)


class LogPacket(AttrSet):
    """NFULA_*."""

    packet_hdr = Attr(1, structure(logged, "nfulnl_msg_packet_hdr"))
    mark = Attr(2, be32)
    timestamp = Attr(3, binary)
    ifindex_indev = Attr(4, be32)
    ifindex_outdev = Attr(5, be32)
    ifindex_physindev = Attr(6, be32)
    ifindex_physoutdev = Attr(7, be32)
    hwaddr = Attr(8, binary)
    payload = Attr(9, binary)
    prefix = Attr(10, string)
    uid = Attr(11, be32)
    seq = Attr(12, be32)
    seq_global = Attr(13, be32)
    gid = Attr(14, be32)
    hwtype = Attr(15, be16)
    hwheader = Attr(16, binary)
    hwlen = Attr(17, be16)
    ct = Attr(18, nest(CtTold))
    ct_info = Attr(19, be32)
    vlan = Attr(20, nest(None))
    l2hdr = Attr(21, binary)


class QueueConfig(AttrSet):
    """NFQA_CFG_*."""

    cmd = Attr(1, structure(queue_command, "nfqnl_msg_config_cmd"))
    params = Attr(2, unspec, length=5)
    maxlen = Attr(3, u32)
    mask = Attr(4, u32)
    flags = Attr(5, be32, mask=31)


class LogConfig(AttrSet):
    """NFULA_CFG_*."""

    cmd = Attr(1, structure(log_command, "nfulnl_msg_config_cmd"))
    mode = Attr(2, unspec, length=6)
    nlbufsiz = Attr(3, u32)
    timeout = Attr(4, u32)
    qthresh = Attr(5, u32)
    flags = Attr(6, be16, mask=7)


class Ipset(AttrSet):
    """IPSET_ATTR_* of the top level. Number 3 is a second name where sets are renamed."""

    protocol = Attr(1, u8)
    setname = Attr(2, nul_string, length=31)
    typename = Attr(3, nul_string, length=31)
    revision = Attr(4, u8, max=9)
    family = Attr(5, u8)
    flags = Attr(6, u32)
    data = Attr(7, nest(None))
    adt = Attr(8, nest(None))
    lineno = Attr(9, u32)
    protocol_min = Attr(10, u8)
    index = Attr(11, u16)


class Acct(AttrSet):
    """NFACCT_*."""

    name = Attr(1, nul_string, length=31)
    pkts = Attr(2, u64)
    bytes = Attr(3, u64)
    flags = Attr(5, be32, mask=3)
    quota = Attr(6, u64)
    filter = Attr(7, nest(None))


class Table(AttrSet):
    """NFTA_TABLE_*."""

    name = Attr(1, string, length=NAME_MAX)
    flags = Attr(2, be32, mask=7)
    handle = Attr(4, u64)
    userdata = Attr(6, binary, length=USERDATA_MAX)


class Chain(AttrSet):
    """NFTA_CHAIN_*."""

    table = Attr(1, string, length=NAME_MAX)
    handle = Attr(2, u64)
    name = Attr(3, string, length=NAME_MAX)
    hook = Attr(4, nest(None))
    policy = Attr(5, u32)
    type = Attr(7, string, length=13)
    counters = Attr(8, nest(None))
    flags = Attr(10, be32, mask=7)
    id = Attr(11, u32)
    userdata = Attr(12, binary, length=USERDATA_MAX)


class Rule(AttrSet):
    """NFTA_RULE_*."""

    table = Attr(1, string, length=NAME_MAX)
    chain = Attr(2, string, length=NAME_MAX)
    handle = Attr(3, u64)
    expressions = Attr(4, array(nest(None)))
    compat = Attr(5, nest(None))
    position = Attr(6, u64)
    userdata = Attr(7, binary, length=USERDATA_MAX)
    id = Attr(9, u32)
    position_id = Attr(10, u32)
    chain_id = Attr(11, u32)


class Set(AttrSet):
    """NFTA_SET_*."""

    table = Attr(1, string, length=NAME_MAX)
    name = Attr(2, string, length=NAME_MAX)
    flags = Attr(3, be32, mask=0x1FF)
    key_type = Attr(4, u32)
    key_len = Attr(5, u32)
    data_type = Attr(6, u32)
    data_len = Attr(7, u32)
    policy = Attr(8, u32)
    desc = Attr(9, nest(None))
    id = Attr(10, u32)
    timeout = Attr(11, u64)
    gc_interval = Attr(12, u32)
    userdata = Attr(13, binary, length=USERDATA_MAX)
    obj_type = Attr(15, u32)
    handle = Attr(16, u64)
    expr = Attr(17, nest(None))
    expressions = Attr(18, array(nest(None)))
    type = Attr(19, string, reject="")
    count = Attr(20, u32, reject="")


class Elements(AttrSet):
    """NFTA_SET_ELEM_LIST_*."""

    table = Attr(1, string, length=NAME_MAX)
    set = Attr(2, string, length=NAME_MAX)
    elements = Attr(3, array(nest(None)))
    set_id = Attr(4, u32)


class Obj(AttrSet):
    """NFTA_OBJ_*."""

    table = Attr(1, string, length=NAME_MAX)
    name = Attr(2, string, length=NAME_MAX)
    type = Attr(3, u32)
    data = Attr(4, nest(None))
    handle = Attr(6, u64)
    userdata = Attr(8, binary, length=USERDATA_MAX)


class Flowtable(AttrSet):
    """NFTA_FLOWTABLE_*."""

    table = Attr(1, string, length=NAME_MAX)
    name = Attr(2, string, length=NAME_MAX)
    hook = Attr(3, nest(None))
    handle = Attr(5, u64)
    flags = Attr(7, be32, mask=3)


class Gen(AttrSet):
    """NFTA_GEN_*."""

    id = Attr(1, be32)
    proc_pid = Attr(2, be32)
    proc_name = Attr(3, nul_string)


class Hook(AttrSet):
    """NFNLA_HOOK_*."""

    hooknum = Attr(1, be32, max=255)
    priority = Attr(2, u32)
    dev = Attr(3, string, length=15)


NOTHING = Policy()
BATCH = Policy(Batch.genid)
CT = Policy(*Ct.spec.by_number.values(), top=27, chosen_from=Ct)
EXP = Policy(*Exp.spec.by_number.values(), top=11, chosen_from=Exp)
VERDICT = Policy(*Verdict.spec.by_number.values(), top=21, chosen_from=Verdict)
QUEUE_CONFIG = Policy(*QueueConfig.spec.by_number.values(), chosen_from=QueueConfig)
LOG_CONFIG = Policy(*LogConfig.spec.by_number.values(), chosen_from=LogConfig)
IPSET_MAX = 11
IPSET_PROTOCOL = Policy(Ipset.protocol, top=IPSET_MAX, chosen_from=Ipset)
IPSET_NAME = Policy(Ipset.protocol, Ipset.setname, top=IPSET_MAX, chosen_from=Ipset)
IPSET_NAMES = Policy(Ipset.protocol, Ipset.setname, Ipset.typename, top=IPSET_MAX, chosen_from=Ipset)
IPSET_CREATE = Policy(
    Ipset.protocol, Ipset.setname, Ipset.typename, Ipset.revision, Ipset.family, Ipset.data, top=IPSET_MAX,
    chosen_from=Ipset,
)
IPSET_ADT = Policy(
    Ipset.protocol, Ipset.setname, Ipset.lineno, Ipset.data, Ipset.adt, top=IPSET_MAX, chosen_from=Ipset
)
IPSET_TYPE = Policy(Ipset.protocol, Ipset.typename, Ipset.family, top=IPSET_MAX, chosen_from=Ipset)
IPSET_INDEX = Policy(Ipset.protocol, Ipset.index, top=IPSET_MAX, chosen_from=Ipset)
IPSET_DUMP = Policy(Ipset.protocol, Ipset.setname, Ipset.flags, top=IPSET_MAX, chosen_from=Ipset)
ACCT = Policy(*Acct.spec.by_number.values(), chosen_from=Acct)
HOOK = Policy(*Hook.spec.by_number.values(), top=6, chosen_from=Hook)


def _asked(
    prefix: str, cmd: IntEnum, attributes: type[AttrSet], policy: Policy, *, do: bool = True, dump: bool = False,
    replies: Layout | None = None, reply_cmd: IntEnum | None = None,
) -> Operation:
    half = Half(policy, level=LIBERAL)
    return netfilter.operation(
        cmd, attributes, do=half if do else None, dump=Half(policy, level=LIBERAL, done_apart=True) if dump else None,
        replies=replies, reply_cmd=reply_cmd, fixed=HEADER, name=f"{prefix}-{cmd.name.lower().replace('_', '-')}",
    )


CT_NEW = _asked("ct", CtMsg.NEW, Ct, CT)
CT_GET = _asked("ct", CtMsg.GET, Ct, CT, dump=True)
CT_DELETE = _asked("ct", CtMsg.DELETE, Ct, CT)
CT_GET_CTRZERO = _asked("ct", CtMsg.GET_CTRZERO, Ct, CT, dump=True)
CT_GET_STATS_CPU = _asked(
    "ct", CtMsg.GET_STATS_CPU, CtStats, NOTHING, dump=True, replies=Layout(*CtStats.spec.by_number.values())
)
CT_GET_STATS = _asked("ct", CtMsg.GET_STATS, CtGlobal, NOTHING, replies=Layout(CtGlobal.entries, CtGlobal.max_entries))
CT_GET_DYING = _asked("ct", CtMsg.GET_DYING, Ct, NOTHING, dump=True)
CT_GET_UNCONFIRMED = _asked("ct", CtMsg.GET_UNCONFIRMED, Ct, NOTHING, dump=True)
EXP_NEW = _asked("exp", ExpMsg.NEW, Exp, EXP)
EXP_GET = _asked("exp", ExpMsg.GET, Exp, EXP, dump=True)
EXP_DELETE = _asked("exp", ExpMsg.DELETE, Exp, EXP)
EXP_GET_STATS_CPU = _asked(
    "exp", ExpMsg.GET_STATS_CPU, ExpStats, NOTHING, dump=True, reply_cmd=CtMsg.GET_CTRZERO,
    replies=Layout(ExpStats.new, ExpStats.create, ExpStats.delete),
)
"""Its messages bear the other subsystem's number, and mean something else there."""
QUEUE_PACKET = _asked("queue", QueueMsg.PACKET, Verdict, VERDICT)
QUEUE_VERDICT = _asked("queue", QueueMsg.VERDICT, Verdict, VERDICT)
QUEUE_CFG = _asked("queue", QueueMsg.CONFIG, QueueConfig, QUEUE_CONFIG)
QUEUE_VERDICT_BATCH = _asked("queue", QueueMsg.VERDICT_BATCH, Verdict, VERDICT)
LOG_PACKET = _asked("log", LogMsg.PACKET, LogConfig, NOTHING)
LOG_CFG = _asked("log", LogMsg.CONFIG, LogConfig, LOG_CONFIG)
IPSET_CMD_NONE = _asked("ipset", IpsetMsg.NONE, Ipset, NOTHING)
IPSET_CMD_PROTOCOL = _asked(
    "ipset", IpsetMsg.PROTOCOL, Ipset, IPSET_PROTOCOL, replies=Layout(Ipset.protocol, Ipset.protocol_min)
)
IPSET_CMD_CREATE = _asked("ipset", IpsetMsg.CREATE, Ipset, IPSET_CREATE)
IPSET_CMD_DESTROY = _asked("ipset", IpsetMsg.DESTROY, Ipset, IPSET_NAME)
IPSET_CMD_FLUSH = _asked("ipset", IpsetMsg.FLUSH, Ipset, IPSET_NAME)
IPSET_CMD_RENAME = _asked("ipset", IpsetMsg.RENAME, Ipset, IPSET_NAMES)
IPSET_CMD_SWAP = _asked("ipset", IpsetMsg.SWAP, Ipset, IPSET_NAMES)
IPSET_CMD_LIST = _asked("ipset", IpsetMsg.LIST, Ipset, IPSET_DUMP, do=False, dump=True)
IPSET_CMD_SAVE = _asked("ipset", IpsetMsg.SAVE, Ipset, IPSET_NAME, do=False, dump=True)
"""A dump, whether one is asked for or not."""
IPSET_CMD_ADD = _asked("ipset", IpsetMsg.ADD, Ipset, IPSET_ADT)
IPSET_CMD_DEL = _asked("ipset", IpsetMsg.DEL, Ipset, IPSET_ADT)
IPSET_CMD_TEST = _asked("ipset", IpsetMsg.TEST, Ipset, IPSET_ADT)
IPSET_CMD_HEADER = _asked("ipset", IpsetMsg.HEADER, Ipset, IPSET_NAME)
IPSET_CMD_TYPE = _asked("ipset", IpsetMsg.TYPE, Ipset, IPSET_TYPE)
IPSET_CMD_GET_BYNAME = _asked("ipset", IpsetMsg.GET_BYNAME, Ipset, IPSET_NAME)
IPSET_CMD_GET_BYINDEX = _asked("ipset", IpsetMsg.GET_BYINDEX, Ipset, IPSET_INDEX)
ACCT_NEW = _asked("acct", AcctMsg.NEW, Acct, ACCT)
ACCT_GET = _asked("acct", AcctMsg.GET, Acct, ACCT, dump=True)
ACCT_GET_CTRZERO = _asked("acct", AcctMsg.GET_CTRZERO, Acct, ACCT, dump=True)
ACCT_DEL = _asked("acct", AcctMsg.DEL, Acct, ACCT)
HOOK_GET = _asked("hook", HookMsg.GET, Hook, HOOK)

NFT_SETS: dict[type[AttrSet], tuple[int, tuple[NftMsg, ...], tuple[NftMsg, ...]]] = {
    Table: (8, (NftMsg.NEWTABLE, NftMsg.DELTABLE, NftMsg.DESTROYTABLE), (NftMsg.GETTABLE,)),
    Chain: (12, (NftMsg.NEWCHAIN, NftMsg.DELCHAIN, NftMsg.DESTROYCHAIN), (NftMsg.GETCHAIN,)),
    Rule: (
        11, (NftMsg.NEWRULE, NftMsg.DELRULE, NftMsg.DESTROYRULE), (NftMsg.GETRULE, NftMsg.GETRULE_RESET)
    ),
    Set: (20, (NftMsg.NEWSET, NftMsg.DELSET, NftMsg.DESTROYSET), (NftMsg.GETSET,)),
    Elements: (
        4, (NftMsg.NEWSETELEM, NftMsg.DELSETELEM, NftMsg.DESTROYSETELEM),
        (NftMsg.GETSETELEM, NftMsg.GETSETELEM_RESET),
    ),
    Obj: (8, (NftMsg.NEWOBJ, NftMsg.DELOBJ, NftMsg.DESTROYOBJ), (NftMsg.GETOBJ, NftMsg.GETOBJ_RESET)),
    Flowtable: (
        7, (NftMsg.NEWFLOWTABLE, NftMsg.DELFLOWTABLE, NftMsg.DESTROYFLOWTABLE), (NftMsg.GETFLOWTABLE,)
    ),
}
"""What nftables is made of: the highest attribute, the messages that are only taken in a batch, and those that ask."""

NFT: dict[NftMsg, Operation] = {}
"""Its operations, by message."""
BATCHED: set[Operation] = set()
"""Those that are only taken in a batch (NFNL_CB_BATCH)."""
for _set, (_top, _batched, _asking) in NFT_SETS.items():
    _policy = Policy(*_set.spec.by_number.values(), top=_top, chosen_from=_set)
    for _msg in (*_batched, *_asking):
        NFT[_msg] = _asked("nft", _msg, _set, _policy, dump=_msg in _asking)
    BATCHED.update(NFT[_msg] for _msg in _batched)
GETGEN = _asked(
    "nft", NftMsg.GETGEN, Gen, NOTHING, replies=Layout(Gen.id, Gen.proc_pid, Gen.proc_name), reply_cmd=NftMsg.NEWGEN
)


def _told(prefix: str, cmd: IntEnum, attributes: type[AttrSet]) -> Operation:
    return Operation(netfilter, int(cmd), f"{prefix}-{cmd.name.lower()}", attributes, fixed=HEADER)


TOLD: dict[int, Operation] = {
    CtMsg.NEW: _told("ct", CtMsg.NEW, CtTold), CtMsg.DELETE: _told("ct", CtMsg.DELETE, CtTold),
    QueueMsg.PACKET: _told("queue", QueueMsg.PACKET, QueuePacket),
    LogMsg.PACKET: _told("log", LogMsg.PACKET, LogPacket),
}
"""What the kernel tells, where that is more than what is asked by the same number."""
BATCHES: dict[int, Operation] = {
    number: Operation(netfilter, number, name, Batch, fixed=HEADER)
    for number, name in ((NFNL_MSG_BATCH_BEGIN, "batch-begin"), (NFNL_MSG_BATCH_END, "batch-end"))
}
"""Around the messages that are taken together. nfnetlink itself reads them."""


def read_as(kind: int, *, request: bool) -> Operation | None:
    """What a message of that type holds, for whoever reads it. The kernel's answers may bear another subsystem's
    number, or that of what makes what they tell."""
    if kind in BATCHES:
        return BATCHES[kind]
    asked = netfilter.operations.get(kind)
    if request or kind in TOLD:
        return asked if request else TOLD[kind]
    answers = (op for op in netfilter.operations.values() if op.reply_cmd == kind and op.replies is not None)
    return next(answers, asked)
