"""/proc/sys/net: the settings of a namespace, and those of IPv4 and IPv6 on its devices.

Most change nothing but themselves; what forwarding and disable_ipv6 change besides is the model's to know
(ipv4/settings.py, ipv6/settings.py), and so is what `all` and `default` reach.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.sysctl import S32_MAX, S32_MIN, Scope, Setting, integers, settings
from nlemu.emulator.kernel.inet import neighbour_parms
from nlemu.emulator.kernel.inet.neighbour_parms import AF_INET, AF_INET6
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import settings as ip4_settings
from nlemu.emulator.kernel.ipv6 import conf as ip6_conf
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6 import settings as ip6_settings
from nlemu.emulator.kernel.mpls import labels
from nlemu.emulator.kernel.mpls.device import set_input
from nlemu.emulator.launch.files.tree import Directory, File, Node
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
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
FIXED4 = frozenset((Ipv4Devconf.MC_FORWARDING,))
"""Which nobody can write."""

OPTIONAL6 = {
    Ipv6Devconf.ACCEPT_RA_RTR_PREF: "IPV6_ROUTER_PREF",
    Ipv6Devconf.RTR_PROBE_INTERVAL: "IPV6_ROUTER_PREF",
    Ipv6Devconf.ACCEPT_RA_RT_INFO_MIN_PLEN: "IPV6_ROUTE_INFO",
    Ipv6Devconf.ACCEPT_RA_RT_INFO_MAX_PLEN: "IPV6_ROUTE_INFO",
    Ipv6Devconf.OPTIMISTIC_DAD: "IPV6_OPTIMISTIC_DAD",
    Ipv6Devconf.USE_OPTIMISTIC: "IPV6_OPTIMISTIC_DAD",
    Ipv6Devconf.MC_FORWARDING: "IPV6_MROUTE",
    Ipv6Devconf.SEG6_REQUIRE_HMAC: "IPV6_SEG6_HMAC",
}
"""Settings that come with an option."""
FIXED6 = frozenset((Ipv6Devconf.MC_FORWARDING,))
"""Which nobody can write."""
NAMES6 = {field: field.name.lower() for field in Ipv6Devconf if field != Ipv6Devconf.STABLE_SECRET} | {
    Ipv6Devconf.HOPLIMIT: "hop_limit",
    Ipv6Devconf.MTU6: "mtu",
    Ipv6Devconf.RTR_SOLICITS: "router_solicitations",
    Ipv6Devconf.RTR_SOLICIT_INTERVAL: "router_solicitation_interval",
    Ipv6Devconf.RTR_SOLICIT_MAX_INTERVAL: "router_solicitation_max_interval",
    Ipv6Devconf.RTR_SOLICIT_DELAY: "router_solicitation_delay",
    Ipv6Devconf.RTR_PROBE_INTERVAL: "router_probe_interval",
}
"""addrconf_sysctl of net/ipv6/addrconf.c."""
SECONDS6 = frozenset(
    (
        Ipv6Devconf.RTR_SOLICIT_INTERVAL, Ipv6Devconf.RTR_SOLICIT_MAX_INTERVAL, Ipv6Devconf.RTR_SOLICIT_DELAY,
        Ipv6Devconf.RTR_PROBE_INTERVAL,
    )
)
"""Intervals that are read and written in seconds, and kept in milliseconds."""
FLAGS6 = ("ra_honor_pio_life", "ra_honor_pio_pflag")
"""Of those that no message tells of, the ones that are 0 or 1."""
LIMITS6 = {
    Ipv6Devconf.HOPLIMIT: (1, 255), Ipv6Devconf.MTU6: (ip6_conf.MIN_MTU, S32_MAX), Ipv6Devconf.FORCE_FORWARDING: (0, 1),
    Ipv6Devconf.IOAM6_ID: (0, 0xFFFF), Ipv6Devconf.IOAM6_ID_WIDE: (0, 0xFFFFFFFF),
}


def integer(text: str, least: int = S32_MIN, most: int = S32_MAX) -> int:
    """proc_dointvec(): the first number, of any base as C spells it. ValueError."""
    value = integers(text)[0]
    if not least <= value <= most:
        raise ValueError(text)
    return value


def conf4(net: Net) -> Directory:
    """/proc/sys/net/ipv4/conf."""
    state = ip4.of(net)
    entries: dict[str, Callable[[], Node]] = {
        "all": lambda: _settings4(state.conf_all, partial(ip4_settings.set_all, net)),
        "default": lambda: _settings4(state.conf_default, partial(ip4_settings.set_default, net)),
    }
    for dev in net:
        if dev.ip4 is not None:
            entries[dev.name] = partial(_settings4, dev.ip4.conf, partial(ip4_settings.set_conf, dev))
    return Directory(entries)


def conf6(net: Net) -> Directory:
    """/proc/sys/net/ipv6/conf."""
    state, build = ip6.of(net), net.kernel.build
    entries: dict[str, Callable[[], Node]] = {
        "all": lambda: _settings6(build, state.conf_all, partial(ip6_settings.set_all, net), None),
        "default": lambda: _settings6(
            build, state.conf_default, partial(ip6_settings.set_default, net),
            partial(ip6_settings.set_default_secret, net),
        ),
    }
    for dev in net:
        if dev.ip6 is not None:
            entries[dev.name] = partial(
                _settings6, build, dev.ip6.conf, partial(ip6_settings.set_conf, dev),
                partial(ip6_settings.set_secret, dev), dev,
            )
    return Directory(entries)


def ip_forward(net: Net) -> File:
    """/proc/sys/net/ipv4/ip_forward: forwarding of all devices, by another name."""
    conf = ip4.of(net).conf_all
    return File(
        lambda: f"{conf[Ipv4Devconf.FORWARDING]}\n",
        lambda text: ip4_settings.set_all(net, Ipv4Devconf.FORWARDING, integer(text)),
    )


def conf_mpls(net: Net) -> Directory:
    """/proc/sys/net/mpls/conf."""

    def settings_of(dev: Device) -> Directory:
        mpls = dev.mpls
        return Directory({
            "input": lambda: File(
                lambda: f"{mpls.input if mpls is not None else 0}\n", lambda text: set_input(dev, integer(text))
            )
        })

    return Directory({dev.name: partial(settings_of, dev) for dev in net if dev.mpls is not None})


def platform_labels(net: Net) -> File:
    """/proc/sys/net/mpls/platform_labels: how many labels there are."""
    table = labels.of(net)
    return File(lambda: f"{table.size}\n", lambda text: table.resize(integer(text, 0, labels.LIMIT)))


def neigh(net: Net, family: int) -> Directory:
    """/proc/sys/net/ipv4/neigh, /proc/sys/net/ipv6/neigh."""
    entries: dict[str, Callable[[], Node]] = {}
    if net is net.kernel.init_net:
        entries["default"] = partial(_neighbour_parms, net, family, None)
    for dev in net:
        if (dev.ip4 if family == AF_INET else dev.ip6) is not None:
            entries[dev.name] = partial(_neighbour_parms, net, family, dev)
    return Directory(entries)


def _neighbour_parms(net: Net, family: int, dev: Device | None) -> Directory:
    def parm(name: str) -> File:
        return File(
            lambda: f"{neighbour_parms.get(net, family, name, dev)}\n",
            lambda text: neighbour_parms.put(net, family, name, integer(text, 0), dev),
        )

    return Directory({name: partial(parm, name) for name in neighbour_parms.names(net, dev)})


def told6(field: Ipv6Devconf, value: int) -> int:
    """As it is read."""
    if field == Ipv6Devconf.IOAM6_ID_WIDE:
        return value & 0xFFFFFFFF
    return value // 1000 if field in SECONDS6 else value


def _settings4(conf: Ipv4Conf, change: Callable[[Ipv4Devconf, int], None]) -> Directory:
    def setting(field: Ipv4Devconf) -> File:
        write = None if field in FIXED4 else lambda text: change(field, integer(text))
        return File(lambda: f"{conf[field]}\n", write)

    return Directory({name: partial(setting, field) for field, name in NAMES4.items()})


def _settings6(
    build: Build, conf: Ipv6Conf, change: Callable[[Ipv6Devconf, int], None],
    keep_secret: Callable[[bytes], None] | None, dev: Device | None = None,
) -> Directory:
    def setting(field: Ipv6Devconf) -> File:
        def write(text: str) -> None:
            least, most = LIMITS6.get(field, (S32_MIN, S32_MAX))
            value = integer(text, least, dev.mtu if field == Ipv6Devconf.MTU6 and dev is not None else most)
            if field == Ipv6Devconf.ADDR_GEN_MODE:
                ip6_settings.check_gen_mode(dev, value)
            change(field, value * 1000 if field in SECONDS6 else value)

        return File(lambda: f"{told6(field, conf[field])}\n", None if field in FIXED6 else write)

    entries: dict[str, Callable[[], Node]] = {
        name: partial(setting, field) for field, name in NAMES6.items()
        if field not in OPTIONAL6 or build.has(OPTIONAL6[field])
    }
    entries |= {name: partial(_untold6, conf, name) for name in ip6_conf.UNTOLD}
    entries["stable_secret"] = partial(_secret, conf, keep_secret)
    return Directory(entries)


def _untold6(conf: Ipv6Conf, name: str) -> File:
    def write(text: str) -> None:
        conf.untold[name] = integer(text, 0, 1) if name in FLAGS6 else integer(text)

    return File(lambda: f"{conf.untold.get(name, ip6_conf.UNTOLD[name])}\n", write)


def _secret(conf: Ipv6Conf, keep: Callable[[bytes], None] | None) -> File:
    """addrconf_sysctl_stable_secret(). keep: None for that of `all`, which can be neither read nor written."""

    def read() -> str:
        if conf.secret is None or keep is None:
            raise OSError(errno.EIO, "there is none")
        return f"{IPv6Address(conf.secret).exploded}\n"

    def write(text: str) -> None:
        try:
            secret = IPv6Address(text.split("\n")[0]).packed
        except ValueError:
            raise Refusal(errno.EIO) from None
        if keep is None:
            raise Refusal(errno.EIO)
        keep(secret)

    return File(read, write, open_to_all=False)


def sys_net(net: Net) -> Directory:
    """/proc/sys/net of a namespace: what devices have, what a namespace has, and nothing of this machine's."""
    return Folder(net, "", folders(net.kernel.build, net is net.kernel.init_net))


