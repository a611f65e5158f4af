"""netdevsim: the bus on which simulated NICs are plugged (drivers/net/netdevsim/bus.c, dev.c).

Writing to files of the bus makes a device with some ports, takes it away, and adds or removes single ports; each port
is a network device, a physical one because it has this bus device as its parent. The verbs here are those files, with
the errnos that a write to them gives.

A bus device is also a devlink instance, numbered from 0 in the order of plugging. It belongs to the namespace of
whoever made it, though its ports may move elsewhere; when that namespace dies, devlink reloads the instance into the
first namespace, which means that all its ports go and as many as it was made with come anew, with new addresses.

A bus device that was made but cannot be driven (no queues, or too many) stays on the bus without ports and holds its
number; the write that made it succeeded.
"""

from __future__ import annotations

import heapq
from errno import EBUSY, EEXIST, EINVAL, ENODEV, ENOENT, ENOMEM, ENOSPC, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.uevents import Action
from nlemu.emulator.kernel.devices.address import ether_setup, randomize_address, valid_ethernet
from nlemu.emulator.kernel.devices.device import Device, DevlinkPort, Parent
from nlemu.emulator.kernel.devices.features import HW_MACSEC, word
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.link_watch import carrier_off, carrier_on
from nlemu.emulator.kernel.devices.queue import MAX_QUEUES
from nlemu.emulator.kernel.devices.register import alloc_device, register, unregister
from nlemu.emulator.kernel.devices.states import NetmemTx
from nlemu.emulator.kernel.devices.vf import VfConfig
from nlemu.emulator.kernel.nics import netdevsim_fib
from nlemu.emulator.kernel.nics.instance import Info, Instance, PortFacts
from nlemu.emulator.kernel.nics.netdevsim_devlink import (
    COMING,
    DEL,
    GOING,
    GROUPS,
    NEW,
    PARAMS,
    POLICERS,
    REGION,
    REPORTERS,
    TRAPS,
    VERSION,
    Object,
    Param,
    Port,
    TrapCounts,
)
from nlemu.emulator.kernel.nics.netdevsim_port import (
    NetdevsimDmaOps,
    NetdevsimOps,
    PortState,
    Queue,
    is_netdevsim,
    state_of,
)
from nlemu.emulator.kernel.nics.netdevsim_vfs import MAX_VFS
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkCmd, DevlinkPortFlavour, DevlinkPortType
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_ether import ETH_MAX_MTU
from nlemu.protocol.uapi.netdev import XdpAct
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.kernel import Kernel

BUS = "netdevsim"
PTP_MAJOR = 251
"""alloc_chrdev_region() of the clocks' character devices, on the recorded machine."""
INT_MAX = 0x7FFFFFFF
UINT_MAX = 0xFFFFFFFF
LAST_USER = 0.002
"""netdev_run_todo(): for how many seconds the kernel waits, at least, until nobody uses a device that is gone. Whatever
is due gets its turn."""
SWITCH_ID_LEN = 32
"""MAX_PHYS_ITEM_ID_LEN: the driver's switch id has the full length."""

FEATURES = word(
    NetifF.HIGHDMA, NetifF.SG, NetifF.FRAGLIST, NetifF.HW_CSUM, NetifF.LRO, NetifF.TSO, NetifF.HW_VLAN_CTAG_FILTER,
    NetifF.HW_VLAN_STAG_FILTER,
)
HW_FEATURES = word(
    NetifF.HW_TC, NetifF.SG, NetifF.FRAGLIST, NetifF.HW_CSUM, NetifF.LRO, NetifF.TSO, NetifF.LOOPBACK,
    NetifF.HW_VLAN_CTAG_FILTER, NetifF.HW_VLAN_STAG_FILTER,
)
"""nsim_setup()."""

PLAIN = NetdevsimOps()
DMA = NetdevsimDmaOps()
"""The two drivers; they have no state."""


