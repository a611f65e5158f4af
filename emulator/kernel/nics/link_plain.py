"""Links that nobody can set: those of virtual cards, and fbnic's.

What such a driver tells beside the speed is a line of the table. fbnic's modes are phylink's and those of its PCS, of
which the sources were not at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ethtool.link import Fec, FecCounter, FecStats, LinkSettings
from nlemu.emulator.kernel.ethtool.link_settings import check_virtual
from nlemu.emulator.kernel.ethtool.settings import Pause
from nlemu.emulator.kernel.nics.link import ASYM_PAUSE, PAUSE, UNKNOWN, NicLink, fec_modes
from nlemu.protocol.uapi.ethtool import Autoneg, Duplex, FecFlag, Port
from nlemu.protocol.uapi.link_modes import modes

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.profiles import Profile


class CloudLink(NicLink):
    """A link of which there is a speed to tell, and a duplex. port: the connector; always: it is told while there is
    no link too, and of the speed alone where `full`."""

    port, always, full = Port.TP, True, False

    def settings(self, dev: Device) -> LinkSettings:
        """get_link_ksettings."""
        known = self.always or dev.carrier
        return LinkSettings(
            speed=self.speed if known else UNKNOWN, port=self.port,
            duplex=Duplex.FULL if known or self.full else Duplex.UNKNOWN,
        )


class GveLink(CloudLink):
    """gve_get_link_ksettings()"""


class EnaLink(CloudLink):
    """ena_get_link_ksettings(), of a device that tells its link, and that does not negotiate."""


class ManaLink(CloudLink):
    """mana_get_link_ksettings()"""

    port = Port.OTHER


class IdpfLink(CloudLink):
    """idpf_get_link_ksettings()"""

    port, always = Port.NONE, False


class IavfLink(CloudLink):
    """iavf_get_link_ksettings(), read in an older Linux."""

    port, always, full = Port.NONE, False, True


class VirtioLink(NicLink):
    """virtnet_get_link_ksettings(), virtnet_set_link_ksettings(): it is as it is said to be."""

    settable = True

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.told, self.duplex = profile.speed or UNKNOWN, int(Duplex.FULL if profile.speed else Duplex.UNKNOWN)

    def settings(self, dev: Device) -> LinkSettings:
        return LinkSettings(speed=self.told, duplex=self.duplex, port=Port.OTHER)

    def take(self, dev: Device, wanted: LinkSettings) -> None:
        check_virtual(wanted)
        self.told, self.duplex = wanted.speed & UNKNOWN, wanted.duplex


AUIS = {25000: (1, False), 50000: (1, True), 100000: (2, True)}
"""fbnic_mac_get_fw_settings(): lanes, and whether they carry two bits at once (PAM4). That 50 Gbit/s are on one lane is
the firmware's to say."""
MEDIA = {
    25000: modes("25000baseCR", "25000baseKR", "25000baseSR"),
    50000: modes("50000baseKR", "50000baseSR", "50000baseCR", "50000baseLR_ER_FR", "50000baseDR"),
    100000: modes(
        "100000baseKR2", "100000baseSR2", "100000baseCR2", "100000baseLR2_ER2_FR2", "100000baseDR2",
    ),
}
"""xpcs_25gbaser_features and its like: of pcs-xpcs.c, from memory."""


class FbnicLink(NicLink):
    """fbnic_phylink_ethtool_ksettings_get(), fbnic_phylink_get_fecparam(), fbnic_get_fec_stats(): what the firmware
    chose, on a cable of copper."""

    lanes_settable = corrects = counts_corrections = True

    def settings(self, dev: Device) -> LinkSettings:
        media = MEDIA.get(self.speed, 0)
        lanes, pam4 = AUIS.get(self.speed, (1, False))
        supported = media | PAUSE | ASYM_PAUSE
        corrected = FecFlag.RS if pam4 else FecFlag.OFF | FecFlag.RS | FecFlag.BASER
        return LinkSettings(
            speed=self.speed if dev.carrier else UNKNOWN, duplex=Duplex.FULL if dev.carrier else Duplex.UNKNOWN,
            port=Port.DA, autoneg=Autoneg.DISABLE, lanes=lanes,
            supported=supported | fec_modes(corrected), advertising=supported,
        )

    def fec(self, dev: Device) -> Fec:
        automatic = FecFlag.AUTO if AUIS.get(self.speed, (1, False))[1] else 0
        return Fec(FecFlag.RS | automatic, FecFlag.RS)

    def fec_stats(self, dev: Device) -> FecStats:
        return FecStats(FecCounter(0), FecCounter(0))

    def pause_at_first(self) -> Pause:
        """phylink_create(), which was not at hand: they are negotiated. What is set afterwards is taken as it is said
        (phylink_ethtool_set_pauseparam())."""
        return Pause(autoneg=True)
