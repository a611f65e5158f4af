"""Ports behind which multicast routers are: what br_multicast.c keeps of them, and tells by RTM_NEWMDB and RTM_DELMDB.

A port, or a VLAN of it, is one for each family apart, because user space says so, or for a while because it said that
there is one now; that a router is heard of from packets does not happen here. It is told when the first family has one,
and when none has.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge.bridge import Timer
from nlemu.protocol.uapi.if_bridge import MdbRtrType
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import PortMulticast

FAMILIES = (AF_INET, AF_INET6)
NEW, DEL = int(RTM.NEWMDB), int(RTM.DELMDB)


def begin(pmctx: PortMulticast) -> None:
    """br_multicast_port_ctx_init(): a device has become a port, or a port has a VLAN more."""
    for family in FAMILIES:
        pmctx.timers[family] = Timer(pmctx.port.dev.kernel, partial(expired, pmctx, family))


def add(pmctx: PortMulticast) -> None:
    """br_ip4_multicast_add_router(), br_ip6_multicast_add_router()."""
    for family in FAMILIES:
        if family not in pmctx.families:
            pmctx.families.add(family)
            if len(pmctx.families) == 1:
                tell(pmctx, NEW)


def mark(pmctx: PortMulticast) -> None:
    """br_multicast_mark_router(): until nothing has been heard of it for the time that a querier has."""
    if not pmctx.port.bridge.dev.running or pmctx.disabled:
        return
    add(pmctx)
    _believe(pmctx)


def _believe(pmctx: PortMulticast) -> None:
    for timer in pmctx.timers.values():
        timer.start(pmctx.brmctx.querier_interval)


def _stop_timers(pmctx: PortMulticast) -> None:
    for timer in pmctx.timers.values():
        timer.stop()


def remove(pmctx: PortMulticast) -> None:
    """br_multicast_rport_del() of both families, and br_multicast_rport_del_notify()."""
    had = bool(pmctx.families)
    pmctx.families.clear()
    if had:
        gone(pmctx)


def gone(pmctx: PortMulticast) -> None:
    """The last one has gone. What was said for a while has been said."""
    tell(pmctx, DEL)
    if pmctx.router == MdbRtrType.TEMP:
        pmctx.router = int(MdbRtrType.TEMP_QUERY)
        pmctx.port.dev.changed()


def expired(pmctx: PortMulticast, family: int) -> None:
    """br_multicast_router_expired()."""
    if pmctx.router in (MdbRtrType.DISABLED, MdbRtrType.PERM) or family not in pmctx.families:
        return
    pmctx.families.discard(family)
    if not pmctx.families:
        gone(pmctx)


def stop(pmctx: PortMulticast) -> None:
    """Its timers stand still, and there are none."""
    _stop_timers(pmctx)
    remove(pmctx)


def enable(pmctx: PortMulticast) -> None:
    """__br_multicast_enable_port_ctx(), as far as it is about them."""
    br = pmctx.port.bridge
    if br.snooping and br.dev.running and pmctx.router == MdbRtrType.PERM:
        add(pmctx)


def set_router(pmctx: PortMulticast, value: int) -> None:
    """br_multicast_set_port_router()."""
    if pmctx.router == value:
        if value == MdbRtrType.TEMP:
            _believe(pmctx)
        return
    pmctx.router = value
    if value in (MdbRtrType.DISABLED, MdbRtrType.PERM):
        _stop_timers(pmctx)
    if value == MdbRtrType.PERM:
        add(pmctx)
    elif value == MdbRtrType.TEMP:
        mark(pmctx)
    else:
        remove(pmctx)


def tell(pmctx: PortMulticast, event: int) -> None:
    """br_rtr_notify()."""
    port = pmctx.port
    port.dev.kernel.announcer.mdb_router(event, port.bridge.dev, pmctx)
