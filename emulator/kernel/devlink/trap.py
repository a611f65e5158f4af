"""Packets that a device hands to the CPU and not to a network device: why, in which groups, how many at most
(net/devlink/trap.c)."""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkTrapAction, DevlinkTrapType

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT = "Cannot change action of non-drop traps. Skipping"
RATE_LESS, RATE_MORE = "Policer rate lower than limit", "Policer rate higher than limit"
BURST_LESS, BURST_MORE = "Policer burst size lower than limit", "Policer burst size higher than limit"


@dataclass(slots=True)
class TrapStats:
    """struct devlink_stats: of the packets that came."""

    packets: int = 0
    bytes: int = 0


@dataclass(eq=False, slots=True)
class Policer:
    """struct devlink_trap_policer: packets a second, and packets at once, with the least and the most that these can
    be."""

    id: int
    rate: int
    burst: int
    rates: tuple[int, int]
    bursts: tuple[int, int]

    def check(self, rate: int, burst: int) -> None:
        """devlink_trap_policer_set(). EINVAL."""
        faults = (
            (rate < self.rates[0], RATE_LESS), (rate > self.rates[1], RATE_MORE),
            (burst < self.bursts[0], BURST_LESS), (burst > self.bursts[1], BURST_MORE),
        )
        for wrong, text in faults:
            if wrong:
                raise Refusal(EINVAL, text)


@dataclass(eq=False, slots=True)
class Group:
    """struct devlink_trap_group; policer: the number of its policer, 0 for none."""

    name: str
    policer: int
    stats: TrapStats = field(default_factory=TrapStats)


@dataclass(eq=False, slots=True)
class Trap:
    """struct devlink_trap. ``cookie``: the flow's action is told of its packets, too."""

    name: str
    group: str
    type: DevlinkTrapType = DevlinkTrapType.DROP
    action: DevlinkTrapAction = DevlinkTrapAction.DROP
    generic: bool = True
    cookie: bool = False
    stats: TrapStats = field(default_factory=TrapStats)


def set_action(trap: Trap, action: DevlinkTrapAction) -> str | None:
    """__devlink_trap_action_set(): what is said though nothing was refused."""
    if action != trap.action and trap.type is not DevlinkTrapType.DROP:
        return KEPT
    trap.action = action
    return None


def set_actions(traps: Iterable[Trap], group: Group, action: DevlinkTrapAction) -> str | None:
    """__devlink_trap_group_action_set(): of all in a group."""
    told = [set_action(trap, action) for trap in traps if trap.group == group.name]
    return next((text for text in reversed(told) if text), None)
