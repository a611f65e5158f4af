"""What an instance of devlink has that comes and goes, and the commands by which that is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devlink.flash import FlashStatus
from nlemu.emulator.kernel.devlink.health import Reporter
from nlemu.emulator.kernel.devlink.param import Param
from nlemu.emulator.kernel.devlink.rate import Rate
from nlemu.emulator.kernel.devlink.region import Region, Snapshot
from nlemu.emulator.kernel.devlink.trap import Group, Policer, Trap
from nlemu.protocol.uapi.devlink import DevlinkCmd, DevlinkPortType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(frozen=True)
class Port:
    """struct devlink_port as it is told: ``dev`` is its network device, if that is there and in the namespace of the
    instance."""

    index: int
    type: DevlinkPortType
    dev: Device | None


Object = Param | Region | Snapshot | Policer | Group | Trap | Port | Rate | Reporter | FlashStatus | None
"""What can come to an instance and go, and what else is told of one; None: the instance itself."""

NEW: dict[type, DevlinkCmd] = {
    type(None): DevlinkCmd.NEW, Param: DevlinkCmd.PARAM_NEW, Region: DevlinkCmd.REGION_NEW,
    Snapshot: DevlinkCmd.REGION_NEW, Policer: DevlinkCmd.TRAP_POLICER_NEW, Group: DevlinkCmd.TRAP_GROUP_NEW,
    Trap: DevlinkCmd.TRAP_NEW, Rate: DevlinkCmd.RATE_NEW,
}
DEL: dict[type, DevlinkCmd] = {
    type(None): DevlinkCmd.DEL, Param: DevlinkCmd.PARAM_DEL, Region: DevlinkCmd.REGION_DEL,
    Snapshot: DevlinkCmd.REGION_DEL, Policer: DevlinkCmd.TRAP_POLICER_DEL, Group: DevlinkCmd.TRAP_GROUP_DEL,
    Trap: DevlinkCmd.TRAP_DEL, Rate: DevlinkCmd.RATE_DEL,
}
