"""Rules for tests, and NICs that take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.schema.flow_specs import SPECS, flow_ext
from nlemu.protocol.uapi.ethtool import FLOW_EXT, RX_CLS_LOC_ANY, FlowType
from tests.emulator.kernel.world import set_up

EXTRA = prepare(flow_ext)
PORT, EVERY_BIT, HOST = 0xFFFF, 0xFFFFFFFF, bytes([255] * 16)


def rule(flow: FlowType | int = FlowType.TCP_V4, *, queue: int = 0, location: int = 0, flags: int = 0, context: int = 0,
         vlan: tuple[int, int] = (0, 0), values: dict[str, Any] | None = None, **masks: Any) -> Rule:
    """One that looks at what the masks say; flow: by default TCP over IPv4."""
    spec = SPECS.get(flow) if isinstance(flow, FlowType) else None
    codec = spec and prepare(spec)
    wanted, looked_at = (codec and codec.unpack(codec.pack(**fields)) for fields in (values or {}, masks))
    tag, mask = (EXTRA.unpack(EXTRA.pack(vlan_tci=tci)) for tci in vlan)
    return Rule(flow, flags, wanted, looked_at, tag, mask, queue, location, context)


def extra(one: Rule, values: dict[str, Any], **masks: Any) -> Rule:
    """With that beside the kind."""
    tag, mask = (EXTRA.unpack(EXTRA.pack(**{"data": (0, 0), **each})) for each in (values, masks))
    return Rule(one.flow, one.flags | FLOW_EXT, one.values, one.masks, tag, mask, one.cookie, one.location)


def anywhere(flow: FlowType = FlowType.TCP_V4, **said: Any) -> Rule:
    """One whose place the driver chooses."""
    return rule(flow, location=RX_CLS_LOC_ANY, **said)


def plugged(profile: str, up: bool = True, queues: int = 4) -> Device:
    kernel = Kernel()
    dev = kernel.nics.plug("0000:08:00.0", PROFILES[profile], kernel.init_net, queues=queues)
    if up:
        set_up(dev)
    return dev


def refused(errno: int, function: Callable[..., object], *arguments: object) -> str:
    """The text that it says."""
    with pytest.raises(Refusal) as refusal:
        function(*arguments)
    assert refusal.value.errno == errno
    return refusal.value.text or ""
