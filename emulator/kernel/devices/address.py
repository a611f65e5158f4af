"""Hardware addresses of Ethernet devices: net/ethernet/eth.c, include/linux/etherdevice.h."""

from __future__ import annotations

from errno import EADDRNOTAVAIL, EBUSY, EINVAL, ENODEV, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices.states import AddressAssignment
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_DATA_LEN, ETH_HLEN, ETH_MIN_MTU

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

DEFAULT_TX_QUEUE_LEN = 1000
"""include/net/pkt_sched.h"""
ETHER = int(ARPHRD.ETHER)
ETHER_FLAGS = int(IFF.BROADCAST | IFF.MULTICAST)
BROADCAST = b"\xff" * ETH_ALEN
NO_ADDRESS = bytes(ETH_ALEN)


def ether_setup(dev: Device) -> None:
    """ether_setup(): what all Ethernet devices begin with."""
    dev.type = ETHER
    dev.hard_header_len = ETH_HLEN
    dev.mtu = ETH_DATA_LEN
    dev.min_mtu = ETH_MIN_MTU
    dev.max_mtu = ETH_DATA_LEN
    dev.addr_len = ETH_ALEN
    dev.address = dev.perm_address = NO_ADDRESS
    dev.broadcast = BROADCAST
    dev.txqlen = DEFAULT_TX_QUEUE_LEN
    dev.flags = ETHER_FLAGS


def valid_ethernet(address: bytes) -> bool:
    """is_valid_ether_addr(): six bytes, not multicast, not zero."""
    return len(address) >= ETH_ALEN and not address[0] & 1 and any(address[:ETH_ALEN])


def randomize_address(dev: Device) -> None:
    """eth_hw_addr_random(): a random local unicast address, from the kernel's own randomness."""
    octets = bytearray(dev.kernel.random.randbytes(ETH_ALEN))
    octets[0] = octets[0] & 0xFE | 0x02
    dev.address = bytes(octets)
    dev.addr_assign_type = AddressAssignment.RANDOM
    dev.changed()


def set_ethernet_mac(dev: Device, address: bytes) -> None:
    """eth_mac_addr(), for a driver's set_mac: a valid address, of a device that is down or may change it live. EBUSY,
    EADDRNOTAVAIL."""
    if dev.running and not dev.live_address_change:
        raise Refusal(EBUSY)
    if not valid_ethernet(address):
        raise Refusal(EADDRNOTAVAIL)
    dev.address = address[:ETH_ALEN]
    dev.changed()


def check_address(dev: Device) -> None:
    """eth_validate_addr(), for a driver's validate_address: EADDRNOTAVAIL."""
    if not valid_ethernet(dev.address):
        raise Refusal(EADDRNOTAVAIL)


def check_new_address(address: bytes | None) -> None:
    """What the kinds of Ethernet links check of IFLA_ADDRESS before they make one: EINVAL, EADDRNOTAVAIL."""
    if address is None:
        return
    if len(address) != ETH_ALEN:
        raise Refusal(EINVAL)
    if not valid_ethernet(address):
        raise Refusal(EADDRNOTAVAIL)


def set_mac(dev: Device, address: bytes) -> None:
    """dev_set_mac_address(): at least dev.addr_len bytes. EOPNOTSUPP, ENODEV, and what the driver refuses; announced
    even when the address was that already."""
    if not dev.ops.has("set_mac"):
        raise Refusal(EOPNOTSUPP)
    if not dev.present:
        raise Refusal(ENODEV)
    address = address[: dev.addr_len]
    dev.kernel.notify(NetdevEvent.PRE_CHANGEADDR, dev, Info(address=address))
    if address != dev.address:
        dev.ops.set_mac(dev, address)
    dev.addr_assign_type = AddressAssignment.SET
    dev.changed()
    dev.kernel.notify(NetdevEvent.CHANGEADDR, dev)


def set_broadcast(dev: Device, broadcast: bytes) -> None:
    """What do_setlink() does with IFLA_BROADCAST."""
    dev.broadcast = broadcast[: dev.addr_len]
    dev.changed()
    dev.kernel.notify(NetdevEvent.CHANGEADDR, dev)
