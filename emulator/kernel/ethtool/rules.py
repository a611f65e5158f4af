"""Rules that send flows to queues: what the core of ethtool checks (net/ethtool/ioctl.c, common.c).

Rules hold what they name: channels cannot be taken from under them, and a context cannot be deleted while a rule sends
to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def insert(dev: Device, rule: Rule) -> Rule:
    """ethtool_set_rxnfc(ETHTOOL_SRXCLSRLINS): the rule as it is kept. EOPNOTSUPP, EINVAL, and what the driver
    refuses."""
    if not dev.ops.has("insert_rule"):
        raise Refusal(EOPNOTSUPP)
    if rule.spread:
        if rule.ring and not dev.ops.cap_rss_rxnfc_adds:
            raise Refusal(EINVAL)
        if rule.context and rule.context not in dev.spread.contexts:
            raise Refusal(EINVAL)
    return dev.ops.insert_rule(dev, rule)


def delete(dev: Device, location: int) -> None:
    """ethtool_set_rxnfc(ETHTOOL_SRXCLSRLDEL)."""
    if not dev.ops.has("delete_rule"):
        raise Refusal(EOPNOTSUPP)
    dev.ops.delete_rule(dev, location)


def every(dev: Device) -> Iterator[Rule]:
    """Each rule of a device; none where the driver has no rules."""
    if dev.ops.has("rule_count"):
        count, _ = dev.ops.rule_count(dev)
        for location in dev.ops.rule_locations(dev, count)[1] if count else ():
            yield dev.ops.get_rule(dev, location)


def highest_queue(dev: Device) -> int:
    """ethtool_get_max_rxnfc_channel(): of those that rules name, by themselves or by a context; 0 where none does."""
    highest = 0
    for rule in every(dev):
        queue = rule.queue
        if queue is not None:
            context = dev.spread.contexts.get(rule.context) if rule.spread else None
            highest = max(highest, queue + (max(context.table, default=0) if context is not None else 0))
    return highest


def holds(dev: Device, context: int) -> bool:
    """ethtool_check_rss_ctx_busy(): whether a rule sends to that context."""
    return any(rule.spread and rule.context == context for rule in every(dev))
