"""Queueing disciplines: the ones that devices get by themselves are listed and looked up; there are no others.

tc_dump_qdisc(), tc_get_qdisc(), tc_modify_qdisc() of net/sched/sch_api.c. One that a device gets by itself has no
handle, so it can neither be named nor deleted. What is looked up is told to RTNLGRP_TC, and to the asker only if he
wants an echo. Which queue of several a packet took is not known here: it counts for the first.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.devices import devices
from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.kernel.devices import qdisc
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.tc import (
    DELQDISC,
    GETQDISC,
    GETTCLASS,
    HEADER,
    NEWQDISC,
    PRIO,
    TOLD,
    Stats,
    Tca,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.pkt_sched import TC_H_INGRESS, TC_H_MAJ_MASK, TC_H_ROOT
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call, Messages

CREATE = int(NLM_F.CREATE)
TC = int(RTNLGRP.TC)
BANDS = PRIO.codec.pack(bands=3, priomap=bytes((1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)))
"""What pfifo_fast says of itself (sch_default_prio2band)."""
KINDS = frozenset({
    "bfifo", "cake", "cbs", "choke", "clsact", "codel", "drr", "dualpi2", "etf", "ets", "fq", "fq_codel", "fq_pie",
    "gred", "hfsc", "hhf", "htb", "ingress", "mq", "mqprio", "multiq", "netem", "noqueue", "pfifo", "pfifo_fast",
    "pfifo_head_drop", "pie", "plug", "prio", "qfq", "red", "sfb", "sfq", "skbprio", "taprio", "tbf", "teql0",
})
"""Those that a distribution's kernel knows."""


def _body(dev: Device, kind: str, parent: int, info: int, handle: int = 0, counted: bool = False, **more: Any) -> bytes:
    """tc_fill_qdisc(), tc_fill_tclass(). counted: what went through the device is what went through this."""
    size, packets = (dev.queued_bytes, dev.queued_packets) if counted else (0, 0)
    head = HEADER.codec.pack(
        family=AF_UNSPEC, pad1=0, pad2=0, ifindex=dev.ifindex, handle=handle, parent=parent, info=info
    )
    return head + TOLD.encode(
        {
            Tca.kind: kind,
            Tca.options: BANDS if kind == qdisc.PFIFO_FAST else None,
            Tca.hw_offload: more.get("hw_offload", 0),
            Tca.stats2: {Stats.basic: {"bytes": size, "packets": packets & 0xFFFFFFFF}, Stats.queue: {}},
            Tca.stats: {"bytes": size, "packets": packets & 0xFFFFFFFF},
        }
    )


def root(dev: Device) -> bytes:
    """That of the device: it is held by its queue as well, unless it stands above several."""
    held = 1 if dev.qdisc == qdisc.MQ else 2
    return _body(dev, dev.qdisc or qdisc.NOOP, TC_H_ROOT, held, counted=dev.qdisc != qdisc.NOQUEUE)


def child(dev: Device, queue: int) -> bytes:
    """That of one queue of several."""
    return _body(dev, qdisc.PFIFO_FAST, queue, 1, counted=queue == 1)


@dumpit_of(GETQDISC, AF_UNSPEC)
def dump(call: Call) -> Messages:
    """tc_dump_qdisc(): of all devices, or of one; below mq that of the last queue first."""
    ifindex = call.fixed.ifindex
    for dev in devices(call.net):
        if (ifindex and dev.ifindex != ifindex) or dev.qdisc == qdisc.NOOP or call.fixed.handle:
            continue
        yield partial(root, dev)
        if dev.qdisc == qdisc.MQ:
            for queue in range(dev.real_num_tx_queues, 0, -1):
                yield partial(child, dev, queue)


@dumpit_of(GETTCLASS, AF_UNSPEC)
def dump_classes(call: Call) -> Messages:
    """tc_dump_tclass(): mq has a class for each queue."""
    dev = call.net.device(call.fixed.ifindex)
    if dev is None or dev.qdisc != qdisc.MQ or call.fixed.parent & TC_H_MAJ_MASK:
        return
    for queue in range(1, dev.num_tx_queues + 1):
        yield partial(_body, dev, qdisc.MQ, TC_H_ROOT, 0, queue, queue == 1, hw_offload=None)


def device(call: Call) -> Device:
    """ENODEV."""
    dev = call.net.device(call.fixed.ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV)
    return dev


def find(call: Call) -> Device:
    """The beginning of __tc_get_qdisc(): the device whose root is meant. ENODEV, ENOENT, EINVAL, with texts."""
    dev, header = device(call), call.fixed
    if not header.parent:
        raise Refusal(errno.ENOENT, "Failed to find qdisc with specified handle")
    if header.parent != TC_H_ROOT:
        if header.parent & TC_H_MAJ_MASK == TC_H_INGRESS & TC_H_MAJ_MASK:
            raise Refusal(errno.ENOENT, "Cannot find specified qdisc on specified device")
        raise Refusal(errno.ENOENT, "Failed to find qdisc with specified classid")
    if header.handle:
        raise Refusal(errno.EINVAL, "Invalid handle")
    if call.attrs.get(Tca.kind, dev.qdisc) != dev.qdisc:
        raise Refusal(errno.EINVAL, "Invalid qdisc name: must match existing qdisc")
    return dev


@doit_of(GETQDISC, AF_UNSPEC)
def getqdisc(call: Call) -> None:
    """tc_get_qdisc()."""
    dev = find(call)
    if dev.qdisc != qdisc.NOOP and isinstance(call.machine.announcer, RtnlNotify):
        call.machine.announcer.notify(call.net, TC, RTM.NEWQDISC, lambda: root(dev), origin=call)


@doit_of(DELQDISC, AF_UNSPEC)
def delqdisc(call: Call) -> None:
    """tc_get_qdisc() with RTM_DELQDISC."""
    find(call)
    raise Refusal(errno.ENOENT, "Cannot delete qdisc with handle of zero")


@doit_of(NEWQDISC, AF_UNSPEC)
def newqdisc(call: Call) -> None:
    """tc_modify_qdisc(), as far as to where one would be made: ENODEV, EINVAL, ENOENT, with texts."""
    device(call)
    header = call.fixed
    if not header.parent:
        if not header.handle:
            raise Refusal(errno.EINVAL, "Handle cannot be zero")
        raise Refusal(errno.ENOENT, "Specified qdisc not found")
    if header.parent not in (TC_H_ROOT, TC_H_INGRESS):
        raise Refusal(errno.ENOENT, "Failed to find specified qdisc")
    if header.handle & ~TC_H_MAJ_MASK and header.parent == TC_H_ROOT:
        raise Refusal(errno.EINVAL, "Invalid minor handle")
    if not call.flags & CREATE:
        raise Refusal(errno.ENOENT, "Qdisc not found. To create specify NLM_F_CREATE flag")
    kind = call.attrs.get(Tca.kind, "")
    if kind not in KINDS:
        raise Refusal(errno.ENOENT, "Specified qdisc kind is unknown")
    call.machine.refuse_not_emulated(f"route newqdisc of {kind}")
