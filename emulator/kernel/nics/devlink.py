"""The devlink instances of NICs: handles, ports, versions (mlx5_devlink_info_get(), bnxt_dl_info_get(),
ice_devlink_info_get(), i40e_info_get(), fbnic_devlink_info_get()).

A function of a card is one, by its address. mlx5_core has a second one on the auxiliary bus, for the driver of its
network device, whose port that device is. Of parameters, resources, health and traps nothing is told here.
"""

from __future__ import annotations

from errno import EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.device import DevlinkPort
from nlemu.emulator.kernel.devlink.instance import (
    ACTIVATE,
    ACTIVATE_NOW,
    REINIT,
    Info,
    Instance,
    PortFacts,
    Reload,
)
from nlemu.emulator.kernel.devlink.objects import Port
from nlemu.emulator.kernel.nics import pci
from nlemu.emulator.kernel.nics.ports import serial_number
from nlemu.protocol.uapi.devlink import DevlinkCmd, DevlinkPortFlavour, DevlinkPortType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.eswitch import Eswitch
    from nlemu.emulator.kernel.nics.function import BusFunction
    from nlemu.emulator.kernel.nics.nics import Nics

AUXILIARY, ETH = "auxiliary", "mlx5_core.eth"
UPLINK = 0xFFFF
"""MLX5_VPORT_UPLINK"""
OFFERED: dict[str, tuple[Reload, ...]] = {
    "mlx5_core": (REINIT, ACTIVATE, ACTIVATE_NOW), "bnxt_en": (REINIT, ACTIVATE, ACTIVATE_NOW),
    "ice": (REINIT, ACTIVATE), "fbnic": (), "i40e": (),
}
"""reload_actions and reload_limits, of the drivers that have instances."""
FIRST_VHCA = 2
"""By which number a card knows its first virtual function, behind its own functions: a guess."""


class NicInstance(Instance):
    """bus_name, name: the handle. function: of the card."""

    __slots__ = ("_bus_name", "_name", "function", "functions", "instance", "net", "nics", "ports", "reloads")

    def __init__(self, nics: Nics, function: BusFunction, bus_name: str, name: str) -> None:
        self.nics, self.function = nics, function
        self._bus_name, self._name = bus_name, name
        self.net = nics.kernel.init_net
        self.instance = nics.kernel.netdevsim_bus.take_instance()
        self.reloads = 0
        self.ports: dict[int, Device] = {}
        self.functions: dict[int, int] = {}
        """By the indices of ports that lead to virtual functions: the numbers of these."""

    @property
    def name(self) -> str:
        return self._name

    @property
    def bus_name(self) -> str:
        return self._bus_name

    @property
    def offered(self) -> tuple[Reload, ...]:  # type: ignore[override]
        """The reloads that the driver offers; none of the network device's by itself."""
        driver = self.function.profile.driver
        if self.bus_name == AUXILIARY or (driver == "bnxt_en" and self.function.physfn is not None):
            return ()
        return OFFERED[driver]

    @property
    def eswitch(self) -> Eswitch | None:
        return None if self.bus_name == AUXILIARY else self.function.eswitch

    @property
    def switch_errno(self) -> int:
        """mlx5_eswitch_check(): a virtual function has no switch to tell of."""
        of_function = self.bus_name != AUXILIARY and self.function.physfn is not None
        return EPERM if of_function and self.function.profile.driver == "mlx5_core" else 0

    def info(self) -> Info:
        return Info(ETH) if self.bus_name == AUXILIARY else info_of(self.function)

    def port_facts(self, index: int) -> PortFacts:
        number = self.functions.get(index)
        place = pci.parsed(self.function.address)
        slot = place[3] if place else 0
        if number is not None:
            sriov = self.function.sriov
            mac = None
            if sriov is not None:
                mac = sriov.configs[number].mac
            return PortFacts(DevlinkPortFlavour.PCI_VF, pf=slot, vf=number, hw_addr=mac)
        if self.function.physfn is not None:
            return PortFacts(DevlinkPortFlavour.VIRTUAL)
        return PortFacts(DevlinkPortFlavour.PHYSICAL, number=slot)

    def set_hw_addr(self, index: int, address: bytes) -> None:
        """mlx5_devlink_port_fn_hw_addr_set(), ice_devlink_port_set_vf_fn_mac()."""
        dev = self.function.dev
        assert dev is not None
        dev.ops.set_vf_mac(dev, self.functions[index], address)

    def add(self, index: int, dev: Device, vf: int | None = None) -> None:
        """devlink_port_register(): a port comes; its network device is told of when it is registered."""
        self.ports[index] = dev
        if vf is not None:
            self.functions[index] = vf
        self.nics.kernel.announcer.devlink(self, DevlinkCmd.PORT_NEW, Port(index, DevlinkPortType.NOTSET, None))

    def drop(self, index: int) -> None:
        """devlink_port_unregister()."""
        self.nics.kernel.announcer.devlink(self, DevlinkCmd.PORT_DEL, Port(index, DevlinkPortType.NOTSET, None))
        del self.ports[index]
        self.functions.pop(index, None)


