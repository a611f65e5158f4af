"""Ports behind which multicast routers are: what br_multicast.c keeps of them, and tells by RTM_NEWMDB and RTM_DELMDB.

A port is one for each family apart, because user space says so, or for a while because it said that there is one now;
that a router is heard of from packets does not happen here. It is told when the first family has one, and when none
has.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge.bridge import Timer
from nlemu.protocol.uapi.if_bridge import BrState, MdbRtrType
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import Port

FAMILIES = (AF_INET, AF_INET6)
NEW, DEL = int(RTM.NEWMDB), int(RTM.DELMDB)


def begin(port: Port) -> None:
    """br_multicast_port_ctx_init(): a device has become a port."""
    for family in FAMILIES:
        port.routers.timers[family] = Timer(port.dev.kernel, partial(expired, port, family))


def add(port: Port) -> None:
    """br_ip4_multicast_add_router(), br_ip6_multicast_add_router()."""
    families = port.routers.families
    for family in FAMILIES:
        if family not in families:
            families.add(family)
            if len(families) == 1:
                tell(port, NEW)


def mark(port: Port) -> None:
    """br_multicast_mark_router(): until nothing has been heard of it for the time that a querier has."""
    br = port.bridge
    if not br.dev.running or port.state == BrState.DISABLED:
        return
    add(port)
    for timer in port.routers.timers.values():
        timer.start(br.multicast.querier_interval)


def remove(port: Port) -> None:
    """br_multicast_rport_del() of both families, and br_multicast_rport_del_notify()."""
    had = bool(port.routers.families)
    port.routers.families.clear()
    if had:
        gone(port)


def gone(port: Port) -> None:
    """The last one has gone. What was said for a while has been said."""
    tell(port, DEL)
    if port.multicast_router == MdbRtrType.TEMP:
        port.multicast_router = int(MdbRtrType.TEMP_QUERY)
        port.dev.changed()


def expired(port: Port, family: int) -> None:
    """br_multicast_router_expired()."""
    families = port.routers.families
    if port.multicast_router in (MdbRtrType.DISABLED, MdbRtrType.PERM) or family not in families:
        return
    families.discard(family)
    if not families:
        gone(port)


def stop(port: Port) -> None:
    """Its timers stand still, and there are none."""
    for timer in port.routers.timers.values():
        timer.stop()
    remove(port)


def enable(port: Port) -> None:
    """__br_multicast_enable_port_ctx(), as far as it is about them."""
    br = port.bridge
    if br.multicast.snooping and br.dev.running and port.multicast_router == MdbRtrType.PERM:
        add(port)


def set_router(port: Port, value: int) -> None:
    """br_multicast_set_port_router()."""
    timers = port.routers.timers.values()
    if port.multicast_router == value:
        for timer in timers if value == MdbRtrType.TEMP else ():
            timer.start(port.bridge.multicast.querier_interval)
        return
    port.multicast_router = value
    if value in (MdbRtrType.DISABLED, MdbRtrType.PERM):
        for timer in timers:
            timer.stop()
    if value == MdbRtrType.PERM:
        add(port)
    elif value == MdbRtrType.TEMP:
        mark(port)
    else:
        remove(port)


def tell(port: Port, event: int) -> None:
    """br_rtr_notify()."""
    port.dev.kernel.announcer.mdb_router(event, port.bridge.dev, port)
