"""UDP ports that the kernel itself listens on, for tunnels: udp_sock_create() of net/ipv4/udp_tunnel_core.c.

A port of an address is taken by one socket of each family in a namespace: those of IPv6 are IPv6's alone. Who listens
on all addresses, or on one of them while another listens on all, wants what is taken. Port 0 is one that is free, which
nobody asks for by its number. Sockets of programs are real ones of the machine that runs this, and not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EADDRINUSE, EADDRNOTAVAIL
from typing import TYPE_CHECKING, cast

from nlemu.emulator.kernel.ipv4 import routes
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

KEY = "udp"


@dataclass(slots=True, eq=False)
class UdpSocket:
    """A UDP socket that a tunnel listens by: one of its own, or a program's, which it was given by its number.

    ipv6_only: one of IPv6 does not hear IPv4; user: whose it is (sk_user_data), None for nobody's.
    """

    family: int
    ipv6_only: bool = False
    user: object | None = None


Taken = dict[tuple[int, int, bytes], object]


def taken(net: Net) -> Taken:
    """Who listens in a namespace, by family, port and address; an address of zeros is all of them."""
    return cast("Taken", net.generic.setdefault(KEY, {}))


def bind(net: Net, family: int, port: int, owner: object, local: bytes = b"") -> None:
    """udp_sock_create(), inet_addr_valid_or_nonlocal(): local: the address to listen on, all of them by default.
    EADDRINUSE, and EADDRNOTAVAIL where the address is not of this machine."""
    if not port:
        return
    if any(local) and not _is_ours(net, family, int.from_bytes(local, "big")):
        raise Refusal(EADDRNOTAVAIL)
    for other_family, other_port, other in taken(net):
        if (other_family, other_port) == (family, port) and (not any(other) or not any(local) or other == local):
            raise Refusal(EADDRINUSE)
    taken(net)[family, port, local] = owner


def _is_ours(net: Net, family: int, address: int) -> bool:
    if family == AF_INET:
        return routes.address_type(net, address) in (routes.LOCAL, routes.MULTICAST, routes.BROADCAST)
    return any(ifa.address == address for dev in net if dev.ip6 is not None for ifa in dev.ip6.addresses)


def sends_from(net: Net, address: int) -> bool:
    """Whether a socket of IPv4 that is bound to an address has that as its own (inet->inet_saddr), which __inet_bind()
    makes of no group and no broadcast address."""
    return routes.address_type(net, address) == routes.LOCAL


def release(net: Net, family: int, port: int, local: bytes = b"") -> None:
    """udp_tunnel_sock_release()."""
    if port:
        del taken(net)[family, port, local]


def bind_both(net: Net, port: int, owner: object) -> None:
    """A socket that listens in both families, as one of IPv6 that is not IPv6's alone. EADDRINUSE."""
    bind(net, AF_INET, port, owner)
    try:
        bind(net, AF_INET6, port, owner)
    except Refusal:
        release(net, AF_INET, port)
        raise


def release_both(net: Net, port: int) -> None:
    """udp_tunnel_sock_release() of such a socket."""
    release(net, AF_INET, port)
    release(net, AF_INET6, port)
