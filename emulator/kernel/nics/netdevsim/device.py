"""netdevsim: a simulated device, and how its driver begins, ends and begins anew (drivers/net/netdevsim/dev.c).

It is an instance of devlink, and belongs to the namespace of whoever made it, though its ports may move elsewhere. When
the driver begins anew (devlink reload), all its ports go, with what it has of traps and regions, and as many ports as
it was made with come, with new addresses; so they do in another namespace, if one is named, and in the first one when
that of the device dies. If the driver fails to begin, the device is there and has nothing but parameters and resources.

A device has room for four virtual functions, and none at first. They are no devices: what is set of one is kept and
told. In switchdev mode each has a port with a network device, and a rate.
"""

from __future__ import annotations

from errno import EBUSY, EINVAL, EMSGSIZE, ENOENT, ENOMEM, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.kstrto import UINT_MAX
from nlemu.emulator.kernel.devices.device import Device, DevlinkPort, Parent
from nlemu.emulator.kernel.devices.queue import MAX_QUEUES
from nlemu.emulator.kernel.devices.register import alloc_device, register, unregister
from nlemu.emulator.kernel.devices.vf import VfConfig
from nlemu.emulator.kernel.devlink.instance import Info, Instance, PortFacts
from nlemu.emulator.kernel.devlink.objects import DEL, NEW, Object, Port
from nlemu.emulator.kernel.devlink.rate import Rate, Rates
from nlemu.emulator.kernel.devlink.region import Snapshot, choose_id
from nlemu.emulator.kernel.nics.netdevsim import fib, flash, health, rates
from nlemu.emulator.kernel.nics.netdevsim.devlink import (
    MAX_MACS,
    PARAMS,
    PARAMS_COMING,
    PORT_RESOURCES,
    TEST1,
    VERSION,
    TrapCounts,
    groups,
    policers,
    regions,
    resources,
    traps,
)
from nlemu.emulator.kernel.nics.netdevsim.ethtool import PortState, Queue, state_of
from nlemu.emulator.kernel.nics.netdevsim.function import NetdevsimFunctionOps
from nlemu.emulator.kernel.nics.netdevsim.hwstats import HwStats
from nlemu.emulator.kernel.nics.netdevsim.nexthops import NexthopTakeover
from nlemu.emulator.kernel.nics.netdevsim.port import NetdevsimDmaOps, NetdevsimOps
from nlemu.emulator.kernel.nics.netdevsim.reports import Reports
from nlemu.emulator.kernel.nics.netdevsim.setup import setup_dma, setup_function, setup_plain
from nlemu.emulator.kernel.nics.netdevsim.vfs import MAX_VFS
from nlemu.emulator.kernel.nics.netdevsim.wire import part
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import (
    DevlinkCmd,
    DevlinkEswitchMode,
    DevlinkPortFlavour,
    DevlinkPortType,
    DevlinkTrapAction,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.core.uevents import Action
    from nlemu.emulator.kernel.devlink.health import Reporter
    from nlemu.emulator.kernel.devlink.param import Param
    from nlemu.emulator.kernel.devlink.region import Region
    from nlemu.emulator.kernel.devlink.resource import Resource
    from nlemu.emulator.kernel.devlink.trap import Group, Policer, Trap
    from nlemu.emulator.kernel.nics.netdevsim.bus import Bus

BUS = "netdevsim"
SWITCH_ID_LEN = 32
"""MAX_PHYS_ITEM_ID_LEN: the driver's switch id has the full length."""
LAST_USER = 0.002
"""netdev_run_todo(): for how many seconds the kernel waits, at least, until nobody uses a device that is gone. Whatever
is due gets its turn."""
FUNCTION_BASE = 128
"""NSIM_DEV_VF_PORT_INDEX_BASE"""
LEGACY, SWITCHDEV = DevlinkEswitchMode.LEGACY, DevlinkEswitchMode.SWITCHDEV
NO_FUNCTIONS = "netdevsim: Failed to initialize VFs' netdevsim ports"
FORBIDDEN = "netdevsim: User forbid the reload for testing purposes"
FAILS = "netdevsim: User setup the reload to fail for testing purposes"
POLICER_FAILS = "netdevsim: User setup the operation to fail for testing purposes"

PLAIN = NetdevsimOps()
DMA = NetdevsimDmaOps()
FUNCTION = NetdevsimFunctionOps()
"""The drivers of ports; they have no state."""


class BusDevice(Instance):
    """struct nsim_bus_dev and struct nsim_dev.

    What is there only while the driver is at work: regions, reporters, policers, groups and traps. fail_reload,
    dont_allow_reload, fail_group_set, fail_policer_set, fail_trap_counter,
    fail_policer_counter, flash_status, overwrite_mask: files of debugfs."""

    __slots__ = (
        "begun_with", "bus", "chunk_time", "dont_allow_reload", "driven", "drops", "eswitch_mode", "fail_group_set",
        "fail_policer_counter", "fail_policer_set", "fail_reload", "fail_trap_counter", "fib", "flash_status", "groups",
        "held_ids", "hw_stats", "id", "instance", "net", "num_queues", "num_vfs", "overwrite_mask", "param_values",
        "policers", "port_count", "ports", "rates", "regions", "reload_failed", "reloads", "reporters", "reports",
        "resources", "switch_id", "takeover", "traps", "vfs",
    )

    params = PARAMS
    whole, components = True, (VERSION[0],)

    def __init__(
        self, bus: Bus, device_id: int, port_count: int, num_queues: int, net: Net, instance: int
    ) -> None:
        self.bus = bus
        self.id = device_id
        self.port_count = port_count
        self.num_queues = num_queues
        self.net = net
        """The devlink instance's namespace."""
        self.instance = instance
        """The devlink instance's number."""
        self.switch_id = bus.kernel.random.randbytes(SWITCH_ID_LEN)
        self.ports: dict[int, Device] = {}
        """By index, in the order in which they came."""
        self.driven = False
        """A driver is bound to it."""
        self.param_values: dict[str, int] = {}
        """Of parameters, by name: what was set."""
        self.reloads = 0
        """How often the driver began anew."""
        self.reload_failed = False
        self.held_ids: set[int] = set()
        """Numbers of snapshots that are given to nobody again."""
        self.num_vfs = 0
        self.vfs = [VfConfig() for _ in range(MAX_VFS)]
        """What was set of the virtual functions, of those too that are not there."""
        self.eswitch_mode = LEGACY
        self.rates = Rates()
        self.resources: tuple[Resource, ...] = resources()
        self.begun_with = {param.name: param.value for param in (MAX_MACS, TEST1)}
        """Parameters that the driver looks at when it begins, as they were then."""
        self.chunk_time = flash.CHUNK_TIME
        self.fail_trap_counter = self.fail_policer_counter = False
        self.fail_reload = self.dont_allow_reload = self.fail_group_set = self.fail_policer_set = False
        self._clear()

    def _clear(self) -> None:
        """What is there while the driver is at work, gone."""
        self.regions: tuple[Region, ...] = ()
        self.reporters: tuple[Reporter, ...] = ()
        self.policers: tuple[Policer, ...] = ()
        self.groups: tuple[Group, ...] = ()
        self.traps: tuple[Trap, ...] = ()
        self.drops = TrapCounts()
        self.flash_status = True
        self.overwrite_mask = 0
        self.reports = Reports(self)
        self.fib: fib.FibData | None = None
        self.takeover: NexthopTakeover | None = None
        self.hw_stats: HwStats | None = None

    @property
    def name(self) -> str:
        """dev_name()."""
        return f"{BUS}{self.id}"

    @property
    def bus_name(self) -> str:
        """devlink_bus_name()."""
        return BUS

    def info(self) -> Info:
        """nsim_dev_info_get()."""
        return Info(BUS, stored=(VERSION,), running=(VERSION,))

    def announce(self, action: Action, *variables: tuple[str, object]) -> None:
        """kobject_uevent_env() of the bus device, which is in no namespace."""
        self.bus.kernel.uevents.send(None, action, f"/devices/{self.name}", BUS, *variables)

    def tell(self, command: DevlinkCmd, thing: Object) -> None:
        """An object of the devlink instance, or the instance, comes or goes."""
        self.bus.kernel.announcer.devlink(self, command, thing)

    # The driver begins and ends

    def probe(self) -> None:
        """nsim_drv_probe(): the ports it was made with; all or none."""
        for thing in (None, *PARAMS_COMING):
            self.tell(NEW[type(thing)], thing)
        try:
            self._begin()
        except Refusal:
            self._forget()
            return
        self.driven = True

    def remove(self) -> None:
        """nsim_drv_remove()."""
        if self.driven:
            if not self.reload_failed:
                self._end()
            self._forget()
        self.driven = False

    def _forget(self) -> None:
        """devl_params_unregister(), devl_unregister()."""
        for thing in (*PARAMS, None):
            self.tell(DEL[type(thing)], thing)

    def _begin(self) -> None:
        """nsim_dev_reload_create(): all or nothing. What there is no room for, and what registration refuses."""
        self._clear()
        self.regions, self.policers, self.groups, self.traps = regions(), policers(), groups(), traps()
        coming: tuple[Object, ...] = (*self.regions, *self.policers, *self.groups, *self.traps)
        for thing in coming:
            self.tell(NEW[type(thing)], thing)
        try:
            self.fib, self.takeover = fib.create(self.net, self.resources)
        except Refusal:
            self._end_traps()
            raise
        self.reporters = health.reporters(self)
        self.hw_stats = HwStats(self.net)
        try:
            for index in range(self.port_count):
                self.add_port(index)
        except Refusal:
            self._end()
            raise

    def _end(self) -> None:
        """nsim_dev_reload_destroy(), nsim_dev_port_del_all(): virtual functions go first, then the port that came last,
        each on its own; then traps, and what they do is forgotten."""
        if self.num_vfs:
            self.num_vfs = 0
            if self.eswitch_mode == SWITCHDEV:
                self._enable_legacy()
        ports = list(reversed(self.ports))
        for index in ports:
            self.remove_port(index)
            if index != ports[-1]:
                self.bus.kernel.work.advance(LAST_USER)
        assert self.fib is not None and self.takeover is not None and self.hw_stats is not None
        self.hw_stats.end()
        fib.destroy(self.resources, self.fib, self.takeover)
        self.reports.catch_up()
        self._end_traps()

    def _end_traps(self) -> None:
        """nsim_dev_traps_exit(), nsim_dev_dummy_region_exit()."""
        for trap in self.traps:
            trap.action = DevlinkTrapAction.DROP
        going: tuple[Object, ...] = (*reversed(self.traps), *reversed(self.groups), *reversed(self.policers))
        for thing in going:
            self.tell(DEL[type(thing)], thing)
        for region in self.regions:
            for number in list(region.snapshots):
                self.delete_snapshot(region, number)
            self.tell(DevlinkCmd.REGION_DEL, region)
        self._clear()

    def reload(self, net: Net | None) -> None:
        """devlink_reload() with DEVLINK_RELOAD_ACTION_DRIVER_REINIT, into a namespace if one is said. EOPNOTSUPP: it is
        forbidden; EINVAL: the driver fails to begin."""
        if self.dont_allow_reload:
            raise Refusal(EOPNOTSUPP, FORBIDDEN)
        if not self.reload_failed:
            self._end()
        if net is not None and net is not self.net:
            for thing in (*PARAMS, None):  # devlink_notify_unregister()
                self.tell(DEL[type(thing)], thing)
            self.net = net
            for thing in (None, *PARAMS):
                self.tell(NEW[type(thing)], thing)
        try:
            if self.fail_reload:
                raise Refusal(EINVAL, FAILS)
            self.begun_with = {param.name: self.param_value(param) for param in (MAX_MACS, TEST1)}
            self._begin()
        except Refusal:
            self._set_failed(failed=True)
            raise
        self._set_failed(failed=False)
        self.reloads += 1
        self.tell(DevlinkCmd.NEW, None)

    def _set_failed(self, *, failed: bool) -> None:
        """devlink_reload_failed_set()."""
        if failed != self.reload_failed:
            self.reload_failed = failed
            self.tell(DevlinkCmd.NEW, None)

    # Virtual functions and the switch

    def set_vfs(self, count: int) -> None:
        """nsim_drv_configure_vfs(): so many virtual functions. EBUSY: there are others; ENOMEM: more than it has room
        for; ENOENT: nothing drives it; what registration of a port refuses."""
        if not self.driven:
            raise Refusal(ENOENT)
        if count == self.num_vfs:
            return
        if self.num_vfs and count:
            raise Refusal(EBUSY)
        if count > len(self.vfs):
            raise Refusal(ENOMEM)
        self._set_num_vfs(count)
        if self.eswitch_mode == SWITCHDEV and count:
            try:
                self._enable_switchdev()
            except Refusal:
                self._set_num_vfs(0)
                raise
        elif self.eswitch_mode == SWITCHDEV:
            self._enable_legacy()

    def _set_num_vfs(self, count: int) -> None:
        self.num_vfs = count
        for port in self.ports.values():
            port.changed()

    def set_eswitch_mode(self, mode: int) -> None:
        """nsim_devlink_eswitch_mode_set(). EBUSY: there are nodes of rates; EINVAL: there is no such mode; what
        registration of a port refuses."""
        self.rates.without_nodes()
        if mode == self.eswitch_mode:
            return
        if mode == LEGACY:
            self._enable_legacy()
        elif mode == SWITCHDEV:
            try:
                self._enable_switchdev()
            except Refusal as refusal:
                raise Refusal(refusal.errno, NO_FUNCTIONS) from refusal
        else:
            raise Refusal(EINVAL)

    def _enable_legacy(self) -> None:
        """nsim_esw_legacy_enable()."""
        self.rates.forget_nodes()
        self._remove_functions()
        self.eswitch_mode = LEGACY

    def _enable_switchdev(self) -> None:
        """nsim_esw_switchdev_enable(): all ports come, or none."""
        try:
            for vf in range(self.num_vfs):
                self.add_port(FUNCTION_BASE + vf, vf=vf)
        except Refusal:
            self._remove_functions()
            raise
        self.eswitch_mode = SWITCHDEV

    def add_function(self, vf: int) -> Device:
        """A virtual function and its port come alone, in switchdev mode, as a world tells of them. ENOMEM: there is no
        room for it; see `add_port()`."""
        if vf >= len(self.vfs):
            raise Refusal(ENOMEM)
        self.eswitch_mode = SWITCHDEV
        self._set_num_vfs(max(self.num_vfs, vf + 1))
        return self.add_port(FUNCTION_BASE + vf, vf=vf)

    def _remove_functions(self) -> None:
        for index, dev in reversed(list(self.ports.items())):
            if state_of(dev).vf is not None:
                self.remove_port(index)

    # Ports

    def add_port(self, index: int, perm_address: bytes | None = None, vf: int | None = None) -> Device:
        """__nsim_dev_port_add(), nsim_create(); vf: the port is of that virtual function. EINVAL: no queues, or too
        many; EBUSY: there is a port of that index; what registration refuses."""
        kernel = self.bus.kernel
        if not 1 <= self.num_queues <= MAX_QUEUES:
            raise Refusal(EINVAL)
        if index in self.ports:  # xa_insert()
            raise Refusal(EBUSY)
        ops: NetdevsimOps | NetdevsimFunctionOps = PLAIN
        setup = setup_plain
        if vf is not None:
            ops, setup = FUNCTION, setup_function
        elif kernel.netdevsim == "dma":
            ops, setup = DMA, setup_dma
        dev = alloc_device(self.net, "eth%d", ops, setup, tx=self.num_queues, rx=self.num_queues)
        if perm_address is not None:
            dev.perm_address = perm_address
        dev.parent = Parent(self.name, BUS)
        dev.devlink_port = DevlinkPort(BUS, self.name, self.instance, index)
        dev.priv = state = PortState(
            bus_device=self,
            port_index=index,
            channels=self.num_queues,
            queues=[Queue() for _ in range(self.num_queues)],
            vf=vf,
        )
        port = Port(index, DevlinkPortType.NOTSET, None)
        self.ports[index] = dev
        self.tell(DevlinkCmd.PORT_NEW, port)
        if vf is None:
            state.clock = self.bus.kernel.ptp_clocks.take(self.name)
        try:
            register(dev)
        except Refusal:
            self.tell(DevlinkCmd.PORT_DEL, port)
            del self.ports[index]
            if vf is None:
                self.bus.kernel.ptp_clocks.drop(self.name, state.clock)
            raise
        if vf is not None:
            rate = Rate(port=index)
            self.rates.add(rate)
            self.tell(DevlinkCmd.RATE_NEW, rate)
        return dev

    def remove_port(self, index: int) -> None:
        """__nsim_dev_port_del(), nsim_destroy(). A page that is held is given back only when the device is gone."""
        fib.catch_up(self.net)
        dev = self.ports[index]
        state = state_of(dev)
        if state.vf is not None:
            rate = self.rates.leaf(index)
            self.tell(DevlinkCmd.RATE_DEL, rate)
            self.rates.listed.remove(rate)
        if state.peer is not None:
            part(dev, state.peer)
        unregister(dev)
        self.tell(DevlinkCmd.PORT_DEL, Port(index, DevlinkPortType.NOTSET, None))
        del self.ports[index]
        if state.vf is None:
            self.bus.kernel.ptp_clocks.drop(self.name, state.clock)
        if state.held is not None:
            state.held.put()
            state.held = None

    def port_facts(self, index: int) -> PortFacts:
        """Physical ports are numbered from 1, in 32 bits."""
        vf = state_of(self.ports[index]).vf
        if vf is not None:
            return PortFacts(DevlinkPortFlavour.PCI_VF, pf=0, vf=vf)
        return PortFacts(DevlinkPortFlavour.PHYSICAL, number=index + 1 & UINT_MAX)

    def port_resources(self, index: int) -> Sequence[Resource]:
        """Of physical ports."""
        return () if state_of(self.ports[index]).vf is not None else PORT_RESOURCES

    # What devlink asks for

    def param_value(self, param: Param) -> int:
        """nsim_devlink_param_test2_get(), driverinit_value_new."""
        return self.param_values.get(param.name, param.value)

    def set_param(self, param: Param, value: int | None) -> None:
        """nsim_devlink_param_test2_set(), nsim_devlink_param_test2_reset_default(), and what devlink keeps for the next
        beginning of the driver, which only shows it in debugfs."""
        self.param_values[param.name] = param.value if value is None else value
        self.tell(DevlinkCmd.PARAM_NEW, param)

    def reporter(self, name: str) -> Reporter:
        """The reporter of health of that name. ENOENT: its driver is not at work."""
        found = next((one for one in self.reporters if one.name == name), None)
        if found is None:
            raise Refusal(ENOENT)
        return found

    def take_snapshot(self, region: Region, wanted: int | None = None) -> Snapshot:
        """nsim_dev_take_snapshot(): of random bytes. ENOSPC, EEXIST: see `choose_id()`."""
        number = choose_id(self.regions, self.held_ids, region, wanted)
        region.snapshots[number] = self.bus.kernel.random.randbytes(region.size)
        snapshot = Snapshot(region, number)
        self.tell(DevlinkCmd.REGION_NEW, snapshot)
        return snapshot

    def delete_snapshot(self, region: Region, number: int) -> None:
        """devlink_region_snapshot_del()."""
        self.tell(DevlinkCmd.REGION_DEL, Snapshot(region, number))
        del region.snapshots[number]

    def set_rate(self, rate: Rate, field: str, value: int | Sequence[int] | Rate | None) -> None:
        """nsim_leaf_tx_share_set() and its like: one thing that a rate has."""
        rates.set_rate(self, rate, field, value)

    def node_may_come(self) -> None:
        """nsim_rate_node_new(). EOPNOTSUPP."""
        if self.eswitch_mode != SWITCHDEV:
            raise Refusal(EOPNOTSUPP, rates.ONLY_SWITCHDEV)

    def set_trap_group(self, group: Group) -> None:
        """nsim_dev_devlink_trap_group_set(). EINVAL."""
        if self.fail_group_set:
            raise Refusal(EINVAL)

    def set_trap_policer(self, policer: Policer) -> None:
        """nsim_dev_devlink_trap_policer_set(). EINVAL."""
        if self.fail_policer_set:
            raise Refusal(EINVAL, POLICER_FAILS)

    def count_trap(self) -> int:
        """nsim_dev_devlink_trap_drop_counter_get(). EMSGSIZE, whatever the driver says: it failed."""
        if self.fail_trap_counter:
            raise Refusal(EMSGSIZE)
        return self.drops.trap()

    def count_policer(self, number: int) -> int:
        """nsim_dev_devlink_trap_policer_counter_get(). EMSGSIZE."""
        if self.fail_policer_counter:
            raise Refusal(EMSGSIZE)
        return self.drops.policer(number)

    def catch_up(self) -> None:
        """nsim_dev_trap_report_work(): what was trapped until now is counted."""
        self.reports.catch_up()

    def flash(self, component: str | None, overwrite: int) -> None:
        """nsim_dev_flash_update(). EOPNOTSUPP: it cannot overwrite that."""
        if overwrite & ~self.overwrite_mask:
            raise Refusal(EOPNOTSUPP)
        if self.flash_status:
            for step in flash.steps(component):
                self.tell(DevlinkCmd.FLASH_UPDATE_STATUS, step)
