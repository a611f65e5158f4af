"""Settings of IPv4 on a device are changed: what net.ipv4.conf.DEVICE.* and IFLA_AF_SPEC write, with all that
follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features
from nlemu.protocol.uapi.ip import Ipv4Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def set_conf(dev: Device, field: Ipv4Devconf, value: int) -> None:
    """Sets one setting of a device that has IPv4 (ipv4_devconf_set(), devinet_conf_post_set()). What else a setting may
    cause (RTM_NEWNETCONF) is not modelled."""
    conf = dev.inet.conf
    was, conf[field] = conf[field], value
    dev.changed()
    if field == Ipv4Devconf.FORWARDING and value == 1 and was != 1:
        features.disable(dev, features.LRO)  # merged packets cannot be forwarded
