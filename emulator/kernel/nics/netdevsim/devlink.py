"""What a simulated device has in devlink, beside its ports (drivers/net/netdevsim/dev.c): names and first values are
the driver's.

Parameters and resources are there as long as the device is. Regions, traps, their groups and policers come anew
whenever the driver begins, and are told of as they come and go; reporters of health are told of only when asked.
"""

from __future__ import annotations

from nlemu.emulator.kernel.devlink.param import Param
from nlemu.emulator.kernel.devlink.region import Region
from nlemu.emulator.kernel.devlink.resource import U64_MAX, Resource
from nlemu.emulator.kernel.devlink.trap import Group, Policer, Trap
from nlemu.protocol.uapi.devlink import (
    DevlinkParamCmode,
    DevlinkTrapAction,
    DevlinkTrapType,
    DevlinkVarAttrType,
)

VERSION = ("fw.mgmt", "10.20.30")
"""nsim_dev_info_get(): the one version, running and stored."""

MAX_MACS = Param("max_macs", DevlinkVarAttrType.U32, DevlinkParamCmode.DRIVERINIT, 32, generic=True)
TEST1 = Param("test1", DevlinkVarAttrType.FLAG, DevlinkParamCmode.DRIVERINIT, 1)
TEST2 = Param("test2", DevlinkVarAttrType.U32, DevlinkParamCmode.RUNTIME, 1234)
PARAMS = (MAX_MACS, TEST1, TEST2)


def regions() -> tuple[Region, ...]:
    """nsim_dev_dummy_region_init()."""
    return (Region("dummy", 32768, 16),)


RATES, BURSTS = (1, 8000), (8, 65536)
"""NSIM_DEV_TRAP_POLICER_MIN_RATE and its like."""


def policers() -> tuple[Policer, ...]:
    """nsim_trap_policers_arr."""
    each = ((1, 1000, 128), (2, 2000, 256), (3, 3000, 512))
    return tuple(Policer(number, rate, burst, RATES, BURSTS) for number, rate, burst in each)


def groups() -> tuple[Group, ...]:
    """nsim_trap_groups_arr."""
    return (
        Group("l2_drops", 0), Group("l3_drops", 1), Group("l3_exceptions", 1), Group("buffer_drops", 2),
        Group("acl_drops", 3), Group("mc_snooping", 3),
    )


EXCEPTION, CONTROL = DevlinkTrapType.EXCEPTION, DevlinkTrapType.CONTROL
TRAP, MIRROR = DevlinkTrapAction.TRAP, DevlinkTrapAction.MIRROR


def traps() -> tuple[Trap, ...]:
    """nsim_traps_arr."""
    return (
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


IPV4_FIB, IPV4_RULES, IPV6_FIB, IPV6_RULES, NEXTHOPS = 2, 3, 5, 6, 7
"""enum nsim_resource_id, of resources that are counted. Those above them (1, 4) are not, and so keep the size that they
had: nsim_fib_set_max_all() asks for these alone."""


def resources() -> tuple[Resource, ...]:
    """nsim_dev_resources_register(): as large as can be."""
    return (
        Resource("IPv4", 1, U64_MAX, parts=(
            Resource("fib", IPV4_FIB, U64_MAX), Resource("fib-rules", IPV4_RULES, U64_MAX),
        )),
        Resource("IPv6", 4, U64_MAX, parts=(
            Resource("fib", IPV6_FIB, U64_MAX), Resource("fib-rules", IPV6_RULES, U64_MAX),
        )),
        Resource("nexthops", NEXTHOPS, U64_MAX),
    )


PORT_RESOURCES = (Resource("test_resource", 1, 20, size_max=100),)
"""__nsim_dev_port_add(): of physical ports. They cannot be set, so all ports have the same."""
PARAMS_COMING = tuple(sorted(PARAMS, key=lambda param: param.mode is DevlinkParamCmode.DRIVERINIT))
"""A parameter of the driver's beginning is told of when it has its value."""


class TrapCounts:
    """What the driver of one device says was dropped (struct nsim_trap_data): each time that a trap is told of one
    packet more, over all traps, and of policers each for itself."""

    def __init__(self) -> None:
        self._traps = 0
        self._policers: dict[int, int] = {}

    def trap(self) -> int:
        """nsim_dev_devlink_trap_drop_counter_get()."""
        self._traps += 1
        return self._traps - 1

    def policer(self, number: int) -> int:
        """nsim_dev_devlink_trap_policer_counter_get()."""
        count = self._policers.get(number, 0)
        self._policers[number] = count + 1
        return count
