"""Settings of IPv4 on a device are changed: what net.ipv4.conf.DEVICE.* and IFLA_AF_SPEC write, with all that
follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

TOLD = frozenset((
    Ipv4Devconf.RP_FILTER, Ipv4Devconf.PROXY_ARP, Ipv4Devconf.IGNORE_ROUTES_WITH_LINKDOWN, Ipv4Devconf.FORWARDING,
))
"""Settings whose change is told to RTNLGRP_IPV4_NETCONF."""


def set_conf(dev: Device, field: Ipv4Devconf, value: int) -> None:
    """Sets one setting of a device that has IPv4 (ipv4_devconf_set(), devinet_conf_post_set())."""
    conf = dev.inet.conf
    was, conf[field] = conf[field], value
    dev.changed()
    if value == was:
        return
    if field == Ipv4Devconf.FORWARDING and value == 1:
        features.disable(dev, features.LRO)  # merged packets cannot be forwarded
    if field in TOLD:
        dev.kernel.announcer.netconf(dev.net, RTM.NEWNETCONF, AF_INET, dev.ifindex, conf, (field,))
