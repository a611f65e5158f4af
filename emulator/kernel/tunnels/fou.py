"""UDP ports at which other protocols arrive (foo over UDP), those of each namespace: net/ipv4/fou_core.c.

Nothing arrives: a port is taken, told of, and given back. Those that are bound to a device or connected to another end
are not emulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EALREADY, EINVAL
from typing import TYPE_CHECKING, cast

from nlemu.emulator.kernel.tunnels import udp
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.fou import FouEncap

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

KEY = "fou"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a port is: what tells one from another (fou_cfg_cmp()). local: the address, zeros for all; peer_port,
    ifindex: what a request names, which no port here has."""

    family: int
    port: int
    local: bytes
    peer_port: int = 0
    ifindex: int = 0


@dataclass(slots=True, eq=False)
class Fou:
    """struct fou. protocol: what arrives, 0 where each packet says it; type: FouEncap; nopartial: checksums are made
    up at once (REMCSUM_NOPARTIAL)."""

    place: Place
    protocol: int
    type: int
    nopartial: bool


def ports(net: Net) -> list[Fou]:
    """Those of that namespace, the newest first."""
    return cast("list[Fou]", net.generic.setdefault(KEY, []))


def find(net: Net, place: Place) -> Fou | None:
    """The one that is there."""
    return next((one for one in ports(net) if one.place == place), None)


def add(net: Net, new: Fou) -> None:
    """fou_create(): EINVAL, EALREADY, and those of udp_sock_create()."""
    place = new.place
    local = place.local if any(place.local) else b""
    udp.bind(net, place.family, place.port, new, local)
    try:
        if new.type == FouEncap.GUE:
            new.protocol = 0
        elif new.type != FouEncap.DIRECT or not new.protocol:
            raise Refusal(EINVAL)
        if find(net, place) is not None:
            raise Refusal(EALREADY)
    except Refusal:
        udp.release(net, place.family, place.port, local)
        raise
    ports(net).insert(0, new)


def delete(net: Net, place: Place) -> None:
    """fou_destroy(): EINVAL."""
    gone = find(net, place)
    if gone is None:
        raise Refusal(EINVAL)
    ports(net).remove(gone)
    udp.release(net, place.family, place.port, place.local if any(place.local) else b"")