class BusDevice(Instance):
    """struct nsim_bus_dev and struct nsim_dev."""

    __slots__ = (
        "bus", "driven", "drops", "id", "instance", "net", "num_queues", "num_vfs", "param_values",
        "port_count", "ports", "reloads", "switch_id", "vfs",
    )

    params, regions, reporters = PARAMS, (REGION,), REPORTERS
    policers, groups, traps = POLICERS, GROUPS, TRAPS

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
        self.drops = TrapCounts()
        self.param_values: dict[str, int] = {}
        """Of parameters, by name: what was set."""
        self.reloads = 0
        """How often the driver began anew."""
        self.num_vfs = 0
        self.vfs = [VfConfig() for _ in range(MAX_VFS)]
        """What was set of the virtual functions, of those too that are not there."""

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

    def port_facts(self, index: int) -> PortFacts:
        """Ports are numbered from 1, in 32 bits."""
        return PortFacts(DevlinkPortFlavour.PHYSICAL, number=index + 1 & UINT_MAX)

    def param_value(self, param: Param) -> int:
        """nsim_devlink_param_test2_get(), driverinit_value_new."""
        return self.param_values.get(param.name, param.value)

    def set_param(self, param: Param, value: int | None) -> None:
        """nsim_devlink_param_test2_set(), nsim_devlink_param_test2_reset_default(), and what devlink keeps for the next
        beginning of the driver, which looks at nothing of it here."""
        self.param_values[param.name] = param.value if value is None else value
        self.tell(DevlinkCmd.PARAM_NEW, param)

    def count_trap(self) -> int:
        """nsim_dev_devlink_trap_drop_counter_get()."""
        return self.drops.trap()

    def count_policer(self, number: int) -> int:
        """nsim_dev_devlink_trap_policer_counter_get()."""
        return self.drops.policer(number)

    def announce(self, action: Action, *variables: tuple[str, object]) -> None:
        """kobject_uevent_env() of the bus device, which is in no namespace."""
        self.bus.kernel.uevents.send(None, action, f"/devices/{self.name}", BUS, *variables)

    def probe(self) -> None:
        """nsim_drv_probe(): the ports it was made with; all or none."""
        self.drops = TrapCounts()
        netdevsim_fib.attach(self.net)
        for thing in COMING:
            self.tell(NEW[type(thing)], thing)
        try:
            self._add_ports()
        except Refusal:
            self._remove_ports()
            self._forget_objects()
            netdevsim_fib.detach(self.net)
            return
        self.driven = True

    def remove(self) -> None:
        """nsim_drv_remove()."""
        self._remove_ports()
        if self.driven:
            self._forget_objects()
            netdevsim_fib.detach(self.net)
        self.driven = False

    def tell(self, command: DevlinkCmd, thing: Object) -> None:
        """An object of the devlink instance, or the instance, comes or goes."""
        self.bus.kernel.announcer.devlink(self, command, thing)

    def _forget_objects(self) -> None:
        """nsim_dev_reload_destroy(), devl_unregister(): traps go first, and what they do is forgotten."""
        for thing in GOING:
            self.tell(DEL[type(thing)], thing)

    def reload(self, net: Net) -> None:
        """devlink_reload() into a namespace: DEVLINK_RELOAD_ACTION_DRIVER_REINIT. What is told of it is as the source
        has it; no trace shows it."""
        self._remove_ports()
        netdevsim_fib.detach(self.net)
        self.net = net
        self.probe()
        self.reloads += 1
        self.tell(DevlinkCmd.NEW, None)

    def _add_ports(self) -> None:
        for index in range(self.port_count):
            self.add_port(index)

    def set_vfs(self, count: int) -> None:
        """nsim_drv_configure_vfs(): so many virtual functions. EBUSY: there are others; ENOMEM: more than it has room
        for; ENOENT: nothing drives it."""
        if not self.driven:
            raise Refusal(ENOENT)
        if count == self.num_vfs:
            return
        if self.num_vfs and count:
            raise Refusal(EBUSY)
        if count > len(self.vfs):
            raise Refusal(ENOMEM)
        self.num_vfs = count
        for port in self.ports.values():
            port.changed()

    def _remove_ports(self) -> None:
        """nsim_dev_reload_destroy(), nsim_dev_port_del_all(): virtual functions go first, then the port that came last,
        each on its own."""
        self.num_vfs = 0
        ports = list(reversed(self.ports))
        for index in ports:
            self.remove_port(index)
            if index != ports[-1]:
                self.bus.kernel.work.advance(LAST_USER)

    def add_port(self, index: int, perm_address: bytes | None = None) -> Device:
        """__nsim_dev_port_add(), nsim_create()."""
        kernel = self.bus.kernel
        if not 1 <= self.num_queues <= MAX_QUEUES:
            raise Refusal(EINVAL)
        dma = kernel.netdevsim == "dma"
        ops, setup = (DMA, setup_dma) if dma else (PLAIN, setup_plain)
        dev = alloc_device(self.net, "eth%d", ops, setup, tx=self.num_queues, rx=self.num_queues)
        if perm_address is not None:
            dev.perm_address = perm_address
        dev.parent = Parent(self.name, BUS)
        dev.devlink_port = DevlinkPort(BUS, self.name, self.instance, index)
        dev.priv = PortState(
            bus_device=self,
            port_index=index,
            channels=self.num_queues,
            queues=[Queue() for _ in range(self.num_queues)],
            clock=self.bus.take_clock(self),
        )
        port = Port(index, DevlinkPortType.NOTSET, None)
        self.tell(DevlinkCmd.PORT_NEW, port)
        try:
            register(dev)
        except Refusal:
            self.tell(DevlinkCmd.PORT_DEL, port)
            self.bus.drop_clock(self, dev.priv.clock)
            raise
        self.ports[index] = dev
        return dev

    def remove_port(self, index: int) -> None:
        """__nsim_dev_port_del(), nsim_destroy(). A page that is held is given back only when the device is gone."""
        netdevsim_fib.catch_up(self.net)
        dev = self.ports.pop(index)
        state = state_of(dev)
        if state.peer is not None:
            _part(dev, state.peer)
        unregister(dev)
        self.tell(DevlinkCmd.PORT_DEL, Port(index, DevlinkPortType.NOTSET, None))
        self.bus.drop_clock(self, state.clock)
        if state.held is not None:
            state.held.put()
            state.held = None


