"""IPv6 in a link: inet6_ops of net/ipv6/addrconf.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.link.af import LinkAf
from nlemu.emulator.kernel.ipv6 import settings
from nlemu.protocol.families.route.link_af import SET_INET6, AfSpec, Inet6Link
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.policy import LIBERAL
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RTEXT_FILTER
from nlemu.protocol.uapi.snmp import Icmp6Mib, IpstatsMib
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.device import Inet6Device
    from nlemu.protocol.wire.extack import Extack

SKIP_STATS = int(RTEXT_FILTER.SKIP_STATS)
IPV6_MAXPLEN = 65535
"""The greatest datagram that can be put together again (include/net/ipv6.h)."""
NSEC_PER_CSEC = 10_000_000
NO_INET6_STATS = (len(IpstatsMib), *(0,) * (len(IpstatsMib) - 1)), (len(Icmp6Mib), *(0,) * (len(Icmp6Mib) - 1))
SIZE = sum(
    4 + (size + 3 & ~3)
    for size in (
        4, Inet6Link.cacheinfo.kind.size or 0, Inet6Link.conf.kind.size or 0, Inet6Link.stats.kind.size or 0,
        Inet6Link.icmp6stats.kind.size or 0, 16, 1, 4,
    )
)
"""inet6_ifla6_size()"""


class Inet6(LinkAf):
    """inet6_ops"""

    number = AfSpec.inet6.number
    attr = AfSpec.inet6
    initcall = 2

    def check(self, dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
        """inet6_validate_link_af()."""
        if dev.ip6 is None:
            raise Refusal(errno.EAFNOSUPPORT)
        attrs = Attrs(message, validate(SET_INET6, message, start, end, LIBERAL, extack), start, end)
        mode = attrs.get(Inet6Link.addr_gen_mode)
        if Inet6Link.token not in attrs and mode is None:
            raise Refusal(errno.EINVAL)
        if mode is not None:
            settings.check_gen_mode(dev, mode)

    def set(self, dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
        """inet6_set_link_af(). Unlike what is written to addr_gen_mode, a mode that is said here makes no address
        before the device has another reason to have one."""
        if dev.ip6 is None:
            raise Refusal(errno.EAFNOSUPPORT)
        attrs = Attrs.index(message, start, end)
        token, mode = attrs.get(Inet6Link.token), attrs.get(Inet6Link.addr_gen_mode)
        if token is not None:
            settings.set_token(dev, token)
        if mode is not None:
            dev.inet6.conf[Ipv6Devconf.ADDR_GEN_MODE] = mode
            dev.changed()

    def fill(self, dev: Device, mask: int) -> Any:
        """inet6_fill_link_af()."""
        return None if dev.ip6 is None else fill_inet6(dev, mask)

    def size(self, dev: Device) -> int:
        """inet6_get_link_af_size()."""
        return 0 if dev.ip6 is None else SIZE


def fill_inet6(dev: Device, mask: int) -> dict[Any, Any]:
    """inet6_fill_ifla6_attrs() of a device that has IPv6."""
    idev: Inet6Device = dev.inet6
    tstamp = (dev.kernel.build.booted + idev.tstamp) // NSEC_PER_CSEC & 0xFFFFFFFF
    parms = idev.neighbour_parms
    told: dict[Any, Any] = {
        Inet6Link.flags: idev.flags,
        Inet6Link.cacheinfo: (IPV6_MAXPLEN, tstamp, parms.reachable_time, parms.values["retrans_time"]),
        Inet6Link.settings: (tuple(idev.conf.words),),
        Inet6Link.identity: (idev.token, idev.conf[Ipv6Devconf.ADDR_GEN_MODE]),
        Inet6Link.ra_mtu: idev.ra_mtu or None,
    }
    if not mask & SKIP_STATS:
        stats, icmp6 = idev.stats, idev.icmp6_stats
        told[Inet6Link.counters] = NO_INET6_STATS if stats is None or icmp6 is None else (tuple(stats), tuple(icmp6))
    return told


AF = Inet6()
