"""dev-get (net/core/netdev-genl.c)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.devices import device, devices
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.netdev import DEV_GET, Dev
from nlemu.protocol.schema.attributes import Values
from nlemu.protocol.uapi.netdev import XdpAct

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

ZEROCOPY = int(XdpAct.XSK_ZEROCOPY)


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