class Bus:
    """The netdevsim bus of a machine. Ids are 0 to 2147483647."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.devices: dict[int, BusDevice] = {}
        self._clocks = 0
        """How many numbers of PTP clocks were ever in use; only these ports have any."""
        self._free_clocks: list[int] = []
        """Those below that are free again, as a heap."""
        self._next_instance = 0
        kernel.chain.exits.append(self.net_exit)

    def take_instance(self) -> int:
        """devlink_alloc_ns(): the number of an instance, of whatever bus. It is never used again while the machine
        runs; the kernel would begin anew after two thousand million."""
        self._next_instance += 1
        return self._next_instance - 1

    def take_clock(self, device: BusDevice) -> int:
        """ptp_clock_register(): the lowest number that is free."""
        if self._free_clocks:
            clock = heapq.heappop(self._free_clocks)
        else:
            clock = self._clocks
            self._clocks += 1
        self._announce_clock(device, Action.ADD, clock)
        return clock

    def drop_clock(self, device: BusDevice, clock: int) -> None:
        """ptp_clock_unregister()."""
        heapq.heappush(self._free_clocks, clock)
        self._announce_clock(device, Action.REMOVE, clock)

    def _announce_clock(self, device: BusDevice, action: Action, clock: int) -> None:
        self.kernel.uevents.send(
            None, action, f"/devices/{device.name}/ptp/ptp{clock}", "ptp",
            ("MAJOR", PTP_MAJOR), ("MINOR", clock), ("DEVNAME", f"ptp{clock}"),
        )

    def new_device(
        self, device_id: int, ports: int = 1, queues: int = 1, net: Net | None = None
    ) -> BusDevice:
        """new_device: a device with that many ports of that many queues each, in the namespace of whoever writes (the
        first one by default). EINVAL: the numbers are none; ENOSPC: there is one of that id."""
        if not (0 <= device_id <= INT_MAX and 0 <= ports <= UINT_MAX and 0 <= queues <= UINT_MAX):
            raise Refusal(EINVAL, f"a netdevsim device has a number from 0 to {INT_MAX}, and as many ports and queues")
        if device_id in self.devices:
            raise Refusal(ENOSPC, f"there is a netdevsim device {device_id} already")
        device = BusDevice(self, device_id, ports, queues, net or self.kernel.init_net, self.take_instance())
        self.devices[device_id] = device
        device.announce(Action.ADD)
        device.probe()
        if device.driven:
            device.announce(Action.BIND, ("DRIVER", BUS))
        return device

    def del_device(self, device_id: int) -> None:
        """del_device. EINVAL, ENOENT."""
        if not 0 <= device_id <= INT_MAX:
            raise Refusal(EINVAL, f"a netdevsim device has a number from 0 to {INT_MAX}")
        device = self.devices.pop(device_id, None)
        if device is None:
            raise Refusal(ENOENT, f"there is no netdevsim device {device_id}")
        driven = device.driven
        device.remove()
        if driven:
            device.announce(Action.UNBIND)
        device.announce(Action.REMOVE)

    def new_port(self, device_id: int, index: int, perm_address: bytes | None = None) -> Device:
        """The device's new_port. ENOENT: no such device (the file is not there); EINVAL: no index, or not an address
        that a device can have; EEXIST: there is such a port."""
        device = self._driven(device_id)
        if not 0 <= index <= UINT_MAX or (perm_address is not None and not valid_ethernet(perm_address)):
            raise Refusal(EINVAL)
        if index in device.ports:
            raise Refusal(EEXIST)
        return device.add_port(index, perm_address)

    def del_port(self, device_id: int, index: int) -> None:
        """The device's del_port. ENOENT: no such device or port; EINVAL: no index."""
        device = self._driven(device_id)
        if not 0 <= index <= UINT_MAX:
            raise Refusal(EINVAL)
        if index not in device.ports:
            raise Refusal(ENOENT)
        device.remove_port(index)

    def set_vfs(self, device_id: int, count: int) -> None:
        """The device's sriov_numvfs. ENOENT: no such device; EBUSY, ENOMEM: see `BusDevice.set_vfs()`."""
        device = self.devices.get(device_id)
        if device is None:
            raise Refusal(ENOENT)
        device.set_vfs(count)

    def _driven(self, device_id: int) -> BusDevice:
        device = self.devices.get(device_id)
        if device is None:
            raise Refusal(ENOENT)
        if not device.driven:
            # The kernel would follow a null pointer here.
            raise Refusal(ENODEV)
        return device

    def net_exit(self, net: Net) -> None:
        """devlink_pernet_pre_exit(): a namespace dies, before its devices do; its devlink instances go on in the first
        one."""
        for device in list(self.devices.values()):
            if device.net is net and device.driven:
                device.reload(self.kernel.init_net)


