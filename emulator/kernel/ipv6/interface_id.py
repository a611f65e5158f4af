"""The lower half of an address of the link: ipv6_generate_eui64() of net/ipv6/addrconf.c.

Ethernet devices make it of their hardware address, tunnels of IPv4 of the address that they send from, tunnels of IPv6
of one that they were given for this alone.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from nlemu.protocol.uapi.if_arp import ARPHRD

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

NOT_GLOBAL = tuple(
    (int(network.network_address), int(network.netmask)) for network in map(IPv4Network, (
        "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "255.255.255.255/32",
    ))
)
ISATAP = 0x00005EFE
UNIVERSAL = 0x02000000


def eui48(mac: bytes, dev_id: int = 0) -> int:
    """addrconf_ifid_eui48(): from a hardware address of six bytes. dev_id: the number of a device that shares its
    address with others."""
    if dev_id:
        return int.from_bytes(mac[:3] + dev_id.to_bytes(2, "big") + mac[3:6], "big")
    return int.from_bytes(bytes((mac[0] ^ 2, *mac[1:3], 0xFF, 0xFE, *mac[3:6])), "big")


def isatap(address: int) -> int | None:
    """__ipv6_isatap_ifid(): from an address of IPv4; None without one."""
    if not address:
        return None
    private = any(address & mask == network for network, mask in NOT_GLOBAL)
    return (ISATAP | (0 if private else UNIVERSAL)) << 32 | address


def eui64(dev: Device) -> int | None:
    """ipv6_generate_eui64(): None for a device that has nothing to make it of."""
    if dev.type == ARPHRD.ETHER:
        return eui48(dev.address, dev.dev_id)
    if dev.type in (ARPHRD.IPGRE, ARPHRD.TUNNEL) or (dev.type == ARPHRD.SIT and dev.isatap):
        return isatap(int.from_bytes(dev.address[:4], "big"))
    if dev.type in (ARPHRD.TUNNEL6, ARPHRD.IP6GRE, ARPHRD.RAWIP):
        return eui48(dev.perm_address.ljust(6, b"\0"))
    return None
