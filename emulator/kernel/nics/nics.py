"""The NICs of a machine: plugged at an address, each with the driver of its profile, and unplugged there."""

from __future__ import annotations

from errno import EBUSY, EEXIST, ENODEV, ENOENT
from itertools import count
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.uevents import Action
from nlemu.emulator.kernel.devices.address import ether_setup, randomize_address
from nlemu.emulator.kernel.devices.device import Device, Parent
from nlemu.emulator.kernel.devices.module import OUI
from nlemu.emulator.kernel.devices.register import alloc_device, register, unregister
from nlemu.emulator.kernel.devices.states import NetmemTx
from nlemu.emulator.kernel.ethtool.settings import Coalesce, Rings
from nlemu.emulator.kernel.nics import devlink, eswitch, pci, sriov, vfs
from nlemu.emulator.kernel.nics.beside import at_first
from nlemu.emulator.kernel.nics.bnxt import BnxtOps
from nlemu.emulator.kernel.nics.ena import EnaOps
from nlemu.emulator.kernel.nics.fbnic import FbnicOps
from nlemu.emulator.kernel.nics.function import NO_NODE, BusFunction, found_at
from nlemu.emulator.kernel.nics.gve import GveOps
from nlemu.emulator.kernel.nics.i40e import I40eOps
from nlemu.emulator.kernel.nics.ice import IceOps
from nlemu.emulator.kernel.nics.idpf import IdpfOps
from nlemu.emulator.kernel.nics.mana import ManaOps
from nlemu.emulator.kernel.nics.mlx5 import Mlx5Ops
from nlemu.emulator.kernel.nics.nic import Function, NicOps, NicState
from nlemu.emulator.kernel.nics.profiles import PROFILES, Profile
from nlemu.emulator.kernel.nics.rule_table import RuleTable
from nlemu.emulator.kernel.nics.virtio import VirtioOps
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.kernel import Kernel
    from nlemu.emulator.kernel.nics.devlink import NicInstance
    from nlemu.protocol.uapi.devlink import DevlinkCmd

NO_SERIAL = bytes(6)
FIRST_IRQ = 24
"""Of message-signalled interrupts: below are the legacy ones."""
DRIVERS: dict[str, type[NicOps]] = {
    "bnxt_en": BnxtOps, "ena": EnaOps, "fbnic": FbnicOps, "gve": GveOps, "i40e": I40eOps, "ice": IceOps,
    "idpf": IdpfOps, "mana": ManaOps, "mlx5_core": Mlx5Ops, "virtio_net": VirtioOps,
}
"""Those that do something otherwise than a profile can say."""