def begin(nics: Nics, function: BusFunction, dev: Device) -> None:
    """A driver begins: its instances, and the port of a device that is not registered yet."""
    driver = function.profile.driver
    if driver not in OFFERED or not function.address:
        return
    mine = NicInstance(nics, function, "pci", function.address)
    function.instances = [mine]
    nics.announce(mine, DevlinkCmd.NEW)
    place = pci.parsed(function.address)
    number = place[3] if place else 0
    index: int | None = number
    if driver == "mlx5_core":
        mine = NicInstance(nics, function, AUXILIARY, f"{ETH}.{nics.take_auxiliary()}")
        function.instances.append(mine)
        nics.announce(mine, DevlinkCmd.NEW)
        # mlx5_esw_vport_to_devlink_port_index(); which number the card has for a function is a guess.
        index = number << 16 | UPLINK if function.physfn is None else function.number + FIRST_VHCA << 16
    elif driver == "ice":
        index = 0
    elif driver == "fbnic" or function.physfn is not None:
        index = None
    if index is not None:
        dev.devlink_port = DevlinkPort(mine.bus_name, mine.name, mine.instance, index)
        mine.add(index, dev)


def end(nics: Nics, function: BusFunction) -> None:
    """And ends."""
    for one in reversed(function.instances):
        for index in list(one.ports):
            one.drop(index)
        nics.announce(one, DevlinkCmd.DEL)
        if one.bus_name == AUXILIARY:
            nics.give_auxiliary(int(one.name.rpartition(".")[2]))
    function.instances = []


def info_of(function: BusFunction) -> Info:
    """What the driver says of a function, made of the versions that the profile tells ethtool."""
    profile, card = function.profile, function.physfn is None
    serial = serial_number(function.serial)
    if profile.driver == "mlx5_core" and card:
        firmware, _, board = profile.firmware.partition(" ")
        versions: tuple[tuple[str, str], ...] = (("fw.version", firmware), ("fw", firmware))
        return Info(profile.driver, fixed=(("fw.psid", board.strip("()")),), stored=versions, running=versions)
    if profile.driver == "bnxt_en" and card:
        management, _, package = profile.firmware.partition("/pkg ")
        versions = (("fw", package), ("fw.mgmt", management))
        shown = serial[:3] + b"\xff\xfe" + serial[5:]
        return Info(
            profile.driver, shown.hex("-").upper(), fixed=(("asic.id", f"{function.identity.device:X}"),),
            stored=versions, running=versions,
        )
    if profile.driver == "ice":
        nvm, bundle, option = (*profile.firmware.split(" "), "", "")[:3]
        versions = (("fw.undi", option), ("fw.psid.api", nvm), ("fw.bundle_id", bundle))
        return Info(profile.driver, serial.hex("-"), stored=versions, running=versions)
    if profile.driver == "i40e":
        nvm, bundle = (*profile.firmware.split(" "), "", "")[:2]
        return Info(profile.driver, serial.hex("-"), running=(("fw.psid.api", nvm), ("fw.bundle_id", bundle)))
    if profile.driver == "fbnic":
        return Info(profile.driver, serial.hex("-"))
    return Info(profile.driver)
