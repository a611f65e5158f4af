"""gve: what it does otherwise than a profile can say (drivers/net/ethernet/google/gve).

A table and a key, and nothing to be said of what is hashed. What the device refuses is told in one sentence, whatever
it is. Rules are the device's: the driver passes them on, asks it for them again, and tells only what it asked of it.
"""

from __future__ import annotations

from dataclasses import replace
from errno import EINVAL, EMSGSIZE, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.nics.nic import NicOps, state_of
from nlemu.emulator.kernel.nics.rules import RuleFacts
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

ROOM = 1024
"""How many rules there may be is the device's to say, and it tells that when it is asked what it can."""
OF_IPV4 = frozenset((FlowType.TCP_V4, FlowType.UDP_V4, FlowType.SCTP_V4, FlowType.AH_V4, FlowType.ESP_V4))
OF_IPV6 = frozenset((FlowType.TCP_V6, FlowType.UDP_V6, FlowType.SCTP_V6, FlowType.AH_V6, FlowType.ESP_V6))
UNMASKED = frozenset((FlowType.AH_V6, FlowType.ESP_V6))
"""Of whose SPI the driver passes on no mask."""


class GveOps(NicOps):
    """gve_netdev_ops and gve_ethtool_ops."""

    rules = RuleFacts(room=ROOM)

    def check_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        """gve_adminq_configure_rss(), and gve_set_rxfh() after it."""
        if wanted.function and wanted.function not in self.facts.functions:
            raise Refusal(EOPNOTSUPP, "gve: Fail to configure RSS config")

    def set_features(self, dev: Device, features: int) -> bool:
        """gve_set_features(): without ntuple there are no rules."""
        if dev.features & NTUPLE and not features & NTUPLE:
            state_of(dev).rules.clear()
        return False

    # Rules

    def rule_count(self, dev: Device) -> tuple[int, int | None]:
        return len(state_of(dev).rules), ROOM

    def rule_locations(self, dev: Device, room: int) -> tuple[int, list[int]]:
        """gve_get_flow_rule_ids(): how many there are it does not tell, so that what is behind them is told too."""
        kept = sorted(state_of(dev).rules)
        if len(kept) > room:
            raise Refusal(EMSGSIZE)
        return ROOM, kept + [0] * (room - len(kept))

    def get_rule(self, dev: Device, location: int) -> Rule:
        """gve_get_flow_rule_entry()."""
        found = state_of(dev).rules.get(location)
        if found is None:
            raise Refusal(EINVAL)
        return found

    def check_rule(self, dev: Device, rule: Rule) -> None:
        """gve_set_rxnfc(), gve_generate_flow_rule(); and of the place, what gve_adminq_parse_err() makes of a device
        that says it is out of range, or taken."""
        if not dev.features & NTUPLE:
            raise Refusal(EOPNOTSUPP)
        if rule.drops:
            raise Refusal(EOPNOTSUPP)
        if rule.cookie >= state_of(dev).count or rule.flow not in OF_IPV4 | OF_IPV6:
            raise Refusal(EINVAL)
        if rule.location >= ROOM or rule.location in state_of(dev).rules:
            raise Refusal(EINVAL)

    def kept(self, rule: Rule) -> Rule:
        """gve_fill_ethtool_flow_spec(): without the traffic class, and without what is beside the kind."""
        unsaid = {"tos" if rule.flow in OF_IPV4 else "tclass": 0}
        masks = rule.masks._replace(**unsaid, **({"spi": 0} if rule.flow in UNMASKED else {}))
        values = rule.values._replace(**unsaid)
        return replace(rule, flags=0, context=0, values=values, masks=masks, extra_values=None, extra_masks=None)

    def delete_rule(self, dev: Device, location: int) -> None:
        """gve_set_rxnfc(), gve_del_flow_rule()."""
        if not dev.features & NTUPLE:
            raise Refusal(EOPNOTSUPP)
        if state_of(dev).rules.pop(location, None) is None:
            raise Refusal(EINVAL)
