"""What NICs are on the bus: the numbers by which a driver knows a card, and where a card is among others.

A program that looks for NICs reads these in files of /sys. The numbers are those of the drivers' tables
(MODULE_DEVICE_TABLE(pci, ...)), but for the subsystem's, which are those of some card.

Each bus hangs on a host bridge of its own, so a card has no bridges above it that would have to be there too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ETHERNET = 0x020000
"""PCI_CLASS_NETWORK_ETHERNET, and programming interface 0."""
INTEL, BROADCOM, MELLANOX, GOOGLE, META, AMAZON, MICROSOFT, REDHAT = (
    0x8086, 0x14E4, 0x15B3, 0x1AE0, 0x1D9B, 0x1D0F, 0x1414, 0x1AF4,
)
ADDRESS = re.compile(r"([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])")
"""How the kernel writes where a function is: domain, bus, slot and function."""
SLOTS, FUNCTIONS = 32, 8
FIRST_VIRTIO_SLOT = 2
"""Where QEMU has virtio0: behind the host bridge and the bridge to ISA."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Numbers of the configuration space. device, subsystem: with the vendor's; revision; kind: the class."""

    vendor: int
    device: int
    subsystem_vendor: int
    subsystem_device: int
    revision: int = 0
    kind: int = ETHERNET


IDENTITIES = {
    "mlx5_core": Identity(MELLANOX, 0x1021, MELLANOX, 0x0041),  # mlx5_core_pci_table: ConnectX-7
    "bnxt_en": Identity(BROADCOM, 0x1760, BROADCOM, 0x5760, revision=0x11),  # bnxt_pci_tbl: BCM57608
    "gve": Identity(GOOGLE, 0x0042, GOOGLE, 0x0058),  # PCI_DEV_ID_GVNIC
    "fbnic": Identity(META, 0x0013, META, 0x0013),  # PCI_DEVICE_ID_META_FBNIC_ASIC
    "ice": Identity(INTEL, 0x1592, INTEL, 0x0002, revision=0x02),  # ICE_DEV_ID_E810C_QSFP
    "i40e": Identity(INTEL, 0x1583, INTEL, 0x0002, revision=0x02),  # I40E_DEV_ID_QSFP_A
    "iavf": Identity(INTEL, 0x1889, INTEL, 0x0000, revision=0x02),  # IAVF_DEV_ID_ADAPTIVE_VF
    "idpf": Identity(INTEL, 0x1452, INTEL, 0x0000),  # IDPF_DEV_ID_PF
    "e1000e": Identity(INTEL, 0x10D3, INTEL, 0xA01F),  # E1000_DEV_ID_82574L
    "ena": Identity(AMAZON, 0xEC20, AMAZON, 0xEC20),  # PCI_DEV_ID_ENA_VF
    "mana": Identity(MICROSOFT, 0x00BA, MICROSOFT, 0x0000),  # MANA_VF_DEVICE_ID
    "virtio-pci": Identity(REDHAT, 0x1000, REDHAT, 0x0001),  # VIRTIO_TRANS_ID_NET, as QEMU's is
}
"""By driver."""
UNKNOWN = Identity(0xFFFE, 0xFFFF, 0, 0)
"""Of a card whose driver is not in the table."""
VIRTIO_DRIVER = "virtio-pci"
VIRTIO_NET = 1
"""VIRTIO_ID_NET"""


def parsed(address: str) -> tuple[int, int, int, int] | None:
    """Domain, bus, slot and function; None where that is no address of PCI."""
    found = ADDRESS.fullmatch(address)
    if found is None:
        return None
    domain, bus, slot, function = (int(part, 16) for part in found.groups())
    return domain, bus, slot, function


def spelled(domain: int, bus: int, slot: int, function: int) -> str:
    """pci_setup_device(): the address in letters."""
    return f"{domain:04x}:{bus:02x}:{slot:02x}.{function}"


def after(address: str, functions: int) -> str:
    """pci_iov_virtfn_bus(), pci_iov_virtfn_devfn(): the address so many functions behind another, on that bus or one of
    the next."""
    place = parsed(address)
    assert place is not None
    domain, bus, slot, function = place
    slot, function = divmod(slot * FUNCTIONS + function + functions, FUNCTIONS)
    return spelled(domain, bus + slot // SLOTS, slot % SLOTS, function)


def root_of(address: str) -> str:
    """The directory below /sys/devices of the host bridge on which a card hangs; "" where that is no address of PCI."""
    found = parsed(address)
    return "" if found is None else f"pci{found[0]:04x}:{found[1]:02x}"


def virtio_address(number: int) -> str:
    """Where the card is whose driver made the device virtioN: slot by slot, function by function, bus by bus."""
    index = FIRST_VIRTIO_SLOT + number
    return spelled(0, index // (SLOTS * FUNCTIONS), index % SLOTS, index // SLOTS % FUNCTIONS)
