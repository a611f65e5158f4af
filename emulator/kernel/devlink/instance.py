"""A devlink instance, as whoever asks about it sees it (struct devlink): a simulated device, or a function of a card.

It has a number among all instances of the machine, a handle on a bus, and belongs to a namespace. What an instance has
beside ports is named by its driver; most have nothing of most sorts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devlink.rate import Rates
from nlemu.protocol.uapi.devlink import DevlinkPortFlavour, DevlinkReloadAction, DevlinkReloadLimit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devlink.health import Reporter
    from nlemu.emulator.kernel.devlink.param import Param
    from nlemu.emulator.kernel.devlink.rate import Rate
    from nlemu.emulator.kernel.devlink.region import Region, Snapshot
    from nlemu.emulator.kernel.devlink.resource import Resource
    from nlemu.emulator.kernel.devlink.trap import Group, Policer, Trap
    from nlemu.emulator.kernel.nics.eswitch import Eswitch

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
    reload_failed: bool = False
    whole: bool = False
    """All that the kernel's has is here, and not only what its driver is known to tell."""
    ports: dict[int, Device]
    offered: tuple[Reload, ...] = (REINIT,)
    """The reloads that the driver offers."""
    params: tuple[Param, ...] = ()
    regions: tuple[Region, ...] = ()
    reporters: tuple[Reporter, ...] = ()
    policers: tuple[Policer, ...] = ()
    groups: tuple[Group, ...] = ()
    traps: tuple[Trap, ...] = ()
    resources: tuple[Resource, ...] = ()
    rates: Rates = Rates()
    held_ids: set[int]
    components: tuple[str, ...] = ()
    """Parts of the firmware that can be written alone."""

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

    def reload(self, net: Net | None) -> None:
        """devlink_reload(): the driver begins anew, in that namespace if one is said; may refuse."""
        raise NotImplementedError

    def port_resources(self, index: int) -> Sequence[Resource]:
        """What a port has of resources."""
        return ()

    def take_snapshot(self, region: Region, wanted: int | None = None) -> Snapshot:
        """snapshot() of a region, under that number or the lowest that is free; it is told of."""
        raise NotImplementedError

    def delete_snapshot(self, region: Region, number: int) -> None:
        """And gone, and told of."""
        raise NotImplementedError

    def set_rate(self, rate: Rate, field: str, value: int | Sequence[int] | Rate | None) -> None:
        """rate_leaf_tx_share_set() and its like: what a rate has of that name is that now."""
        raise NotImplementedError

    def node_may_come(self) -> None:
        """rate_node_new(); may refuse."""
        raise NotImplementedError

    def set_trap_group(self, group: Group) -> None:
        """trap_group_set(): whether a group may have another policer; may refuse."""

    def set_trap_policer(self, policer: Policer) -> None:
        """trap_policer_set(); may refuse."""

    def flash(self, component: str | None, overwrite: int) -> None:
        """flash_update(): and what is said of it."""
        raise NotImplementedError

    def catch_up(self) -> None:
        """Counts of traps are to be what they are now."""

    def count_trap(self) -> int:
        """trap_drop_counter_get(): as often as that, by all traps."""
        return 0

    def count_policer(self, number: int) -> int:
        """trap_policer_counter_get(): the same of a policer."""
        return 0
