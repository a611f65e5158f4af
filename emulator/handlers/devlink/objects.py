"""What instances have beside ports: parameters, regions, reporters of health, traps, their groups and policers
(net/devlink/param.c, region.c, health.c, trap.c). They can be asked for; of them only parameters can be set here."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from nlemu.emulator.handlers.devlink.instance import Fills, dump, fill_handle, find, find_port
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import (
    Devlink,
    DlAttrStats,
    DlHealthReporter,
    DlParam,
    DlParamValue,
    DlParamValuesList,
    DlTrapMetadata,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkVarAttrType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.nics.instance import Instance
    from nlemu.emulator.kernel.nics.netdevsim_devlink import Group, Param, Policer, Region, Reporter, Trap
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Attr, Attrs, Values

T = TypeVar("T")

U32_SIZE = 4
NO_TRAP = "Device did not register this trap"
NO_GROUP = "Device did not register this trap group"
NO_POLICER = "Device did not register this trap policer"


def each(
    one: Callable[[Instance, T], Values], objects: Callable[[Instance], Iterable[T]]
) -> Callable[[Instance], Fills]:
    """The messages about such objects of an instance."""

    def told(instance: Instance) -> Fills:
        return (partial(one, instance, which) for which in objects(instance))

    return told


def named(call: Call, attr: Attr[Any], objects: Iterable[T], name: str = "name") -> T | None:
    """The object whose ``name`` the attribute has; None: there is none, or none is named."""
    wanted = call.attrs.get(attr)
    return next((one for one in objects if getattr(one, name) == wanted), None)


# -- parameters -------------------------------------------------------------------------------------------


def fill_param(instance: Instance, param: Param) -> Values:
    """devlink_nl_param_fill(): a flag is there or not as a value, and a byte as a default."""
    current = instance.param_value(param)
    if param.type is DevlinkVarAttrType.FLAG:
        data, default = b"" if current else None, bytes([param.value])
    else:
        data, default = current.to_bytes(4, "little"), param.value.to_bytes(4, "little")
    value = {
        DlParamValue.param_value_cmode: param.mode, DlParamValue.param_value_data: data,
        DlParamValue.param_value_default: default,
    }
    return fill_handle(instance) | {
        Devlink.param: {
            DlParam.param_name: param.name,
            DlParam.param_generic: True if param.generic else None,
            DlParam.param_type: param.type,
            DlParam.param_values_list: {DlParamValuesList.param_value: [value]},
        },
    }


@doit(c.PARAM_GET)
def param_get(call: Call) -> Values:
    """devlink_nl_param_get_doit()."""
    instance = find(call)
    call.attrs.require((Devlink.param_name,))
    param = named(call, Devlink.param_name, instance.params)
    if param is None:
        raise Refusal(errno.EINVAL)
    return fill_param(instance, param)


@doit(c.PARAM_SET)
def param_set(call: Call) -> None:
    """__devlink_nl_cmd_param_set_doit(): type, value and mode are looked at in this order, a value not at all where it
    is to be what it was at first. EINVAL; EOPNOTSUPP: the parameter cannot be set in that mode."""
    instance, attrs = find(call), call.attrs
    attrs.require((Devlink.param_name,))
    param = named(call, Devlink.param_name, instance.params)
    if param is None:
        raise Refusal(errno.EINVAL)
    attrs.require((Devlink.param_type,))
    if attrs[Devlink.param_type] != param.type:
        raise Refusal(errno.EINVAL)
    value = None if Devlink.param_reset_default in attrs else given(attrs, param)
    attrs.require((Devlink.param_value_cmode,))
    if attrs[Devlink.param_value_cmode] != param.mode:
        raise Refusal(errno.EOPNOTSUPP)
    instance.set_param(param, value)


def given(attrs: Attrs, param: Param) -> int:
    """devlink_param_value_get_from_info(): a value of that parameter's type. EINVAL: none, or one of another length."""
    number = Devlink.param_value_data.number
    start, end = attrs.spans.get(number, (0, 0))
    if param.type is DevlinkVarAttrType.FLAG:
        if end > start:
            raise Refusal(errno.EINVAL)
        return int(number in attrs.spans)
    if end - start != U32_SIZE:
        raise Refusal(errno.EINVAL)
    return int.from_bytes(attrs.message[start:end], "little")


@dumpit(c.PARAM_GET)
def param_dump(call: Call) -> Dump:
    """devlink_nl_param_get_dumpit()."""
    return dump(call, each(fill_param, lambda instance: instance.params))


# -- regions and reporters --------------------------------------------------------------------------------


def fill_region_told(instance: Instance, region: Region) -> dict[Any, Any]:
    """devlink_nl_region_notify_build(): without its snapshots."""
    return fill_handle(instance) | {Devlink.region_name: region.name, Devlink.region_size: region.size}


def fill_region(instance: Instance, region: Region) -> Values:
    """devlink_nl_region_fill()."""
    return fill_region_told(instance, region) | {
        Devlink.region_max_snapshots: region.snapshots, Devlink.region_snapshots: {},
    }


@doit(c.REGION_GET)
def region_get(call: Call) -> Values:
    """devlink_nl_region_get_doit(): ports have none."""
    instance = find(call)
    call.attrs.require((Devlink.region_name,))
    if Devlink.port_index in call.attrs:
        find_port(call, instance)
        raise Refusal(errno.EINVAL)
    region = named(call, Devlink.region_name, instance.regions)
    if region is None:
        raise Refusal(errno.EINVAL)
    return fill_region(instance, region)


