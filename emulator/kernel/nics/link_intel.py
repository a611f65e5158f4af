"""The links of ice and i40e (drivers/net/ethernet/intel/ice/ice_ethtool.c, i40e/i40e_ethtool.c).

Their port is the firmware's: it has a link while the device is down, too, unless the driver was told otherwise
(link-down-on-close). A cable of copper negotiates, and that cannot be switched off.
"""

from __future__ import annotations

from dataclasses import replace
from errno import EINVAL, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ethtool.link import Fec, FecCounter, FecStats, LinkSettings
from nlemu.emulator.kernel.ethtool.settings import Pause
from nlemu.emulator.kernel.nics.link import (
    ASYM_PAUSE,
    AUTONEG,
    FIBRE,
    PAUSE,
    UNKNOWN,
    NicLink,
    again,
    correction,
    fastest,
    fec_modes,
    fitting,
)
from nlemu.emulator.kernel.nics.vfs import NicVfs
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Autoneg, Duplex, FecFlag, Port
from nlemu.protocol.uapi.link_modes import PARAMETERS, Mode, at, bits, modes, union

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.profiles import Profile

ALONE = ("duplex", "port", "phy_address", "tp_mdix", "tp_mdix_ctrl", "transceiver", "master_slave_cfg",
         "master_slave_state", "rate_matching")
"""What has to be said as it is told: a request may differ in speed and autoneg alone."""
CLOSES = "link-down-on-close"
PLAIN = frozenset((FecFlag.AUTO, FecFlag.RS, FecFlag.BASER, FecFlag.OFF, FecFlag.NONE))


class IntelLink(NicLink):
    """What both have in common."""

    settable = corrects = corrections_settable = True

    def has_link(self, dev: Device) -> bool:
        """I40E_AQ_LINK_UP, ICE_AQ_LINK_UP: whether the port has one."""
        assert isinstance(dev.ops, NicVfs)
        private = dev.priv.profile.private
        closes = private.bits(CLOSES) if CLOSES in private.names else 0
        return bool(self.speed) and dev.ops.link_wanted(dev) and (dev.running or not dev.priv.flags & closes)

    def negotiates(self, dev: Device) -> bool:
        """Whether the link is negotiated, and pauses with it: what is plugged in says that, no request."""
        return bool(dev.priv.pause.autoneg)

    def pause(self, dev: Device) -> Pause:
        """i40e_get_pauseparam(), ice_get_pauseparam()."""
        return replace(super().pause(dev), autoneg=self.negotiates(dev))

    def take_pause(self, dev: Device, wanted: Pause) -> None:
        """i40e_set_pauseparam(), ice_set_pauseparam(). EOPNOTSUPP: whether it is negotiated is the link's to set."""
        if wanted.autoneg != self.negotiates(dev):
            raise Refusal(EOPNOTSUPP)
        super().take_pause(dev, replace(wanted, autoneg=dev.priv.pause.autoneg))

    def check_alone(self, dev: Device, wanted: LinkSettings) -> None:
        """memcmp() of what is wanted and what is so. EOPNOTSUPP."""
        told = self.settings(dev)
        if any(getattr(wanted, name) != getattr(told, name) for name in ALONE):
            raise Refusal(EOPNOTSUPP)


ICE_MODES = modes(
    "1000baseX", "1000baseKX", "2500baseX", "10000baseKR", "10000baseSR", "10000baseLR", "25000baseCR", "25000baseSR",
    "25000baseKR", "50000baseCR2", "50000baseKR2", "50000baseSR2", "100000baseCR4", "100000baseSR4",
    "100000baseLR4_ER4", "100000baseKR4", "100000baseCR2", "100000baseSR2", "100000baseKR2", "200000baseKR4",
    "200000baseSR4", "200000baseLR4_ER4_FR4", "200000baseDR4", "200000baseCR4",
)
"""ice_adv_lnk_speed_1000 to _200000, but for twisted pairs and 40 Gbit/s."""
ICE_COPPER = modes("25000baseCR", "50000baseCR2", "100000baseCR4", "100000baseCR2", "200000baseCR4")
LEAST_OF_QSFP = 25000
"""ice_mask_min_supported_speeds()"""


