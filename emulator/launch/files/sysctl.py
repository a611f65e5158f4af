"""/proc/sys/net: the settings of a namespace, and those of IPv4 and IPv6 on its devices.

All can be read. Those of a device can be written where that changes nothing but the setting itself, as far as the
emulator shows; and disable_ipv6, which takes the addresses away and brings the device's own back. The settings of all
devices, and those of devices to come, are the kernel's defaults and stay so.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.sysctl import S32_MAX, S32_MIN, Scope, Setting, integers, settings
from nlemu.emulator.kernel.ipv4 import conf as ip4_conf
from nlemu.emulator.kernel.ipv4 import settings as ip4_settings
from nlemu.emulator.kernel.ipv6 import conf as ip6_conf
from nlemu.emulator.kernel.ipv6 import settings as ip6_settings
from nlemu.emulator.launch.files.tree import Directory, File, Node
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.conf import Ipv4Conf
    from nlemu.emulator.kernel.ipv6.conf import Ipv6Conf

NAMES4 = {field: field.name.lower() for field in Ipv4Devconf} | {
    Ipv4Devconf.ARPFILTER: "arp_filter",
    Ipv4Devconf.NOXFRM: "disable_xfrm",
    Ipv4Devconf.NOPOLICY: "disable_policy",
    Ipv4Devconf.SRC_VMARK: "src_valid_mark",
}
"""devinet_sysctl of net/ipv4/devinet.c."""
FIXED4 = frozenset((Ipv4Devconf.FORWARDING, Ipv4Devconf.MC_FORWARDING))
"""The first reaches the features of the device, the second nobody can write."""

ABSENT6 = frozenset(
    (
        Ipv6Devconf.ACCEPT_RA_RTR_PREF, Ipv6Devconf.RTR_PROBE_INTERVAL, Ipv6Devconf.ACCEPT_RA_RT_INFO_MIN_PLEN,
        Ipv6Devconf.ACCEPT_RA_RT_INFO_MAX_PLEN, Ipv6Devconf.OPTIMISTIC_DAD, Ipv6Devconf.USE_OPTIMISTIC,
        Ipv6Devconf.MC_FORWARDING, Ipv6Devconf.SEG6_REQUIRE_HMAC, Ipv6Devconf.STABLE_SECRET,
    )
)
"""Not built into the recorded machine; the last is one, but there is none to be read."""
NAMES6 = {field: field.name.lower() for field in Ipv6Devconf if field not in ABSENT6} | {
    Ipv6Devconf.HOPLIMIT: "hop_limit",
    Ipv6Devconf.MTU6: "mtu",
    Ipv6Devconf.RTR_SOLICITS: "router_solicitations",
    Ipv6Devconf.RTR_SOLICIT_INTERVAL: "router_solicitation_interval",
    Ipv6Devconf.RTR_SOLICIT_MAX_INTERVAL: "router_solicitation_max_interval",
    Ipv6Devconf.RTR_SOLICIT_DELAY: "router_solicitation_delay",
}
"""addrconf_sysctl of net/ipv6/addrconf.c."""
SECONDS6 = frozenset(
    (Ipv6Devconf.RTR_SOLICIT_INTERVAL, Ipv6Devconf.RTR_SOLICIT_MAX_INTERVAL, Ipv6Devconf.RTR_SOLICIT_DELAY)
)
"""Intervals that are read and written in seconds, and kept in milliseconds."""
FIXED6 = frozenset(
    (
        Ipv6Devconf.FORWARDING, Ipv6Devconf.FORCE_FORWARDING, Ipv6Devconf.ADDR_GEN_MODE, Ipv6Devconf.MTU6,
        Ipv6Devconf.PROXY_NDP, Ipv6Devconf.IOAM6_ID, Ipv6Devconf.IOAM6_ID_WIDE,
    )
)
"""Whose change does more than change them."""
UNTOLD6 = {"ra_honor_pio_life": 0, "ra_honor_pio_pflag": 0, "regen_min_advance": 2}
"""Those that no message tells of; the emulator has no use for them."""
LIMITS6 = {Ipv6Devconf.HOPLIMIT: (1, 255)}


def integer(text: str, least: int = S32_MIN, most: int = S32_MAX) -> int:
    """proc_dointvec(): the first number, of any base as C spells it. ValueError."""
    value = integers(text)[0]
    if not least <= value <= most:
        raise ValueError(text)
    return value


def conf4(net: Net) -> Directory:
    """/proc/sys/net/ipv4/conf."""
    default = ip4_conf.DEFAULTS
    entries: dict[str, Callable[[], Node]] = {
        "all": lambda: _constant4({**default, Ipv4Devconf.ACCEPT_SOURCE_ROUTE: 0}),
        "default": lambda: _constant4(default),
    }
    entries |= {dev.name: partial(_device4, dev) for dev in net if dev.ip4 is not None}
    return Directory(entries)


def conf6(net: Net) -> Directory:
    """/proc/sys/net/ipv6/conf."""
    default = ip6_conf.DEFAULTS | {Ipv6Devconf.MTU6: ip6_conf.MIN_MTU}
    entries: dict[str, Callable[[], Node]] = {
        "all": lambda: _constant6({**default, Ipv6Devconf.ACCEPT_DAD: 0}),
        "default": lambda: _constant6(default),
    }
    entries |= {dev.name: partial(_device6, dev) for dev in net if dev.ip6 is not None}
    return Directory(entries)


def told6(field: Ipv6Devconf, value: int) -> int:
    """As it is read."""
    if field == Ipv6Devconf.IOAM6_ID_WIDE:
        return value & 0xFFFFFFFF
    return value // 1000 if field in SECONDS6 else value


def _constant4(values: Mapping[Ipv4Devconf, int]) -> Directory:
    return Directory({name: partial(_read_only, values.get(field, 0)) for field, name in NAMES4.items()})


def _constant6(values: Mapping[Ipv6Devconf, int]) -> Directory:
    told = {name: told6(field, values.get(field, 0)) for field, name in NAMES6.items()} | UNTOLD6
    return Directory({name: partial(_read_only, value) for name, value in told.items()})


def _read_only(value: int) -> File:
    return File(lambda: f"{value}\n")


def _device4(dev: Device) -> Directory:
    conf: Ipv4Conf = dev.inet.conf

    def setting(field: Ipv4Devconf) -> File:
        def write(text: str) -> None:
            ip4_settings.set_conf(dev, field, integer(text))

        return File(lambda: f"{conf[field]}\n", None if field in FIXED4 else write)

    return Directory({name: partial(setting, field) for field, name in NAMES4.items()})


def _device6(dev: Device) -> Directory:
    conf: Ipv6Conf = dev.inet6.conf

    def setting(field: Ipv6Devconf) -> File:
        def write(text: str) -> None:
            value = integer(text, *LIMITS6.get(field, ()))
            ip6_settings.set_conf(dev, field, value * 1000 if field in SECONDS6 else value)

        return File(lambda: f"{told6(field, conf[field])}\n", None if field in FIXED6 else write)

    entries: dict[str, Callable[[], Node]] = {name: partial(setting, field) for field, name in NAMES6.items()}
    entries |= {name: partial(_read_only, value) for name, value in UNTOLD6.items()}
    entries["stable_secret"] = lambda: File(_no_secret)
    return Directory(entries)


def _no_secret() -> str:
    raise OSError(errno.EIO, "there is none")


def sys_net(net: Net) -> Directory:
    """/proc/sys/net of a namespace: what devices have, what a namespace has, and nothing of this machine's."""
    tree = net_tree(net)
    tree["ipv4"]["conf"] = partial(conf4, net)
    tree["ipv6"]["conf"] = partial(conf6, net)
    for family in ("ipv4", "ipv6"):
        tree[family]["route"]["flush"] = flush
    return _directory(tree)


def net_tree(net: Net) -> dict[str, Any]:
    """The settings that are only kept, by folder: what makes a file, or what is inside."""
    tree: dict[str, Any] = {}
    for setting in settings(net.kernel.build).values():
        if setting.is_in(net):
            *folders, name = setting.name.split("/")
            place = tree
            for folder in folders:
                place = place.setdefault(folder, {})
            place[name] = partial(_kept, net, setting)
    return tree


def _directory(tree: Mapping[str, Any]) -> Directory:
    return Directory({name: partial(_directory, inside) if isinstance(inside, dict) else inside
                      for name, inside in tree.items()})


def _kept(net: Net, setting: Setting) -> File:
    write = partial(setting.write, net) if setting.is_written_in(net) else None
    return File(lambda: f"{setting.read(net)}\n", write, open_to_all=setting.scope != Scope.SECRET)


def flush() -> File:
    """/proc/sys/net/ipv4/route/flush: there is no cache."""
    return File(write=lambda _: None)
