"""Settings of IPv4 and IPv6 as a world has them: of a device, of all devices, and of those to come
(/proc/sys/net/*/conf). """

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import settings as ip4_settings
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6 import settings as ip6_settings
from nlemu.protocol.names.words import dashed
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(frozen=True)
class Family:
    """The settings of a protocol family: names, those of a device, how one is set, and the same for what all devices
    have in common (`all`, `default`)."""

    names: Mapping[str, Any]
    of: Callable[[Device], Any]
    set: Callable[[Device, Any, int], None]
    common: Mapping[str, tuple[Callable[[Net], Any], Callable[[Net, Any, int], None]]]


CONF: Mapping[str, Family] = {
    "ipv4": Family(
        {dashed(field.name): field for field in Ipv4Devconf},
        lambda dev: None if dev.ip4 is None else dev.ip4.conf,
        ip4_settings.set_conf,
        {
            "all": (lambda net: ip4.of(net).conf_all, ip4_settings.set_all),
            "default": (lambda net: ip4.of(net).conf_default, ip4_settings.set_default),
        },
    ),
    "ipv6": Family(
        {dashed(field.name): field for field in Ipv6Devconf},
        lambda dev: None if dev.ip6 is None else dev.ip6.conf,
        ip6_settings.set_conf,
        {
            "all": (lambda net: ip6.of(net).conf_all, ip6_settings.set_all),
            "default": (lambda net: ip6.of(net).conf_default, ip6_settings.set_default),
        },
    ),
}
UNSET = frozenset({"mc-forwarding", "mtu6", "addr-gen-mode", "stable-secret", "disable-policy"})
"""Those that follow from something else."""


def common(net: Net) -> dict[str, dict[str, dict[str, int]]]:
    """What all devices of a namespace have in common: by family, `all` or `default`, and name."""
    return {
        mine: {
            which: {word: conf_of(net)[field] for word, field in family.names.items() if word not in UNSET}
            for which, (conf_of, _) in family.common.items()
        }
        for mine, family in CONF.items()
    }
