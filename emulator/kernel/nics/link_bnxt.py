"""The link of bnxt_en (drivers/net/ethernet/broadcom/bnxt/bnxt_ethtool.c), of a chip that tells its speeds in one word
(BNXT_PHY_FL_SPEEDS2).

The firmware knows a speed and a signal, which is a mode for each medium; that of the cable that is there is told. What
is advertised may be said by the modes of any medium.
"""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.kernel.ethtool.link import Fec, FecCounter, FecStats, LinkSettings
from nlemu.emulator.kernel.ethtool.settings import Pause
from nlemu.emulator.kernel.nics.link import (
    ASYM_PAUSE,
    AUTONEG,
    FEC_MODES,
    FIBRE,
    PAUSE,
    UNKNOWN,
    NicLink,
    again,
    correction,
    fastest,
    fec_modes,
    fits,
    is_virtual,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Autoneg, Duplex, FecFlag, Port
from nlemu.protocol.uapi.link_modes import PARAMETERS, Mode, modes, union

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.profiles import Profile

class Speed(NamedTuple):
    """A bit of the firmware's word: what each medium calls it, in the order of bnxt_media_type; what copper calls it;
    and which turn it takes among those that go as fast when one of them is forced."""

    media: tuple[int, ...]
    copper: int
    turn: int

    @property
    def mode(self) -> Mode:
        """What it is."""
        found = PARAMETERS[self.copper.bit_length() - 1]
        assert found is not None
        return found


def _row(speed: int, media: str, turn: int = 0) -> Speed:
    names = [f"{speed}base{one}" for one in media.split()]
    return Speed(tuple(map(modes, names)), modes(next(name for name in names if "baseC" in name)), turn)


SPEEDS = (
    _row(10000, "T CR SR LR KR KX4"), _row(25000, "CR SR KR"), _row(40000, "CR4 SR4 LR4 KR4"),
    _row(50000, "CR2 SR2 KR2"), _row(50000, "CR SR LR_ER_FR KR", 1),
    _row(100000, "CR4 SR4 LR4_ER4 KR4"), _row(100000, "CR2 SR2 LR2_ER2_FR2 KR2", 1),
    _row(100000, "CR SR LR_ER_FR KR", 2),
    _row(200000, "CR4 SR4 LR4_ER4_FR4 KR4"), _row(200000, "CR2 SR2 LR2_ER2_FR2 KR2", 1),
    _row(400000, "CR8 SR8 LR8_ER8_FR8 KR8"), _row(400000, "CR4 SR4 LR4_ER4_FR4 KR4", 1),
)
"""bnxt_link_modes, from 10 Gbit/s on."""
CORRECTS = FecFlag.BASER | FecFlag.RS | FecFlag.LLRS
"""BNXT_FEC_ENC_BASE_R_CAP and its like, all of which a chip has here."""


class BnxtLink(NicLink):
    """A card of which the firmware has what fits its cage, and lets the driver say how its port is to be."""

    settable = lanes_settable = corrects = corrections_settable = counts_corrections = True

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.can = frozenset(one for one in SPEEDS if fits(one.mode, self.speed))
        self.advertised = self.can
        self.forced: Speed | None = None
        self.fec_set: FecFlag | None = None
        """What was said of corrections; None: they are negotiated."""

    def mode(self) -> Mode | None:
        """How the link is when there is one."""
        return self.forced.mode if self.forced else fastest(one.mode for one in self.advertised)

    def settings(self, dev: Device) -> LinkSettings:
        """bnxt_get_link_ksettings()."""
        pause = dev.priv.pause
        link = LinkSettings(speed=UNKNOWN, duplex=Duplex.UNKNOWN, port=Port.DA, autoneg=int(self.forced is None))
        link.supported = PAUSE | ASYM_PAUSE | AUTONEG | FIBRE | fec_modes(CORRECTS)
        link.supported |= union(one.copper for one in self.can)
        link.advertising = FIBRE
        if pause.autoneg:
            link.advertising |= (PAUSE if pause.rx else 0) | (ASYM_PAUSE if pause.rx != pause.tx else 0)
        mode = self.mode()
        if dev.carrier and mode is not None:
            link.speed, link.lanes, link.duplex = mode
        elif self.forced:
            link.speed, link.duplex = self.forced.mode.speed, Duplex.FULL
        if self.forced is None:
            link.advertising |= AUTONEG | union(one.copper for one in self.advertised)
            link.advertising |= FEC_MODES[FecFlag.RS if self.fec_set is None else FecFlag.OFF]
        return link

    def take(self, dev: Device, wanted: LinkSettings) -> None:
        """bnxt_set_link_ksettings(). That it is of a port which several functions share is not modelled."""
        if is_virtual(dev):
            raise Refusal(EOPNOTSUPP)
        if wanted.autoneg == Autoneg.ENABLE:
            self.forced, self.advertised = None, self._advertised(wanted.advertising) or self.can
        else:
            if wanted.duplex == Duplex.HALF:
                raise Refusal(EINVAL)
            forced = self._forced(wanted.speed, wanted.lanes)
            if forced == self.forced:
                return
            self.forced, self.advertised = forced, frozenset()
            dev.priv.pause.autoneg = False
        again(dev)

    def _advertised(self, wanted: int) -> frozenset[Speed]:
        """bnxt_set_ethtool_speeds(), bnxt_update_speed(): the mode of the cable decides; else one of the others that is
        not as it was."""
        advertised, settled = set(self.advertised), set()
        for one in SPEEDS:
            for medium in one.media:
                desired = bool(medium & wanted)
                if medium == one.copper and desired:
                    advertised.add(one)
                    settled.add(one)
                elif one not in settled and desired != (one in advertised):
                    advertised ^= {one}
                    settled.add(one)
        return frozenset(advertised) & self.can

    def _forced(self, speed: int, lanes: int) -> Speed:
        """bnxt_force_link_speed(): of those that go as fast the first, unless lanes are said that only a later one has.
        EINVAL."""
        found = sorted((one for one in self.can if one.mode.speed == speed), key=lambda one: one.turn)
        exact = [one for one in found if one.mode.lanes == lanes]
        if not found or (lanes and not exact):
            raise Refusal(EINVAL)
        return (exact or found)[0]

    def fec(self, dev: Device) -> Fec:
        """bnxt_get_fecparam()."""
        mode = self.mode() if dev.carrier else None
        active = FecFlag.OFF if mode is None else correction(mode, self.fec_set)
        if self.fec_set is None:
            return Fec(FecFlag.AUTO | FecFlag.RS, active)
        return Fec(self.fec_set & ~FecFlag.OFF, active)

    def take_fec(self, dev: Device, wanted: int) -> None:
        """bnxt_set_fecparam()."""
        if wanted & FecFlag.OFF:
            self.fec_set = FecFlag.OFF
        elif wanted & FecFlag.AUTO:
            if self.forced is not None:
                raise Refusal(EINVAL)
            self.fec_set = None
        else:
            self.fec_set = next(one for one in (FecFlag.BASER, FecFlag.RS, FecFlag.LLRS) if one & wanted)
        again(dev)

    def fec_stats(self, dev: Device) -> FecStats:
        """bnxt_get_fec_stats(), of firmware that has no histogram; a virtual function is told nothing."""
        if is_virtual(dev):
            return FecStats()
        return FecStats(FecCounter(0), FecCounter(0), FecCounter(0))

    def pause(self, dev: Device) -> Pause:
        """bnxt_get_pauseparam(): a virtual function is told nothing."""
        return Pause() if is_virtual(dev) else super().pause(dev)

    def take_pause(self, dev: Device, wanted: Pause) -> None:
        """bnxt_set_pauseparam(). EOPNOTSUPP; EINVAL: nothing is negotiated on a link that is forced."""
        if is_virtual(dev):
            raise Refusal(EOPNOTSUPP)
        if wanted.autoneg and self.forced is not None:
            raise Refusal(EINVAL)
        super().take_pause(dev, wanted)
