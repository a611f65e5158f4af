"""The settings of IPv6 on a device: struct ipv6_devconf, what /proc/sys/net/ipv6/conf/DEVICE shows.

A device begins with the defaults of its namespace, which are those that the kernel boots with (ipv6_devconf_dflt of
net/ipv6/addrconf.c): nothing here changes the defaults themselves. A few depend on the device (ipv6_add_dev()).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_link import In6AddrGenMode
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.kernel.devices.device import Device

MIN_MTU = 1280
"""IPV6_MIN_MTU: a device with less has no IPv6."""
DAY = 86400

DEFAULTS: dict[Ipv6Devconf, int] = {
    Ipv6Devconf.HOPLIMIT: 64,
    Ipv6Devconf.ACCEPT_RA: 1,
    Ipv6Devconf.ACCEPT_REDIRECTS: 1,
    Ipv6Devconf.AUTOCONF: 1,
    Ipv6Devconf.DAD_TRANSMITS: 1,
    Ipv6Devconf.RTR_SOLICITS: -1,
    Ipv6Devconf.RTR_SOLICIT_INTERVAL: 4000,
    Ipv6Devconf.RTR_SOLICIT_DELAY: 1000,
    Ipv6Devconf.TEMP_VALID_LFT: 2 * DAY,
    Ipv6Devconf.TEMP_PREFERED_LFT: DAY,
    Ipv6Devconf.REGEN_MAX_RETRY: 3,
    Ipv6Devconf.MAX_DESYNC_FACTOR: 600,
    Ipv6Devconf.MAX_ADDRESSES: 16,
    Ipv6Devconf.ACCEPT_RA_DEFRTR: 1,
    Ipv6Devconf.ACCEPT_RA_PINFO: 1,
    Ipv6Devconf.ACCEPT_DAD: 1,
    Ipv6Devconf.MLDV1_UNSOLICITED_REPORT_INTERVAL: 10000,
    Ipv6Devconf.MLDV2_UNSOLICITED_REPORT_INTERVAL: 1000,
    Ipv6Devconf.SUPPRESS_FRAG_NDISC: 1,
    Ipv6Devconf.ACCEPT_RA_MTU: 1,
    Ipv6Devconf.ACCEPT_RA_MIN_HOP_LIMIT: 1,
    Ipv6Devconf.RTR_SOLICIT_MAX_INTERVAL: 3600000,
    Ipv6Devconf.ENHANCED_DAD: 1,
    Ipv6Devconf.RA_DEFRTR_METRIC: 1024,
    Ipv6Devconf.IOAM6_ID: 0xFFFF,
    Ipv6Devconf.IOAM6_ID_WIDE: -1,
    Ipv6Devconf.NDISC_EVICT_NOCARRIER: 1,
}
"""ipv6_devconf_dflt; lifetimes in seconds, intervals and delays in milliseconds. All others are 0."""
UNTOLD = {"ra_honor_pio_life": 0, "ra_honor_pio_pflag": 0, "regen_min_advance": 2}
"""Those that no message tells of, by their names; the emulator has no use for them."""
OPTIONAL: dict[str, dict[Ipv6Devconf, int]] = {
    "IPV6_ROUTER_PREF": {Ipv6Devconf.ACCEPT_RA_RTR_PREF: 1, Ipv6Devconf.RTR_PROBE_INTERVAL: 60000},
}
"""What it has besides in a kernel that is built with an option."""


@cache
def defaults(build: Build) -> tuple[int, ...]:
    """The settings that a device of that kernel begins with, in the order of their numbers."""
    words = dict(DEFAULTS)
    for option, fields in OPTIONAL.items():
        if build.has(option):
            words |= fields
    return tuple(words.get(field, 0) for field in Ipv6Devconf)


LOOPBACK = int(IFF.LOOPBACK)
NO_PRIVACY = frozenset({int(ARPHRD.TUNNEL), int(ARPHRD.TUNNEL6), int(ARPHRD.SIT), int(ARPHRD.NONE)})
"""Types of devices that have no temporary addresses (ipv6_add_dev())."""
NO_DAD = int(IFF.NOARP | IFF.LOOPBACK)


class Ipv6Conf:
    """The settings of one device; without one, those that a namespace begins with. words: all of them, in the order of
    their numbers, of which the first is 0; untold: those that no message tells of and that are others than UNTOLD;
    secret: of which addresses of the link are made (stable_secret), None until there is one."""

    __slots__ = ("secret", "untold", "words")

    def __init__(self, build: Build, dev: Device | None = None, default: Ipv6Conf | None = None) -> None:
        self.words: list[int] = list(defaults(build) if default is None else default.words)
        self.untold: dict[str, int] = {} if default is None else dict(default.untold)
        self.secret: bytes | None = None if default is None else default.secret
        if dev is None:
            self[Ipv6Devconf.MTU6] = MIN_MTU
            return
        self[Ipv6Devconf.MTU6] = dev.mtu
        if dev.flags & NO_DAD:
            self[Ipv6Devconf.ACCEPT_DAD] = -1
        if dev.isatap:
            self[Ipv6Devconf.RTR_SOLICITS] = 0
        if dev.flags & LOOPBACK or dev.type in NO_PRIVACY:
            self[Ipv6Devconf.USE_TEMPADDR] = -1
        if self.secret is not None:
            self[Ipv6Devconf.ADDR_GEN_MODE] = In6AddrGenMode.STABLE_PRIVACY

    def __getitem__(self, field: Ipv6Devconf) -> int:
        return self.words[field]

    def __setitem__(self, field: Ipv6Devconf, value: int) -> None:
        self.words[field] = value
