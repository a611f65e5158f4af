"""Settings of IPv6 are changed: what net.ipv6.conf.* and IFLA_AF_SPEC write, with all that follows.

Most change nothing but themselves. disable_ipv6 is to IPv6 as if the device went down and came up: it loses its
addresses, those that were given to it as well, and gets its own back (addrconf_disable_ipv6() of net/ipv6/addrconf.c).
A device that forwards listens to the groups of routers, and has an anycast address of each prefix
(dev_forward_change(), anycast.py).

Beside the settings of a device a namespace has those of `all` and those of `default`, with which a device begins. Some
that are written to `all` are told to `default` and to every device at once (EVERYWHERE); all else stays where it is
written.
"""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.ipv6 import anycast, autoconf, mld, solicit
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.device import on_event6
from nlemu.emulator.kernel.ipv6.interface_id import secret_of
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.if_link import In6AddrGenMode
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf
from nlemu.protocol.uapi.netconf import NETCONFA_IFINDEX_ALL, NETCONFA_IFINDEX_DEFAULT
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.conf import Ipv6Conf

READY = int(InetDeviceFlag.READY)
TENTATIVE = int(IFA_F.TENTATIVE)
FORWARDING, FORCE_FORWARDING = Ipv6Devconf.FORWARDING, Ipv6Devconf.FORCE_FORWARDING
DISABLE_IPV6, ADDR_GEN_MODE = Ipv6Devconf.DISABLE_IPV6, Ipv6Devconf.ADDR_GEN_MODE
LINKDOWN = Ipv6Devconf.IGNORE_ROUTES_WITH_LINKDOWN
TOLD = frozenset((Ipv6Devconf.PROXY_NDP, LINKDOWN, FORWARDING, FORCE_FORWARDING))
"""Settings whose change is told to RTNLGRP_IPV6_NETCONF."""
EVERYWHERE = frozenset((FORWARDING, DISABLE_IPV6, ADDR_GEN_MODE, LINKDOWN))
"""What is written to `all` is written to `default` and to each device too."""
GEN_MODES = frozenset(In6AddrGenMode)


def check_gen_mode(dev: Device | None, mode: int) -> None:
    """check_addr_gen_mode(), check_stable_privacy(): EINVAL. dev: None for all devices, or those to come."""
    if mode not in GEN_MODES:
        raise Refusal(EINVAL)
    if mode == In6AddrGenMode.STABLE_PRIVACY and dev is not None and secret_of(dev) is None:
        raise Refusal(EINVAL)


def set_secret(dev: Device, secret: bytes) -> None:
    """addrconf_sysctl_stable_secret(): the next address of the link will be made of it."""
    conf = dev.inet6.conf
    conf.secret, conf[ADDR_GEN_MODE] = secret, In6AddrGenMode.STABLE_PRIVACY
    dev.changed()


def set_default_secret(net: Net, secret: bytes) -> None:
    """The same for all devices that have none, and for those to come."""
    ip6.of(net).conf_default.secret = secret
    for dev in _with_ipv6(net):
        dev.inet6.conf[ADDR_GEN_MODE] = In6AddrGenMode.STABLE_PRIVACY
        dev.changed()


def set_conf(dev: Device, field: Ipv6Devconf, value: int) -> None:
    """Sets one setting of a device that has IPv6, in the unit that the kernel keeps it in (addrconf_sysctl)."""
    conf = dev.inet6.conf
    was, conf[field] = conf[field], value
    dev.changed()
    if bool(was) == bool(value):
        if field == ADDR_GEN_MODE and was != value:
            autoconf.configure(dev)
        return
    match field:
        case Ipv6Devconf.FORWARDING:
            _forward(dev)
        case Ipv6Devconf.DISABLE_IPV6:
            on_event6(NetdevEvent.DOWN if value else NetdevEvent.UP, dev, Info())
        case Ipv6Devconf.ADDR_GEN_MODE:
            autoconf.configure(dev)
        case _:
            if field in TOLD:
                _tell(dev.net, dev.ifindex, conf, field)


