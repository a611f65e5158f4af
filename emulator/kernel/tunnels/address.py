"""Addresses of the ends of tunnels: union vxlan_addr and its like, of either family or of none yet."""

from __future__ import annotations

from typing import NamedTuple

from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

SIZES = {AF_INET: 4, AF_INET6: 16}


class TunnelAddress(NamedTuple):
    """family: AF_INET, AF_INET6, or 0 for none; packed: its bytes."""

    family: int = 0
    packed: bytes = bytes(4)

    @property
    def any(self) -> bool:
        """vxlan_addr_any(): nothing is said by it."""
        return not any(self.packed)

    @property
    def multicast(self) -> bool:
        """vxlan_addr_multicast()."""
        return self.packed[0] == 0xFF if self.family == AF_INET6 else self.packed[0] >> 4 == 0xE

    @property
    def number(self) -> int:
        """As the tables of its family have it."""
        return int.from_bytes(self.packed, "big")

    @property
    def link_local(self) -> bool:
        """Of IPv6, and IPV6_ADDR_LINKLOCAL of ipv6_addr_type()."""
        return self.family == AF_INET6 and bool(ip6.classify(self.number)[0] & ip6.AddrType.LINKLOCAL)


NO_ADDRESS = TunnelAddress()


def of_family(family: int) -> TunnelAddress:
    """No address, of that family."""
    return TunnelAddress(family, bytes(SIZES[family]))


def ipv4(packed: bytes) -> TunnelAddress:
    """Of IPv4, from the bytes of an attribute that may have more of them."""
    return TunnelAddress(AF_INET, packed[:4])


def ipv6(packed: bytes) -> TunnelAddress:
    """Of IPv6."""
    return TunnelAddress(AF_INET6, packed[:16])
