"""The link of mlx5_core (drivers/net/ethernet/mellanox/mlx5/core/en_ethtool.c, en/port.c).

The card knows protocols, each of which is several modes of ethtool; the newer cards have two tables of them. Which
modes are advertised says which protocols: all of an older protocol's modes in common with what is advertised is enough,
of a newer one all have to be there. A request without any of the newer modes is about the older ones, and is told as
such from then on.
"""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ethtool.link import Fec, FecCounter, FecStats, LinkSettings
from nlemu.emulator.kernel.ethtool.settings import Pause
from nlemu.emulator.kernel.nics.link import (
    ASYM_PAUSE,
    AUTONEG,
    FEC_MODES,
    PAUSE,
    UNKNOWN,
    NicLink,
    again,
    correction,
    corrections,
    fastest,
    fec_modes,
    fits,
    is_virtual,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Autoneg, Duplex, FecFlag, Port
from nlemu.protocol.uapi.link_modes import PARAMETERS, Mode, bits, modes, union

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.profiles import Profile


def _of(speed: int, *media: str) -> int:
    """Modes of one speed."""
    return modes(*(f"{speed}base{medium}" for medium in media))


NEWER = (
    modes("100baseT"), modes("1000baseT", "1000baseKX", "1000baseX"), modes("5000baseT"),
    _of(10000, "T", "KR", "R_FEC", "CR", "SR", "LR", "ER"), _of(40000, "KR4", "CR4", "SR4", "LR4"),
    _of(25000, "CR", "KR", "SR"), _of(50000, "CR2", "KR2", "SR2"), _of(50000, "KR", "SR", "CR", "LR_ER_FR", "DR"),
    _of(100000, "KR4", "SR4", "CR4", "LR4_ER4"), _of(100000, "KR2", "SR2", "CR2", "LR2_ER2_FR2", "DR2"),
    _of(200000, "KR4", "SR4", "LR4_ER4_FR4", "DR4", "CR4"), _of(400000, "KR8", "SR8", "LR8_ER8_FR8", "DR8", "CR8"),
    _of(100000, "KR", "SR", "LR_ER_FR", "DR", "CR"), _of(200000, "KR2", "SR2", "LR2_ER2_FR2", "DR2", "CR2"),
    _of(400000, "KR4", "SR4", "LR4_ER4_FR4", "DR4", "CR4"), _of(800000, "CR8", "KR8", "DR8", "DR8_2", "SR8", "VR8"),
    _of(200000, "CR", "KR", "DR", "DR_2", "SR", "VR"), _of(400000, "CR2", "KR2", "DR2", "DR2_2", "SR2", "VR2"),
    _of(800000, "CR4", "KR4", "DR4", "DR4_2", "SR4", "VR4"), _of(1600000, "CR8", "KR8", "DR8", "DR8_2"),
)
OLDER = tuple(modes(name) for name in (
    "1000baseKX", "10000baseKX4", "10000baseKR", "20000baseKR2", "40000baseCR4", "40000baseKR4", "56000baseKR4",
    "40000baseSR4", "40000baseLR4", "50000baseSR2", "100000baseCR4", "100000baseSR4", "100000baseKR4",
    "100000baseLR4_ER4", "100baseT", "1000baseT", "10000baseT", "25000baseCR", "25000baseKR", "25000baseSR",
    "50000baseCR2", "50000baseKR2",
))
"""mlx5e_build_ptys2ethtool_map(): the protocols of both tables, as the modes that they are."""
FIRST_NEWER = 52
"""MLX5E_MIN_PTYS_EXT_LINK_MODE_BIT: 50000baseKR."""
NOT_IN_CAGES = union((modes("100baseT"), modes("5000baseT")))
"""Of plugs for twisted pairs, which are not among those of these cards; of the older modes the slow ones neither."""
COPPER = modes("Backplane")
"""ptys2ethtool_supported_advertised_port() of MLX5E_PORT_DA."""
ORDER = (FecFlag.OFF, FecFlag.BASER, FecFlag.RS, FecFlag.LLRS)
"""pplm_fec_2_ethtool"""


def mode_of(protocol: int) -> Mode:
    """mlx5_port_ptys2info(): speed and lanes, which all modes of a protocol have in common."""
    found = fastest(mode for bit in bits(protocol) if (mode := PARAMETERS[bit]) is not None)
    assert found is not None
    return found


class Mlx5Link(NicLink):
    """A card of which both tables have what fits its cage."""

    settable = lanes_settable = corrects = corrections_settable = counts_corrections = True

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.newer, self.older = (
            frozenset(one for one in table if not one & NOT_IN_CAGES and fits(mode_of(one), self.speed))
            for table in (NEWER, OLDER)
        )
        self.admin = self.newer
        self.negotiates = True
        self.wanted: FecFlag | None = None
        """Of corrections; None: the card's choice."""

    def mode(self) -> Mode | None:
        """How the link is when there is one."""
        return fastest(mode_of(one) for one in self.admin)

    def settings(self, dev: Device) -> LinkSettings:
        """mlx5e_ethtool_get_link_ksettings()."""
        pause = dev.priv.pause
        link = LinkSettings(
            speed=UNKNOWN, duplex=Duplex.UNKNOWN, port=Port.DA, autoneg=int(self.negotiates),
            supported=union(self.newer) | PAUSE | AUTONEG | COPPER | fec_modes(self._corrections()),
            advertising=union(self.admin) | COPPER,
        )
        link.advertising |= (PAUSE if pause.rx else 0) | (ASYM_PAUSE if pause.rx != pause.tx else 0)
        if self.negotiates:
            link.advertising |= AUTONEG
        mode = self.mode()
        if dev.carrier and mode is not None:
            link.speed, link.lanes, link.duplex = mode.speed, mode.lanes, Duplex.FULL
            link.lp_advertising = AUTONEG if self.negotiates else 0
            link.advertising |= FEC_MODES[correction(mode, self.wanted)]
        return link

    def take(self, dev: Device, wanted: LinkSettings) -> None:
        """mlx5e_ethtool_set_link_ksettings()."""
        negotiates = wanted.autoneg == Autoneg.ENABLE
        newer = bool(wanted.advertising >> FIRST_NEWER) if negotiates else True
        table = self.newer if newer else self.older
        if not negotiates:
            chosen = {
                one for one in table
                if mode_of(one).speed == wanted.speed and wanted.lanes in (0, mode_of(one).lanes)
            }
        elif newer:
            chosen = {one for one in table if one & wanted.advertising == one}
        else:
            chosen = {one for one in table if one & wanted.advertising}
        if not chosen:
            raise Refusal(EINVAL)
        if negotiates != self.negotiates or chosen != self.admin:
            self.negotiates, self.admin = negotiates, frozenset(chosen)
            again(dev)

    def _corrections(self) -> FecFlag:
        can = FecFlag(0)
        for one in self.newer:
            can |= corrections(mode_of(one))
        return can

    def fec(self, dev: Device) -> Fec:
        """mlx5e_get_fecparam(): what is not said is the card's choice, and so it is without a link."""
        mode = self.mode() if dev.carrier else None
        active = FecFlag.AUTO if mode is None else correction(mode, self.wanted)
        return Fec(FecFlag.AUTO if self.wanted is None else self.wanted, active)

    def take_fec(self, dev: Device, wanted: int) -> None:
        """mlx5e_set_fecparam(), mlx5e_set_fec_mode()."""
        if wanted & wanted - 1:
            raise Refusal(EOPNOTSUPP)
        chosen = next((one for one in ORDER if one & wanted), None)
        if chosen is not None and not chosen & self._corrections():
            raise Refusal(EOPNOTSUPP)
        self.wanted = chosen
        again(dev)

    def take_pause(self, dev: Device, wanted: Pause) -> None:
        """mlx5e_ethtool_set_pauseparam(). EOPNOTSUPP: a virtual function's port is not its own; EINVAL: pauses are not
        negotiated."""
        if is_virtual(dev):
            raise Refusal(EOPNOTSUPP)
        if wanted.autoneg:
            raise Refusal(EINVAL)
        super().take_pause(dev, wanted)

    def fec_stats(self, dev: Device) -> FecStats:
        """mlx5e_stats_fec_get(), without a histogram."""
        mode = self.mode() if dev.carrier else None
        if mode is None:
            return FecStats(corrected_bits=FecCounter(0))
        active = correction(mode, self.wanted)
        if active == FecFlag.OFF:
            return FecStats()
        blocks = FecCounter(lanes=(0,) * min(mode.lanes, 4)) if active == FecFlag.BASER else FecCounter(0)
        return FecStats(blocks, blocks, FecCounter(0))
