"""IFLA_AF_SPEC as a request: settings of IPv4 and IPv6 on a link (inet_af_ops of net/ipv4/devinet.c, inet6_ops of
net/ipv6/addrconf.c).

All of it is checked before anything of the request is done, then each family is set in turn.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.ipv6 import solicit
from nlemu.protocol.families.route.link_af import (
    SET_DEVCONF,
    SET_INET,
    SET_INET6,
    AfSpec,
    Inet6Link,
    InetLink,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.schema.policy import LIBERAL, STRICT
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_link import In6AddrGenMode
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.protocol.wire.extack import Extack

INET, INET6 = AfSpec.inet.number, AfSpec.inet6.number
AF_BRIDGE = 7
UNSETTABLE = frozenset((AF_BRIDGE,))
"""Families that tell rtnetlink about links and take nothing."""
WORD = struct.Struct("<I")

Check = Callable[["Device", bytes, int, int, "Extack"], None]


def check_af(dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
    """The last part of validate_linkmsg(): every family's validate_link_af. EAFNOSUPPORT, EOPNOTSUPP, and theirs."""
    for family, first, last in walk(message, start, end):
        if family in UNSETTABLE:
            raise Refusal(errno.EOPNOTSUPP)
        handlers = FAMILIES.get(family)
        if handlers is None:
            raise Refusal(errno.EAFNOSUPPORT)
        handlers[0](dev, message, first, last, extack)


def set_af(dev: Device, message: bytes, start: int, end: int, extack: Extack) -> Iterator[int]:
    """What do_setlink() does with it: each family in turn, which is then yielded. What one refuses ends it, and those
    before it are set."""
    for family, first, last in walk(message, start, end):
        handlers = FAMILIES.get(family)
        if handlers is None:
            raise Refusal(errno.EAFNOSUPPORT)
        handlers[1](dev, message, first, last, extack)
        yield family


def check_inet(dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
    """inet_validate_link_af()."""
    if dev.ip4 is None:
        raise Refusal(errno.EAFNOSUPPORT)
    spans = validate(SET_INET, message, start, end, LIBERAL, extack)
    conf = spans.get(InetLink.conf.number)
    if conf is not None:
        validate(SET_DEVCONF, message, *conf, STRICT, extack)


def set_inet(dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
    """inet_set_link_af(). What else a setting may cause (RTM_NEWNETCONF) is not modelled."""
    if dev.ip4 is None:
        raise Refusal(errno.EAFNOSUPPORT)
    conf = Attrs.index(message, start, end).spans.get(InetLink.conf.number)
    if conf is None:
        return
    settings = dev.ip4.conf
    for number, first, _ in walk(message, *conf):
        old, new = settings[Ipv4Devconf(number)], WORD.unpack_from(message, first)[0]
        settings[Ipv4Devconf(number)] = new
        dev.changed()
        if number == Ipv4Devconf.FORWARDING and new == 1 and old != 1:
            features.disable(dev, features.LRO)  # devinet_conf_post_set(): merged packets cannot be forwarded


def check_inet6(dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
    """inet6_validate_link_af(). No stable secret can be set here, so there is no privacy mode without one."""
    if dev.ip6 is None:
        raise Refusal(errno.EAFNOSUPPORT)
    attrs = Attrs(message, validate(SET_INET6, message, start, end, LIBERAL, extack), start, end)
    mode = attrs.get(Inet6Link.addr_gen_mode)
    if Inet6Link.token not in attrs and mode is None:
        raise Refusal(errno.EINVAL)
    if mode is not None and (mode > In6AddrGenMode.RANDOM or mode == In6AddrGenMode.STABLE_PRIVACY):
        raise Refusal(errno.EINVAL)


def set_inet6(dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
    """inet6_set_link_af()."""
    if dev.ip6 is None:
        raise Refusal(errno.EAFNOSUPPORT)
    attrs = Attrs.index(message, start, end)
    token, mode = attrs.get(Inet6Link.token), attrs.get(Inet6Link.addr_gen_mode)
    if token is not None:
        set_token(dev, token)
    if mode is not None:
        dev.ip6.conf[Ipv6Devconf.ADDR_GEN_MODE] = mode
    dev.changed()


def set_token(dev: Device, token: bytes) -> None:
    """inet6_set_iftoken(): EINVAL with a text that names the module."""
    conf = dev.ip6.conf
    if dev.flags & IFF.LOOPBACK:
        raise Refusal(errno.EINVAL, "ipv6: Device is loopback")
    if dev.flags & IFF.NOARP:
        raise Refusal(errno.EINVAL, "ipv6: Device does not do neighbour discovery")
    if not accepts_ra(conf[Ipv6Devconf.ACCEPT_RA], conf[Ipv6Devconf.FORWARDING]):
        raise Refusal(errno.EINVAL, "ipv6: Router advertisement is disabled on device")
    if not conf[Ipv6Devconf.RTR_SOLICITS]:
        raise Refusal(errno.EINVAL, "Router solicitation is disabled on device")
    dev.ip6.token = dev.ip6.token[:8] + token[8:]
    dev.changed()
    if any(token) and dev.ip6.flags & InetDeviceFlag.READY and solicit.has_source(dev):
        solicit.start(dev)
    dev.kernel.announcer.link6(dev)


def accepts_ra(accept_ra: int, forwarding: int) -> bool:
    """ipv6_accept_ra(): 1 unless it forwards, 2 in any case."""
    return accept_ra == 2 if forwarding else bool(accept_ra)


FAMILIES: dict[int, tuple[Check, Check]] = {INET: (check_inet, set_inet), INET6: (check_inet6, set_inet6)}
"""How a family's part is checked, and set."""
