"""Settings of IPv4 are changed: what net.ipv4.conf.* and IFLA_AF_SPEC write, with all that follows.

Beside the settings of a device a namespace has those of `all`, which stand for every device where the kernel asks for a
setting, and those of `default`, with which a device begins. Forwarding is told to all of them at once
(inet_forward_change()); other defaults reach the devices where nobody has said otherwise (devinet_copy_dflt_conf()).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.netconf import NETCONFA_IFINDEX_ALL, NETCONFA_IFINDEX_DEFAULT
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.conf import Ipv4Conf

FORWARDING = Ipv4Devconf.FORWARDING
TOLD = frozenset((
    Ipv4Devconf.RP_FILTER, Ipv4Devconf.PROXY_ARP, Ipv4Devconf.IGNORE_ROUTES_WITH_LINKDOWN, FORWARDING,
))
"""Settings whose change is told to RTNLGRP_IPV4_NETCONF."""
UNTRACKED = frozenset((
    Ipv4Devconf.NOXFRM, Ipv4Devconf.NOPOLICY, Ipv4Devconf.PROMOTE_SECONDARIES,
    Ipv4Devconf.DROP_UNICAST_IN_L2_MULTICAST,
))
"""Of which nobody keeps whether they were set: a default that is changed reaches no device (devinet_conf_proc())."""


def put_conf(dev: Device, field: Ipv4Devconf, value: int) -> int:
    """Sets one setting of a device that has IPv4, without a word (ipv4_devconf_set()). Returns what it was."""
    conf = dev.inet.conf
    was, conf[field] = conf[field], value
    if conf.written is not None and field not in UNTRACKED:
        conf.written.add(field)
    dev.changed()
    return was


def set_conf(dev: Device, field: Ipv4Devconf, value: int) -> None:
    """The same, with all that follows (devinet_conf_post_set())."""
    if put_conf(dev, field, value) == value:
        return
    if field == FORWARDING and value:
        features.disable(dev, features.LRO)  # merged packets cannot be forwarded
    if field in TOLD:
        _tell(dev.net, dev.ifindex, dev.inet.conf, field)


def set_all(net: Net, field: Ipv4Devconf, value: int) -> None:
    """Sets one of `all` (devinet_conf_proc(), devinet_sysctl_forward())."""
    conf = ip4.of(net).conf_all
    was, conf[field] = conf[field], value
    if value == was:
        return
    if field == FORWARDING:
        _forward(net, value)
    elif field in TOLD:
        _tell(net, NETCONFA_IFINDEX_ALL, conf, field)


def set_default(net: Net, field: Ipv4Devconf, value: int) -> None:
    """Sets one of `default` (devinet_conf_proc(), devinet_copy_dflt_conf())."""
    conf = ip4.of(net).conf_default
    was, conf[field] = conf[field], value
    if field not in UNTRACKED and field != FORWARDING:
        assert conf.written is not None
        conf.written.add(field)
        for dev in net:
            if dev.ip4 is not None and dev.ip4.conf.written is not None and field not in dev.ip4.conf.written:
                dev.ip4.conf[field] = value
                dev.changed()
    if value != was and field in TOLD:
        _tell(net, NETCONFA_IFINDEX_DEFAULT, conf, field)


def _forward(net: Net, value: int) -> None:
    """inet_forward_change()."""
    state = ip4.of(net)
    state.conf_all[Ipv4Devconf.ACCEPT_REDIRECTS] = int(not value)
    state.conf_default[FORWARDING] = value
    _tell(net, NETCONFA_IFINDEX_ALL, state.conf_all, FORWARDING)
    _tell(net, NETCONFA_IFINDEX_DEFAULT, state.conf_default, FORWARDING)
    for dev in net:
        if value:
            features.disable(dev, features.LRO)
        if dev.ip4 is not None:
            conf = dev.ip4.conf
            conf[FORWARDING] = value
            if conf.written is not None:
                conf.written.add(FORWARDING)
            dev.changed()
            _tell(net, dev.ifindex, conf, FORWARDING)


def _tell(net: Net, ifindex: int, conf: Ipv4Conf, field: Ipv4Devconf) -> None:
    net.kernel.announcer.netconf(net, RTM.NEWNETCONF, AF_INET, ifindex, conf, (field,))
