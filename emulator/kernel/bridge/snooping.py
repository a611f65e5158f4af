"""What a bridge hears of groups: reports of IGMP and MLD that come to its ports or are its own (br_multicast.c).

A report joins its sender's port, or the bridge itself, to groups (mdb.py), for as long as membership_interval says, and
anew with each report; one that leaves ends it after last_member_count times last_member_interval, or at once where the
port leaves fast. Groups that never leave a link (224.0.0.0/24, all nodes) are not kept.

Hosts here want all sources of a group. With IGMPv3 or MLDv2 (igmp_version, mld_version) Linux also keeps what each host
wants from which source, which is not done here; and nobody asks who is there, since the bridge is no querier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import mdb
from nlemu.emulator.kernel.bridge.bridge import TICK, Bridge, Multicast, Port, PortFlag, Vlan
from nlemu.emulator.kernel.bridge.mdb import EXCLUDE, KERNEL, PERMANENT, Address, Group
from nlemu.emulator.kernel.inet.neighbour import AF_INET
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrBoolopt
from nlemu.protocol.uapi.if_ether import ETH_P

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import Timer

LOCAL_NETWORK, LOCAL_MASK = 0xE0000000, 0xFFFFFF00
"""ipv4_is_local_multicast()"""
ALL_NODES = 0xFF02 << 112 | 1


def _context(br: Bridge, port: Port | None, vlan: Vlan | None) -> tuple[Multicast, bool] | None:
    """How groups are looked at there, and whether who sent it may join any (br_multicast_ctx_should_use()); None: they
    are not looked at."""
    if vlan is None or not br.has(BrBoolopt.MCAST_VLAN_SNOOPING):
        return br.multicast, br.dev.running and (port is None or not port.multicast.disabled)
    if not (vlan.master or vlan).wanted:
        return None
    pmctx = vlan.port_mcast
    return vlan.brmctx, br.dev.running and (vlan.snooped if pmctx is None else not pmctx.disabled)


def hear(br: Bridge, port: Port | None, vlan: Vlan | None) -> None:
    """br_multicast_rcv(): the frame that is being sent has come to a port, or is the bridge's own (port None), in that
    VLAN of it."""
    sending = br.dev.kernel.sending
    if sending is None or not sending.records or not br.snooping:
        return
    context = _context(br, port, vlan)
    if context is None:
        return
    multicast, usable = context
    vid = 0 if vlan is None else vlan.vid
    four = sending.family == AF_INET
    for group, joined in sending.records:
        if group == ALL_NODES or (four and group & LOCAL_MASK == LOCAL_NETWORK):
            continue
        if not usable:
            return
        address = Address(*((ETH_P.IP, group.to_bytes(4)) if four else (ETH_P.IPV6, group.to_bytes(16))), b"", vid)
        if not joined:
            _leave(br, port, address, multicast)
        elif not _join(br, port, address, multicast.membership_interval):
            return


def _join(br: Bridge, port: Port | None, address: Address, interval: int) -> bool:
    """br_multicast_add_group(), for so many hundredths of a second: whether there was room."""
    try:
        group = mdb.group_of(br, address)
        if port is None:
            mdb.host_join(group, interval)
            return True
        port_group = next((one for one in group.ports if one.port is port), None)
        if port_group is None:
            port_group = mdb.join(group, port, EXCLUDE, KERNEL)
    except Refusal:
        return False
    port_group.timer.start(interval)
    return True


def _leave(br: Bridge, port: Port | None, address: Address, multicast: Multicast) -> None:
    """br_multicast_leave_group()."""
    group = br.mdb.get(address)
    if group is None:
        return
    if port is None:
        if group.host_joined:
            _end_soon(br, multicast, group.timer)
        return
    _port_leaves(br, port, group, multicast)


def _port_leaves(br: Bridge, port: Port, group: Group, multicast: Multicast) -> None:
    port_group = next((one for one in group.ports if one.port is port), None)
    if port_group is None:
        return
    if not port.flags & PortFlag.MULTICAST_FAST_LEAVE:
        _end_soon(br, multicast, port_group.timer)
    elif not port_group.flags & PERMANENT:
        port_group.flags |= mdb.Pg.FAST_LEAVE
        mdb.delete_port_group(port_group)


def _end_soon(br: Bridge, multicast: Multicast, timer: Timer) -> None:
    ticks = multicast.last_member_count * multicast.last_member_interval
    if not timer.pending or timer.expires > br.dev.kernel.clock.now + ticks * TICK:
        timer.start(ticks)
