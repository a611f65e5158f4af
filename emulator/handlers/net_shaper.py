"""The net-shaper family (net/shaper/shaper.c): what a device can shape."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.net_shaper import CAP_GET, Caps
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.net_shaper import NetShaperScope

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.protocol.schema.attributes import Values

SUPPORT = tuple(attr for attr in Caps.order if attr not in (Caps.ifindex, Caps.scope))


def find_device(call: Call) -> Device:
    """net_shaper_ctx_setup(): the device that the request names. Refusal ENOENT, EOPNOTSUPP."""
    dev, at = call.net.device(call.attrs[Caps.ifindex]), call.attrs.offset(Caps.ifindex)
    if dev is None:
        raise Refusal(errno.ENOENT, at=at)
    if not dev.ops.has("shaper_capabilities"):
        raise Refusal(errno.EOPNOTSUPP, at=at)
    return dev


def fill_caps(dev: Device, scope: NetShaperScope) -> Values | None:
    """net_shaper_cap_fill_one(); None where the device can do nothing for that scope."""
    caps = dev.ops.shaper_capabilities(dev, scope)
    if not caps:
        return None
    told = {attr: True if caps >> attr.number & 1 else None for attr in SUPPORT}
    return {Caps.ifindex: dev.ifindex, Caps.scope: scope, **told}


@doit(CAP_GET)
def cap_get(call: Call) -> Values:
    """net_shaper_nl_cap_get_doit(): the device is looked for before the scope is missed."""
    dev = find_device(call)
    call.attrs.require((Caps.scope,))
    values = fill_caps(dev, NetShaperScope(call.attrs[Caps.scope]))
    if values is None:
        raise Refusal(errno.EOPNOTSUPP)
    return values


@dumpit(CAP_GET)
def cap_get_dump(call: Call) -> Messages:
    """net_shaper_nl_cap_pre_dumpit(), which refuses before the dump begins, and net_shaper_nl_cap_get_dumpit()."""
    dev = find_device(call)
    return (partial(fill_caps, dev, scope) for scope in NetShaperScope)
