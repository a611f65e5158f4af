"""What the devlink port of a NIC says of it: IFLA_PHYS_PORT_NAME and IFLA_PHYS_SWITCH_ID (net/devlink/port.c).

A driver that registers such a port gives it a number, which is that of the card's function, and the number of the
switch in the card, which all functions of the card have in common. Drivers without a port tell nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.nics import pci

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.function import BusFunction

MAKER = 3
"""Bytes of an address that say who made the card."""


def image_guid(serial: bytes) -> bytes:
    """mlx5_query_nic_sw_system_image_guid(): a number as x86 has it in memory, the last byte first."""
    return (serial[:MAKER] + b"\x03\x00" + serial[MAKER:])[::-1]


def serial_number(serial: bytes) -> bytes:
    """ice_devlink_set_switch_id(): the serial number of PCI Express."""
    return serial[:MAKER] + b"\xff\xff" + serial[MAKER:]


def reversed_serial_number(serial: bytes) -> bytes:
    """bnxt_pcie_dsn_get(): the same, the last byte first."""
    return (serial[:MAKER] + b"\xff\xfe" + serial[MAKER:])[::-1]


SWITCH_IDS: dict[str, Callable[[bytes], bytes]] = {
    "mlx5_core": image_guid, "bnxt_en": reversed_serial_number, "ice": serial_number, "i40e": serial_number,
}
"""The drivers that have such ports, and what of a card's serial number (an address of six bytes) they tell.

mlx5e_devlink_port_register(), bnxt_dl_register(), ice_devlink_create_pf_port(), i40e_devlink_create_port()."""
WITHOUT_NAME = frozenset(("virtio_net",))
"""Drivers that are asked for a name, and have none: virtnet_get_phys_port_name()."""


class NicPorts(DeviceOps):
    """The part of a NIC's driver that knows its port."""

    PORT_METHODS = frozenset(("get_phys_port_name", "get_port_parent_id"))

    virtual = False
    """It has a virtual function."""

    def has_port(self, name: str) -> bool:
        """Whether the driver is asked for that: bnxt_en registers no port for a virtual function."""
        if self.virtual:
            return self.driver == "mlx5_core"
        return self.driver in SWITCH_IDS or (name == "get_phys_port_name" and self.driver in WITHOUT_NAME)

    def get_phys_port_name(self, dev: Device) -> str | None:
        """__devlink_port_phys_port_name_get() of a physical port; one of a virtual function has no name."""
        place = pci.parsed(function_of(dev).address)
        return f"p{place[3]}" if self.driver in SWITCH_IDS and place and not self.virtual else None

    def get_port_parent_id(self, dev: Device) -> bytes | None:
        """devlink_compat_switch_id_get()."""
        told = None if self.virtual else SWITCH_IDS.get(self.driver)
        return None if told is None else told(function_of(dev).serial)


def function_of(dev: Device) -> BusFunction:
    """The function that a NIC is."""
    function: BusFunction = dev.priv.function
    return function
