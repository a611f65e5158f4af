"""A VXLAN and what it consists of: struct vxlan_dev, its configuration, its forwarding table, its VNIs.

Frames that are sent through it go in UDP packets to where its forwarding table says, with a number, the VNI. An entry
of the table is an address, in a VNI of its own where the device has several, and the remotes that frames for it go to;
frames for nobody in the table go to the remotes of the address of zeros, of which the device itself makes one if it was
given a remote. The sockets are in the namespace that the device was made from, wherever it moves.

Numbers that are in network order on the wire are plain ones here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, cast

from nlemu.emulator.kernel.tunnels.address import NO_ADDRESS, TunnelAddress
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_HLEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.nexthop import Nexthop
    from nlemu.emulator.kernel.vxlan.mdb import GroupEntry, GroupKey

KEY = "vxlan"
DRIVER = "vxlan"
VXLAN_N_VID = 1 << 24
DEFAULT_PORT, GPE_PORT = 8472, 4790
"""vxlan_port, IANA_VXLAN_GPE_UDP_PORT"""
AGE_DEFAULT, AGE_INTERVAL = 300, 10
"""FDB_AGE_DEFAULT, FDB_AGE_INTERVAL; in seconds."""
ZEROS = bytes(ETH_ALEN)
"""all_zeros_mac"""
IPV4_HEADER, IPV6_HEADER, UDP_HEADER, VXLAN_HEADER = 20, 40, 8, 8
ADDED_BY_USER = 0x100
"""NTF_VXLAN_ADDED_BY_USER, beside NTF_*."""


class Flag(IntEnum):
    """VXLAN_F_*"""

    LEARN = 0x01
    PROXY = 0x02
    RSC = 0x04
    L2MISS = 0x08
    L3MISS = 0x10
    IPV6 = 0x20
    UDP_ZERO_CSUM_TX = 0x40
    UDP_ZERO_CSUM6_TX = 0x80
    UDP_ZERO_CSUM6_RX = 0x100
    REMCSUM_TX = 0x200
    REMCSUM_RX = 0x400
    GBP = 0x800
    REMCSUM_NOPARTIAL = 0x1000
    COLLECT_METADATA = 0x2000
    GPE = 0x4000
    IPV6_LINKLOCAL = 0x8000
    TTL_INHERIT = 0x10000
    VNIFILTER = 0x20000
    MDB = 0x40000
    LOCALBYPASS = 0x80000
    MC_ROUTE = 0x100000


RECEIVED = int(
    Flag.GBP | Flag.GPE | Flag.UDP_ZERO_CSUM6_RX | Flag.REMCSUM_RX | Flag.REMCSUM_NOPARTIAL | Flag.COLLECT_METADATA
    | Flag.VNIFILTER
)
"""VXLAN_F_RCV_FLAGS: devices that share a socket agree in these."""


@dataclass(slots=True)
class Config:
    """struct vxlan_config. flags: Flag; remote_ifindex: of the device below, 0 for none; dst_port: 0 for the usual one;
    age_interval: in seconds, 0 for the usual time; addrmax: how many entries there may be, 0 for no limit."""

    remote: TunnelAddress = NO_ADDRESS
    saddr: TunnelAddress = NO_ADDRESS
    vni: int = 0
    remote_ifindex: int = 0
    mtu: int = 0
    dst_port: int = 0
    port_min: int = 0
    port_max: int = 0
    tos: int = 0
    ttl: int = 0
    label: int = 0
    label_policy: int = 0
    flags: int = 0
    age_interval: int = 0
    addrmax: int = 0
    df: int = 0
    reserved_bits: bytes = bytes(8)


@dataclass(slots=True, eq=False)
class Remote:
    """struct vxlan_rdst: where frames go."""

    address: TunnelAddress
    port: int
    vni: int
    ifindex: int

    @property
    def said(self) -> tuple[TunnelAddress, int, int, int]:
        """What makes two of them the same."""
        return self.address, self.port, self.vni, self.ifindex


@dataclass(slots=True, eq=False)
class TunnelEntry:
    """struct vxlan_fdb. vni: the one that frames come from (src_vni); state: NUD_*; flags: NTF_* and ADDED_BY_USER;
    nexthop: the group that it leads by, without remotes; updated, used: in nanoseconds since boot."""

    address: bytes
    vni: int
    state: int
    flags: int
    updated: int
    used: int
    remotes: list[Remote] = field(default_factory=list)
    nexthop: Nexthop | None = None


@dataclass(slots=True, eq=False)
class Vni:
    """struct vxlan_vni_node: a VNI that is filtered, and its own remote."""

    vni: int
    remote: TunnelAddress = NO_ADDRESS


@dataclass(slots=True, eq=False)
class Socket:
    """struct vxlan_sock. users: how many devices have it; groups: that it has joined, by device and address."""

    family: int
    port: int
    flags: int
    users: int = 1
    groups: set[tuple[int, int]] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Vxlan:
    """struct vxlan_dev. net: where its sockets are; config; remote, vni, ifindex: the default remote (default_dst),
    which is the configuration's once that has been applied; below: the device that it stands on; fdb: by address and
    VNI, mdb: groups, the oldest first; vnis: those that are filtered, None for a device that does not; ipv4, ipv6: its
    sockets."""

    dev: Device
    net: Net
    config: Config = field(default_factory=Config)
    remote: TunnelAddress = NO_ADDRESS
    vni: int = 0
    ifindex: int = 0
    below: Device | None = None
    fdb: dict[tuple[bytes, int], TunnelEntry] = field(default_factory=dict)
    mdb: dict[GroupKey, GroupEntry] = field(default_factory=dict)
    vnis: dict[int, Vni] | None = None
    ipv4: Socket | None = None
    ipv6: Socket | None = None
    aging: Job | None = None

    def has(self, flag: Flag) -> bool:
        """Whether that flag is set."""
        return self.config.flags & flag != 0


@dataclass(slots=True)
class VxlanNet:
    """struct vxlan_net. devices: whose sockets are here, the newest first; by_vni: those that listen to one VNI, by it;
    filtering: those that listen to what they are told."""

    devices: list[Vxlan] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)
    by_vni: dict[int, list[Vxlan]] = field(default_factory=dict)
    filtering: list[Vxlan] = field(default_factory=list)

    def join(self, vxlan: Vxlan) -> None:
        """One more."""
        self.devices.insert(0, vxlan)
        (self.by_vni.setdefault(vxlan.config.vni, []) if vxlan.vnis is None else self.filtering).append(vxlan)

    def leave(self, vxlan: Vxlan) -> None:
        """One less."""
        self.devices.remove(vxlan)
        (self.by_vni[vxlan.config.vni] if vxlan.vnis is None else self.filtering).remove(vxlan)


def of_net(net: Net) -> VxlanNet:
    """net_generic(net, vxlan_net_id)."""
    found = net.generic.get(KEY)
    if found is None:
        found = net.generic[KEY] = VxlanNet()
    return cast("VxlanNet", found)


def vxlan_of(dev: Device) -> Vxlan | None:
    """netif_is_vxlan(): the VXLAN that a device is, if it is one."""
    return dev.priv if isinstance(dev.priv, Vxlan) else None


def headroom(flags: int) -> int:
    """vxlan_headroom(): of the headers around a frame; in bytes."""
    around = IPV6_HEADER if flags & Flag.IPV6 else IPV4_HEADER
    return around + UDP_HEADER + VXLAN_HEADER + (0 if flags & Flag.GPE else ETH_HLEN)


def in_use(net: Net, vxlan: Vxlan, config: Config, vni: int) -> bool:
    """vxlan_vni_in_use(): whether another device would get what comes for that VNI."""
    kept = RECEIVED | Flag.IPV6
    known = of_net(net)
    for other in (*known.by_vni.get(vni, ()), *known.filtering):
        theirs = other.config
        heard = other.vnis is None or vni in other.vnis
        if other is vxlan or not heard or theirs.dst_port != config.dst_port or (theirs.flags ^ config.flags) & kept:
            continue
        if config.flags & Flag.IPV6_LINKLOCAL and theirs.remote_ifindex != config.remote_ifindex:
            continue
        return True
    return False
