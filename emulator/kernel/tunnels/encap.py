"""What may be put around a tunnel's packets: struct ip_tunnel_encap (foo over UDP, generic UDP, labels)."""

from __future__ import annotations

from dataclasses import dataclass
from errno import EINVAL
from typing import Protocol

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_tunnel import TunnelEncap, TunnelEncapFlag

UDP_HEADER, GUE_HEADER, GUE_PRIVATE, GUE_REMCSUM, LABEL = 8, 4, 4, 4, 4


class EncapParams(Protocol):
    """The part of IFLA_INFO_DATA that says it; None: it was not there."""

    encap_type: int | None
    encap_flags: int | None
    encap_sport: int | None
    encap_dport: int | None


@dataclass(slots=True, frozen=True)
class Encap:
    """struct ip_tunnel_encap."""

    type: int = int(TunnelEncap.NONE)
    flags: int = 0
    sport: int = 0
    dport: int = 0

    @property
    def hlen(self) -> int:
        """ip_encap_hlen(): in bytes. EINVAL for what there is not."""
        if self.type == TunnelEncap.NONE:
            return 0
        if self.type == TunnelEncap.FOU:
            return UDP_HEADER
        if self.type == TunnelEncap.GUE:
            private = GUE_PRIVATE + GUE_REMCSUM if self.flags & TunnelEncapFlag.REMCSUM else 0
            return UDP_HEADER + GUE_HEADER + private
        if self.type == TunnelEncap.MPLS:
            return LABEL
        raise Refusal(EINVAL)

    def told(self) -> dict[str, int]:
        """As attributes."""
        return {
            "encap_type": self.type, "encap_flags": self.flags, "encap_sport": self.sport, "encap_dport": self.dport
        }


def read(data: EncapParams | None) -> Encap | None:
    """ip_tunnel_netlink_encap_parms(): None when nothing is said of it."""
    if data is None:
        return None
    said = (data.encap_type, data.encap_flags, data.encap_sport, data.encap_dport)
    if all(one is None for one in said):
        return None
    return Encap(*(one or 0 for one in said))