class Nics:
    """The NICs of a machine, by the address at which they are plugged, and the functions of cards that they are."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.functions: dict[str, BusFunction] = {}
        """By name."""
        self._addresses: dict[str, BusFunction] = {}
        self._next_irq = FIRST_IRQ
        self._next_group = 0
        self._plugged = 0
        self.own: dict[str, Profile] = {}
        """Profiles beside those of the drivers, by their names."""
        self._auxiliaries: set[int] = set()

    def profile(self, name: str) -> Profile | None:
        """The profile of that name: one's own, or a driver's."""
        return self.own.get(name) or PROFILES.get(name)

    @property
    def devices(self) -> dict[str, Device]:
        """The network devices, by the names of their functions."""
        return {name: one.dev for name, one in self.functions.items() if one.dev is not None}

    def at(self, address: str) -> BusFunction | None:
        """The function at an address of PCI."""
        return self._addresses.get(address)

    def plug(self, address: str, profile: Profile, net: Net, *, name: str = "eth%d", queues: int = 0,
             mac: bytes | None = None, numa_node: int = NO_NODE, total_vfs: int | None = None) -> Device:
        """A NIC of that profile comes, in that namespace. queues: how many it begins with, 0 for the profile's usual
        number; it has room for that many or for the profile's, whichever are more. total_vfs: how many virtual
        functions it can have, None for as many as such cards have. EEXIST: there is one at that
        address; and what registration refuses (the name)."""
        function = found_at(address, profile)
        if address in self.functions or function.address in self._addresses:
            raise Refusal(EEXIST, f"there is a NIC at {address} already")
        function.mac = mac or OUI + (self._plugged + 1).to_bytes(3, "big")
        function.serial = self._serial(function)
        function.queues, function.numa_node = queues or profile.queues, numa_node
        sriov.begin(function, total_vfs)
        self.added(function)
        try:
            dev = self.probe(function, net, name)
        except Refusal:
            self.lost(function)
            raise
        self._plugged += 1
        return dev

    def _serial(self, function: BusFunction) -> bytes:
        """The number of the card, which is that of its first function's address."""
        for number in range(pci.FUNCTIONS):
            other = self.at(f"{function.address[:-1]}{number}")
            if other is not None:
                return other.serial
        return function.mac or NO_SERIAL

    def unplug(self, address: str) -> None:
        """The NIC at that address goes, and its virtual functions with it. ENOENT: there is none that was plugged."""
        function = self.functions.get(address)
        if function is None or function.physfn is not None:
            there = ", ".join(name for name, one in self.functions.items() if one.physfn is None)
            raise Refusal(ENOENT, f"there is no NIC at {address}{f'; there are {there}' if there else ''}")
        self.lost(function)

    def added(self, function: BusFunction) -> None:
        """device_add(): a function is there."""
        self.functions[function.name] = function
        if function.address:
            self._addresses[function.address] = function
            function.group, self._next_group = self._next_group, self._next_group + 1
        function.announce(self.kernel, Action.ADD)

    def lost(self, function: BusFunction) -> None:
        """device_del(): a function is there no more."""
        if function.dev is not None:
            self.release(function)
        del self.functions[function.name]
        self._addresses.pop(function.address, None)
        function.announce(self.kernel, Action.REMOVE)

    def probe(self, function: BusFunction, net: Net | None = None, name: str = "eth%d") -> Device:
        """device_driver_attach(): the driver takes a function that nobody has; the NIC is in the first namespace, if
        no other is said. EBUSY: it is taken; and what registration refuses."""
        if function.dev is not None:
            raise Refusal(EBUSY)
        dev = self._made(function, net or self.kernel.init_net, name)
        self._take(function, dev)
        return dev

    def release(self, function: BusFunction) -> None:
        """device_driver_detach(): the driver lets a function go, and the NIC with it. ENODEV: nobody has it."""
        if function.dev is None:
            raise Refusal(ENODEV)
        sriov.disable(self, function)
        dev, function.dev = function.dev, None
        unregister(dev)
        assert isinstance(dev.ops, NicOps)
        self._drop_clock(function, dev)
        dev.ops.unplugged(dev)
        devlink.end(self, function)
        function.driver, function.eswitch = "", None
        function.announce(self.kernel, Action.UNBIND)

    def _take(self, function: BusFunction, dev: Device) -> None:
        function.dev, function.driver = dev, function.profile.driver
        function.announce(self.kernel, Action.BIND)

    def _made(self, function: BusFunction, net: Net, name: str) -> Device:
        """What a driver's probe() does: the network device, registered."""
        profile, queues = function.profile, function.queues
        room = max(queues, profile.max_queues)
        ops = DRIVERS.get(profile.driver, NicOps)(profile)
        ops.virtual = function.physfn is not None

        def setup(dev: Device) -> None:
            ether_setup(dev)
            dev.min_mtu, dev.max_mtu = profile.min_mtu, profile.max_mtu
            dev.live_address_change = True
            dev.features |= profile.features
            dev.hw_features |= profile.features if profile.settable is None else profile.settable
            dev.vlan_features |= profile.features if profile.vlan_features is None else profile.vlan_features
            dev.gso_partial_features = profile.gso_partial
            dev.queue_mgmt_ops = profile.queue_mgmt
            dev.request_ops_lock = profile.request_ops_lock
            dev.xdp_features = profile.xdp_features
            dev.xdp_zc_max_segs = profile.xdp_zc_max_segs
            dev.netmem_tx = NetmemTx.DMA if profile.netmem_tx else NetmemTx.NONE
            dev.cfg.hds_thresh = profile.hds_thresh

        dev = alloc_device(net, name, ops, setup, tx=room, rx=room)
        mac = function.mac or vfs.address_from(function)
        if mac is None:
            randomize_address(dev)
        else:
            dev.address = mac
        dev.real_num_tx_queues = dev.real_num_rx_queues = queues
        dev.parent = Parent(function.name, profile.bus, function.place)
        dev.priv = self.state(function, ops, queues, room)
        if profile.rss is not None:
            dev.priv.rxfh, dev.priv.fields = ops.begin(dev, queues)
        if function.address and ops.has_clock(ops.virtual):
            dev.priv.beside.clock = self.kernel.ptp_clocks.take(function.pci_place)
        eswitch.begin(self, function)
        devlink.begin(self, function, dev)
        ops.plugged(dev)
        try:
            register(dev)
        except Refusal:
            self._drop_clock(function, dev)
            devlink.end(self, function)
            raise
        ops.registered(dev)
        return dev

    def _drop_clock(self, function: BusFunction, dev: Device) -> None:
        if dev.priv.beside.clock >= 0:
            self.kernel.ptp_clocks.drop(function.pci_place, dev.priv.beside.clock)

    def state(self, function: BusFunction, ops: NicOps, queues: int, room: int) -> NicState:
        """What a device carries that begins, with so many channels in use and room for so many."""
        profile = ops.profile
        link = ops.link(profile)
        return NicState(
            profile=profile, function=function, functions=tuple(Function() for _ in range(profile.functions)),
            count=queues, first_irq=self.take_irqs(room),
            rings=Rings(rx_max=profile.ring_max, tx_max=profile.tx_ring_max or profile.ring_max, rx=profile.ring,
                        tx=profile.tx_ring or profile.ring, rx_buf_len=profile.rx_buf_len,
                        rx_mini_max=profile.buffer_ring_max, rx_jumbo_max=profile.buffer_ring_max,
                        rx_mini=profile.buffer_ring, rx_jumbo=profile.buffer_ring,
                        hds_thresh_max=profile.hds_thresh_max),
            coalesce=Coalesce(**profile.coalesce.first), rules=RuleTable(ops.match), link=link,
            pause=link.pause_at_first(), beside=at_first(ops.driver),
            flags=profile.private.bits(*profile.private.first),
        )

    # What devices of cards have one by one

    def take_irqs(self, count: int) -> int:
        """So many interrupts; the first of them."""
        first = self._next_irq
        self._next_irq += count
        return first

    def take_auxiliary(self) -> int:
        """mlx5_adev_init(): the lowest number that no device of mlx5_core has."""
        number = next(number for number in count() if number not in self._auxiliaries)
        self._auxiliaries.add(number)
        return number

    def give_auxiliary(self, number: int) -> None:
        """mlx5_adev_cleanup()."""
        self._auxiliaries.discard(number)

    def instances(self) -> Iterator[NicInstance]:
        """The devlink instances."""
        for function in self.functions.values():
            yield from function.instances

    @staticmethod
    def instance_of(function: BusFunction) -> NicInstance | None:
        """The devlink instance of a function itself."""
        return function.instances[0] if function.instances else None

    def announce(self, instance: NicInstance, command: DevlinkCmd) -> None:
        """devlink_notify()."""
        self.kernel.announcer.devlink(instance, command, None)