@dumpit(c.REGION_GET)
def region_dump(call: Call) -> Dump:
    """devlink_nl_region_get_dumpit()."""
    return dump(call, each(fill_region, lambda instance: instance.regions))


def fill_reporter(instance: Instance, reporter: Reporter) -> Values:
    """devlink_nl_health_reporter_fill(): all is well, and ever was."""
    return fill_handle(instance) | {
        Devlink.health_reporter: {
            DlHealthReporter.health_reporter_name: reporter.name,
            DlHealthReporter.health_reporter_state: 0,
            DlHealthReporter.health_reporter_err_count: 0,
            DlHealthReporter.health_reporter_recover_count: 0,
            DlHealthReporter.health_reporter_graceful_period: 0 if reporter.recovers else None,
            DlHealthReporter.health_reporter_burst_period: 0 if reporter.recovers else None,
            DlHealthReporter.health_reporter_auto_recover: 1 if reporter.recovers else None,
            DlHealthReporter.health_reporter_auto_dump: 1,
        },
    }


@doit(c.HEALTH_REPORTER_GET)
def reporter_get(call: Call) -> Values:
    """devlink_nl_health_reporter_get_doit(): one of a port that there is, or else of the device; ports have none."""
    instance = find(call)
    reporter = named(call, Devlink.health_reporter_name, instance.reporters)
    if reporter is None or (Devlink.port_index in call.attrs and call.attrs[Devlink.port_index] in instance.ports):
        raise Refusal(errno.EINVAL)
    return fill_reporter(instance, reporter)


@dumpit(c.HEALTH_REPORTER_GET)
def reporter_dump(call: Call) -> Dump:
    """devlink_nl_health_reporter_get_dumpit(): those of a port are asked for alone."""
    of_port = Devlink.port_index in call.attrs
    return dump(call, each(fill_reporter, lambda instance: () if of_port else instance.reporters))


# -- traps ------------------------------------------------------------------------------------------------


def fill_trap(instance: Instance, trap: Trap) -> Values:
    """devlink_nl_trap_fill()."""
    return fill_handle(instance) | {
        Devlink.trap_group_name: trap.group,
        Devlink.trap_name: trap.name,
        Devlink.trap_type: trap.type,
        Devlink.trap_generic: True if trap.generic else None,
        Devlink.trap_action: trap.action,
        Devlink.trap_metadata: {
            DlTrapMetadata.trap_metadata_type_in_port: True,
            DlTrapMetadata.trap_metadata_type_fa_cookie: True if trap.cookie else None,
        },
        Devlink.stats: {
            DlAttrStats.stats_rx_dropped: instance.count_trap(),
            DlAttrStats.stats_rx_packets: 0, DlAttrStats.stats_rx_bytes: 0,
        },
    }


def fill_group(instance: Instance, group: Group) -> Values:
    """devlink_nl_trap_group_fill()."""
    return fill_handle(instance) | {
        Devlink.trap_group_name: group.name,
        Devlink.trap_generic: True,
        Devlink.trap_policer_id: group.policer or None,
        Devlink.stats: {DlAttrStats.stats_rx_packets: 0, DlAttrStats.stats_rx_bytes: 0},
    }


def fill_policer(instance: Instance, policer: Policer) -> Values:
    """devlink_nl_trap_policer_fill()."""
    return fill_handle(instance) | {
        Devlink.trap_policer_id: policer.id,
        Devlink.trap_policer_rate: policer.rate,
        Devlink.trap_policer_burst: policer.burst,
        Devlink.stats: {DlAttrStats.stats_rx_dropped: instance.count_policer(policer.id)},
    }


@doit(c.TRAP_GET)
def trap_get(call: Call) -> Values:
    """devlink_nl_trap_get_doit()."""
    instance = find(call)
    trap = named(call, Devlink.trap_name, instance.traps)
    if trap is None:
        raise Refusal(errno.ENOENT, NO_TRAP)
    return fill_trap(instance, trap)


@dumpit(c.TRAP_GET)
def trap_dump(call: Call) -> Dump:
    """devlink_nl_trap_get_dumpit()."""
    return dump(call, each(fill_trap, lambda instance: instance.traps))


@doit(c.TRAP_GROUP_GET)
def group_get(call: Call) -> Values:
    """devlink_nl_trap_group_get_doit()."""
    instance = find(call)
    group = named(call, Devlink.trap_group_name, instance.groups)
    if group is None:
        raise Refusal(errno.ENOENT, NO_GROUP)
    return fill_group(instance, group)


@dumpit(c.TRAP_GROUP_GET)
def group_dump(call: Call) -> Dump:
    """devlink_nl_trap_group_get_dumpit()."""
    return dump(call, each(fill_group, lambda instance: instance.groups))


@doit(c.TRAP_POLICER_GET)
def policer_get(call: Call) -> Values:
    """devlink_nl_trap_policer_get_doit()."""
    instance = find(call)
    policer = named(call, Devlink.trap_policer_id, instance.policers, "id")
    if policer is None:
        raise Refusal(errno.ENOENT, NO_POLICER)
    return fill_policer(instance, policer)


@dumpit(c.TRAP_POLICER_GET)
def policer_dump(call: Call) -> Dump:
    """devlink_nl_trap_policer_get_dumpit()."""
    return dump(call, each(fill_policer, lambda instance: instance.policers))
