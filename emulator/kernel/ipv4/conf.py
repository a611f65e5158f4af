"""The settings of IPv4 on a device: struct ipv4_devconf, what /proc/sys/net/ipv4/conf/DEVICE shows.

A device begins with the defaults of its namespace, which begin as those that the kernel boots with (ipv4_devconf_dflt
of net/ipv4/devinet.c). A default that is changed later reaches the devices too, as far as nobody has set that setting
there, and the device has no address yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.ip import Ipv4Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

MIN_MTU = 68
"""IPV4_MIN_MTU: a device with less has no IPv4 (inetdev_valid_mtu())."""

DEFAULTS: dict[Ipv4Devconf, int] = {
    Ipv4Devconf.ACCEPT_REDIRECTS: 1,
    Ipv4Devconf.SEND_REDIRECTS: 1,
    Ipv4Devconf.SECURE_REDIRECTS: 1,
    Ipv4Devconf.SHARED_MEDIA: 1,
    Ipv4Devconf.ACCEPT_SOURCE_ROUTE: 1,
    Ipv4Devconf.IGMPV2_UNSOLICITED_REPORT_INTERVAL: 10000,
    Ipv4Devconf.IGMPV3_UNSOLICITED_REPORT_INTERVAL: 1000,
    Ipv4Devconf.ARP_EVICT_NOCARRIER: 1,
}
"""ipv4_devconf_dflt; intervals in milliseconds. All others are 0."""
WORDS = tuple(DEFAULTS.get(field, 0) for field in Ipv4Devconf)
LOOPBACK = {Ipv4Devconf.NOXFRM: 1, Ipv4Devconf.NOPOLICY: 1}
"""What inetdev_event() sets besides on a loopback device that registers."""


class Ipv4Conf:
    """The settings of one device; without one, those that a namespace begins with. words: all of them, in the order of
    their numbers, of which the first is 1; written: those that the defaults reach no longer, all of them where it is
    None (struct ipv4_devconf: state). default: what a device begins with."""

    __slots__ = ("words", "written")

    def __init__(
        self, dev: Device | None = None, *, registering: bool = True, default: Ipv4Conf | None = None
    ) -> None:
        self.words: list[int] = list(WORDS if default is None else default.words)
        self.written: set[Ipv4Devconf] | None = set() if default is None else set(default.written or ())
        if registering and dev is not None and dev.flags & IFF.LOOPBACK:
            for field, value in LOOPBACK.items():
                self[field] = value

    def __getitem__(self, field: Ipv4Devconf) -> int:
        return self.words[field - 1]

    def __setitem__(self, field: Ipv4Devconf, value: int) -> None:
        self.words[field - 1] = value
