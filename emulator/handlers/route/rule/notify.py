"""Notifications of rules: notify_rule_change()."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.rule import dump
from nlemu.protocol.uapi.rtnetlink import RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.rules import Rule

IPV4_RULE = int(RTNLGRP.IPV4_RULE)


class RuleNotify(RtnlNotify):
    """RTNLGRP_IPV4_RULE."""

    def rule(self, net: Net, event: int, rule: Rule, *, origin: Origin | None = None) -> None:
        """notify_rule_change()."""
        self.notify(net, IPV4_RULE, event, lambda: dump.body(net, rule), origin=origin)
