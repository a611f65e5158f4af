"""Links made and deleted on request: rtnl_create_link(), rtnl_newlink_create(), rtnl_delete_link() of rtnetlink.c.

A link is made in three steps, and the kind does the one in the middle. First a device is allocated and given what the
request says of it. Then it is registered (its peer before it), which user space is not told yet. Then its flags are
set, and it is announced for the first time, with a mask of all ones and in the name of whoever asked.
"""

from __future__ import annotations

from errno import EINVAL, ENODEV, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import adjacency, announce, flags, link_watch, settings
from nlemu.emulator.kernel.devices.register import KillList, unregister_many
from nlemu.emulator.kernel.devices.states import AddressAssignment, NameAssignment
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netdevice import GRO_MAX_SIZE, GSO_MAX_SEGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import Kind, LinkParams

MAX_QUEUES = 4096


def check_params(dev: Device, params: LinkParams) -> None:
    """validate_linkmsg(): what a request says, against what the device can be. EINVAL, mostly with a text."""
    if params.address is not None and len(params.address) < dev.addr_len:
        raise Refusal(EINVAL)
    if params.broadcast is not None and len(params.broadcast) < dev.addr_len:
        raise Refusal(EINVAL)
    for name, limit in (
        ("gso_max_size", dev.tso_max_size),
        ("gso_max_segs", min(GSO_MAX_SEGS, dev.tso_max_segs)),
        ("gro_max_size", GRO_MAX_SIZE),
        ("gso_ipv4_max_size", dev.tso_max_size),
        ("gro_ipv4_max_size", GRO_MAX_SIZE),
    ):
        value = getattr(params, name)
        if value is not None and value > limit:
            raise Refusal(EINVAL, f"too big {name}")
    if params.check_af is not None:
        params.check_af(dev)


def create_link(net: Net, name: str, assignment: NameAssignment, kind: Kind, params: LinkParams) -> Device:
    """rtnl_create_link(): a device of that kind, for that namespace, not registered yet."""
    kernel = net.kernel
    tx = kind.num_tx_queues(kernel) if params.num_tx_queues is None else params.num_tx_queues
    rx = kind.num_rx_queues(kernel) if params.num_rx_queues is None else params.num_rx_queues
    if not 1 <= tx <= MAX_QUEUES:
        raise Refusal(EINVAL, "Invalid number of transmit queues")
    if not 1 <= rx <= MAX_QUEUES:
        raise Refusal(EINVAL, "Invalid number of receive queues")
    dev = kind.alloc(net, name, assignment, tx, rx)
    check_params(dev, params)
    dev.kind = kind
    dev.rtnl_link_initializing = True
    if params.mtu is not None:
        settings.check_mtu(dev, params.mtu)
        dev.mtu = params.mtu
    if params.address is not None:
        dev.address = params.address[: dev.addr_len]
        dev.addr_assign_type = AddressAssignment.SET
    if params.broadcast is not None:
        # The kernel copies what there is: a longer one is cut when it is shown.
        dev.broadcast = params.broadcast[: dev.addr_len]
    if params.txqlen is not None:
        dev.txqlen = params.txqlen
    if params.operstate is not None:
        link_watch.request_operstate(dev, params.operstate)
    if params.link_mode is not None:
        dev.link_mode = params.link_mode
    if params.group is not None:
        dev.group = params.group
    if params.gso_max_size is not None:
        settings.set_gso_max_size(dev, params.gso_max_size)
    if params.gso_max_segs is not None:
        settings.set_gso_max_segs(dev, params.gso_max_segs)
    if params.gro_max_size is not None:
        settings.set_gro_max_size(dev, params.gro_max_size)
    if params.gso_ipv4_max_size is not None:
        settings.set_gso_ipv4_max_size(dev, params.gso_ipv4_max_size)
    if params.gro_ipv4_max_size is not None:
        settings.set_gro_ipv4_max_size(dev, params.gro_ipv4_max_size)
    return dev


def configure_link(dev: Device, params: LinkParams | None, origin: Origin | None = None) -> None:
    """rtnl_configure_link(): sets the flags that the request says, and announces the device, for the first time if it
    is new. Refuses what the driver refuses to open."""
    old = dev.flags
    if params is not None and (params.flags or params.change):
        flags.apply_flags(dev, flags.combine_flags(dev, params.flags, params.change))
    change = old ^ dev.flags
    if dev.rtnl_link_initializing:
        dev.rtnl_link_initializing = False
        change = announce.ALL
    flags.notify_flags(dev, old, change, origin)


def new_link(net: Net, kind: Kind, params: LinkParams, origin: Origin | None = None) -> Device:
    """rtnl_newlink_create(): a new link in that namespace, made, registered and announced."""
    if params.name is None:
        name, assignment = f"{kind.name}%d", NameAssignment.ENUM
    else:
        name, assignment = params.name, NameAssignment.USER
    dev = create_link(net, name, assignment, kind, params)
    dev.ifindex = params.ifindex
    kind.new_link(dev, params)
    try:
        configure_link(dev, params, origin)
        if params.master is not None:
            adjacency.set_master(dev, params.master)
    except Refusal:
        delete_links([dev])
        raise
    return dev


def delete_links(devices: Iterable[Device], origin: Origin | None = None) -> None:
    """Deletes those together that a request made, each as its kind does: those behind one that is gone, say."""
    kill: KillList = {}
    for dev in devices:
        assert dev.kind is not None
        dev.kind.del_link(dev, kill)
    unregister_many(kill, origin)


def delete_link(dev: Device, origin: Origin | None = None) -> None:
    """rtnl_delete_link(): EOPNOTSUPP for a device that no request made."""
    if dev.kind is None:
        raise Refusal(EOPNOTSUPP)
    delete_links([dev], origin)


def delete_group(net: Net, group: int) -> None:
    """rtnl_group_dellink(): all links of a group. EPERM for the default group, EOPNOTSUPP when one of them cannot be
    deleted, ENODEV when there are none."""
    if not group:
        raise Refusal(EPERM)
    members = [dev for dev in net if dev.group == group]
    if any(dev.kind is None for dev in members):
        raise Refusal(EOPNOTSUPP)
    if not members:
        raise Refusal(ENODEV)
    delete_links(members)
