"""Which ports of a bridge take all frames: br_manage_promisc() of net/bridge/br_if.c.

All do, unless VLANs are heeded and the bridge knows without learning where to send what: then those that can filter by
several addresses take the static ones alone.
"""

from __future__ import annotations

from nlemu.emulator.kernel.bridge import fdb
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, PortFlag
from nlemu.emulator.kernel.devices import flags, rx_mode
from nlemu.protocol.uapi.if_ import IFF

PROMISC = int(PortFlag.PROMISC)
AUTO = int(PortFlag.AUTO)
IFF_PROMISC = int(IFF.PROMISC)


def _set(port: Port) -> None:
    """br_port_set_promisc()."""
    flags.set_promiscuity(port.dev, 1)
    fdb.unsync_static(port)
    port.flags |= PROMISC


def _clear(port: Port) -> None:
    """br_port_clear_promisc()."""
    if port.dev.unicast_filter:
        fdb.sync_static(port)
        flags.set_promiscuity(port.dev, -1)
        port.flags &= ~PROMISC


def manage(br: Bridge) -> None:
    """br_manage_promisc()."""
    everything = bool(br.dev.flags & IFF_PROMISC) or not br.vlan_filtering or br.auto_count > 1
    for port in tuple(br.filtering if everything else br.ports):
        known = br.auto_count == 0 or port.flags & AUTO
        if everything or not port.dev.unicast_filter or not known:
            if not port.flags & PROMISC:
                _set(port)
        elif port.flags & PROMISC:
            _clear(port)
    br.filtering = [port for port in (br.filtering if everything else br.ports) if not port.flags & PROMISC]


def update_count(br: Bridge) -> None:
    """nbp_update_port_count(): how many ports learn, or are flooded."""
    _counted(br, len([port for port in br.ports if port.flags & AUTO]))


def joined(port: Port) -> None:
    """The same, when that port is one more."""
    _counted(port.bridge, port.bridge.auto_count + bool(port.flags & AUTO))


def left(port: Port) -> None:
    """The same, when it is none any more."""
    _counted(port.bridge, port.bridge.auto_count - bool(port.flags & AUTO))


def _counted(br: Bridge, count: int) -> None:
    if br.auto_count != count:
        br.auto_count = count
        manage(br)


def release(port: Port) -> None:
    """nbp_delete_promisc(): the port is none any more."""
    rx_mode.change_allmulti(port.dev, -1)
    if port.flags & PROMISC:
        flags.set_promiscuity(port.dev, -1)
    else:
        fdb.unsync_static(port)
