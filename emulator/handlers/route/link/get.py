"""RTM_GETLINK: one link, or all of them (rtnl_getlink(), rtnl_dump_ifinfo() of net/core/rtnetlink.c)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.netns import net_by_id
from nlemu.emulator.handlers.route.link import fill as link_fill
from nlemu.emulator.handlers.route.link.parse import (
    BODY,
    HEADER,
    check_one_netns,
    parse_quietly,
    wanted_device,
)
from nlemu.emulator.handlers.route.link.size import message_size
from nlemu.emulator.kernel.devices.kind import Kind
from nlemu.emulator.netlink.call import Call, Fill
from nlemu.emulator.netlink.dump import GOODSIZE, Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.link import GETLINK, TAKEN_INFO, Link, LinkInfo
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTEXT_FILTER
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

DUMP_FILTERED = int(NLM_F.DUMP_FILTERED)
NAME_ONLY = int(RTEXT_FILTER.NAME_ONLY)
OLD_BODY = HEADER + 4
"""Where attributes stand behind a struct rtgenmsg, which very old clients send instead of struct ifinfomsg."""
NO_MASTER = 0xFFFFFFFF
DUMP_ATTRS = frozenset(attr.number for attr in (Link.target_netnsid, Link.ext_mask, Link.master, Link.linkinfo))
"""What a strict socket may ask for many links by."""


@doit_of(GETLINK, AF_UNSPEC)
def getlink(call: Call) -> bytes:
    """rtnl_getlink()."""
    attrs = call.attrs
    check_one_netns(attrs, only_id=True)
    net = call.net
    target = attrs.get(Link.target_netnsid)
    if target is not None:
        net = net_by_id(call, target)
    mask = attrs.get(Link.ext_mask, 0)
    dev = wanted_device(net, call.fixed.index, attrs)
    if not mask & NAME_ONLY:
        call.machine.link_watch.sync(dev)
    return link_fill.body(dev, call.net, mask | privilege(call), target=target)


def privilege(call: Call) -> int:
    """What the asker's privileges add to a mask."""
    return 0 if call.capable() else link_fill.UNPRIVILEGED


@dumpit_of(GETLINK, AF_UNSPEC)
def getlink_dump(call: Call) -> Dump:
    """rtnl_dump_ifinfo()."""
    return Dump(call, tell_links(call), done_apart=True, split=True, least=least_room(call))


def tell_links(call: Call) -> Iterator[Fill]:
    """rtnl_dump_ifinfo(): the links of a namespace, or those of a kind or of a master. What a liberal socket asks for
    that cannot be parsed is not looked at."""
    net, target = call.net, None
    attrs = call.attrs
    for number in sorted(attrs.spans):
        if number == Link.target_netnsid.number:
            wanted = attrs[Link.target_netnsid]
            try:
                net = net_by_id(call, wanted)
            except Refusal as refused:
                raise Refusal(refused.errno, "Invalid target network namespace id") from refused
            target = wanted
        elif call.endpoint.strict and number not in DUMP_ATTRS:
            raise Refusal(errno.EINVAL, "Unsupported attribute in link dump request")
    mask = attrs.get(Link.ext_mask, 0)
    master = attrs.get(Link.master, 0)
    kind = wanted_kind(call, attrs)
    dump = call.dump
    dump.generation = lambda: net.dev_base_seq
    if master or kind is not None:
        dump.message_flags = DUMP_FILTERED
    dev = net.after(0)
    while dev is not None:
        index = dev.ifindex
        if (kind is None or dev.kind is kind) and not master_filtered(dev, master):
            yield partial(fill, net, index, call.net, mask | privilege(call), target)
        dev = net.after(index)


def fill(net: Net, index: int, asker: Net, mask: int, target: int | None) -> bytes | None:
    """The link of that index, if there still is one when its turn comes."""
    dev = net.device(index)
    return None if dev is None else link_fill.body(dev, asker, mask, target=target)


def wanted_kind(call: Call, attrs: Attrs) -> Kind | None:
    """linkinfo_to_kind_ops(): None for a kind that is not there, which filters nothing."""
    span = attrs.spans.get(Link.linkinfo.number)
    if span is None:
        return None
    try:
        info = parse_quietly(TAKEN_INFO, call.message, span)
    except Refusal:
        return None
    name = info.get(LinkInfo.kind)
    return None if name is None else call.machine.kinds.get(name)


def master_filtered(dev: Device, master: int) -> bool:
    """link_master_filtered()."""
    if not master:
        return False
    if master == NO_MASTER:
        return dev.master is not None
    return dev.master is None or dev.master.ifindex != master


def least_room(call: Call) -> int:
    """rtnl_calcit(): room for the largest link of the sender's own namespace, where a mask asks for more than usual."""
    message, end = call.message, len(call.message)
    start = OLD_BODY if end < BODY else BODY
    mask = 0
    for number, first, last in walk(message, start, end):
        if number == Link.ext_mask.number and last - first == 4:
            mask = Link.ext_mask.kind.decode(message, first, last)
    if not mask:
        return GOODSIZE
    return HEADER + max((message_size(dev, mask) for dev in call.net), default=0)
