"""The link of a NIC as ethtool tells it: its modes, its speed, how errors on it are corrected. Here is what all drivers
have in common; what each makes of it stands in link_mlx5.py and its like.

In each cage there is a cable of copper with the plugs fixed to it, as racks have it, and at the other end somebody who
can do the same. How fast it goes is the profile's `speed`: a cage has four lanes from 40 Gbit/s on, eight from 800 on,
one below, and what is beyond its speed, or that of its lanes, is not among the modes of the card. Real cards have more
or fewer, as they were made. A link that is set anew goes down, and comes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from errno import EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.link_watch import carrier_off, carrier_on
from nlemu.emulator.kernel.ethtool.link import Fec, FecStats, LinkSettings
from nlemu.emulator.kernel.ethtool.settings import Pause
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Autoneg, Duplex, FecFlag, Port
from nlemu.protocol.uapi.link_modes import PARAMETERS, Mode, bits, modes

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.profiles import Profile

UNKNOWN = 0xFFFFFFFF
"""SPEED_UNKNOWN, as user space reads it."""
QSFP, OSFP = 4, 8
"""Lanes."""
PAUSE, ASYM_PAUSE, AUTONEG, FIBRE = modes("Pause"), modes("Asym_Pause"), modes("Autoneg"), modes("FIBRE")
FEC_MODES = {
    FecFlag.OFF: modes("None"), FecFlag.BASER: modes("BASER"), FecFlag.RS: modes("RS"), FecFlag.LLRS: modes("LLRS"),
}
CORRECTIONS = (
    (25000, FecFlag.OFF | FecFlag.BASER),
    (50000, FecFlag.OFF | FecFlag.BASER | FecFlag.RS),
    (100000, FecFlag.RS | FecFlag.LLRS),
    (UNKNOWN, FecFlag.RS),
)
"""What corrects errors on a lane that is slower than that: clauses 74, 91, 108, 119 and 161 of IEEE 802.3."""


def lanes(speed: int) -> int:
    """How many a cage has that is made for that speed."""
    if speed >= 800000:
        return OSFP
    return QSFP if speed >= 40000 and speed != 50000 else 1


def fits(mode: Mode | None, speed: int) -> bool:
    """Whether a cage for that speed can do a mode."""
    if mode is None:
        return False
    count = lanes(speed)
    return mode.speed <= speed and mode.lanes <= count and mode.speed * count <= speed * mode.lanes


def fitting(names: int, speed: int) -> int:
    """Those of a set of modes that a cage for that speed can do."""
    return sum(1 << bit for bit in bits(names) if fits(PARAMETERS[bit], speed))


def fastest(of: Iterable[Mode]) -> Mode | None:
    """What the link comes up with: the highest speed, on the most lanes."""
    return max(of, default=None)


def corrections(mode: Mode) -> FecFlag:
    """Which corrections a link of that mode can do."""
    return next(can for limit, can in CORRECTIONS if mode.speed // mode.lanes < limit)


def correction(mode: Mode, wanted: FecFlag | None) -> FecFlag:
    """Which one it does: the one that is wanted if it can, else the usual one."""
    can = corrections(mode)
    if wanted is not None and wanted & can:
        return wanted
    return FecFlag.RS if can & FecFlag.RS else FecFlag.OFF


def fec_modes(flags: int) -> int:
    """The link modes that say those corrections."""
    return sum(mode for flag, mode in FEC_MODES.items() if flag & flags)


class NicLink:
    """The link of one NIC. This one is that of a driver of which nothing is known: it tells its speed.

    settable: set_link_ksettings is there; lanes_settable: cap_link_lanes_supported. corrects, corrections_settable,
    counts_corrections: get_fecparam, set_fecparam, get_fec_stats."""

    settable = lanes_settable = False
    corrects = corrections_settable = counts_corrections = False

    def __init__(self, profile: Profile) -> None:
        self.speed = profile.speed

    def settings(self, dev: Device) -> LinkSettings:
        """get_link_ksettings."""
        if not dev.carrier or not self.speed:
            return LinkSettings(speed=UNKNOWN, duplex=Duplex.UNKNOWN, port=Port.FIBRE)
        return LinkSettings(speed=self.speed, duplex=Duplex.FULL, port=Port.FIBRE, autoneg=Autoneg.ENABLE)

    def take(self, dev: Device, wanted: LinkSettings) -> None:
        """set_link_ksettings. Refusal."""
        raise Refusal(EOPNOTSUPP)

    def fec(self, dev: Device) -> Fec:
        """get_fecparam. Refusal."""
        raise Refusal(EOPNOTSUPP)

    def take_fec(self, dev: Device, wanted: int) -> None:
        """set_fecparam: wanted, as FecFlag. Refusal."""
        raise Refusal(EOPNOTSUPP)

    def fec_stats(self, dev: Device) -> FecStats:
        """get_fec_stats: no error was ever corrected here."""
        raise Refusal(EOPNOTSUPP)

    def pause(self, dev: Device) -> Pause:
        """get_pauseparam: which frames that ask for a pause are heeded and sent."""
        pause: Pause = dev.priv.pause
        return replace(pause)

    def take_pause(self, dev: Device, wanted: Pause) -> None:
        """set_pauseparam. Refusal."""
        dev.priv.pause = replace(wanted)

    def pause_at_first(self) -> Pause:
        """What the driver, or the firmware, begins with. Whether pauses are negotiated; of cards that do not tell in
        their drivers, nothing is heeded or sent."""
        return Pause()


def is_virtual(dev: Device) -> bool:
    """Whether it is a virtual function."""
    return bool(dev.priv.function.physfn is not None)


def again(dev: Device) -> None:
    """The link goes down and comes back, after the request is answered."""
    if dev.running and dev.carrier:
        dev.kernel.work.defer(lambda: _flap(dev))


def _flap(dev: Device) -> None:
    if dev.running and dev.carrier:
        carrier_off(dev)
        dev.kernel.link_watch.sync(dev)
        carrier_on(dev)
