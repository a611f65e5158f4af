"""Receive-side scaling by ioctl: tables alone (the older pair of commands), tables with keys and contexts, and what is
hashed.

The rules are those of net/ethtool/ioctl.c, which differ from netlink's: a table is said whole, and a change is
announced even where it changes nothing, but not by the older pair.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.rss import Rxfh, Table, keep
from nlemu.emulator.kernel.ethtool import rss as model
from nlemu.emulator.launch.ioctls.ethtool.request import Request, unsupported, want
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema import u32s
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import (
    ETH_RXFH_CONTEXT_ALLOC,
    ETH_RXFH_INDIR_NO_CHANGE,
    FLOW_RSS,
    RXH_XFRM_NO_CHANGE,
    FlowType,
    KernelMsg,
    Rxh,
    RxhXfrm,
)

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

INDIR, RXFH, RXNFC = prepare(structs.ethtool_rxfh_indir), prepare(structs.ethtool_rxfh), prepare(structs.ethtool_rxnfc)
ENTRY = 4
SHORT = 16
"""Of struct ethtool_rxnfc, what commands about hashing had first: up to its `data`."""
V6 = frozenset(flow for flow in FlowType if flow.name.endswith("V6") or flow is FlowType.IPV6)
"""flow_type_v6()."""
SYMMETRIC = (int(RxhXfrm.SYM_XOR), int(RxhXfrm.SYM_OR_XOR))


def read_table(request: Request, behind: int, size: int, rings: int) -> Table:
    """ethtool_copy_validate_indir(). OSError EFAULT, EINVAL."""
    data = request.caller.memory.read(request.place + behind, ENTRY * size)
    table = u32s.unpack(data)
    if any(queue >= rings for queue in table):
        raise OSError(errno.EINVAL, "a queue that is not there")
    return table


def packed(table: Table) -> bytes:
    """A table as it stands in memory."""
    return u32s.pack(table)


def get_table(request: Request) -> None:
    """ethtool_get_rxfh_indir(): with no room, the size alone."""
    want(request, "get_rxfh_indir_size", "get_rxfh")
    size = model.table_size(request.dev)
    if not size:
        unsupported(request)
    room = request.read(INDIR).size
    request.write(INDIR.pack(cmd=request.command, size=size))
    if room < size:
        if room:
            raise OSError(errno.EINVAL, "less room than the table wants")
        return
    request.write(packed(request.dev.ops.get_rxfh(request.dev).table or ()), INDIR.size)


def set_table(request: Request) -> None:
    """ethtool_set_rxfh_indir(): a table of no entries stands for the default."""
    want(request, "get_rxfh_indir_size", "set_rxfh")
    dev = request.dev
    size, said = model.table_size(dev), request.read(INDIR).size
    if not size:
        unsupported(request)
    if said not in (0, size):
        raise OSError(errno.EINVAL, "another size")
    rings = dev.ops.get_rx_ring_count(dev)
    table = read_table(request, INDIR.size, size, rings) if said else model.default_table(size, rings)
    dev.ops.set_rxfh(dev, Rxfh(table))
    model.of_device(dev).user_size = said


def get_spread(request: Request) -> None:
    """ethtool_get_rxfh()."""
    want(request, "get_rxfh")
    dev, ops = request.dev, request.dev.ops
    size, key_size = model.table_size(dev), model.key_size(dev)
    asked = _read(request, contexts=ops.has("create_rxfh_context"))
    request.write(RXFH.pack(asked._replace(indir_size=size, key_size=key_size)))
    if (asked.indir_size and asked.indir_size != size) or (asked.key_size and asked.key_size != key_size):
        raise OSError(errno.EINVAL, "other sizes")
    told = model.told(dev, asked.rss_context)
    rxfh = told.rxfh
    assert rxfh is not None
    found = asked._replace(
        indir_size=size, key_size=0 if told.keyless and asked.rss_context else key_size,
        hfunc=0 if told.keyless and asked.rss_context else rxfh.function, input_xfrm=rxfh.transform or 0,
    )
    table = packed(rxfh.table or ()) if asked.indir_size else b""
    key = (rxfh.key or b"") if asked.key_size and found.key_size else bytes(asked.key_size)
    request.write(RXFH.pack(found) + table + key)


def _read(request: Request, *, contexts: bool) -> Any:
    """The structure, whose reserved fields are zero. OSError EINVAL, EOPNOTSUPP."""
    asked = request.read(RXFH)
    if any(asked.rsvd8) or asked.rsvd32:
        raise OSError(errno.EINVAL, "reserved fields")
    if asked.rss_context and not contexts:
        unsupported(request)
    return asked


def set_spread(request: Request) -> None:
    """ethtool_set_rxfh(): of the first context, or of another; which is made or deleted, too."""
    want(request, "set_rxfh")
    dev, ops = request.dev, request.dev.ops
    size, key_size = model.table_size(dev), model.key_size(dev)
    asked = _read(request, contexts=ops.has("create_rxfh_context"))
    _check(request, asked, size, key_size)
    rings = ops.get_rx_ring_count(dev)
    said, length = Rxfh(function=asked.hfunc), 0
    said.transform = None if asked.input_xfrm == RXH_XFRM_NO_CHANGE else asked.input_xfrm
    delete = False
    if asked.indir_size not in (0, ETH_RXFH_INDIR_NO_CHANGE):
        said.table, length = read_table(request, RXFH.size, size, rings), ENTRY * size
    elif not asked.indir_size:
        delete = bool(asked.rss_context)
        said.table = None if delete else model.default_table(size, rings)
    if asked.key_size:
        said.key = request.caller.memory.read(request.place + RXFH.size + length, asked.key_size)
    _check_symmetry(dev, said.transform or 0)
    context = _perform(dev, asked, said, delete)
    request.write(RXFH.pack(asked._replace(rss_context=context)))
    if not context and asked.indir_size != ETH_RXFH_INDIR_NO_CHANGE:
        model.of_device(dev).user_size = size if asked.indir_size else 0


def _check(request: Request, asked: Any, size: int, key_size: int) -> None:
    """What is found wrong before anything else is read. OSError EINVAL, EOPNOTSUPP."""
    ops, transform = request.dev.ops, asked.input_xfrm
    if transform not in (0, *SYMMETRIC, RXH_XFRM_NO_CHANGE):
        raise OSError(errno.EINVAL, "no such transformation")
    if transform != RXH_XFRM_NO_CHANGE and transform & ~ops.supported_input_xfrm:
        unsupported(request)
    if asked.indir_size not in (0, ETH_RXFH_INDIR_NO_CHANGE, size) or asked.key_size not in (0, key_size):
        raise OSError(errno.EINVAL, "other sizes")
    nothing = (ETH_RXFH_INDIR_NO_CHANGE, 0, 0, RXH_XFRM_NO_CHANGE)
    said = (asked.indir_size, asked.key_size, asked.hfunc, transform)
    if asked.rss_context != ETH_RXFH_CONTEXT_ALLOC and said == nothing:
        raise OSError(errno.EINVAL, "nothing to change")
    if asked.rss_context and not ops.rxfh_per_ctx_key and (
        asked.key_size or asked.hfunc or transform not in (0, RXH_XFRM_NO_CHANGE)
    ):
        unsupported(request)


def _check_symmetry(dev: Device, transform: int) -> None:
    """ethtool_check_flow_types(). OSError EINVAL."""
    if transform and not all(map(model.symmetric, model.hashed_fields(dev).values())):
        raise OSError(errno.EINVAL, "what is hashed is not symmetric")


def _perform(dev: Device, asked: Any, said: Rxfh, delete: bool) -> int:
    """The driver is told, and listeners; the number of the context. OSError, Refusal."""
    kernel, ops, number = dev.kernel, dev.ops, asked.rss_context
    if number == ETH_RXFH_CONTEXT_ALLOC:
        if delete:
            raise OSError(errno.EINVAL, "none to delete")
        free = model.free_number(dev)
        if free is None:
            raise Refusal(errno.EBUSY)
        model.add(dev, free, said)
        if said.table is not None:
            dev.spread.contexts[free].user_size = len(said.table)
        kernel.announcer.ethtool(dev, KernelMsg.RSS_CREATE_NTF, free)
        return free
    if not number:
        ops.set_rxfh(dev, said)
        kernel.announcer.ethtool(dev, KernelMsg.RSS_NTF)
        return 0
    context = dev.spread.contexts.get(number)
    if context is None:
        raise Refusal(errno.ENOENT)
    if delete:
        model.delete(dev, number)
        kernel.announcer.ethtool(dev, KernelMsg.RSS_DELETE_NTF, number)
    else:
        ops.modify_rxfh_context(dev, context, said)
        keep(context, said)
        if said.table is not None:
            context.user_size = len(said.table)
        kernel.announcer.ethtool(dev, KernelMsg.RSS_NTF, number)
    return int(number)


# What is hashed


def _flow(request: Request) -> tuple[int, FlowType | None, int, int]:
    """ethtool_rxnfc_copy_struct(): the size of the structure, the kind of packet, the context, the fields. OSError."""
    data = request.caller.memory.read(request.place, SHORT)
    flow, fields = int.from_bytes(data[4:8], "little"), int.from_bytes(data[8:16], "little")
    size, context = SHORT, 0
    if flow & FLOW_RSS:
        whole = request.read(RXNFC)
        size, context = RXNFC.size, whole.rule_cnt
    kind = flow & ~FLOW_RSS
    known = FlowType(kind) if kind in FlowType.__members__.values() else None
    if context and not request.dev.ops.rxfh_per_ctx_fields:
        raise OSError(errno.EINVAL, "fields of a context")
    return size, known, context, fields


def get_fields(request: Request) -> None:
    """ethtool_get_rxfh_fields()."""
    want(request, "get_rxfh_fields")
    _, flow, context, _ = _flow(request)
    if flow is None:
        raise OSError(errno.EINVAL, "no such flow")
    fields = request.dev.ops.get_rxfh_fields(request.dev, flow, context)
    request.write(fields.to_bytes(8, "little"), 8)


def set_fields(request: Request) -> None:
    """ethtool_set_rxfh_fields()."""
    want(request, "set_rxfh_fields")
    dev = request.dev
    _, flow, context, fields = _flow(request)
    if fields & Rxh.IP6_FL and flow not in V6:
        raise OSError(errno.EINVAL, "IPv4 has no flow label")
    if dev.ops.has("get_rxfh") and dev.ops.get_rxfh(dev).transform and not model.symmetric(fields):
        raise OSError(errno.EINVAL, "not symmetric")
    if flow is None:
        raise OSError(errno.EINVAL, "no such flow")
    dev.ops.set_rxfh_fields(dev, flow, context, fields)
    dev.kernel.announcer.ethtool(dev, KernelMsg.RSS_NTF, context)


def get_rings(request: Request) -> None:
    """ethtool_get_rxrings()."""
    request.read(RXNFC)
    if not request.dev.ops.has("get_rx_ring_count"):
        unsupported(request)
    request.write(request.dev.ops.get_rx_ring_count(request.dev).to_bytes(8, "little"), 8)
