"""RTM_NEWLINKPROP and RTM_DELLINKPROP: alternative names (rtnl_linkprop() of net/core/rtnetlink.c).

Each name is a step of its own: those before one that is refused stay, and nobody is told of them.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.link.parse import check_one_netns, wanted_device
from nlemu.emulator.handlers.route.link.size import room
from nlemu.emulator.kernel.devices import link_watch, rename
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.link import DELLINKPROP, NEWLINKPROP, TAKEN, Link
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import walk
from nlemu.protocol.schema.policy import STRICT
from nlemu.protocol.uapi.if_ import ALTIFNAMSIZ
from nlemu.protocol.uapi.socket import AF_UNSPEC
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call

U16_MAX = 0xFFFF
ALT_IFNAME = Link.alt_ifname.number


@doit_of(NEWLINKPROP, AF_UNSPEC)
def newlinkprop(call: Call) -> None:
    """rtnl_newlinkprop()."""
    linkprop(call, add)


@doit_of(DELLINKPROP, AF_UNSPEC)
def dellinkprop(call: Call) -> None:
    """rtnl_dellinkprop()."""
    linkprop(call, rename.delete_altname)


def add(dev: Device, name: str) -> None:
    """One more name, if there will be room to tell of it."""
    listed = room(0) + len(dev.altnames) * room(ALTIFNAMSIZ) if dev.altnames else 0
    if listed + room(ALTIFNAMSIZ) >= U16_MAX:
        raise Refusal(errno.EINVAL, "effective property list too long")
    rename.add_altname(dev, name)


def linkprop(call: Call, apply: Callable[[Device, str], None]) -> None:
    """rtnl_linkprop(): a device, and each of the names in turn."""
    attrs = call.attrs
    check_one_netns(attrs, only_id=True)
    dev = wanted_device(call.net, call.fixed.index, attrs)
    span = attrs.spans.get(Link.prop_list.number)
    if span is None:
        return
    changed = False
    for number, start, end in walk(call.message, *span):
        if number == ALT_IFNAME:
            validate(TAKEN, call.message, start - 4, end, STRICT, call.extack)
            apply(dev, Link.alt_ifname.kind.decode(call.message, start, end))
            changed = True
    if changed:
        link_watch.state_change(dev)
