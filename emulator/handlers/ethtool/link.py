"""The link: its connector, its modes, its state (net/ethtool/linkinfo.c, linkmodes.c, linkstate.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.ethtool.bitset import put_bitset, update_bitset
from nlemu.emulator.handlers.ethtool.common import Request, given, query, setting
from nlemu.emulator.kernel.ethtool import link as model
from nlemu.emulator.kernel.ethtool import link_settings as rules
from nlemu.protocol.families.ethtool.commands import (
    LINKINFO_GET,
    LINKINFO_NTF,
    LINKINFO_SET,
    LINKMODES_GET,
    LINKMODES_NTF,
    LINKMODES_SET,
    LINKSTATE_GET,
)
from nlemu.protocol.families.ethtool.link import Linkinfo, Linkmodes, Linkstate
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Values
from nlemu.protocol.uapi.ethtool import MasterSlaveCfg, MasterSlaveState
from nlemu.protocol.uapi.link_modes import LINK_MODES

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

OF_CONNECTOR = {"port": Linkinfo.port, "phy_address": Linkinfo.phyaddr, "tp_mdix_ctrl": Linkinfo.tp_mdix_ctrl}
CHOICES = frozenset(MasterSlaveCfg) - {MasterSlaveCfg.UNSUPPORTED, MasterSlaveCfg.UNKNOWN}


@query(LINKINFO_GET, ntf=LINKINFO_NTF)
def linkinfo(dev: Device, request: Request) -> Values:
    """linkinfo_fill_reply()."""
    link = rules.current(dev)
    return {
        Linkinfo.port: link.port,
        Linkinfo.phyaddr: link.phy_address,
        Linkinfo.tp_mdix: link.tp_mdix,
        Linkinfo.tp_mdix_ctrl: link.tp_mdix_ctrl,
        Linkinfo.transceiver: link.transceiver,
    }


@query(LINKMODES_GET, ntf=LINKMODES_NTF)
def linkmodes(dev: Device, request: Request) -> Values:
    """linkmodes_fill_reply()."""
    link, compact = rules.current(dev), request.compact
    values: dict[Attr[Any], Any] = {
        Linkmodes.autoneg: link.autoneg,
        Linkmodes.ours: put_bitset(link.advertising, link.supported, LINK_MODES, compact),
        Linkmodes.speed: link.speed & 0xFFFFFFFF,
        Linkmodes.duplex: link.duplex,
        Linkmodes.lanes: (dev.ops.links_lanes and link.lanes) or None,
        Linkmodes.rate_matching: link.rate_matching,
    }
    if link.lp_advertising:
        values[Linkmodes.peer] = put_bitset(link.lp_advertising, None, LINK_MODES, compact)
    if link.master_slave_cfg != MasterSlaveCfg.UNSUPPORTED:
        values[Linkmodes.master_slave_cfg] = link.master_slave_cfg
    if link.master_slave_state != MasterSlaveState.UNSUPPORTED:
        values[Linkmodes.master_slave_state] = link.master_slave_state
    return values


@setting(LINKINFO_SET, LINKINFO_NTF)
def set_linkinfo(dev: Device, request: Request) -> bool:
    """ethnl_set_linkinfo_validate(), ethnl_set_linkinfo()."""
    rules.check_settable(dev)
    attrs = request.attrs
    said = {name: attrs[attr] for name, attr in OF_CONNECTOR.items() if attr in attrs}
    return rules.set_connector(dev, said)


@setting(LINKMODES_SET, LINKMODES_NTF)
def set_linkmodes(dev: Device, request: Request) -> bool:
    """ethnl_set_linkmodes_validate(): what is asked is looked at first; then ethnl_set_linkmodes()."""
    attrs = request.attrs
    choice = attrs.get(Linkmodes.master_slave_cfg)
    if choice is not None and choice not in CHOICES:
        raise Refusal(errno.EOPNOTSUPP, "master/slave value is invalid", at="master-slave-cfg")
    lanes = attrs.get(Linkmodes.lanes)
    if lanes is not None and lanes & lanes - 1:
        raise Refusal(errno.EINVAL, "lanes value is invalid", at="lanes")
    rules.check_settable(dev)
    said = given(attrs, Linkmodes, ("autoneg", "speed", "duplex", "lanes", "master_slave_cfg"))
    if Linkmodes.ours not in attrs:
        return rules.set_modes(dev, said, None)
    return rules.set_modes(dev, said, lambda modes: update_bitset(modes, request, Linkmodes.ours, LINK_MODES))


@query(LINKSTATE_GET)
def linkstate(dev: Device, request: Request) -> Values:
    """linkstate_fill_reply(): a driver that does not say whether there is a link leaves nothing to tell."""
    link = model.get_link(dev)
    downs = dev.ops.get_link_down_events(dev) if request.stats else None
    return {Linkstate.link: None if link is None else int(link), Linkstate.ext_down_cnt: downs}
