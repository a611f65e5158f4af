"""WireGuard: a device that carries packets to peers, each known by a key (drivers/net/wireguard/device.c).

rtnetlink makes it without a word about keys or peers; these are the wireguard family's (handlers/wireguard.py), and
what is kept of them is in kernel/wireguard. It listens while it is up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features, link_watch, settings
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, register
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.wireguard.device import WireGuard, devices
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN
from nlemu.protocol.uapi.if_link import In6AddrGenMode
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.netdev import NapiThreaded
from nlemu.protocol.uapi.netdevice import GSO_MAX_SIZE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

INT_MAX = 0x7FFFFFFF
PADDING = 16
"""MESSAGE_PADDING_MULTIPLE"""
AUTHTAG = 16
"""CHACHA20POLY1305_AUTHTAG_SIZE"""
MESSAGE_DATA = 16
"""sizeof(struct message_data)"""
IPV6_HEADER, UDP_HEADER, SKB_PAD = 40, 8, 64
OVERHEAD = MESSAGE_DATA + AUTHTAG + UDP_HEADER + IPV6_HEADER
FEATURES = (
    features.HW_CSUM | features.RXCSUM | features.SG | features.GSO | features.GSO_SOFTWARE | features.HIGHDMA
)
FLAGS = int(IFF.POINTOPOINT | IFF.NOARP)


def state_of(dev: Device) -> WireGuard:
    """netdev_priv() of such a device."""
    state: WireGuard = dev.priv
    return state


class WireGuardOps(DeviceOps):
    """netdev_ops. There are no ethtool_ops."""

    has_rx_mode = False

    def open(self, dev: Device) -> None:
        """wg_open()."""
        if dev.ip4 is not None:
            dev.ip4.conf[Ipv4Devconf.SEND_REDIRECTS] = 0
            ip4.of(dev.net).conf_all[Ipv4Devconf.SEND_REDIRECTS] = 0
        if dev.ip6 is not None:
            dev.ip6.conf[Ipv6Devconf.ADDR_GEN_MODE] = int(In6AddrGenMode.NONE)
        state_of(dev).listen(state_of(dev).port)

    def stop(self, dev: Device) -> None:
        """wg_stop()."""
        state_of(dev).close()

    def destroy(self, dev: Device) -> None:
        """wg_destruct()."""
        wg = state_of(dev)
        if wg in devices(dev.kernel):
            devices(dev.kernel).remove(wg)
        wg.net = None
        wg.port = 0
        wg.close()
        wg.remove_peers()

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """wg_xmit(): what a frame holds is not known, and so not whose it is."""
        dev.stats.tx_errors += 1
        return Xmit.DROP, None


def setup(dev: Device) -> None:
    """wg_setup()."""
    dev.needed_headroom = MESSAGE_DATA + IPV6_HEADER + UDP_HEADER + SKB_PAD
    dev.needed_tailroom = PADDING + AUTHTAG
    dev.type = int(ARPHRD.NONE)
    dev.flags = FLAGS
    dev.no_queue = True
    dev.features = dev.hw_features = FEATURES
    dev.mtu = ETH_DATA_LEN - OVERHEAD
    dev.max_mtu = INT_MAX // PADDING * PADDING - OVERHEAD
    settings.set_tso_max_size(dev, GSO_MAX_SIZE)


class WireGuardKind(Kind):
    """link_ops."""

    name = "wireguard"
    option = "WIREGUARD"
    ops = WireGuardOps()
    setup = staticmethod(setup)
    devtype = "wireguard"

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """wg_newlink()."""
        dev.priv = WireGuard(dev, params.link_net or dev.net)
        dev.threaded = int(NapiThreaded.ENABLED)
        register(dev)
        devices(dev.kernel).insert(0, dev.priv)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """wg_netns_exit_rtnl(): those that were made there lose their carrier and their sockets."""
        for wg in devices(net.kernel):
            if wg.net is net:
                link_watch.carrier_off(wg.dev)
                wg.net = None
                wg.close()


KIND = WireGuardKind()
