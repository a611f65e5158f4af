"""How a link is set: what the core of ethtool does with a request before a driver sees it (net/ethtool/linkinfo.c,
linkmodes.c), and what drivers of links without hardware have in common (net/ethtool/ioctl.c).

A request names some of it, and the rest is as the driver tells it. A speed, lanes or a duplex that is said while the
link is negotiated says which modes are advertised: all that are so and that the hardware has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ethtool.link import LinkSettings, get_link_settings
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Autoneg, Duplex, MasterSlaveCfg, MasterSlaveState, Port, TpMdi
from nlemu.protocol.uapi.link_modes import PARAMETERS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

INT_MAX, SPEED_UNKNOWN = 0x7FFFFFFF, 0xFFFFFFFF
BY_WHICH_MODES = ("speed", "lanes", "duplex")
Advertise = Callable[[int], tuple[int, bool]]
"""Given the modes that are advertised, those that are to be, and whether that is a change; may refuse."""


def check_settable(dev: Device) -> None:
    """ethnl_set_linkinfo_validate(), ethnl_set_linkmodes_validate(). EOPNOTSUPP."""
    if not (dev.ops.has("get_link_ksettings") and dev.ops.has("set_link_ksettings")):
        raise Refusal(EOPNOTSUPP)


def current(dev: Device) -> LinkSettings:
    """netif_get_link_ksettings(), with the words of whoever asks here. Refusal of the driver."""
    try:
        return get_link_settings(dev)
    except Refusal as refusal:
        refusal.text = "failed to retrieve link settings"
        raise


def set_connector(dev: Device, wanted: Mapping[str, int]) -> bool:
    """ethnl_set_linkinfo(). wanted: some of port, phy_address, tp_mdix_ctrl. Returns whether that was a change."""
    link = current(dev)
    return _changed(link, wanted) and _take(dev, link)


def set_modes(dev: Device, wanted: Mapping[str, int], advertise: Advertise | None) -> bool:
    """ethnl_set_linkmodes(), ethnl_update_linkmodes(). wanted: some of autoneg, speed, duplex, lanes, master_slave_cfg;
    advertise: where modes are said. Returns whether that was a change. EOPNOTSUPP at "master-slave-cfg" or "lanes"."""
    link = current(dev)
    if "master_slave_cfg" in wanted and link.master_slave_cfg == MasterSlaveCfg.UNSUPPORTED:
        text = "master/slave configuration not supported by device"
        raise Refusal(EOPNOTSUPP, text, at="master-slave-cfg")
    changed = _changed(link, {name: wanted[name] for name in ("autoneg",) if name in wanted})
    if "lanes" in wanted:
        if not link.autoneg and not dev.ops.links_lanes:
            raise Refusal(EOPNOTSUPP, "lanes configuration not supported by device", at="lanes")
    elif not link.autoneg and link.lanes:
        link.lanes, changed = 0, True
    if advertise is not None:
        link.advertising, differs = advertise(link.advertising)
        changed |= differs
    changed |= _changed(link, wanted)
    if advertise is None and link.autoneg:
        named = [name for name in BY_WHICH_MODES if name in wanted]
        before = link.advertising
        if named:
            link.advertising = matching(link, named)
        changed |= link.advertising != before
    return changed and _take(dev, link)


def matching(link: LinkSettings, named: list[str]) -> int:
    """ethnl_auto_linkmodes(): what is advertised when only speed, lanes or duplex are said."""
    advertised = 0
    for bit, mode in enumerate(PARAMETERS):
        if mode is None:
            advertised |= link.advertising & 1 << bit
        elif link.supported >> bit & 1 and all(getattr(mode, name) == getattr(link, name) for name in named):
            advertised |= 1 << bit
    return advertised


def _changed(link: LinkSettings, wanted: Mapping[str, int]) -> bool:
    changed = False
    for name, value in wanted.items():
        if getattr(link, name) & SPEED_UNKNOWN != value:
            setattr(link, name, value)
            changed = True
    return changed


def _take(dev: Device, link: LinkSettings) -> bool:
    try:
        dev.ops.set_link_ksettings(dev, link)
    except Refusal as refusal:
        refusal.text = "link settings update failed"
        raise
    return True


def check_virtual(wanted: LinkSettings) -> None:
    """ethtool_virtdev_set_link_ksettings(), ethtool_virtdev_validate_cmd(): a link without hardware has a speed and a
    duplex that can be said, and nothing else. EINVAL."""
    plain = (
        wanted.port == Port.OTHER and not wanted.phy_address and wanted.autoneg == Autoneg.DISABLE
        and wanted.tp_mdix == wanted.tp_mdix_ctrl == TpMdi.INVALID and not wanted.transceiver
        and wanted.master_slave_cfg == MasterSlaveCfg.UNSUPPORTED
        and wanted.master_slave_state == MasterSlaveState.UNSUPPORTED and not wanted.rate_matching
    )
    speed = wanted.speed & SPEED_UNKNOWN
    if (speed > INT_MAX and speed != SPEED_UNKNOWN) or wanted.duplex not in tuple(Duplex):
        raise Refusal(EINVAL)
    if not plain or wanted.supported or wanted.lp_advertising:
        raise Refusal(EINVAL)
