"""UDP ports that the kernel itself listens on, for tunnels: udp_sock_create() of net/ipv4/udp_tunnel_core.c.

A port is taken by one socket of each family in a namespace: those of IPv6 are IPv6's alone. Sockets of programs are
real ones of the machine that runs this, and not looked at.
"""

from __future__ import annotations

from errno import EADDRINUSE
from typing import TYPE_CHECKING, cast

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

KEY = "udp"


def taken(net: Net) -> dict[tuple[int, int], object]:
    """Who listens in a namespace, by family and port."""
    return cast("dict[tuple[int, int], object]", net.generic.setdefault(KEY, {}))


def bind(net: Net, family: int, port: int, owner: object) -> None:
    """udp_sock_create(): EADDRINUSE."""
    if (family, port) in taken(net):
        raise Refusal(EADDRINUSE)
    taken(net)[family, port] = owner


def release(net: Net, family: int, port: int) -> None:
    """udp_tunnel_sock_release()."""
    del taken(net)[family, port]