class IceLink(IntelLink):
    """ice_get_link_ksettings() and its like, of a card that has all modes without regard to what is plugged in
    (ICE_FLAG_LINK_LENIENT_MODE_ENA)."""

    counts_corrections = True

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        modes_ = fitting(ICE_MODES, self.speed)
        if any((mode := PARAMETERS[bit]) is not None and mode.speed >= 100000 for bit in bits(modes_)):
            modes_ = sum(1 << bit for bit in bits(modes_) if _speed(bit) >= LEAST_OF_QSFP)
        self.can = modes_
        self.speeds: frozenset[int] = frozenset()
        """Those that were asked for; none: whatever the cable can."""
        self.fec_wanted = FecFlag.AUTO

    def pause_at_first(self) -> Pause:
        """ice_is_phy_caps_an_enabled(): a cable of copper negotiates."""
        return Pause(autoneg=True)

    def mode(self) -> Mode | None:
        """How the link is when there is one."""
        cable = (PARAMETERS[bit] for bit in bits(self.can & ICE_COPPER))
        return fastest(mode for mode in cable if mode is not None and (not self.speeds or mode.speed in self.speeds))

    def _modes(self) -> tuple[int, int]:
        """ice_phy_type_to_ethtool(): those that there are, and those that are advertised."""
        if self.speeds:
            return self.can, union(at(self.can, speed) for speed in self.speeds)
        return self.can, self.can & ICE_COPPER

    def settings(self, dev: Device) -> LinkSettings:
        """ice_get_link_ksettings()."""
        can, advertised = self._modes()
        pause, corrected = dev.priv.pause, fec_modes(FecFlag.OFF | FecFlag.BASER | FecFlag.RS)
        link = LinkSettings(speed=UNKNOWN, duplex=Duplex.UNKNOWN, port=Port.DA)
        link.supported = can | FIBRE | PAUSE | AUTONEG | corrected
        link.advertising = advertised | FIBRE | AUTONEG | self._asked()
        if pause.rx or pause.tx:
            link.advertising |= ASYM_PAUSE | (PAUSE if pause.rx else 0)
        mode = self.mode() if self.has_link(dev) else None
        if mode is not None:
            link.speed, link.duplex, link.autoneg = mode.speed, Duplex.FULL, Autoneg.ENABLE
            link.lp_advertising = AUTONEG | (PAUSE if pause.tx else 0) | (ASYM_PAUSE if pause.rx != pause.tx else 0)
        return link

    def _asked(self) -> int:
        """Which corrections are advertised: those that are asked for, and none in any case."""
        asked = {FecFlag.AUTO: FecFlag.BASER | FecFlag.RS}.get(self.fec_wanted, self.fec_wanted)
        return fec_modes(asked | FecFlag.OFF)

    def take(self, dev: Device, wanted: LinkSettings) -> None:
        """ice_set_link_ksettings(). Among what is wanted there may be nothing but modes of the card: not those of its
        connector, and none of pause frames."""
        if wanted.advertising & ~self.can:
            raise Refusal(EOPNOTSUPP)
        self.check_alone(dev, wanted)
        if wanted.autoneg == Autoneg.DISABLE and self.has_link(dev):
            raise Refusal(EINVAL)
        speeds = frozenset(_speed(bit) for bit in bits(wanted.advertising)) or self.speeds
        if speeds != self.speeds:
            self.speeds = speeds
            again(dev)

    def fec(self, dev: Device) -> Fec:
        """ice_get_fecparam(): what there is, and what is asked for."""
        mode = self.mode() if self.has_link(dev) else None
        active = FecFlag.OFF
        if mode is not None:
            active = correction(mode, None if self.fec_wanted == FecFlag.AUTO else self.fec_wanted)
        return Fec(FecFlag.AUTO | FecFlag.BASER | FecFlag.RS, active)

    def take_fec(self, dev: Device, wanted: int) -> None:
        """ice_set_fecparam()."""
        if wanted not in PLAIN:
            raise Refusal(EINVAL)
        if wanted != self.fec_wanted:
            self.fec_wanted = FecFlag(wanted)
            again(dev)

    def fec_stats(self, dev: Device) -> FecStats:
        """ice_get_fec_stats()."""
        return FecStats(FecCounter(0), FecCounter(0))


