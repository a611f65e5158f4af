"""Rules by which a NIC sends flows to queues, as a driver is asked about them: set_rxnfc and get_rxnfc of ethtool_ops.

A rule stands at a location, by which it is shown and deleted; where there are priorities, lower ones come first. Some
drivers have the location said, others choose it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from errno import EOPNOTSUPP
from typing import TYPE_CHECKING, Any

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FLOW_RSS, RX_CLS_FLOW_DISC, RX_CLS_FLOW_WAKE, FlowType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

VF_SHIFT, RING_MASK, VF_MASK = 32, 0xFFFFFFFF, 0xFF
"""ETHTOOL_RX_FLOW_SPEC_RING and _RING_VF"""


@dataclass(frozen=True, slots=True)
class Rule:
    """struct ethtool_rx_flow_spec, and the context beside it. flow: the kind of packet, or the number that is none's;
    flags: FLOW_EXT, FLOW_MAC_EXT, FLOW_RSS; values, masks: records with the fields of that kind (flow_specs.py), None
    for what is no kind; extra_values, extra_masks: of struct ethtool_flow_ext, None for nothing; cookie: where packets
    go."""

    flow: FlowType | int
    flags: int
    values: Any
    masks: Any
    extra_values: Any
    extra_masks: Any
    cookie: int
    location: int
    context: int = 0

    @property
    def ring(self) -> int:
        """ethtool_get_flow_spec_ring()."""
        return self.cookie & RING_MASK

    @property
    def vf(self) -> int:
        """ethtool_get_flow_spec_ring_vf(): the virtual function, counted from 1; 0 for none."""
        return self.cookie >> VF_SHIFT & VF_MASK

    @property
    def drops(self) -> bool:
        """Packets are thrown away."""
        return self.cookie == RX_CLS_FLOW_DISC

    @property
    def queue(self) -> int | None:
        """The queue that it names, of the device's own; None if it names none."""
        return None if self.cookie in (RX_CLS_FLOW_DISC, RX_CLS_FLOW_WAKE) or self.vf else self.cookie

    @property
    def spread(self) -> bool:
        """It sends to a context."""
        return bool(self.flags & FLOW_RSS)


def empty(value: int | bytes) -> bool:
    """Of a mask: nothing of the field is looked at."""
    return not any(value) if isinstance(value, bytes) else not value


class RuleOps:
    """The methods, of a driver that has none."""

    cap_rss_rxnfc_adds = False
    """A rule for a context may name a queue, which is added to those of the table."""
    shown_data: int | None = None
    """`data` beside a rule that is shown (ETHTOOL_GRXCLSRULE); None where the driver leaves that as it is."""

    def rule_count(self, dev: Device) -> tuple[int, int | None]:
        """ETHTOOL_GRXCLSRLCNT: how many rules there are, and `data`: None where the driver leaves that as it is."""
        raise Refusal(EOPNOTSUPP)

    def rule_locations(self, dev: Device, room: int) -> tuple[int, Sequence[int]]:
        """ETHTOOL_GRXCLSRLALL: the size of the table, and where rules are: no more than there is room for, or all for a
        caller that only counts."""
        raise Refusal(EOPNOTSUPP)

    def get_rule(self, dev: Device, location: int) -> Rule:
        """ETHTOOL_GRXCLSRULE."""
        raise Refusal(EOPNOTSUPP)

    def insert_rule(self, dev: Device, rule: Rule) -> Rule:
        """ETHTOOL_SRXCLSRLINS: the rule as it is kept."""
        raise Refusal(EOPNOTSUPP)

    def delete_rule(self, dev: Device, location: int) -> None:
        """ETHTOOL_SRXCLSRLDEL."""
        raise Refusal(EOPNOTSUPP)
