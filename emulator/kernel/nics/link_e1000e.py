"""The link of e1000e (drivers/net/ethernet/intel/e1000e/ethtool.c): a twisted pair that negotiates with a switch which
can do all that the card can, and pauses when it is asked to.

A gigabit cannot be forced on a twisted pair: who does so negotiates it, and nothing else. While the device is down
there is no link.
"""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ethtool.link import LinkSettings
from nlemu.emulator.kernel.ethtool.settings import Pause
from nlemu.emulator.kernel.nics.link import ASYM_PAUSE, AUTONEG, PAUSE, UNKNOWN, NicLink, again
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Autoneg, Duplex, Port, TpMdi
from nlemu.protocol.uapi.link_modes import PARAMETERS, Mode, at, bits, modes

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.profiles import Profile

SPEEDS = modes("10baseT/Half", "10baseT/Full", "100baseT/Half", "100baseT/Full", "1000baseT/Full")
TWISTED_PAIR, GIGABIT = modes("TP"), modes("1000baseT")
PHY = 1
"""Its address; whether its wires are crossed is the cable's to say: here they are not."""


class E1000eLink(NicLink):
    """e1000_get_link_ksettings(), e1000_set_link_ksettings()."""

    settable = True

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.advertised = SPEEDS
        self.negotiates = True
        self.forced: Mode | None = None
        """What it is when it does not."""
        self.crossed = int(TpMdi.AUTO)
        """What was said of crossing the wires."""

    def mode(self) -> Mode | None:
        """What both ends agree on."""
        if not self.negotiates and self.forced is not None:
            return self.forced
        found = (PARAMETERS[bit] for bit in bits(self.advertised))
        return max((mode for mode in found if mode is not None), default=None)

    def settings(self, dev: Device) -> LinkSettings:
        link = LinkSettings(
            speed=UNKNOWN, duplex=Duplex.UNKNOWN, port=Port.TP, phy_address=PHY, tp_mdix_ctrl=self.crossed,
            autoneg=int(self.negotiates), supported=SPEEDS | PAUSE | ASYM_PAUSE | AUTONEG | TWISTED_PAIR,
            advertising=TWISTED_PAIR,
        )
        if self.negotiates:
            link.advertising |= AUTONEG | self.advertised
        mode = self.mode()
        if dev.carrier and mode is not None:
            link.speed, link.duplex, link.tp_mdix = mode.speed, mode.duplex, TpMdi.MDI
            link.lp_advertising = SPEEDS | PAUSE | AUTONEG
        return link

    def take(self, dev: Device, wanted: LinkSettings) -> None:
        crossed, negotiates = wanted.tp_mdix_ctrl, wanted.autoneg == Autoneg.ENABLE
        if crossed not in (TpMdi.INVALID, TpMdi.AUTO) and not negotiates:
            raise Refusal(EINVAL)
        if negotiates:
            self.negotiates, self.advertised = True, wanted.advertising & SPEEDS or SPEEDS
        else:
            self._force(wanted.speed, wanted.duplex)
        if crossed:
            self.crossed = crossed
        again(dev)

    def _force(self, speed: int, duplex: int) -> None:
        """e1000_set_spd_dplx(). EINVAL, and what there is stays, but is told as forced."""
        self.negotiates = False
        found = [mode for bit in bits(at(SPEEDS, speed)) if (mode := PARAMETERS[bit]) and mode.duplex == duplex]
        if not found:
            raise Refusal(EINVAL)
        if speed == 1000:
            self.negotiates, self.advertised = True, GIGABIT
        else:
            self.forced = found[0]
        self.crossed = int(TpMdi.AUTO)

    def pause_at_first(self) -> Pause:
        """e1000_probe(), e1000e_set_default_fc_generic(): they are negotiated, and the memory of the card says both."""
        return Pause(autoneg=True, rx=True, tx=True)

    def take_pause(self, dev: Device, wanted: Pause) -> None:
        """e1000_set_pauseparam(): what is said beside negotiation is not listened to."""
        if wanted.autoneg:
            wanted = self.pause_at_first()
            again(dev)
        super().take_pause(dev, wanted)
