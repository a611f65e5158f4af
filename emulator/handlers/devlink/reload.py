"""A driver begins anew (net/devlink/dev.c): devlink reload."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.netns import capable_in, net_of_descriptor, net_of_pid
from nlemu.emulator.handlers.devlink.beyond import find_whole
from nlemu.emulator.handlers.devlink.instance import fill_handle
from nlemu.emulator.kernel.devlink.resource import all_valid
from nlemu.emulator.netlink.registry import doit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import Devlink
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkReloadAction, DevlinkReloadLimit

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Values

RESOURCES = "resources size validation failed"
NO_ACTION = "Requested reload action is not supported by the driver"
NOT_SELECTED, SEVERAL = "Invalid limit selected", "Multiselection of limit is not supported"
NO_LIMIT, WRONG_LIMIT = "Requested limit is not supported by the driver", "Requested limit is invalid for this action"
SEVERAL_NETS, NO_NET = "multiple netns identifying attributes specified", "Unknown network namespace"
NOT_THERE = "dev: Changing namespace is only supported for reinit action"
NETS = (Devlink.netns_pid, Devlink.netns_fd, Devlink.netns_id)


def check_limit(instance: Instance, action: int, chosen: int) -> None:
    """The one limit that is chosen. EINVAL, EOPNOTSUPP."""
    if not chosen:
        raise Refusal(errno.EINVAL, NOT_SELECTED)
    if chosen & chosen - 1:
        raise Refusal(errno.EOPNOTSUPP, SEVERAL)
    limit = chosen.bit_length() - 1
    if limit not in {offered for _, offered in instance.offered} - {DevlinkReloadLimit.UNSPEC}:
        raise Refusal(errno.EOPNOTSUPP, NO_LIMIT)
    if action == DevlinkReloadAction.DRIVER_REINIT and limit == DevlinkReloadLimit.NO_RESET:
        raise Refusal(errno.EINVAL, WRONG_LIMIT)


def net_of(call: Call) -> Net | None:
    """devlink_netns_get(): the namespace that is named, if one is. EINVAL, EPERM."""
    attrs = call.attrs
    named = [attr for attr in NETS if attr in attrs]
    if len(named) > 1:
        raise Refusal(errno.EINVAL, SEVERAL_NETS)
    if not named:
        return None
    net: Net | None = None
    try:
        if Devlink.netns_pid in attrs:
            net = net_of_pid(call, attrs[Devlink.netns_pid])
        elif Devlink.netns_fd in attrs:
            net = net_of_descriptor(call, attrs[Devlink.netns_fd])
        else:
            net = call.net.by_id(attrs[Devlink.netns_id])
    except Refusal:
        net = None
    if net is None:
        raise Refusal(errno.EINVAL, NO_NET)
    if not capable_in(call, net):
        raise Refusal(errno.EPERM)
    return net


@doit(c.RELOAD)
def reload(call: Call) -> Values | None:
    """devlink_nl_reload_doit(): what was done is told to who named an action or a limit."""
    instance, attrs = find_whole(call), call.attrs
    if not all_valid(instance.resources):
        raise Refusal(errno.EINVAL, RESOURCES)
    action = attrs.get(Devlink.reload_action, DevlinkReloadAction.DRIVER_REINIT)
    if action not in {offered for offered, _ in instance.offered}:
        raise Refusal(errno.EOPNOTSUPP, NO_ACTION)
    if Devlink.reload_limits in attrs:
        limits = attrs[Devlink.reload_limits]
        check_limit(instance, action, limits.value & limits.selector)
    net = net_of(call)
    if net is not None and net is not instance.net and action != DevlinkReloadAction.DRIVER_REINIT:
        raise Refusal(errno.EOPNOTSUPP, NOT_THERE)
    instance.reload(net)
    if Devlink.reload_action not in attrs and Devlink.reload_limits not in attrs:
        return None
    performed = 1 << DevlinkReloadAction.DRIVER_REINIT
    return fill_handle(instance) | {Devlink.reload_actions_performed: (performed, performed)}
