"""The NICs of a machine: plugged at an address, each with the driver of its profile, and unplugged there."""

from __future__ import annotations

from errno import EEXIST, ENOENT
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.address import ether_setup
from nlemu.emulator.kernel.devices.device import Device, Parent
from nlemu.emulator.kernel.devices.register import alloc_device, register, unregister
from nlemu.emulator.kernel.devices.states import NetmemTx
from nlemu.emulator.kernel.ethtool.settings import Rings
from nlemu.emulator.kernel.nics.bnxt import BnxtOps
from nlemu.emulator.kernel.nics.fbnic import FbnicOps
from nlemu.emulator.kernel.nics.gve import GveOps
from nlemu.emulator.kernel.nics.mlx5 import Mlx5Ops
from nlemu.emulator.kernel.nics.nic import Function, NicOps, NicState
from nlemu.emulator.kernel.nics.profiles import Profile
from nlemu.emulator.kernel.nics.virtio import VirtioOps
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.kernel import Kernel

OUI = bytes.fromhex("02ee00")
"""What the addresses begin with that nobody chose: locally administered, as no vendor's should appear by chance."""
FIRST_IRQ = 24
"""Of message-signalled interrupts: below are the legacy ones."""
DRIVERS: dict[str, type[NicOps]] = {
    "bnxt_en": BnxtOps, "fbnic": FbnicOps, "gve": GveOps, "mlx5_core": Mlx5Ops, "virtio_net": VirtioOps,
}
"""Those that do something otherwise than a profile can say."""


class Nics:
    """The NICs of a machine, by the address at which they are plugged."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.devices: dict[str, Device] = {}
        self._next_irq = FIRST_IRQ
        self._plugged = 0

    def plug(self, address: str, profile: Profile, net: Net, *, name: str = "eth%d", queues: int = 0,
             mac: bytes | None = None) -> Device:
        """A NIC of that profile comes, in that namespace. queues: how many it begins with, 0 for the profile's usual
        number; it has room for that many or for the profile's, whichever are more. EEXIST: there is one at that
        address; and what registration refuses (the name)."""
        if address in self.devices:
            raise Refusal(EEXIST)
        count = queues or profile.queues
        room = max(count, profile.max_queues)
        mac = mac or OUI + (self._plugged + 1).to_bytes(3, "big")

        ops = DRIVERS.get(profile.driver, NicOps)(profile)

        def setup(dev: Device) -> None:
            ether_setup(dev)
            dev.address = mac
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
        dev.real_num_tx_queues = dev.real_num_rx_queues = count
        dev.parent = Parent(address, profile.bus)
        dev.priv = NicState(
            profile=profile, address=address, functions=tuple(Function() for _ in range(profile.functions)),
            count=count, first_irq=self._next_irq,
            rings=Rings(rx_max=profile.ring_max, tx_max=profile.ring_max, rx=profile.ring, tx=profile.ring,
                        hds_thresh_max=profile.hds_thresh_max),
        )
        if profile.rss is not None:
            dev.priv.rxfh, dev.priv.fields = ops.begin(dev, count)
        ops.plugged(dev)
        register(dev)
        ops.registered(dev)
        self.devices[address] = dev
        self._next_irq += room
        self._plugged += 1
        return dev

    def unplug(self, address: str) -> None:
        """The NIC at that address goes. ENOENT: there is none."""
        dev = self.devices.pop(address, None)
        if dev is None:
            raise Refusal(ENOENT)
        unregister(dev)
        assert isinstance(dev.ops, NicOps)
        dev.ops.unplugged(dev)
