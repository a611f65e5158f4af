"""A device moves to another namespace: __dev_change_net_namespace() of net/core/dev.c.

All that could go wrong is looked at before anything happens: the name, the alternative names, the index. Then the
device is closed, leaves, and is told about in the old namespace as gone (with where it went, and the index it has
there) and in the new one as new.
"""

from __future__ import annotations

from contextlib import suppress
from errno import EBUSY, EEXIST, EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.core.uevents import Action
from nlemu.emulator.kernel.devices import announce, flags, qdisc, rx_mode, uevents
from nlemu.emulator.kernel.devices.rename import drop_altname
from nlemu.emulator.kernel.devices.states import RegState
from nlemu.protocol.refusal import Refusal, formatted

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

NOT_ASSIGNED = -1
"""NETNSA_NSID_NOT_ASSIGNED"""


def change_net_namespace(dev: Device, net: Net, pattern: str | None = None, new_ifindex: int = 0) -> None:
    """Moves the device. pattern: a name, or a pattern, to take when its name is in use over there; new_ifindex: the
    index to have there, 0 to keep the one it has if that is free. EINVAL, EEXIST, EBUSY, ENFILE, with texts."""
    old = dev.net
    if dev.netns_immutable:
        raise Refusal(EINVAL, "The interface netns is immutable")
    if dev.reg_state != RegState.REGISTERED:
        raise Refusal(EINVAL, "The interface isn't registered")
    if net is old:
        return
    name = _name_there(dev, net, pattern)
    _check_altnames(dev, net)
    index = _index_there(dev, net, new_ifindex)

    flags.close_device(dev)
    old.unlist_device(dev)
    qdisc.shutdown(dev)
    dev.kernel.notify(NetdevEvent.UNREGISTER, dev)
    nsid = old.id_alloc(net)
    announce.announce_going(dev, new_nsid=NOT_ASSIGNED if nsid is None else nsid, new_ifindex=index)()
    rx_mode.flush(dev)
    uevents.announce(dev, Action.REMOVE)
    dev.net = net
    dev.ifindex = index
    dev.name = name
    uevents.added(dev)
    dev.moved()
    for other in (*dev.uppers, *(() if dev.seen_by is None else (dev.seen_by,))):
        dev.kernel.link_watch.reconsider(other)
    net.list_device(dev)
    with suppress(Refusal):  # nobody looks at it: a name that settings cannot have is no reason to stay
        dev.kernel.notify(NetdevEvent.REGISTER, dev)
    announce.announce(dev, announce.ALL)


def _name_there(dev: Device, net: Net, pattern: str | None) -> str:
    if net.by_name(dev.name) is None:
        return dev.name
    if pattern is None:
        raise Refusal(EEXIST, "An interface with the same name exists in the target netns")
    try:
        return net.prepare_name(pattern)
    except Refusal as refused:
        text = f"Unable to use '{pattern}' for the new interface name in the target netns"
        raise Refusal(refused.errno, formatted(text)) from refused


def _check_altnames(dev: Device, net: Net) -> None:
    for name in dev.altnames:
        if net.by_name(name) is None:
            continue
        if not dev.net.dying:
            raise Refusal(EEXIST, formatted(f"An interface with the altname {name} exists in the target netns"))
        drop_altname(dev, name)


def _index_there(dev: Device, net: Net, wanted: int) -> int:
    if wanted:
        try:
            return net.reserve_index(wanted)
        except Refusal as refused:
            text = f"The ifindex {wanted} is not available in the target netns"
            raise Refusal(refused.errno, text) from refused
    try:
        return net.reserve_index(dev.ifindex)
    except Refusal as refused:
        if refused.errno != EBUSY:
            raise
        return net.reserve_index()
