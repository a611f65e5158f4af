"""Domains of routing: what a layer 3 master (a VRF) is to the devices in it (net/l3mdev/l3mdev.c).

The master has a table of its own, and so have its slaves: their addresses' routes are there, and what is looked up
through one of them is looked up there. A rule leads to it, whichever domain a packet belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.rules import Flow

LOOPBACK_IFINDEX = 1


def is_master(dev: Device) -> bool:
    """netif_is_l3_master()."""
    return dev.ops.has("fib_table")


def master_of(dev: Device) -> Device | None:
    """l3mdev_master_dev_rcu(): the master whose domain the device is in, itself if it is one; None: in none."""
    if is_master(dev):
        return dev
    return dev.master if dev.master is not None and is_master(dev.master) else None


def table_of(dev: Device) -> int:
    """l3mdev_fib_table(): the table of the domain, 0 for none."""
    master = master_of(dev)
    return 0 if master is None else master.ops.fib_table(master)


def table_by_index(net: Net, ifindex: int) -> int:
    """l3mdev_fib_table_by_index()."""
    dev = net.device(ifindex)
    return 0 if dev is None else table_of(dev)


def update_flow(net: Net, flow: Flow) -> None:
    """l3mdev_update_flow(): which domain a packet is in that is to leave by a device. Where that is the master itself,
    any device of its domain will do."""
    dev = net.device(flow.oif) if flow.oif else None
    if dev is not None:
        if not flow.l3mdev:
            master = master_of(dev)
            flow.l3mdev = 0 if master is None else master.ifindex
            flow.l3mdev_oif = True
        if is_master(dev):
            flow.oif = 0
    elif flow.iif > LOOPBACK_IFINDEX and not flow.l3mdev:
        dev = net.device(flow.iif)
        master = None if dev is None else master_of(dev)
        flow.l3mdev = 0 if master is None else master.ifindex


def flow_table(net: Net, flow: Flow) -> int:
    """l3mdev_fib_rule_match(): the table of the domain that the packet is in, 0 for none."""
    dev = net.device(flow.l3mdev) if flow.l3mdev else None
    return dev.ops.fib_table(dev) if dev is not None and is_master(dev) else 0
