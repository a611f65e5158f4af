"""A function of a card as the device model has it: what is on the bus, and which driver has it (drivers/pci,
drivers/base).

The device of a NIC stands below its function. virtio's stands below another device, which the driver of the function
made. Where a NIC is on a bus that is neither PCI's nor virtio's, nothing is known of it but its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.uevents import Action
from nlemu.emulator.kernel.nics import pci
from nlemu.emulator.kernel.nics.pci import Identity

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel
    from nlemu.emulator.kernel.nics.devlink import NicInstance
    from nlemu.emulator.kernel.nics.eswitch import Eswitch
    from nlemu.emulator.kernel.nics.profiles import Profile
    from nlemu.emulator.kernel.nics.sriov import Sriov

PCI, VIRTIO = "pci", "virtio"
NO_NODE = -1
"""NUMA_NO_NODE"""


@dataclass(slots=True, eq=False)
class BusFunction:
    """name, bus: of the device below which the NIC's is. profile: what a driver finds there. address: where it is among
    PCI's, "" when it is not there. place: its directory below /sys/devices. driver: which has it, "" when none has.
    group: its IOMMU group, if it has one."""

    name: str
    profile: Profile
    address: str
    place: str
    identity: Identity = pci.UNKNOWN
    driver: str = ""
    queues: int = 0
    """How many the NIC begins with."""
    mac: bytes | None = None
    """Its address, where that does not change from one start of the driver to the next."""
    serial: bytes = b""
    """The number of the card that it is a function of."""
    numa_node: int = NO_NODE
    group: int | None = None
    dev: Device | None = None
    """The NIC's device while a driver has it."""
    sriov: Sriov | None = None
    """Of a card that can have virtual functions."""
    eswitch: Eswitch | None = None
    """The switch in it, of a card whose driver has one."""
    instances: list[NicInstance] = field(default_factory=list)
    """Of devlink, as long as a driver has it."""
    physfn: BusFunction | None = None
    """Of a virtual function: the card's."""
    number: int = 0
    """Of a virtual function: which of the card's it is."""

    @property
    def bus(self) -> str:
        """On which the device is that the NIC's driver has."""
        return self.profile.bus

    @property
    def pci_driver(self) -> str:
        """The driver of the function, which for virtio is not the NIC's."""
        return pci.VIRTIO_DRIVER if self.bus == VIRTIO else self.driver

    @property
    def pci_place(self) -> str:
        """The directory of the function, where it is one of PCI's."""
        return self.place.rpartition("/")[0] if self.bus == VIRTIO else self.place

    @property
    def root(self) -> str:
        """The host bridge below which it is, by the name of its directory."""
        return self.place.partition("/")[0]

    @property
    def modalias(self) -> str:
        """pci_uevent(): by what a driver is found for it."""
        one = self.identity
        kind = f"bc{one.kind >> 16:02X}sc{one.kind >> 8 & 0xFF:02X}i{one.kind & 0xFF:02X}"
        of_maker = f"sv{one.subsystem_vendor:08X}sd{one.subsystem_device:08X}"
        return f"pci:v{one.vendor:08X}d{one.device:08X}{of_maker}{kind}"

    @property
    def virtio_modalias(self) -> str:
        """virtio_uevent(): the same of virtio's own device."""
        return f"virtio:d{pci.VIRTIO_NET:08X}v{pci.REDHAT:08X}"

    def pci_variables(self) -> tuple[tuple[str, object], ...]:
        """dev_uevent(), pci_uevent()."""
        one, driver = self.identity, self.pci_driver
        return (
            *((("DRIVER", driver),) if driver else ()),
            ("PCI_CLASS", f"{one.kind:X}"), ("PCI_ID", f"{one.vendor:04X}:{one.device:04X}"),
            ("PCI_SUBSYS_ID", f"{one.subsystem_vendor:04X}:{one.subsystem_device:04X}"),
            ("PCI_SLOT_NAME", self.address), ("MODALIAS", self.modalias),
        )

    def virtio_variables(self) -> tuple[tuple[str, object], ...]:
        """The same of virtio's own device."""
        return (*((("DRIVER", self.driver),) if self.driver else ()), ("MODALIAS", self.virtio_modalias))

    def announce(self, kernel: Kernel, action: Action) -> None:
        """kobject_uevent() of whatever the NIC's driver has, which is in no namespace."""
        if self.bus == VIRTIO:
            kernel.uevents.send(None, action, f"/devices/{self.place}", VIRTIO, *self.virtio_variables())
        elif self.address:
            kernel.uevents.send(None, action, f"/devices/{self.place}", PCI, *self.pci_variables())


def found_at(name: str, profile: Profile) -> BusFunction:
    """What is there when a NIC of that profile is plugged in by that name."""
    bus = profile.bus
    if bus == VIRTIO and name.startswith(VIRTIO) and name[len(VIRTIO) :].isdecimal():
        address = pci.virtio_address(int(name[len(VIRTIO) :]))
        place = f"{pci.root_of(address)}/{address}/{name}"
        return BusFunction(name, profile, address, place, pci.IDENTITIES[pci.VIRTIO_DRIVER])
    if bus == PCI and pci.parsed(name):
        place = f"{pci.root_of(name)}/{name}"
        identity = profile.identity or pci.IDENTITIES.get(profile.driver, pci.UNKNOWN)
        return BusFunction(name, profile, name, place, identity)
    return BusFunction(name, profile, "", name)
