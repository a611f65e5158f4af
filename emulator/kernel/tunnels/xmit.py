"""How a tunnel sends what it has wrapped: udp_tunnel_dst_lookup(), iptunnel_xmit(), ip6tunnel_xmit() and their like.

The way to the other end is looked up like that of any packet; without one, the tunnel counts an error of its carrier.
The packet goes out at once where its next hop needs no resolution; otherwise it waits for an answer that never comes.
What a tunnel counts is the packet inside, without the header of its link.
"""

from __future__ import annotations

from errno import ELOOP, ENETUNREACH
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import qdisc
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv4 import lookup as lookup4
from nlemu.emulator.kernel.ipv6 import lookup as lookup6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.socket import AF_INET

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.tunnels.address import TunnelAddress

UNRESOLVED = int(IFF.NOARP | IFF.LOOPBACK | IFF.POINTOPOINT)
"""Devices on which nobody is asked for."""


def find_way(dev: Device, net: Net, source: TunnelAddress, remote: TunnelAddress, ifindex: int = 0) -> Device:
    """udp_tunnel_dst_lookup(), udp_tunnel6_dst_lookup(): the device that leads there. ENETUNREACH, ELOOP."""
    flow = Flow(remote.number, source.number, oif=ifindex)
    try:
        way = (lookup4.find_way if remote.family == AF_INET else lookup6.find_way)(net, flow)
    except Refusal as refused:
        raise Refusal(ENETUNREACH) from refused
    if way.dev is None:
        raise Refusal(ENETUNREACH)
    if way.dev is dev:
        raise Refusal(ELOOP)
    return way.dev


def send(
    dev: Device, through: Device, remote: TunnelAddress, size: int, headers: int, counted: int | None = None
) -> None:
    """iptunnel_xmit(), ip6tunnel_xmit(): a frame of that many bytes goes out, with so many bytes of headers before
    it. counted: how many the tunnel counts, where that is something else."""
    dev.stats.sent(size - dev.hard_header_len if counted is None else counted)
    dev.changed()
    if remote.multicast or through.flags & UNRESOLVED:
        qdisc.transmit(through, size + headers + through.hard_header_len)
        through.changed()


def count_error(dev: Device, refused: Refusal) -> None:
    """What is counted where there is no way."""
    if refused.errno == ELOOP:
        dev.stats.collisions += 1
    elif refused.errno == ENETUNREACH:
        dev.stats.tx_carrier_errors += 1
    dev.stats.tx_errors += 1
    dev.changed()
