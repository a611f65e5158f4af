"""Firmware is written to a device (net/devlink/dev.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.beyond import find_whole
from nlemu.emulator.handlers.devlink.instance import fill_handle
from nlemu.emulator.kernel.devlink.flash import FlashStatus
from nlemu.emulator.netlink.registry import doit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import Devlink
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkCmd

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Values

NO_COMPONENT = "selected component is not supported by this device"
NO_FILE = "failed to locate the requested firmware file"


def fill_flash(instance: Instance, status: FlashStatus) -> Values:
    """devlink_nl_flash_update_fill(): that it begins or ends says nothing else."""
    if status.text is None:
        return fill_handle(instance)
    return fill_handle(instance) | {
        Devlink.flash_update_status_msg: status.text,
        Devlink.flash_update_component: status.component,
        Devlink.flash_update_status_done: status.done,
        Devlink.flash_update_status_total: status.total,
        Devlink.flash_update_status_timeout: status.timeout,
    }


def has_firmware(call: Call, name: str) -> bool:
    """request_firmware(): whether there is a file of that name. What is in it nobody looks at."""
    elsewhere = call.machine.firmware_elsewhere
    return name in call.machine.firmware or (elsewhere is not None and elsewhere(name))


@doit(c.FLASH_UPDATE)
def flash_update(call: Call) -> None:
    """devlink_nl_flash_update_doit(). EINVAL: there is no such component; ENOENT: no such file; what the driver
    refuses."""
    instance, attrs = find_whole(call), call.attrs
    attrs.require((Devlink.flash_update_file_name,))
    component = attrs.get(Devlink.flash_update_component)
    if component is not None and component not in instance.components:
        raise Refusal(errno.EINVAL, NO_COMPONENT, at=attrs.offset(Devlink.flash_update_component))
    mask = attrs.get(Devlink.flash_update_overwrite_mask)
    overwrite = 0 if mask is None else mask.value & mask.selector
    if not has_firmware(call, attrs[Devlink.flash_update_file_name]):
        raise Refusal(errno.ENOENT, NO_FILE, at=attrs.offset(Devlink.flash_update_file_name))
    tell = call.machine.announcer.devlink
    tell(instance, DevlinkCmd.FLASH_UPDATE, FlashStatus())
    try:
        instance.flash(component, overwrite)
    finally:
        tell(instance, DevlinkCmd.FLASH_UPDATE_END, FlashStatus())
