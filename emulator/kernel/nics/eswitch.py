"""The switch in a card: its mode, and the devices that represent virtual functions in it (devlink's eswitch, and the
drivers' eswitch_mode_set() and its like).

A card that is switched by the kernel ("switchdev") has a device for each virtual function, beside the function's own:
what is sent to one comes out of the other. mlx5's and bnxt's modes change with functions there, ice's only without.
eswitch.c of mlx5 and ice_eswitch.c were not at hand in 7.2.13: what is said of them is what they have long done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.nics import representor
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkEswitchEncapMode, DevlinkEswitchInlineMode, DevlinkEswitchMode

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.function import BusFunction
    from nlemu.emulator.kernel.nics.nics import Nics

LEGACY, SWITCHDEV = DevlinkEswitchMode.LEGACY, DevlinkEswitchMode.SWITCHDEV
WITH_FUNCTIONS = "ice: Changing eswitch mode is allowed only if there is no VFs created"
CHANGED = {LEGACY: "ice: Changed eswitch mode to legacy", SWITCHDEV: "ice: Changed eswitch mode to switchdev"}
UNKNOWN = "ice: Unknown eswitch mode"
NO_INLINE = "mlx5_core: Inline mode can't be set"


@dataclass(frozen=True, slots=True)
class EswitchFacts:
    """repeated: what is said to the mode that is there already, 0 when nothing is; empty: the mode changes only while
    there are no functions; first: representors come before the functions; outlive: and go after them. inline, encap:
    what they are at first, None where the driver knows nothing of them."""

    repeated: int = 0
    empty: bool = False
    first: bool = False
    outlive: bool = True
    inline: DevlinkEswitchInlineMode | None = None
    encap: DevlinkEswitchEncapMode | None = None


FACTS = {
    "mlx5_core": EswitchFacts(
        first=True, inline=DevlinkEswitchInlineMode.NONE, encap=DevlinkEswitchEncapMode.BASIC
    ),
    "bnxt_en": EswitchFacts(repeated=EINVAL, outlive=False),  # bnxt_dl_eswitch_mode_set()
    "ice": EswitchFacts(empty=True),  # ice_eswitch_mode_set()
}
"""By driver."""


@dataclass(slots=True, eq=False)
class Eswitch:
    """Of a card. representors: the devices that stand for its virtual functions, by their numbers."""

    nics: Nics
    card: BusFunction
    facts: EswitchFacts
    mode: DevlinkEswitchMode = LEGACY
    inline: DevlinkEswitchInlineMode | None = None
    encap: DevlinkEswitchEncapMode | None = None
    representors: dict[int, Device] = field(default_factory=dict)

    def set_mode(self, mode: int) -> str | None:
        """eswitch_mode_set(): what is said of it though it is done. EINVAL: there is no such mode; EOPNOTSUPP."""
        if mode == self.mode:
            if self.facts.repeated:
                raise Refusal(self.facts.repeated)
            return None
        count = 0 if self.card.sriov is None else len(self.card.sriov.vfs)
        if self.facts.empty and count:
            raise Refusal(EOPNOTSUPP, WITH_FUNCTIONS)
        if mode not in (LEGACY, SWITCHDEV):
            raise Refusal(EINVAL, UNKNOWN if self.facts.empty else None)
        self.mode = DevlinkEswitchMode(mode)
        if self.mode == LEGACY:
            self.forget()
        else:
            self.represent(count)
        return CHANGED[self.mode] if self.facts.empty else None

    def set_inline(self, mode: int) -> None:
        """mlx5_devlink_eswitch_inline_mode_set(), of cards that need nothing inlined: none, or EOPNOTSUPP."""
        if self.inline is None:
            raise Refusal(EOPNOTSUPP)
        if mode != DevlinkEswitchInlineMode.NONE:
            raise Refusal(EOPNOTSUPP, NO_INLINE)

    def set_encap(self, mode: int) -> None:
        """mlx5_devlink_eswitch_encap_mode_set()."""
        if self.encap is None or mode not in tuple(DevlinkEswitchEncapMode):
            raise Refusal(EOPNOTSUPP)
        self.encap = DevlinkEswitchEncapMode(mode)

    def represent(self, count: int) -> None:
        """So many functions are there, or come, and each is represented."""
        for number in range(count):
            if number not in self.representors:
                self.representors[number] = representor.make(self.nics, self.card, number)

    def forget(self) -> None:
        """Nobody is represented any more; the last one goes first."""
        for number in sorted(self.representors, reverse=True):
            representor.remove(self.nics, self.card, self.representors.pop(number))


def begin(nics: Nics, card: BusFunction) -> None:
    """The driver of a card begins, which can have virtual functions."""
    facts = FACTS.get(card.profile.driver)
    if facts is not None and card.sriov is not None:
        card.eswitch = Eswitch(nics, card, facts, inline=facts.inline, encap=facts.encap)
