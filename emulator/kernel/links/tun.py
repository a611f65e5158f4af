"""tun and tap: devices whose other end is a program (drivers/net/tun.c).

A program opens /dev/net/tun and asks for a device by name (kernel/tun_file.py). It comes into being with the first
such open file, which is one of its queues, and goes with the last, unless it was made to persist; without any it has no
carrier. "tun" carries packets, and has no addresses of hardware; "tap" is an Ethernet device. rtnetlink sees and
deletes both as the kind "tun", and makes neither.

What goes out waits in a queue until the program reads, and is counted only then. Here nothing is ever read, as frames
have a length and no content: a queue takes what it has room for, and the rest is dropped.
"""

from __future__ import annotations

from dataclasses import replace
from errno import EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices import features, link_watch
from nlemu.emulator.kernel.devices.address import (
    check_address,
    ether_setup,
    randomize_address,
    set_ethernet_mac,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.ethtool.link import SOFTWARE_STAMPS, LinkSettings, TsInfo, carrier_as_link
from nlemu.emulator.kernel.ethtool.settings import Channels, Coalesce
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Autoneg, Duplex, Port
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN, ETH_HLEN
from nlemu.protocol.uapi.if_tun import TUN_READQ_SIZE, TUN_TYPE_MASK, TunIff
from nlemu.protocol.uapi.netdev import XdpAct
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink
    from nlemu.emulator.kernel.tun_file import TunFile

MAX_QUEUES = 256
"""MAX_TAP_QUEUES"""
MIN_MTU, MAX_MTU = 68, 65535
VNET_HDR = 10
"""sizeof(struct virtio_net_hdr)"""
MAX_ADDR_LEN = 32
"""include/linux/netdevice.h"""
SPEED = 10000
NAPI_POLL_WEIGHT = 64
INT_MAX = 0x7FFFFFFF

TUN, TAP = int(TunIff.TUN), int(TunIff.TAP)
MULTI_QUEUE, PERSIST = int(TunIff.MULTI_QUEUE), int(TunIff.PERSIST)
ASKED = int(
    TunIff.NO_PI | TunIff.ONE_QUEUE | TunIff.VNET_HDR | TunIff.MULTI_QUEUE | TunIff.NAPI | TunIff.NAPI_FRAGS
)
"""TUN_FEATURES: the flags that a program chooses."""
USER_FEATURES = (
    features.HW_CSUM | features.TSO_ECN | features.TSO | features.TSO6 | features.GSO_UDP_L4
    | features.word(NetifF.GSO_UDP_TUNNEL, NetifF.GSO_UDP_TUNNEL_CSUM)
)
"""TUN_USER_FEATURES: what is on only as far as the program behind it says that it can do with it."""
FEATURES = features.SG | features.FRAGLIST | USER_FEATURES | features.HW_VLAN_TX
TUN_FLAGS = int(IFF.POINTOPOINT | IFF.NOARP | IFF.MULTICAST)


class Tun:
    """struct tun_struct. flags: TunIff; owner, group: who may open it beside those who administer the namespace, None
    for nobody in particular; opener: the file that asked for it; files: its queues, and disabled: those that were taken
    out of use; set_features: what the program can do with; filter: how many addresses it lets through, 0 for all;
    filtered: whether it has a socket filter, and program: its struct sock_fprog; hidden: its addresses as the kernel
    keeps them, MAX_ADDR_LEN bytes each, of which a type of device shows as many as it has."""

    __slots__ = (
        "disabled", "files", "filter", "filtered", "flags", "group", "hidden", "link", "msg_enable", "opener", "owner",
        "program", "rx_batched", "set_features", "sndbuf", "vnet_hdr_sz",
    )

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.owner: int | None = None
        self.group: int | None = None
        self.opener: TunFile | None = None
        self.files: list[TunFile] = []
        self.disabled: list[TunFile] = []
        self.set_features = 0
        self.vnet_hdr_sz = VNET_HDR
        self.sndbuf = INT_MAX
        self.filter = 0
        self.filtered = False
        self.program = bytes(16)
        self.hidden: tuple[bytes, ...] = (bytes(MAX_ADDR_LEN),) * 2
        self.msg_enable = 0
        self.rx_batched = 0
        self.link = LinkSettings(speed=SPEED, duplex=Duplex.FULL, port=Port.TP, autoneg=Autoneg.DISABLE)

    @property
    def shown_flags(self) -> int:
        """tun_flags()."""
        return self.flags & (ASKED | PERSIST | TUN | TAP)


def is_tun(dev: Device) -> bool:
    """Whether a device is one of these (dev->rtnl_link_ops == &tun_link_ops)."""
    return isinstance(dev.priv, Tun)


def state_of(dev: Device) -> Tun:
    """netdev_priv() of such a device."""
    state: Tun = dev.priv
    return state


class TunOps(DeviceOps):
    """tun_netdev_ops and tun_ethtool_ops."""

    driver = "tun"
    driver_version = "1.6"
    has_rx_mode = False
    settable_coalesce = frozenset({"rx_max_frames"})

    def bus_info(self, dev: Device) -> str:
        return "tun"

    def init(self, dev: Device) -> None:
        """tun_net_init(): with a queue, which is the file that asked for it."""
        dev.features = dev.hw_features = FEATURES
        dev.vlan_features = FEATURES & ~features.HW_VLAN_TX
        opener = state_of(dev).opener
        assert opener is not None
        opener.attach(dev)

    def uninit(self, dev: Device) -> None:
        """tun_detach_all(): those who have it open read no more."""
        tun = state_of(dev)
        for file in (*tun.files, *tun.disabled):
            file.lose()
        tun.files.clear()
        tun.disabled.clear()

    def fix_features(self, dev: Device, features_: int) -> int:
        return features_ & state_of(dev).set_features | features_ & ~USER_FEATURES

    def change_carrier(self, dev: Device, carrier: bool) -> None:
        if not carrier:
            link_watch.carrier_off(dev)
        elif not state_of(dev).files:
            raise Refusal(EPERM)
        else:
            link_watch.carrier_on(dev)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        tun = state_of(dev)
        # The kernel spreads flows over queues by a hash of what is in them; here all is of the first.
        if not tun.files or tun.files[0].waiting >= dev.txqlen:
            dev.stats.tx_dropped += 1
            return Xmit.DROP, None
        tun.files[0].waiting += 1
        return Xmit.SUCCESS, None

    def get_msglevel(self, dev: Device) -> int:
        return state_of(dev).msg_enable

    def set_msglevel(self, dev: Device, level: int) -> None:
        state_of(dev).msg_enable = level

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        return replace(state_of(dev).link)

    def set_link_ksettings(self, dev: Device, wanted: LinkSettings) -> None:
        """tun_set_link_ksettings(): it is as it is said to be."""
        state_of(dev).link = wanted

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        info.so_timestamping = SOFTWARE_STAMPS

    def get_channels(self, dev: Device) -> Channels:
        tun = state_of(dev)
        return Channels(combined_max=MAX_QUEUES if tun.flags & MULTI_QUEUE else 1, combined_count=len(tun.files))

    def get_coalesce(self, dev: Device) -> Coalesce:
        return Coalesce(rx_max_frames=state_of(dev).rx_batched)

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        state_of(dev).rx_batched = min(coalesce.rx_max_frames, NAPI_POLL_WEIGHT)


class TapOps(TunOps):
    """tap_netdev_ops."""

    has_rx_mode = True
    has_bpf = True

    def bus_info(self, dev: Device) -> str:
        return "tap"

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        """tun_xdp_set(): takes any."""

    def clear_xdp(self, dev: Device) -> None:
        """tun_xdp_set() of none."""


TUN_OPS, TAP_OPS = TunOps(), TapOps()


def setup(dev: Device) -> None:
    """tun_setup(): that of both."""
    dev.txqlen = TUN_READQ_SIZE


def initialize(dev: Device, flags: int) -> None:
    """tun_net_initialize(): what makes it the one or the other. flags: TunIff, with one of TUN and TAP."""
    dev.priv = Tun(flags)
    if flags & TUN_TYPE_MASK == TUN:
        dev.mtu = ETH_DATA_LEN
        dev.type = int(ARPHRD.NONE)
        dev.flags = TUN_FLAGS
        hard_header_len = 0
    else:
        ether_setup(dev)
        dev.live_address_change = True
        randomize_address(dev)
        dev.xdp_features = int(XdpAct.BASIC | XdpAct.REDIRECT | XdpAct.NDO_XMIT)
        hard_header_len = ETH_HLEN
    dev.min_mtu = MIN_MTU
    dev.max_mtu = MAX_MTU - hard_header_len


class TunKind(Kind):
    """tun_link_ops: a trivial set, to show and to delete."""

    name = "tun"
    option = "TUN"
    ops = TUN_OPS
    setup = staticmethod(setup)

    def validate(self, params: LinkParams) -> None:
        raise Refusal(EOPNOTSUPP, "tun/tap creation via rtnetlink is not supported.")

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        """tun_fill_info()."""
        tun = state_of(dev)
        several = bool(tun.flags & MULTI_QUEUE)
        return {
            "type": tun.flags & TUN_TYPE_MASK,
            "owner": tun.owner,
            "group": tun.group,
            "pi": int(not tun.flags & TunIff.NO_PI),
            "vnet_hdr": int(bool(tun.flags & TunIff.VNET_HDR)),
            "persist": int(bool(tun.flags & PERSIST)),
            "multi_queue": int(several),
            "num_queues": len(tun.files) if several else None,
            "num_disabled_queues": len(tun.disabled) if several else None,
        }


KIND = TunKind()