def set_default(net: Net, field: Ipv6Devconf, value: int) -> None:
    """Sets one of `default`."""
    _set(net, NETCONFA_IFINDEX_DEFAULT, ip6.of(net).conf_default, field, value)


def set_all(net: Net, field: Ipv6Devconf, value: int) -> None:
    """Sets one of `all` (addrconf_fixup_forwarding(), addrconf_disable_ipv6(), addrconf_fixup_linkdown() ...)."""
    state = ip6.of(net)
    if field == FORCE_FORWARDING:
        _set(net, NETCONFA_IFINDEX_ALL, state.conf_all, field, value)
        for dev in _with_ipv6(net):
            set_conf(dev, field, value)
        return
    was, state.conf_all[field] = state.conf_all[field], value
    if field in EVERYWHERE:
        set_default(net, field, value)
        for dev in _with_ipv6(net):
            if field == FORWARDING and not value:
                dev.inet6.conf[FORCE_FORWARDING] = 0
            set_conf(dev, field, value)
    if field in TOLD and bool(was) != bool(value):
        _tell(net, NETCONFA_IFINDEX_ALL, state.conf_all, field)


def _set(net: Net, ifindex: int, conf: Ipv6Conf, field: Ipv6Devconf, value: int) -> None:
    was, conf[field] = conf[field], value
    if field in TOLD and bool(was) != bool(value):
        _tell(net, ifindex, conf, field)


def _with_ipv6(net: Net) -> list[Device]:
    return [dev for dev in net if dev.ip6 is not None]


def _forward(dev: Device) -> None:
    """dev_forward_change()."""
    conf = dev.inet6.conf
    if conf[FORWARDING]:
        features.disable(dev, features.LRO)
    if dev.flags & IFF.MULTICAST:
        for group in ip6.ROUTERS:
            if conf[FORWARDING]:
                mld.join(dev, group)
            else:
                mld.leave(dev, dev.inet6.listener, group)
    for ifa in [ifa for ifa in dev.inet6.addresses if not ifa.flags & TENTATIVE]:
        if conf[FORWARDING]:
            anycast.join(ifa)
        else:
            anycast.leave(ifa)
    _tell(dev.net, dev.ifindex, conf, FORWARDING)


def _tell(net: Net, ifindex: int, conf: Ipv6Conf, field: Ipv6Devconf) -> None:
    net.kernel.announcer.netconf(net, RTM.NEWNETCONF, AF_INET6, ifindex, conf, (field,))


def set_token(dev: Device, token: bytes) -> None:
    """inet6_set_iftoken(): the lower half of addresses that router advertisements bring, in the last eight of sixteen
    bytes. EINVAL with a text that names the module."""
    idev = dev.inet6
    conf = idev.conf
    if dev.flags & IFF.LOOPBACK:
        raise Refusal(EINVAL, "ipv6: Device is loopback")
    if dev.flags & IFF.NOARP:
        raise Refusal(EINVAL, "ipv6: Device does not do neighbour discovery")
    if not accepts_ra(conf[Ipv6Devconf.ACCEPT_RA], conf[Ipv6Devconf.FORWARDING]):
        raise Refusal(EINVAL, "ipv6: Router advertisement is disabled on device")
    if not conf[Ipv6Devconf.RTR_SOLICITS]:
        raise Refusal(EINVAL, "Router solicitation is disabled on device")
    idev.token = idev.token[:8] + token[8:]
    dev.changed()
    if any(token) and idev.flags & READY and solicit.has_source(dev):
        solicit.start(dev)
    dev.kernel.announcer.link6(dev)


def accepts_ra(accept_ra: int, forwarding: int) -> bool:
    """ipv6_accept_ra(): 1 unless it forwards, 2 in any case."""
    return accept_ra == 2 if forwarding else bool(accept_ra)