def setup_plain(dev: Device) -> None:
    """nsim_setup(), and what nsim_init_netdevsim() adds."""
    ether_setup(dev)
    randomize_address(dev)
    dev.flags &= ~int(IFF.MULTICAST)
    dev.live_address_change = True
    dev.features |= FEATURES
    if dev.kernel.build.has("MACSEC"):  # nsim_macsec_init()
        dev.features |= HW_MACSEC
    dev.hw_features |= HW_FEATURES
    dev.max_mtu = ETH_MAX_MTU
    dev.queue_mgmt_ops = True
    dev.xdp_features = int(XdpAct.BASIC | XdpAct.HW_OFFLOAD)


def setup_dma(dev: Device) -> None:
    """nsim_setup() of the driver that can do DMA."""
    setup_plain(dev)
    dev.xdp_features |= int(XdpAct.REDIRECT | XdpAct.NDO_XMIT | XdpAct.XSK_ZEROCOPY)
    dev.netmem_tx = NetmemTx.DMA


def link_ports(first: Device, second: Device) -> None:
    """link_device: a wire between two ports. EINVAL: not two ports; EBUSY: one has a wire already."""
    if first is second or not (is_netdevsim(first) and is_netdevsim(second)):
        raise Refusal(EINVAL)
    if state_of(first).peer is not None or state_of(second).peer is not None:
        raise Refusal(EBUSY)
    for dev, peer in ((first, second), (second, first)):
        state_of(dev).peer = peer
        dev.seen_by = peer
        dev.changed()
    if first.running and second.running:
        carrier_on(first)
        carrier_on(second)


def unlink_port(dev: Device) -> None:
    """unlink_device: the wire goes, and the carrier of both. EINVAL: not a port, or without a wire."""
    peer = state_of(dev).peer if is_netdevsim(dev) else None
    if peer is None:
        raise Refusal(EINVAL)
    carrier_off(dev)
    carrier_off(peer)
    _part(dev, peer)


def _part(first: Device, second: Device) -> None:
    for dev in (first, second):
        state_of(dev).peer = None
        dev.seen_by = None
        dev.changed()


def new_device(
    kernel: Kernel, device_id: int, ports: int = 1, queues: int = 1, net: Net | None = None
) -> BusDevice:
    """`Bus.new_device()` of that machine."""
    return kernel.netdevsim_bus.new_device(device_id, ports, queues, net)


def del_device(kernel: Kernel, device_id: int) -> None:
    """`Bus.del_device()` of that machine."""
    kernel.netdevsim_bus.del_device(device_id)


class NetdevsimKind(Kind):
    """nsim_link_ops: there to be refused. The devices themselves are of no kind."""

    name = "netdevsim"
    option = "NETDEVSIM"

    def validate(self, params: LinkParams) -> None:
        raise Refusal(
            EOPNOTSUPP,
            'netdevsim: Please use: echo "[ID] [PORT_COUNT] [NUM_QUEUES]" > /sys/bus/netdevsim/new_device',
        )


NETDEVSIM = NetdevsimKind()
