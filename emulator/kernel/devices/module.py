"""What is plugged into a cage, as what it says of itself; how that stands in its memory is the protocol's
(protocol/schema/module_memory.py)."""

from __future__ import annotations

from dataclasses import dataclass

OUI = bytes.fromhex("02ee00")
"""What those begin with that nobody chose, of addresses as of modules: locally administered, as no vendor's should
appear by chance."""


@dataclass(frozen=True, slots=True)
class Module:
    """standard: which says where what stands ("sff-8472", "sff-8636", "cmis"); identifier: what it is, host_interface
    and extended_compliance: what it is for, as SFF-8024 numbers them; compliance: bits of SFF-8636 for Ethernet;
    encoding: as the standard numbers it. rate: of a lane, in Mbit/s; metres: how long it is; date: year, month and
    day."""

    standard: str
    identifier: int
    lanes: int
    rate: int
    compliance: int = 0
    extended_compliance: int = 0
    host_interface: int = 0
    encoding: int = 0
    vendor: str = "nlemu"
    oui: bytes = OUI
    part: str = ""
    revision: str = "A"
    serial: str = ""
    date: str = "260101"
    metres: int = 2


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    """struct ethtool_modinfo: type, ETH_MODULE_*; size: of its memory, in bytes."""

    type: int
    size: int


@dataclass(frozen=True, slots=True)
class ModulePage:
    """struct ethtool_module_eeprom: which part of a page."""

    offset: int
    length: int
    page: int
    bank: int
    i2c_address: int
