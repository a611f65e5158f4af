"""Devices that stand for virtual functions in the switch of a card (mlx5e_build_rep_netdev(), ice_repr_create(),
bnxt_vf_rep_netdev_init()).

Each is found by what it is called (IFLA_PHYS_PORT_NAME) and in which switch it is (IFLA_PHYS_SWITCH_ID); its parent is
the card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.jhash import jhash
from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.address import ether_setup, randomize_address
from nlemu.emulator.kernel.devices.device import Device, DevlinkPort, Parent
from nlemu.emulator.kernel.devices.register import alloc_device, register, unregister
from nlemu.emulator.kernel.nics import pci
from nlemu.emulator.kernel.nics.nic import NicOps
from nlemu.emulator.kernel.nics.ports import SWITCH_IDS, function_of
from nlemu.emulator.kernel.nics.profiles import Profile
from nlemu.emulator.kernel.nics.standard import NO_FACTS
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.nics.function import BusFunction
    from nlemu.emulator.kernel.nics.nics import Nics

MLX5_REP = features.word(
    NetifF.HW_TC, NetifF.SG, NetifF.IP_CSUM, NetifF.IPV6_CSUM, NetifF.GRO, NetifF.TSO, NetifF.TSO6, NetifF.RXCSUM
)
ETH_ZLEN = 60
MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class RepFacts:
    """driver: what it calls itself; features: None for those of the card; lacks: methods that it has not, all of
    ethtool's if `alone`; immutable: it cannot go to another namespace; random: its address is; base: the index of the
    first one's port in devlink, None when it has none."""

    driver: str
    features: int | None
    alone: bool
    immutable: bool = False
    random: bool = True
    base: int | None = None
    min_mtu: int = 68


FACTS = {
    "mlx5_core": RepFacts("mlx5e_rep", MLX5_REP, alone=False, immutable=True, base=1),
    "ice": RepFacts("ice", features.word(NetifF.HW_TC), alone=True, base=1),
    "bnxt_en": RepFacts("bnxt_en", None, alone=True, random=False, min_mtu=ETH_ZLEN),
}
"""By the driver of the card. The index of ice's ports is that of the function's VSI, which is a guess."""
OF_ETHTOOL = frozenset((
    "get_channels", "set_channels", "get_ringparam", "set_ringparam", "get_coalesce", "set_coalesce",
))
NOT_OF_REPRESENTORS = frozenset((
    *NicOps.LINK_METHODS, *NicOps.BESIDE_METHODS, *NicOps.MODULE_METHODS,
    "setup_xdp",
))


class RepOps(NicOps):
    """The driver of a representor. vf: the number of the function."""

    def __init__(self, profile: Profile, facts: RepFacts, vf: int) -> None:
        super().__init__(profile)
        self.driver, self.has_vfs, self.alone, self.vf = facts.driver, False, facts.alone, vf
        self.standard = NO_FACTS
        self.udp_tunnel_tables, self.has_udp_tunnels = (), False

    def has(self, name: str) -> bool:
        if name in NOT_OF_REPRESENTORS or (self.alone and name in OF_ETHTOOL):
            return False
        return name in self.PORT_METHODS or super().has(name)

    def get_phys_port_name(self, dev: Device) -> str | None:
        """__devlink_port_phys_port_name_get(), bnxt_vf_rep_get_phys_port_name()."""
        place = pci.parsed(function_of(dev).address)
        return f"pf{place[3] if place else 0}vf{self.vf}"

    def get_port_parent_id(self, dev: Device) -> bytes | None:
        card = function_of(dev)
        return SWITCH_IDS[card.profile.driver](card.serial)


def make(nics: Nics, card: BusFunction, vf: int, net: Net | None = None, name: str = "eth%d") -> Device:
    """The representor of a function comes, in the first namespace if no other is said. What registration refuses."""
    facts, owner = FACTS[card.profile.driver], card.profile
    profile = Profile(
        owner.driver, owner.about, queues=1, max_queues=1 if facts.alone else owner.queues, speed=0, dma=owner.dma,
        max_mtu=owner.max_mtu, firmware=owner.firmware, ring=owner.ring, ring_max=owner.ring_max,
        features=owner.features if facts.features is None else facts.features,
    )
    ops = RepOps(profile, facts, vf)

    def setup(dev: Device) -> None:
        ether_setup(dev)
        dev.min_mtu, dev.max_mtu = facts.min_mtu, owner.max_mtu
        dev.live_address_change = True
        dev.features |= profile.features
        dev.hw_features |= profile.features
        dev.netns_immutable = facts.immutable
        dev.request_ops_lock = owner.request_ops_lock and not facts.alone

    room = profile.max_queues
    dev = alloc_device(net or nics.kernel.init_net, name, ops, setup, tx=room, rx=room)
    if facts.random:
        randomize_address(dev)
    else:
        dev.address = generated(card.mac or bytes(6), vf)
    dev.real_num_tx_queues = dev.real_num_rx_queues = profile.queues
    dev.parent = Parent(card.name, owner.bus, card.place)
    dev.priv = nics.state(card, ops, profile.queues, room)
    instance = nics.instance_of(card)
    if facts.base is not None and instance is not None:
        index = port_index(card, facts.base + vf)
        dev.devlink_port = DevlinkPort(instance.bus_name, instance.name, instance.instance, index)
        instance.add(index, dev, vf)
    ops.plugged(dev)
    register(dev)
    return dev


def remove(nics: Nics, card: BusFunction, dev: Device) -> None:
    """The representor goes."""
    unregister(dev)
    instance = nics.instance_of(card)
    if dev.devlink_port is not None and instance is not None:
        instance.drop(dev.devlink_port.index)


def port_index(card: BusFunction, number: int) -> int:
    """mlx5_esw_vport_to_devlink_port_index(): a function's number in the card above the number of the port; of ice the
    latter alone."""
    place = pci.parsed(card.address)
    return ((place[3] if place else 0) << 16 | number) if card.profile.driver == "mlx5_core" else number


def generated(mac: bytes, vf: int) -> bytes:
    """bnxt_vf_rep_eth_addr_gen(): the maker's bytes of the card's address, and a number made of all of it."""
    number = jhash(mac) + vf & MASK
    return mac[:3] + number.to_bytes(4, "little")[:3]
