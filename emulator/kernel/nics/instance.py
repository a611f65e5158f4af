"""A devlink instance, as whoever asks about it sees it (struct devlink): a simulated device, or a function of a card.

It has a number among all instances of the machine, a handle on a bus, and belongs to a namespace. What an instance has
beside ports is named by its driver; most have nothing of most sorts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.protocol.uapi.devlink import DevlinkPortFlavour, DevlinkReloadAction, DevlinkReloadLimit

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.eswitch import Eswitch
    from nlemu.emulator.kernel.nics.netdevsim_devlink import Group, Param, Policer, Region, Reporter, Trap

REINIT = (DevlinkReloadAction.DRIVER_REINIT, DevlinkReloadLimit.UNSPEC)
ACTIVATE = (DevlinkReloadAction.FW_ACTIVATE, DevlinkReloadLimit.UNSPEC)
ACTIVATE_NOW = (DevlinkReloadAction.FW_ACTIVATE, DevlinkReloadLimit.NO_RESET)
Reload = tuple[DevlinkReloadAction, DevlinkReloadLimit]


@dataclass(frozen=True, slots=True)
class PortFacts:
    """struct devlink_port_attrs. number: of a physical port; pf, vf: of a virtual function's port, and hw_addr, the
    address that the function is given, where the driver tells it."""

    flavour: DevlinkPortFlavour
    number: int | None = None
    pf: int | None = None
    vf: int | None = None
    hw_addr: bytes | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """What a driver says of a device. Versions are names and values."""

    driver: str
    serial: str | None = None
    fixed: tuple[tuple[str, str], ...] = ()
    stored: tuple[tuple[str, str], ...] = ()
    running: tuple[tuple[str, str], ...] = ()


class Instance:
    """What every instance has. ports: the network devices of its ports, by the index of the port."""

    __slots__ = ()

    instance: int
    net: Net
    reloads: int
    ports: dict[int, Device]
    offered: tuple[Reload, ...] = (REINIT,)
    """The reloads that the driver offers."""
    params: tuple[Param, ...] = ()
    regions: tuple[Region, ...] = ()
    reporters: tuple[Reporter, ...] = ()
    policers: tuple[Policer, ...] = ()
    groups: tuple[Group, ...] = ()
    traps: tuple[Trap, ...] = ()

    @property
    def name(self) -> str:
        """dev_name()."""
        raise NotImplementedError

    @property
    def bus_name(self) -> str:
        """devlink_bus_name()."""
        raise NotImplementedError

    @property
    def eswitch(self) -> Eswitch | None:
        """The switch of the card, where the driver tells of it."""
        return None

    @property
    def switch_errno(self) -> int:
        """What is said to who asks for the mode of the switch, 0: it is told."""
        return 0

    def info(self) -> Info:
        """info_get()."""
        raise NotImplementedError

    def port_facts(self, index: int) -> PortFacts:
        """What a port is."""
        raise NotImplementedError

    def param_value(self, param: Param) -> int:
        """What a parameter is set to."""
        return param.value

    def set_param(self, param: Param, value: int | None) -> None:
        """devlink_param_set(): what it is set to, None for what it was at first."""
        raise NotImplementedError

    def set_hw_addr(self, index: int, address: bytes) -> None:
        """port_fn_hw_addr_set(): the address that the function is given to which a port leads."""
        raise NotImplementedError

    def count_trap(self) -> int:
        """trap_drop_counter_get(): as often as that, by all traps."""
        return 0

    def count_policer(self, number: int) -> int:
        """trap_policer_counter_get(): the same of a policer."""
        return 0
