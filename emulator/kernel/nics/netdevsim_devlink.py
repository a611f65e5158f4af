"""What a simulated device has in devlink, beside its ports (drivers/net/netdevsim/dev.c, health.c).

The names and first values are the driver's. Of all this only parameters can be set here, no packet is trapped and
nothing fails, so what else changes is only what the driver counts as it is asked: each time that a trap is told of, the
driver says that one packet more was dropped, over all traps of the device, and of policers each for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nlemu.protocol.uapi.devlink import (
    DevlinkCmd,
    DevlinkParamCmode,
    DevlinkPortType,
    DevlinkTrapAction,
    DevlinkTrapType,
    DevlinkVarAttrType,
)

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


VERSION = ("fw.mgmt", "10.20.30")
"""nsim_dev_info_get(): the one version, running and stored."""


@dataclass(frozen=True)
class Param:
    """struct devlink_param, and its value at first, which is the default. ``generic``: devlink has a name for it."""

    name: str
    type: DevlinkVarAttrType
    mode: DevlinkParamCmode
    value: int
    generic: bool = False


PARAMS = (
    Param("max_macs", DevlinkVarAttrType.U32, DevlinkParamCmode.DRIVERINIT, 32, generic=True),
    Param("test1", DevlinkVarAttrType.FLAG, DevlinkParamCmode.DRIVERINIT, 1),
    Param("test2", DevlinkVarAttrType.U32, DevlinkParamCmode.RUNTIME, 1234),
)


@dataclass(frozen=True)
class Region:
    """struct devlink_region: its size in bytes, and how many snapshots there may be (there is none)."""

    name: str
    size: int
    snapshots: int


REGION = Region("dummy", 32768, 16)


@dataclass(frozen=True)
class Reporter:
    """struct devlink_health_reporter. ``recovers``: it can do something about errors."""

    name: str
    recovers: bool


REPORTERS = (Reporter("empty", recovers=False), Reporter("dummy", recovers=True))


@dataclass(frozen=True)
class Policer:
    """struct devlink_trap_policer: packets a second, and packets at once."""

    id: int
    rate: int
    burst: int


POLICERS = (Policer(1, 1000, 128), Policer(2, 2000, 256), Policer(3, 3000, 512))


@dataclass(frozen=True)
class Group:
    """struct devlink_trap_group; policer: the number of its policer, 0 for none."""

    name: str
    policer: int


GROUPS = (
    Group("l2_drops", 0), Group("l3_drops", 1), Group("l3_exceptions", 1), Group("buffer_drops", 2),
    Group("acl_drops", 3), Group("mc_snooping", 3),
)


@dataclass(frozen=True)
class Trap:
    """struct devlink_trap. ``cookie``: the flow's action is told of its packets, too."""

    name: str
    group: str
    type: DevlinkTrapType = DevlinkTrapType.DROP
    action: DevlinkTrapAction = DevlinkTrapAction.DROP
    generic: bool = True
    cookie: bool = False


EXCEPTION, CONTROL = DevlinkTrapType.EXCEPTION, DevlinkTrapType.CONTROL
TRAP, MIRROR = DevlinkTrapAction.TRAP, DevlinkTrapAction.MIRROR
TRAPS = (
    Trap("source_mac_is_multicast", "l2_drops"),
    Trap("vlan_tag_mismatch", "l2_drops"),
    Trap("ingress_vlan_filter", "l2_drops"),
    Trap("ingress_spanning_tree_filter", "l2_drops"),
    Trap("port_list_is_empty", "l2_drops"),
    Trap("port_loopback_filter", "l2_drops"),
    Trap("fid_miss", "l2_drops", EXCEPTION, TRAP, generic=False),
    Trap("blackhole_route", "l3_drops"),
    Trap("ttl_value_is_too_small", "l3_exceptions", EXCEPTION, TRAP),
    Trap("tail_drop", "buffer_drops"),
    Trap("ingress_flow_action_drop", "acl_drops", cookie=True),
    Trap("egress_flow_action_drop", "acl_drops", cookie=True),
    Trap("igmp_query", "mc_snooping", CONTROL, MIRROR),
    Trap("igmp_v1_report", "mc_snooping", CONTROL, TRAP),
)


@dataclass(frozen=True)
class Port:
    """struct devlink_port as it is told: ``dev`` is its network device, if that is there and in the namespace of the
    instance."""

    index: int
    type: DevlinkPortType
    dev: Device | None


Object = Param | Region | Policer | Group | Trap | Port | None
"""What can come to an instance and go; None: the instance itself."""

NEW: dict[type, DevlinkCmd] = {
    type(None): DevlinkCmd.NEW, Param: DevlinkCmd.PARAM_NEW, Region: DevlinkCmd.REGION_NEW,
    Policer: DevlinkCmd.TRAP_POLICER_NEW, Group: DevlinkCmd.TRAP_GROUP_NEW, Trap: DevlinkCmd.TRAP_NEW,
}
DEL: dict[type, DevlinkCmd] = {
    type(None): DevlinkCmd.DEL, Param: DevlinkCmd.PARAM_DEL, Region: DevlinkCmd.REGION_DEL,
    Policer: DevlinkCmd.TRAP_POLICER_DEL, Group: DevlinkCmd.TRAP_GROUP_DEL, Trap: DevlinkCmd.TRAP_DEL,
}
COMING: tuple[Object, ...] = (
    None, *sorted(PARAMS, key=lambda param: param.mode is DevlinkParamCmode.DRIVERINIT), REGION, *POLICERS, *GROUPS,
    *TRAPS,
)
"""As the driver registers them (nsim_drv_probe()); a parameter of its beginning is told of when it has its value."""
GOING: tuple[Object, ...] = (
    *(replace(trap, action=DevlinkTrapAction.DROP) for trap in reversed(TRAPS)), *reversed(GROUPS), *reversed(POLICERS),
    REGION, *PARAMS, None,
)
"""As it takes them away (nsim_drv_remove())."""


class TrapCounts:
    """What the driver of one device says was dropped (struct nsim_trap_data)."""

    def __init__(self) -> None:
        self._traps = 0
        self._policers = dict.fromkeys((policer.id for policer in POLICERS), 0)

    def trap(self) -> int:
        """nsim_dev_devlink_trap_drop_counter_get(): counted over all traps, and one more next time."""
        self._traps += 1
        return self._traps - 1

    def policer(self, number: int) -> int:
        """nsim_dev_devlink_trap_policer_counter_get(): the same of one policer."""
        self._policers[number] += 1
        return self._policers[number] - 1
