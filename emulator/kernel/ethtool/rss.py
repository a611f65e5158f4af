"""Receive-side scaling: what the core of ethtool reads, checks and keeps (net/ethtool/rss.c, common.c).

The rules are the core's own, the same for every driver: a table is filled up from a beginning that divides it and names
no queue that is not there; what a request leaves as it is does not reach the driver; who has chosen a table keeps it,
so that channels cannot be taken from under it. What is blamed is blamed by the name of its attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from errno import EBUSY, EINVAL, ENOENT, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.device import UNSPREAD
from nlemu.emulator.kernel.devices.rss import Context, Rxfh, Spread, Table, keep
from nlemu.emulator.kernel.ethtool import rules
from nlemu.protocol.refusal import Refusal, formatted
from nlemu.protocol.uapi.ethtool import FlowType, Rxh

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

HASHED = tuple(flow for flow in FlowType if flow not in (FlowType.IPV4_USER, FlowType.IPV6_USER))
"""flow_type_hashable()."""
ADDRESSES, PORTS = (int(Rxh.IP_SRC), int(Rxh.IP_DST)), (int(Rxh.L4_B_0_1), int(Rxh.L4_B_2_3))
CONTEXT_LIMIT = 0xFFFFFFFF


@dataclass(slots=True)
class Told:
    """struct rss_reply_data: what there is to tell of a context. rxfh: None for a driver that tells of fields alone;
    fields: by kind of packet, those that the driver knows; keyless: the key is that of the first context."""

    rxfh: Rxfh | None
    fields: Mapping[FlowType, int]
    keyless: bool = False


@dataclass(slots=True)
class Wanted:
    """What a request says. table: its beginning, empty for the default; ragged: its bytes were no whole entries; None
    for what is not said."""

    context: int = 0
    table: Table | None = None
    ragged: bool = False
    key: bytes | None = None
    function: int | None = None
    transform: int | None = None
    fields: bool = False
    """That it says which fields are hashed."""


def of_device(dev: Device) -> Spread:
    """What is kept of it, to be changed."""
    if dev.spread is UNSPREAD:
        dev.spread = Spread()
    return dev.spread


def default_table(size: int, rings: int) -> Table:
    """ethtool_rxfh_indir_default(): the queues take turns."""
    return tuple(index % rings for index in range(size))


def table_size(dev: Device) -> int:
    """get_rxfh_indir_size(), 0 for a driver without."""
    return dev.ops.get_rxfh_indir_size(dev) if dev.ops.has("get_rxfh_indir_size") else 0


def key_size(dev: Device) -> int:
    """get_rxfh_key_size(), 0 for a driver without; in bytes."""
    return dev.ops.get_rxfh_key_size(dev) if dev.ops.has("get_rxfh_key_size") else 0


def hashed_fields(dev: Device, context: int = 0) -> dict[FlowType, int]:
    """rss_prepare_flow_hash()."""
    ops = dev.ops
    if not ops.has("get_rxfh_fields") or (context and not ops.rxfh_per_ctx_fields):
        return {}
    found: dict[FlowType, int] = {}
    for flow in HASHED:
        try:
            found[flow] = ops.get_rxfh_fields(dev, flow, context)
        except Refusal:
            continue
    return found


def told(dev: Device, context: int = 0) -> Told:
    """rss_prepare(). ENOENT."""
    fields = hashed_fields(dev, context)
    if not dev.ops.has("get_rxfh"):
        return Told(None, fields)
    if not context:
        return Told(dev.ops.get_rxfh(dev), fields)
    kept = dev.spread.contexts.get(context)
    if kept is None:
        raise Refusal(ENOENT)
    return told_of(dev, kept, fields)


def told_of(dev: Device, kept: Context, fields: Mapping[FlowType, int]) -> Told:
    """__rss_prepare_ctx()."""
    rxfh = Rxfh(kept.table, kept.key, kept.function, kept.transform)
    return Told(rxfh, fields, keyless=not dev.ops.rxfh_per_ctx_key)


def get(dev: Device, context: int) -> Told:
    """rss_prepare_data(). EOPNOTSUPP, ENOENT."""
    if not dev.ops.has("get_rxfh") or (context and not dev.ops.has("create_rxfh_context")):
        raise Refusal(EOPNOTSUPP)
    return told(dev, context)


def symmetric(fields: int) -> bool:
    """ethtool_rxfh_config_is_sym(): both ends of a flow, or neither, and nothing else."""
    return not fields & ~(sum(ADDRESSES) | sum(PORTS)) and all(
        bool(fields & one) == bool(fields & other) for one, other in (ADDRESSES, PORTS)
    )


def _table(dev: Device, wanted: Wanted) -> Table | None:
    """rss_set_prep_indir(): the whole of it, filled up. EOPNOTSUPP, EINVAL."""
    begin = wanted.table
    if begin is None:
        return None
    size = table_size(dev)
    if not size:
        raise Refusal(EOPNOTSUPP)
    rings = dev.ops.get_rx_ring_count(dev)
    if wanted.ragged:
        raise Refusal(EINVAL, at="indir")
    if not begin:
        if wanted.context:
            raise Refusal(EINVAL, "can't reset table for a context", at="indir")
        return default_table(size, rings)
    if size % len(begin):
        text = f"size ({len(begin)}) mismatch with device indir table ({size})"
        raise Refusal(EINVAL, formatted(text), at="indir")
    for index, queue in enumerate(begin):
        if queue >= rings:
            shown = queue if queue < 1 << 31 else queue - (1 << 32)
            raise Refusal(EINVAL, formatted(f"entry {index}: queue out of range ({shown})"), at="indir")
    return begin * (size // len(begin))


def _check_key(dev: Device, wanted: Wanted) -> None:
    """rss_set_prep_hkey()."""
    if wanted.key is not None and len(wanted.key) != key_size(dev):
        raise Refusal(EINVAL, at="hkey")


def check_set(dev: Device, wanted: Wanted) -> None:
    """ethnl_rss_set_validate(): EOPNOTSUPP at the first that the driver has not."""
    ops = dev.ops
    if wanted.context and not ops.has("create_rxfh_context"):
        raise Refusal(EOPNOTSUPP, at="context")
    if wanted.context and not ops.rxfh_per_ctx_key:
        _refuse_key(wanted)
    _check_transform(dev, wanted)
    if wanted.fields and (
        not ops.has("set_rxfh_fields") or (wanted.context and not ops.rxfh_per_ctx_fields)
    ):
        raise Refusal(EOPNOTSUPP, at="flow-hash")


def _check_transform(dev: Device, wanted: Wanted) -> None:
    if (wanted.transform or 0) & ~dev.ops.supported_input_xfrm:
        raise Refusal(EOPNOTSUPP, at="input-xfrm")


def _refuse_key(wanted: Wanted) -> None:
    for name, value in (("hfunc", wanted.function), ("hkey", wanted.key), ("input-xfrm", wanted.transform)):
        if value is not None:
            raise Refusal(EOPNOTSUPP, at=name)


def set_(
    dev: Device, wanted: Wanted, fields: Callable[[], Mapping[FlowType, int]], blame: Mapping[FlowType, int]
) -> bool:
    """ethnl_rss_set(): whether anything is another now. fields: reads those of the request, when their turn comes;
    blame: where they stand in it. EOPNOTSUPP, EINVAL, ENOENT, and what the driver refuses."""
    before = told(dev, wanted.context)
    old = before.rxfh or Rxfh()
    table = _table(dev, wanted)
    _check_key(dev, wanted)
    function = 0 if wanted.function in (None, old.function) else wanted.function or 0
    transform = None if wanted.transform in (None, old.transform or 0) else wanted.transform
    said = Rxfh(table, wanted.key, function, transform)
    modified = bool(
        (table is not None and table != old.table) or (wanted.key is not None and wanted.key != old.key) or function
        or transform is not None
    )
    context = dev.spread.contexts.get(wanted.context)
    changed = _set_fields(dev, wanted.context, before, bool(old.transform or wanted.transform), fields, blame)
    if modified:
        if not dev.ops.has("set_rxfh"):
            raise Refusal(EOPNOTSUPP)
        if context is None:
            dev.ops.set_rxfh(dev, said)
        else:
            dev.ops.modify_rxfh_context(dev, context, said)
    if context is not None:
        keep(context, said)
        context.user_size = len(wanted.table or ()) or context.user_size
    elif wanted.table is not None:
        of_device(dev).user_size = len(wanted.table)
    return modified or changed


def _set_fields(
    dev: Device, context: int, before: Told, must_be_symmetric: bool, read: Callable[[], Mapping[FlowType, int]],
    blame: Mapping[FlowType, int],
) -> bool:
    """ethnl_set_rss_fields()."""
    if must_be_symmetric:
        if not before.fields:
            raise Refusal(EINVAL, "hash field config not reported", at="input-xfrm")
        if not all(map(symmetric, before.fields.values())):
            raise Refusal(EINVAL, "hash field config is not symmetric", at="input-xfrm")
    changed = False
    for flow, fields in read().items():
        if before.fields.get(flow) == fields:
            continue
        if must_be_symmetric and not symmetric(fields):
            raise Refusal(EINVAL, "conflict with xfrm-input", at=blame[flow])
        dev.ops.set_rxfh_fields(dev, flow, context, fields)
        changed = True
    return changed


# Contexts


def create(dev: Device, wanted: Wanted) -> int:
    """ethnl_rss_create_doit(): a new context, of that number or the first that is free; its number. EOPNOTSUPP, ERANGE,
    EINVAL, EBUSY, and what the driver refuses."""
    ops = dev.ops
    if not ops.has("create_rxfh_context"):
        raise Refusal(EOPNOTSUPP)
    if ops.rxfh_max_num_contexts and ops.rxfh_max_num_contexts <= wanted.context:
        raise Refusal(ERANGE, at="context")
    if not ops.rxfh_per_ctx_key:
        _refuse_key(wanted)
    _check_transform(dev, wanted)
    table = _table(dev, wanted)
    _check_key(dev, wanted)
    said = Rxfh(table, wanted.key, wanted.function or 0, wanted.transform)
    contexts = of_device(dev).contexts
    number = wanted.context or free_number(dev)
    if number is None or number in contexts:
        raise Refusal(EBUSY, "error allocating context ID", at="context")
    add(dev, number, said)
    contexts[number].user_size = len(wanted.table or ())
    return number


def free_number(dev: Device) -> int | None:
    """xa_alloc(): the lowest that no context has; None when there are enough."""
    limit = dev.ops.rxfh_max_num_contexts or CONTEXT_LIMIT
    contexts = dev.spread.contexts
    return next((number for number in range(1, min(limit, len(contexts) + 2)) if number not in contexts), None)


def add(dev: Device, number: int, said: Rxfh) -> None:
    """The context is made, as far as it is said how it is to be."""
    context = Context((0,) * table_size(dev), bytes(key_size(dev)))
    dev.ops.create_rxfh_context(dev, context, said)
    keep(context, said)
    of_device(dev).contexts[number] = context


def delete(dev: Device, number: int) -> None:
    """ethnl_rss_delete_doit(). EOPNOTSUPP, EBUSY, ENOENT."""
    if not dev.ops.has("create_rxfh_context"):
        raise Refusal(EOPNOTSUPP)
    if rules.holds(dev, number):
        raise Refusal(EBUSY)
    if number not in dev.spread.contexts:
        raise Refusal(ENOENT)
    dev.ops.remove_rxfh_context(dev, number)
    del dev.spread.contexts[number]


def highest_queue(dev: Device) -> int:
    """ethtool_get_max_rxfh_channel(): of those that tables name which somebody has chosen."""
    highest = max((max(context.table, default=0) for context in dev.spread.contexts.values()), default=0)
    if dev.spread.user_size and table_size(dev) and dev.ops.has("get_rxfh"):
        highest = max(highest, max(dev.ops.get_rxfh(dev).table or (0,)))
    return highest