class Folder(Directory):
    """A folder of settings; what is in it is made when somebody looks.

    net: whose; path: where it is below /proc/sys/net, with a slash at its end, or empty; inside: the settings that are
    only kept."""

    def __init__(self, net: Net, path: str, inside: Mapping[str, Any]) -> None:
        self._net, self._path, self._inside = net, path, inside
        self._own = MODELLED.get(path, {})

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._inside, *self._own)))

    def child(self, name: str) -> Node | None:
        """A setting, or a folder below."""
        if (make := self._own.get(name)) is not None:
            return make(self._net)
        kept = self._inside.get(name)
        if isinstance(kept, Setting):
            return _kept(self._net, kept)
        return None if kept is None else Folder(self._net, f"{self._path}{name}/", kept)


@cache
def folders(build: Build, first: bool) -> dict[str, Any]:
    """The settings that are only kept, by name: a setting, or what a folder has. first: in the first namespace."""
    top: dict[str, Any] = {}
    for setting in settings(build).values():
        if first or not setting.first_alone:
            *path, name = setting.name.split("/")
            place = top
            for folder in path:
                place = place.setdefault(folder, {})
            place[name] = setting
    return top


def _kept(net: Net, setting: Setting) -> File:
    write = partial(setting.write, net) if setting.is_written_in(net) else None
    return File(lambda: f"{setting.read(net)}\n", write, open_to_all=setting.scope != Scope.SECRET)


def flush() -> File:
    """/proc/sys/net/ipv4/route/flush: there is no cache."""
    return File(write=lambda _: None)


MODELLED: dict[str, dict[str, Callable[[Net], Node]]] = {
    "ipv4/": {"conf": conf4, "ip_forward": ip_forward, "neigh": lambda net: neigh(net, AF_INET)},
    "ipv6/": {"conf": conf6, "neigh": lambda net: neigh(net, AF_INET6)},
    "mpls/": {"conf": conf_mpls, "platform_labels": platform_labels},
    "ipv4/route/": {"flush": lambda _: flush()},
    "ipv6/route/": {"flush": lambda _: flush()},
}
"""What is not only kept, by folder and name."""
