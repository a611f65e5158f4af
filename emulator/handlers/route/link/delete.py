"""RTM_DELLINK: deletes a link, or all of a group (rtnl_dellink() of net/core/rtnetlink.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.netns import net_by_id
from nlemu.emulator.handlers.route.link.parse import check_one_netns, is_named, named_device
from nlemu.emulator.kernel.devices import links
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.link import DELLINK, Link
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call


@doit_of(DELLINK, AF_UNSPEC)
def dellink(call: Call) -> None:
    """rtnl_dellink()."""
    attrs = call.attrs
    check_one_netns(attrs, only_id=True)
    net = call.net
    nsid = attrs.get(Link.target_netnsid)
    if nsid is not None:
        net = net_by_id(call, nsid)
    index = call.fixed.index
    if index > 0 or is_named(attrs):
        dev = net.device(index) if index > 0 else named_device(net, attrs)
        if dev is None:
            raise Refusal(errno.ENODEV)
        links.delete_link(dev, call)
        return
    group = attrs.get(Link.group)
    if group is None:
        raise Refusal(errno.EINVAL)
    links.delete_group(net, group)
