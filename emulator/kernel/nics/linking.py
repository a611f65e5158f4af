"""The methods of ethtool_ops that are about the link: each NIC has one of its own (link.py), of its driver's sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.ops import DeviceOps

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ethtool.link import Fec, FecStats, LinkSettings
    from nlemu.emulator.kernel.ethtool.settings import Pause
    from nlemu.emulator.kernel.nics.link import NicLink


class NicLinking(DeviceOps):
    """get_link, get_link_ksettings and what else of ethtool_ops the link answers."""

    link: type[NicLink]

    pauses: bool
    """Whether it tells of pause frames."""

    LINK_METHODS = frozenset((
        "get_link_ksettings", "set_link_ksettings", "get_fecparam", "set_fecparam", "get_fec_stats", "get_pauseparam",
        "set_pauseparam",
    ))

    def has_link_method(self, name: str) -> bool:
        """Whether the driver has that method."""
        link = self.link
        return {
            "get_link_ksettings": True, "set_link_ksettings": link.settable, "get_fecparam": link.corrects,
            "set_fecparam": link.corrections_settable, "get_fec_stats": link.counts_corrections,
            "get_pauseparam": self.pauses, "set_pauseparam": self.pauses,
        }[name]

    def get_link(self, dev: Device) -> bool:
        return dev.carrier

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        return _of(dev).settings(dev)

    def set_link_ksettings(self, dev: Device, wanted: LinkSettings) -> None:
        _of(dev).take(dev, wanted)

    def get_fecparam(self, dev: Device) -> Fec:
        return _of(dev).fec(dev)

    def set_fecparam(self, dev: Device, fec: Fec) -> None:
        _of(dev).take_fec(dev, fec.fec)

    def get_fec_stats(self, dev: Device) -> FecStats:
        return _of(dev).fec_stats(dev)

    def get_pauseparam(self, dev: Device) -> Pause:
        return _of(dev).pause(dev)

    def set_pauseparam(self, dev: Device, pause: Pause) -> None:
        _of(dev).take_pause(dev, pause)


def _of(dev: Device) -> NicLink:
    link: NicLink = dev.priv.link
    return link
