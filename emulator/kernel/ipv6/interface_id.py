"""The lower half of an address of the link: ipv6_generate_eui64() and ipv6_generate_stable_address() of
net/ipv6/addrconf.c.

Ethernet devices make it of their hardware address, tunnels of IPv4 of the address that they send from, tunnels of IPv6
of one that they were given for this alone. A device that has a secret, or whose namespace has one for all, can make it
of that, so that nobody knows the hardware by it.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core import sha1
from nlemu.emulator.kernel.core.sysctl import settings
from nlemu.emulator.kernel.ipv6 import netns as ip6
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

MAX_ADDR_LEN = 32
RETRIES = "ipv6/idgen_retries"
RESERVED = (
    (0, (1 << 64) - 1), (0x02005EFF_FE000000, 0xFFFFFFFF_FE000000), (0xFDFFFFFF_FFFFFF80, 0xFFFFFFFF_FFFFFF80),
)
"""ipv6_reserved_interfaceid(): what nobody may have, and which bits of it count."""


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


def secret_of(dev: Device) -> bytes | None:
    """The secret that the addresses of a device are made of: its own, or that of its namespace."""
    own = None if dev.ip6 is None else dev.ip6.conf.secret
    return ip6.of(dev.net).conf_default.secret if own is None else own


def stable(dev: Device) -> int | None:
    """ipv6_generate_stable_address(), of the prefix of the link: None without a secret, and where all that come of it
    are reserved."""
    secret = secret_of(dev)
    if secret is None:
        return None
    hardware = dev.perm_address[: dev.addr_len].ljust(MAX_ADDR_LEN, b"\0")
    begin = secret + ip6.LINK_LOCAL.to_bytes(16, "big")[:8] + hardware
    for count in range(int(settings(dev.kernel.build)[RETRIES].read(dev.net)) + 1):
        first, second, *_ = sha1.state((begin + bytes((count,))).ljust(sha1.BLOCK, b"\0"))
        found = int.from_bytes(first.to_bytes(4, "little") + second.to_bytes(4, "little"), "big")
        if not any(found & mask == reserved for reserved, mask in RESERVED):
            return found
    return None
