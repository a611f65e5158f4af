"""napi-get and napi-set (net/core/netdev-genl.c)."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.devices import chosen_devices
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.netdev import NAPI_GET, NAPI_SET, Napi
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Values
from nlemu.protocol.uapi.netdev import NapiThreaded

if TYPE_CHECKING:
    from nlemu.emulator.kernel.queues.napi import Napi as NapiInstance


def fill_napi(napi: NapiInstance) -> Values | None:
    """netdev_nl_napi_fill_one(); None while the device is down."""
    if napi.dev is None or not napi.dev.running:
        return None
    return {
        Napi.id: napi.napi_id,
        Napi.ifindex: napi.dev.ifindex,
        Napi.irq: napi.irq if napi.irq >= 0 else None,
        Napi.threaded: napi.threaded,
        Napi.pid: napi.pid,
        Napi.defer_hard_irqs: napi.defer_hard_irqs,
        Napi.irq_suspend_timeout: napi.irq_suspend_timeout,
        Napi.gro_flush_timeout: napi.gro_flush_timeout,
    }


def find_napi(call: Call) -> NapiInstance:
    """netdev_napi_by_id_lock(). Refusal ENOENT."""
    napi = call.machine.napis.find(call.net, call.attrs[Napi.id])
    if napi is None:
        raise Refusal(errno.ENOENT, at=call.attrs.offset(Napi.id))
    return napi


@doit(NAPI_GET)
def napi_get(call: Call) -> Values:
    """netdev_nl_napi_get_doit()."""
    values = fill_napi(find_napi(call))
    if values is None:
        raise Refusal(errno.ENOENT)
    return values


@dumpit(NAPI_GET)
def napi_get_dump(call: Call) -> Messages:
    """netdev_nl_napi_get_dumpit()."""
    for dev in chosen_devices(call, call.attrs.get(Napi.ifindex)):
        if dev.running:
            for napi in tuple(dev.napi_list):
                if napi.valid:
                    yield partial(fill_napi, napi)


@doit(NAPI_SET)
def napi_set(call: Call) -> None:
    """netdev_nl_napi_set_doit()."""
    napi, attrs = find_napi(call), call.attrs
    threaded = attrs.get(Napi.threaded)
    if threaded is not None:
        napi.set_threaded(NapiThreaded(threaded))
    for attr, change in (
        (Napi.defer_hard_irqs, napi.set_defer_hard_irqs),
        (Napi.irq_suspend_timeout, napi.set_irq_suspend_timeout),
        (Napi.gro_flush_timeout, napi.set_gro_flush_timeout),
    ):
        value = attrs.get(attr)
        if value is not None:
            change(value)
