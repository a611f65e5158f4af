"""RTM_NEWLINK: makes a link, or changes one that is there (rtnl_newlink() of net/core/rtnetlink.c)."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.netns import capable_in
from nlemu.emulator.handlers.route.link.kinds import Taken, blame, parse_data, parse_slave_data
from nlemu.emulator.handlers.route.link.parse import (
    check_one_netns,
    is_named,
    link_params,
    named_device,
    parse_quietly,
    target_net,
)
from nlemu.emulator.handlers.route.link.set import do_setlink
from nlemu.emulator.kernel.devices import links
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.link import NEWLINK, TAKEN_INFO, Link, LinkInfo
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
    from nlemu.emulator.netlink.call import Call

CREATE, EXCL, REPLACE = int(NLM_F.CREATE), int(NLM_F.EXCL), int(NLM_F.REPLACE)


@dataclass(slots=True)
class Wanted:
    """What a request says beside the attributes of the link: its kind, and where it is to be."""

    info: Attrs
    kind: Kind | None
    params: LinkParams
    taken: Taken
    net: Net
    link_net: Net | None = None
    """IFLA_LINK_NETNSID"""


@doit_of(NEWLINK, AF_UNSPEC)
def newlink(call: Call) -> None:
    """rtnl_newlink()."""
    attrs = call.attrs
    check_one_netns(attrs)
    info = parse_info(call, attrs)
    name = info.get(LinkInfo.kind)
    kind = None if name is None else call.machine.kinds.get(name)
    params, taken = link_params(attrs, call.fixed, call.extack), Taken()
    if kind is not None:
        taken = parse_data(call, kind, params, attrs, info.spans.get(LinkInfo.data.number))
    wanted = Wanted(info, kind, params, taken, target_net(call, attrs))
    nsid = attrs.get(Link.link_netnsid)
    if nsid is not None:
        wanted.link_net = wanted.net.by_id(nsid)
        if wanted.link_net is None:
            raise Refusal(errno.EINVAL, "Unknown network namespace id")
        if not capable_in(call, wanted.link_net):
            raise Refusal(errno.EPERM)
    try:
        make_or_change(call, attrs, wanted)
    except Refusal as refused:
        if kind is not None:
            blame(refused, kind, taken, attrs)
        raise


def parse_info(call: Call, attrs: Attrs) -> Attrs:
    """IFLA_LINKINFO; what is wrong with it, nobody is told."""
    span = attrs.spans.get(Link.linkinfo.number)
    if span is None:
        return Attrs(call.message, {}, 0, 0)
    return parse_quietly(TAKEN_INFO, call.message, span)


def make_or_change(call: Call, attrs: Attrs, wanted: Wanted) -> None:
    """__rtnl_newlink(): a device that exists is changed, whatever else is said; one that does not is made, if that is
    asked for. One that is to be new is looked for where it will be."""
    flags, header = call.flags, call.fixed
    net = wanted.net if flags & CREATE and flags & EXCL else call.net
    specified, dev = True, None
    if header.index > 0:
        dev = net.device(header.index)
    elif header.index < 0:
        raise Refusal(errno.EINVAL, "ifindex can't be negative")
    elif is_named(attrs):
        dev = named_device(net, attrs)
    else:
        specified = False
    if dev is not None:
        changelink(call, attrs, dev, wanted)
    elif not flags & CREATE:
        group = attrs.get(Link.group)
        if specified or group is None:
            raise Refusal(errno.ENODEV)
        for member in call.net:
            if member.group == group:
                do_setlink(call, member, wanted.net, attrs, wanted.params)
    elif Link.map in attrs or Link.protinfo in attrs:
        raise Refusal(errno.EOPNOTSUPP)
    elif wanted.kind is None:
        raise Refusal(errno.EOPNOTSUPP, "Unknown device type")
    else:
        create(call, wanted.kind, wanted)


def changelink(call: Call, attrs: Attrs, dev: Device, wanted: Wanted) -> None:
    """rtnl_changelink(): first what is the kind's, then the rest."""
    if call.flags & EXCL:
        raise Refusal(errno.EEXIST)
    if call.flags & REPLACE:
        raise Refusal(errno.EOPNOTSUPP)
    notify = False
    if LinkInfo.data in wanted.info:
        kind = wanted.kind
        if kind is None or kind is not dev.kind or not kind.can_change():
            raise Refusal(errno.EOPNOTSUPP)
        try:
            kind.change(dev, wanted.taken.params, wanted.params)
        finally:
            dev.changed()  # what is refused in the end may have changed something before
        notify = True
    if LinkInfo.slave_data in wanted.info:
        master = dev.master
        if master is None or master.kind is None or not master.kind.can_change_slave():
            raise Refusal(errno.EOPNOTSUPP)
        taken = parse_slave_data(call, master.kind, wanted.info.spans[LinkInfo.slave_data.number])
        try:
            master.kind.change_slave(master, dev, taken.params)
        except Refusal as refused:
            blame(refused, master.kind, taken, attrs, slave=True)
            raise
        finally:
            dev.changed()
        notify = True
    do_setlink(call, dev, wanted.net, attrs, wanted.params, notify=notify)


def create(call: Call, kind: Kind, wanted: Wanted) -> None:
    """rtnl_newlink_create()."""
    params, taken = wanted.params, wanted.taken
    params.data = taken.params
    params.named_net = wanted.link_net
    params.link_net = wanted.link_net or call.net
    params.file_of = call.endpoint.descriptors.get
    params.peer_net = taken.peer_net or params.link_net
    links.new_link(wanted.net, kind, params, call)
