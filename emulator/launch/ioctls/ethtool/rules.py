"""Rules that send flows to queues, by ioctl: inserted, deleted, counted, shown one by one, and where they all are.

One structure serves all of that (struct ethtool_rxnfc), and what a command does not mean it leaves as it is.
"""

from __future__ import annotations

import errno
from typing import Any

from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.ethtool import rules as model
from nlemu.emulator.launch.ioctls.ethtool.request import Request, want
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema import flow_specs, u32s
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import FLOW_EXT, FLOW_MAC_EXT, FLOW_RSS, FlowType

RXNFC, SPEC, EXTRA = prepare(structs.ethtool_rxnfc), prepare(flow_specs.rx_flow_spec), prepare(flow_specs.flow_ext)
KINDS = {flow: prepare(spec) for flow, spec in flow_specs.SPECS.items()}
FLAGS = FLOW_EXT | FLOW_MAC_EXT | FLOW_RSS
LOCATIONS = RXNFC.size - 4
"""Where the locations of rules begin: behind `rule_cnt`."""
ENTRY = 4
MOST = (1 << 22) // ENTRY
"""KMALLOC_MAX_SIZE / sizeof(u32)"""


def rule_of(asked: Any) -> Rule:
    """A rule, as the structure has it."""
    spec = SPEC.unpack(asked.fs)
    number = spec.flow_type & ~FLAGS
    flow = FlowType(number) if number in FlowType.__members__.values() else number
    kind = KINDS.get(flow) if isinstance(flow, FlowType) else None
    return Rule(
        flow, spec.flow_type & FLAGS, kind and kind.unpack(spec.h_u), kind and kind.unpack(spec.m_u),
        EXTRA.unpack(spec.h_ext), EXTRA.unpack(spec.m_ext), spec.ring_cookie, spec.location, asked.rule_cnt,
    )


def spec_of(rule: Rule) -> bytes:
    """The structure, as a rule has it."""
    assert isinstance(rule.flow, FlowType)
    kind = KINDS[rule.flow]
    return SPEC.pack(
        flow_type=rule.flow | rule.flags,
        h_u=kind.pack(rule.values).ljust(flow_specs.UNION, b"\0"), h_ext=EXTRA.pack(rule.extra_values),
        m_u=kind.pack(rule.masks).ljust(flow_specs.UNION, b"\0"), m_ext=EXTRA.pack(rule.extra_masks),
        ring_cookie=rule.cookie, location=rule.location,
    )


def insert(request: Request) -> None:
    """ETHTOOL_SRXCLSRLINS."""
    want(request, "insert_rule")
    asked = request.read(RXNFC)
    kept = model.insert(request.dev, rule_of(asked))
    request.write(RXNFC.pack(asked._replace(fs=spec_of(kept))))


def delete(request: Request) -> None:
    """ETHTOOL_SRXCLSRLDEL."""
    want(request, "delete_rule")
    model.delete(request.dev, SPEC.unpack(request.read(RXNFC).fs).location)


def count(request: Request) -> None:
    """ETHTOOL_GRXCLSRLCNT."""
    want(request, "rule_count")
    asked = request.read(RXNFC)
    number, data = request.dev.ops.rule_count(request.dev)
    request.write(RXNFC.pack(asked._replace(rule_cnt=number, data=asked.data if data is None else data)))


def show(request: Request) -> None:
    """ETHTOOL_GRXCLSRULE."""
    want(request, "get_rule")
    asked = request.read(RXNFC)
    rule = request.dev.ops.get_rule(request.dev, SPEC.unpack(asked.fs).location)
    number = rule.context if rule.spread else asked.rule_cnt
    shown = request.dev.ops.shown_data
    data = asked.data if shown is None else shown
    request.write(RXNFC.pack(asked._replace(fs=spec_of(rule), rule_cnt=number, data=data)))


def locations(request: Request) -> None:
    """ETHTOOL_GRXCLSRLALL: as many as there is room for, which the caller says."""
    want(request, "rule_locations")
    asked = request.read(RXNFC)
    if asked.rule_cnt > MOST:
        raise OSError(errno.ENOMEM, "more than there can be")
    size, found = request.dev.ops.rule_locations(request.dev, asked.rule_cnt)
    request.write(RXNFC.pack(asked._replace(data=size, rule_cnt=len(found))))
    request.write(u32s.pack(found[: asked.rule_cnt]), LOCATIONS)
