"""Notifications of rules: notify_rule_change()."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.rule import dump
from nlemu.emulator.kernel.inet import rules
from nlemu.protocol.uapi.rtnetlink import RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.rules import Rule

GROUPS = {
    rules.IPV4: int(RTNLGRP.IPV4_RULE), rules.IPMR: int(RTNLGRP.IPV4_RULE),
    rules.IPV6: int(RTNLGRP.IPV6_RULE), rules.IP6MR: int(RTNLGRP.IPV6_RULE),
}
"""ops->nlgroup"""


class RuleNotify(RtnlNotify):
    """RTNLGRP_IPV4_RULE and RTNLGRP_IPV6_RULE."""

    def rule(self, net: Net, event: int, rule: Rule, *, origin: Origin | None = None) -> None:
        """notify_rule_change()."""
        self.notify(net, GROUPS[rule.ops], event, lambda: dump.body(net, rule), origin=origin)
