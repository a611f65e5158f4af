"""A namespace goes: cleanup_net() of net/core/net_namespace.c and default_device_exit_batch() of net/core/dev.c.

It happens some time after the last reference is gone. First all others forget the ids they had for it. Then
simulated NICs that were plugged there are plugged anew into the initial namespace, before anything else goes. Devices
that were made by a request are deleted, last ones first, and take their other halves with them wherever those are;
devices of real hardware go back to the initial namespace, under a name made of their index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.move import change_net_namespace
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, unregister_many

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.kernel import Kernel


def cleanup_nets(kernel: Kernel, dying: list[Net]) -> None:
    """Tears those down together, in that order."""
    for net in dying:
        del kernel.alive[net]
    _forget_ids(kernel)
    for net in dying:
        net.ids.clear()
    for net in dying:
        for leave in kernel.chain.exits:
            leave(net)
    kill: KillList = {}
    for net in dying:
        for kind in kernel.chain.drivers:
            kind.exit_rtnl(net, kill)
    unregister_many(kill)
    for net in dying:
        _send_home(net)
    kill = {}
    for net in dying:
        for dev in reversed(list(net)):
            if dev.kind is not None:
                dev.kind.del_link(dev, kill)
            else:
                queue_unregister(dev, kill)
    unregister_many(kill)


def _forget_ids(kernel: Kernel) -> None:
    """unhash_nsid()."""
    for net in kernel.alive:
        for nsid, peer in net.ids:
            if peer.dying:
                net.ids.drop(nsid)
                kernel.announcer.nsid_del(net, nsid)


def _send_home(net: Net) -> None:
    """default_device_exit_net()."""
    home = net.kernel.init_net
    for dev in net:
        if dev.netns_immutable or dev.kind is not None:
            continue
        name = f"dev{dev.ifindex}"
        change_net_namespace(dev, home, name if home.by_name(name) is None else "dev%d")
