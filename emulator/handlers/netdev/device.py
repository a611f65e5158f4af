"""dev-get, and how the family finds devices (net/core/netdev-genl.c)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.netdev import DEV_GET, Dev
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Values
from nlemu.protocol.uapi.netdev import XdpAct

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

ZEROCOPY = int(XdpAct.XSK_ZEROCOPY)


def device(net: Net, ifindex: int) -> Device:
    """The device of that index (netdev_get_by_index_lock()). Refusal ENODEV."""
    dev = net.device(ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV)
    return dev


def devices(net: Net) -> Iterator[Device]:
    """All devices, in the order of their indexes, with room for change in between (for_each_netdev_lock_scoped())."""
    dev = net.after(0)
    while dev is not None:
        yield dev
        dev = net.after(dev.ifindex)


def chosen_devices(call: Call, ifindex: int | None) -> Iterator[Device]:
    """One device, or all of them where none is named. Refusal ENODEV."""
    return devices(call.net) if ifindex is None else iter((device(call.net, ifindex),))


def fill_dev(dev: Device) -> Values:
    """netdev_nl_dev_fill(). No device here has AF_XDP transmit offloads."""
    return {
        Dev.ifindex: dev.ifindex,
        Dev.xdp_features: dev.xdp_features,
        Dev.xdp_rx_metadata_features: dev.ops.xdp_rx_metadata,
        Dev.xsk_features: 0,
        Dev.xdp_zc_max_segs: dev.xdp_zc_max_segs if dev.xdp_features & ZEROCOPY else None,
    }


@doit(DEV_GET)
def dev_get(call: Call) -> Values:
    """netdev_nl_dev_get_doit()."""
    return fill_dev(device(call.net, call.attrs[Dev.ifindex]))


@dumpit(DEV_GET)
def dev_get_dump(call: Call) -> Messages:
    """netdev_nl_dev_get_dumpit()."""
    for dev in devices(call.net):
        yield partial(fill_dev, dev)