I40E_MODES = {40000: modes("40000baseCR4"), 25000: modes("25000baseCR"), 10000: modes("10000baseT")}
"""i40e_phy_type_to_ethtool() of cables of copper: the one that a port of that speed has."""
NEGOTIATING = frozenset((40000, 25000))
"""Whose cables negotiate; that of 10 Gbit/s (SFP+) does not."""
OF_25 = frozenset((0x158A, 0x158B, 0x37CE))
"""I40E_DEV_ID_25G_B, I40E_DEV_ID_25G_SFP28, I40E_DEV_ID_KX_X722: whose corrections can be set."""


class I40eLink(IntelLink):
    """i40e_get_link_ksettings() and its like."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.fec_wanted = FecFlag.AUTO

    def pause_at_first(self) -> Pause:
        return Pause(autoneg=self.speed in NEGOTIATING)

    def negotiates(self, dev: Device) -> bool:
        """I40E_AQ_AN_COMPLETED."""
        return super().negotiates(dev) and self.has_link(dev)

    def take_pause(self, dev: Device, wanted: Pause) -> None:
        super().take_pause(dev, wanted)
        again(dev)

    def settings(self, dev: Device) -> LinkSettings:
        """i40e_get_link_ksettings(): what is told does not hang on whether there is a link, but for the speed."""
        pause, can = dev.priv.pause, I40E_MODES.get(self.speed, 0)
        negotiates = self.speed in NEGOTIATING
        link = LinkSettings(speed=UNKNOWN, duplex=Duplex.UNKNOWN, port=Port.DA)
        link.supported = link.advertising = can | FIBRE | (AUTONEG if negotiates else 0)
        if self.speed != 40000 and can:
            corrected = fec_modes(FecFlag.OFF | FecFlag.RS | FecFlag.BASER)
            link.supported |= corrected
            link.advertising |= corrected if self.fec_wanted == FecFlag.AUTO else fec_modes(self.fec_wanted)
        link.supported |= PAUSE | ASYM_PAUSE
        link.advertising |= (PAUSE if pause.rx else 0) | (ASYM_PAUSE if pause.rx != pause.tx else 0)
        if self.has_link(dev):
            link.speed, link.duplex = self.speed, Duplex.FULL
            link.autoneg = Autoneg.ENABLE if negotiates else Autoneg.DISABLE
        return link

    def take(self, dev: Device, wanted: LinkSettings) -> None:
        """i40e_set_link_ksettings(), of a port that has one speed: whatever is not refused is so already."""
        told = self.settings(dev)
        if wanted.advertising & ~told.supported:
            raise Refusal(EINVAL)
        self.check_alone(dev, wanted)
        negotiates = bool(told.supported & AUTONEG)
        changed = wanted.autoneg != told.autoneg
        if changed and negotiates != (wanted.autoneg == Autoneg.ENABLE):
            raise Refusal(EINVAL)
        if wanted.speed != told.speed:
            free = wanted.autoneg == Autoneg.DISABLE or (told.autoneg == Autoneg.DISABLE and not changed)
            if not free or wanted.speed == UNKNOWN or not at(told.supported, wanted.speed):
                raise Refusal(EOPNOTSUPP)
        if changed:
            again(dev)

    def fec(self, dev: Device) -> Fec:
        """i40e_get_fec_param(): a port of 40 Gbit/s has none."""
        if self.speed != 25000:
            return Fec(FecFlag.OFF, FecFlag.OFF)
        mode = Mode(self.speed, 1, Duplex.FULL)
        active = correction(mode, self.fec_wanted) if self.has_link(dev) else FecFlag.OFF
        return Fec(self.fec_wanted, active)

    def take_fec(self, dev: Device, wanted: int) -> None:
        """i40e_set_fec_param()."""
        if dev.priv.function.identity.device not in OF_25:
            raise Refusal(EPERM)
        if wanted not in PLAIN:
            raise Refusal(EINVAL)
        self.fec_wanted = FecFlag(wanted)
        again(dev)


def _speed(bit: int) -> int:
    mode = PARAMETERS[bit]
    return 0 if mode is None else mode.speed
