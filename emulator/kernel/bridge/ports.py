"""Devices become ports of a bridge, and cease to be: net/bridge/br_if.c.

Of its ports a bridge has the lowest address, the smallest MTU and the features, unless user space chose for it.
"""

from __future__ import annotations

from contextlib import suppress
from errno import EBUSY, EINVAL, ELOOP, ENOENT, EXFULL
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import fdb, forward, headroom, mdb, promisc, routers, stp, vlans
from nlemu.emulator.kernel.bridge.bridge import KEY, Bridge, Port, PortFlag, bridge_of, port_of
from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import adjacency, features, rx_handler, rx_mode, settings
from nlemu.emulator.kernel.devices.address import valid_ethernet
from nlemu.emulator.kernel.devices.states import AddressAssignment
from nlemu.emulator.kernel.ethtool.link import get_link_settings
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_bridge import BrState
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_DATA_LEN
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

LOOPBACK = int(IFF.LOOPBACK)
FLAGS = int(PortFlag.LEARNING | PortFlag.FLOOD | PortFlag.MCAST_FLOOD | PortFlag.BCAST_FLOOD)
PROMISC = int(PortFlag.PROMISC)
COSTS = {10000: 2, 5000: 3, 2500: 4, 1000: 5, 100: 19, 10: 100}
"""port_cost(): by speed, in Mbit/s."""
USUAL_COST = 100


def port_cost(dev: Device) -> int:
    """port_cost(): what the spanning tree takes the way through a port for."""
    try:
        speed = get_link_settings(dev).speed
    except Refusal:
        speed = None
    if speed is not None and speed >= 0:
        cost = COSTS.get(speed, 1 if speed > 10000 else None)
        if cost is not None:
            return cost
    return 7 if dev.name.startswith("lec") else 2500 if dev.name.startswith("plip") else USUAL_COST


def _new_port(br: Bridge, dev: Device) -> Port:
    """new_nbp()."""
    if not br.free_numbers:
        raise Refusal(EXFULL)
    port = Port(br, dev, br.free_numbers[0], port_cost(dev))
    port.flags = FLAGS
    stp.init_port_timers(port)
    routers.begin(port.multicast)
    stp.init_port(port)
    stp.set_state(port, BrState.DISABLED)
    return port


def add(br: Bridge, dev: Device) -> None:
    """br_add_if(): EINVAL for what is not like Ethernet, ELOOP, EBUSY, EXFULL, and what the chain refuses."""
    ethernet = dev.type == ARPHRD.ETHER and dev.addr_len == ETH_ALEN
    if dev.flags & LOOPBACK or not ethernet or not valid_ethernet(dev.address):
        raise Refusal(EINVAL)
    if bridge_of(dev) is not None:
        raise Refusal(ELOOP, "Can not enslave a bridge to a bridge")
    if dev.master is not None:
        raise Refusal(EBUSY)
    port = _new_port(br, dev)
    kernel = dev.kernel
    kernel.notify(NetdevEvent.JOIN, dev)
    rx_mode.change_allmulti(dev, 1)
    try:
        rx_handler.register(dev, forward.arrive)
        dev.attach(KEY, port)
        try:
            adjacency.link(dev, br.dev, master=True)
        except Refusal:
            dev.attach(KEY, None)
            rx_handler.unregister(dev)
            raise
    except Refusal:
        rx_mode.change_allmulti(dev, -1)
        raise
    features.disable(dev, features.LRO)
    heappop(br.free_numbers)
    br.ports.insert(0, port)
    br.filtering.insert(0, port)
    promisc.joined(port)
    if not port.flags & PROMISC and dev.unicast_filter:
        fdb.sync_static(port)
    headroom.joined(br, dev)
    fdb.add_local(br, port, dev.address, 0)
    if br.dev.addr_assign_type != AddressAssignment.SET:
        kernel.notify(NetdevEvent.PRE_CHANGEADDR, br.dev, Info(address=dev.address))
    vlans.init_port(port)
    changed = stp.recalculate_address(br)
    if port.usable and br.dev.up:
        stp.enable_port(port)
    stp.tell(port)
    if changed:
        kernel.notify(NetdevEvent.CHANGEADDR, br.dev)
    adjust_mtu(br)
    features.follow_slaves(br.dev)


def _delete(port: Port) -> None:
    """del_nbp()."""
    br, dev = port.bridge, port.dev
    promisc.release(port)
    stp.disable_port(port)
    stp.tell(port, RTM.DELLINK)
    br.ports.remove(port)
    heappush(br.free_numbers, port.number)
    if port in br.filtering:
        br.filtering.remove(port)
    headroom.left(br, dev)
    vlans.flush(port)
    fdb.delete_by_port(br, port, all_of_it=True)
    clear_backup(port)
    promisc.left(port)
    adjacency.unlink(dev, br.dev)
    dev.attach(KEY, None)
    rx_handler.unregister(dev)
    mdb.delete_port(port)


def delete(br: Bridge, dev: Device) -> None:
    """br_del_if(): EINVAL."""
    port = port_of(dev)
    if port is None or port.bridge is not br:
        raise Refusal(EINVAL)
    _delete(port)
    adjust_mtu(br)
    if stp.recalculate_address(br):
        dev.kernel.notify(NetdevEvent.CHANGEADDR, br.dev)
    features.follow_slaves(br.dev)


def delete_all(br: Bridge) -> None:
    """The first part of br_dev_delete(): the bridge goes."""
    for port in tuple(br.ports):
        _delete(port)
    fdb.delete_by_port(br, None, all_of_it=True)
    mdb.delete_bridge(br)
    for timer in (br.hello_timer, br.topology_change_timer, br.tcn_timer, br.gc):
        timer.stop()


def _least_mtu(br: Bridge) -> int:
    """br_mtu_min(): of its ports; one of 0 is as good as none."""
    least = 0
    for port in br.ports:
        if not least or least > port.dev.mtu:
            least = port.dev.mtu
    return least or ETH_DATA_LEN


def adjust_mtu(br: Bridge) -> None:
    """br_mtu_auto_adjust(). A port may have one that no bridge can."""
    if br.mtu_set_by_user:
        return
    with suppress(Refusal):
        settings.set_mtu(br.dev, _least_mtu(br))
    br.mtu_set_by_user = False


def check_carrier(port: Port) -> bool:
    """br_port_carrier_check(): whether the port is another one now, and was told of."""
    if not port.flags & PortFlag.ADMIN_COST and port.usable:
        port.cost = port_cost(port.dev)
    if not port.bridge.dev.running:
        return False
    if port.usable == (port.state != BrState.DISABLED):
        return False
    if port.usable:
        stp.enable_port(port)
    else:
        stp.disable_port(port)
    return True


# The port that stands in for another


def set_backup(port: Port, ifindex: int) -> None:
    """nbp_backup_change(), with 0 to none: ENOENT, EINVAL."""
    backup = None
    if ifindex:
        dev = port.dev.net.device(ifindex)
        backup = None if dev is None else port_of(dev)
        if backup is None:
            raise Refusal(ENOENT)
        if backup.bridge is not port.bridge or backup is port:
            raise Refusal(EINVAL)
    port.backup = backup


def clear_backup(port: Port) -> None:
    """nbp_backup_clear()."""
    port.backup = None
    for other in port.bridge.ports:
        if other.backup is port:
            other.backup = None
