"""What a VXLAN sends: vxlan_xmit() of drivers/net/vxlan/vxlan_core.c, of a frame to a group of hosts.

Nothing else is sent here: what IPv6 sends by itself. It goes to the remotes of the address of zeros. A remote that is
this machine itself is handed the frame without a detour, if a VXLAN here takes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv4 import lookup as lookup4
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.tunnels import xmit as tunnel_xmit
from nlemu.emulator.kernel.vxlan import fdb, mdb
from nlemu.emulator.kernel.vxlan.vxlan import (
    IPV4_HEADER,
    IPV6_HEADER,
    UDP_HEADER,
    VXLAN_HEADER,
    ZEROS,
    Flag,
    Remote,
    Vxlan,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device



def transmit(dev: Device, size: int) -> None:
    """vxlan_xmit(). With metadata alone, which no frame here has, it is lost; without an entry it is dropped. Who wants
    its group comes before whose address it has."""
    vxlan: Vxlan = dev.priv
    if vxlan.has(Flag.COLLECT_METADATA):
        return
    sending = dev.kernel.sending
    if sending is not None:
        if vxlan.has(Flag.PROXY) and sending.family == AF_INET6 and sending.group >> 24 == ip6.SOLICITED_NODE >> 24:
            return  # neigh_reduce() answers for those that are known, and nobody else is asked
        remotes = mdb.find_way(vxlan, sending)
        if remotes is not None:
            for remote in remotes:
                _send_to(vxlan, remote, size)
            return
    entry = fdb.find(vxlan, ZEROS if sending is None else sending.lladdr, vxlan.vni)
    entry = entry or fdb.find(vxlan, ZEROS, vxlan.vni)
    if entry is None:
        dev.stats.tx_dropped += 1
        dev.changed()
        return
    entry.used = dev.kernel.clock.now
    for remote in entry.remotes:
        _send_to(vxlan, remote, size)


def _send_to(vxlan: Vxlan, remote: Remote, size: int) -> None:
    """vxlan_xmit_one()."""
    dev = vxlan.dev
    if remote.address.any:
        dev.stats.tx_dropped += 1
        dev.changed()
        return
    try:
        through = tunnel_xmit.find_way(dev, vxlan.net, vxlan.config.saddr, remote.address, remote.ifindex)
    except Refusal as refused:
        tunnel_xmit.count_error(dev, refused)
        return
    ipv4 = remote.address.family == AF_INET
    if ipv4 and vxlan.has(Flag.LOCALBYPASS) and lookup4.has(vxlan.net, remote.address.number):
        dev.stats.tx_errors += 1
        dev.changed()
        return
    headers = (IPV4_HEADER if ipv4 else IPV6_HEADER) + UDP_HEADER + VXLAN_HEADER
    tunnel_xmit.send(dev, through, remote.address, size, headers)
