"""RTM_SETLINK, and what RTM_NEWLINK does to a link that is there: do_setlink() of net/core/rtnetlink.c.

It works through the attributes in an order of its own and stops at the first that is refused; what was done before
stays done, and is told about.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.link.af_spec import set_af
from nlemu.emulator.handlers.route.link.parse import (
    check_one_netns,
    link_params,
    parse_quietly,
    target_net,
    wanted_device,
)
from nlemu.emulator.handlers.route.link.vfs import set_ports, set_vfs
from nlemu.emulator.handlers.route.link.xdp import set_xdp
from nlemu.emulator.kernel.devices import address, adjacency, flags, link_watch, links, move, rename, settings
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.link import SETLINK, TAKEN_PROTO_DOWN_REASON, Link, ProtoDownReason
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import LinkParams
    from nlemu.emulator.netlink.call import Call


@doit_of(SETLINK, AF_UNSPEC)
def setlink(call: Call) -> None:
    """rtnl_setlink()."""
    attrs = call.attrs
    check_one_netns(attrs)
    net = target_net(call, attrs)
    dev = wanted_device(call.net, call.fixed.index, attrs)
    do_setlink(call, dev, net, attrs, link_params(attrs, call.fixed, call.extack))


def do_setlink(
    call: Call, dev: Device, net: Net, attrs: Attrs, params: LinkParams, *, notify: bool = False
) -> None:
    """do_setlink(): changes a device as the attributes say, which ends up in that namespace. params: the same
    attributes as values; notify: something has been changed already."""
    links.check_params(dev, params)
    if net is not dev.net:
        move.change_net_namespace(dev, net, params.name or None, attrs.get(Link.new_ifindex, 0))
    change = Change(call, dev, attrs, notify)
    try:
        change.all()
    finally:
        if change.notify:
            link_watch.state_change(dev)
        dev.kernel.netdev_work.sync_rx_mode(dev)


class Change:
    """One device being changed. notify: user space is to be told at the end (DO_SETLINK_NOTIFY)."""

    def __init__(self, call: Call, dev: Device, attrs: Attrs, notify: bool) -> None:
        self.call, self.dev, self.attrs, self.notify = call, dev, attrs, notify

    def all(self) -> None:
        """In the order of do_setlink(). Raises what is refused."""
        self.identity()
        self.state()
        self.sizes()
        self.rest()

    def identity(self) -> None:
        """Address, MTU, group, names, alias, broadcast address: what the device is."""
        dev, get = self.dev, self.attrs.get
        if Link.map in self.attrs:
            raise Refusal(errno.EOPNOTSUPP)  # no driver here has ndo_set_config
        hardware = get(Link.address)
        if hardware is not None:
            address.set_mac(dev, hardware)
        mtu = get(Link.mtu)
        if mtu is not None:
            settings.set_mtu(dev, mtu)
        group = get(Link.group)
        if group is not None:
            settings.set_group(dev, group)
            self.notify = True
        name = get(Link.ifname)
        if self.call.fixed.index > 0 and name:
            rename.change_name(dev, name)
        alias = get(Link.ifalias)
        if alias is not None:
            settings.set_alias(dev, alias)
            self.notify = True
        broadcast = get(Link.broadcast)
        if broadcast is not None:
            address.set_broadcast(dev, broadcast)

    def state(self) -> None:
        """Flags, master, carrier, queue length: what state it is in."""
        dev, get, header = self.dev, self.attrs.get, self.call.fixed
        if header.flags or header.change:
            flags.change_flags(dev, flags.combine_flags(dev, header.flags, header.change))
        master = get(Link.master)
        if master is not None:
            adjacency.set_master(dev, master)
        carrier = get(Link.carrier)
        if carrier is not None:
            settings.change_carrier(dev, bool(carrier))
        txqlen = get(Link.txqlen)
        if txqlen is not None:
            settings.set_txqlen(dev, txqlen)

    def sizes(self) -> None:
        """GSO and GRO limits, those that are new."""
        dev, get = self.dev, self.attrs.get
        for attr, field, set_size in (
            (Link.gso_max_size, "gso_max_size", settings.set_gso_max_size),
            (Link.gso_max_segs, "gso_max_segs", settings.set_gso_max_segs),
            (Link.gro_max_size, "gro_max_size", settings.set_gro_max_size),
            (Link.gso_ipv4_max_size, "gso_ipv4_max_size", settings.set_gso_ipv4_max_size),
            (Link.gro_ipv4_max_size, "gro_ipv4_max_size", settings.set_gro_ipv4_max_size),
        ):
            size = get(attr)
            if size is not None and size != getattr(dev, field):
                set_size(dev, size)

    def rest(self) -> None:
        """Operational state, link mode, virtual functions, ports, IFLA_AF_SPEC, protocol down, XDP."""
        dev, attrs, call = self.dev, self.attrs, self.call
        operstate, mode = attrs.get(Link.operstate), attrs.get(Link.linkmode)
        if operstate is not None:
            link_watch.request_operstate(dev, operstate)
        if mode is not None:
            self.notify = self.notify or mode != dev.link_mode
            settings.set_link_mode(dev, mode)
        for _ in set_vfs(dev, attrs):
            self.notify = True  # even if the next function is refused
        set_ports(attrs)
        span = attrs.spans.get(Link.af_spec.number)
        for _ in set_af(dev, call.message, *span, call.extack) if span is not None else ():
            self.notify = True  # even if the next family refuses
        if Link.proto_down in attrs or Link.proto_down_reason in attrs:
            self.proto_down()
            self.notify = True
        if set_xdp(call, dev, attrs):
            self.notify = True

    def proto_down(self) -> None:
        """do_set_proto_down()."""
        dev, attrs, reason = self.dev, self.attrs, None
        span = attrs.spans.get(Link.proto_down_reason.number)
        if span is not None and dev.change_proto_down:
            given = parse_quietly(TAKEN_PROTO_DOWN_REASON, attrs.message, span)
            if ProtoDownReason.value not in given:
                raise Refusal(errno.EINVAL, "Invalid protodown reason value")
            reason = given.get(ProtoDownReason.mask, 0), given[ProtoDownReason.value]
        down = attrs.get(Link.proto_down)
        settings.set_proto_down(dev, None if down is None else bool(down), reason)
