"""Names of devices as names of files: the settings of a device stand in a directory that bears its name."""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

RESERVED = ("all", "default")
"""The directories of conf/ that are no device's."""


def check_name(dev: Device) -> None:
    """sysctl_dev_name_is_allowed(): settings are files by the device's name, and two names are taken. EINVAL."""
    if dev.name in RESERVED:
        raise Refusal(EINVAL)
