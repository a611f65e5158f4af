"""gtp: packets of subscribers of a mobile network through UDP (drivers/net/gtp.c).

The device is told its sockets, by the numbers that whoever makes it has them open under, or makes its own. Whose
packets go where is said by the gtp family (handlers/gtp.py), and kept in kernel/tunnels/gtp.py. What a frame holds is
not known here, so none finds its way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EADDRNOTAVAIL, EBADF, EBUSY, EINVAL, ENOMEM, ENOTSOCK
from typing import TYPE_CHECKING, Any, cast

from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.tunnels import udp
from nlemu.emulator.kernel.tunnels.gtp import Gtp
from nlemu.emulator.kernel.tunnels.ip_tunnel import LL_MAX_HEADER
from nlemu.emulator.kernel.tunnels.udp import UdpSocket
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.gtp import GtpVersion
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN
from nlemu.protocol.uapi.if_link import GtpRole
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

NAME = "gtp"
PORTS = {GtpVersion.V0: 3386, GtpVersion.V1: 2152}
"""GTP0_PORT, GTP1U_PORT"""
AROUND = {AF_INET: 20 + 8 + 20, AF_INET6: 40 + 8 + 20}
"""GTP_IPV4_MAXLEN, GTP_IPV6_MAXLEN: headers of IP, of UDP, and of version 0."""
HASH_SIZE = 1024
LARGEST = 4 << 20 >> 3
"""As many buckets as one piece of memory holds (KMALLOC_MAX_SIZE), each a pointer."""
FLAGS = int(IFF.POINTOPOINT | IFF.NOARP | IFF.MULTICAST)
NO_FILE = 1 << 31
"""A number from here on is negative, and says that there is no socket."""


@dataclass(slots=True)
class GtpParams:
    """IFLA_INFO_DATA of a GTP device; None: it was not there."""

    fd0: int | None = None
    fd1: int | None = None
    pdp_hashsize: int | None = None
    role: int | None = None
    create_sockets: int | None = None
    restart_count: int | None = None
    local: int | None = None
    local6: bytes | None = None


@dataclass(slots=True)
class GtpNet:
    """struct gtp_net. devices: whose sockets are here, the newest first."""

    devices: list[Gtp] = field(default_factory=list)


def of_net(net: Net) -> GtpNet:
    """net_generic(net, gtp_net_id)."""
    found = net.generic.get(NAME)
    if found is None:
        found = net.generic[NAME] = GtpNet()
    return cast("GtpNet", found)


def state_of(dev: Device) -> Gtp:
    """netdev_priv() of such a device."""
    state: Gtp = dev.priv
    return state


# Sockets


def create_sockets(gtp: Gtp, family: int, local: bytes) -> None:
    """gtp_create_sockets(): its own. Refusal EADDRINUSE, EADDRNOTAVAIL."""
    for version, port in PORTS.items():
        try:
            if family == AF_INET6 and not any(local):
                udp.bind_both(gtp.net, port, gtp)
            else:
                udp.bind(gtp.net, family, port, gtp, local)
        except Refusal:
            release_sockets(gtp)
            raise
        gtp.sockets[version], gtp.created, gtp.local = UdpSocket(family, user=gtp), True, local


def take_sockets(gtp: Gtp, data: GtpParams, file_of: Callable[[int], object | None]) -> None:
    """gtp_encap_enable(): those of whoever asks. Refusal EINVAL, and those of take_socket()."""
    if data.fd0 is None and data.fd1 is None:
        raise Refusal(EINVAL)
    for version, number in ((GtpVersion.V0, data.fd0), (GtpVersion.V1, data.fd1)):
        if number is None or number >= NO_FILE:
            continue
        try:
            gtp.sockets[version] = take_socket(gtp, file_of(number))
        except Refusal:
            release_sockets(gtp)
            raise
    if len({socket.family for socket in gtp.sockets.values()}) > 1:
        release_sockets(gtp)
        raise Refusal(EINVAL)


def take_socket(gtp: Gtp, thing: object | None) -> UdpSocket:
    """gtp_encap_enable_socket(). Refusal EBADF, ENOTSOCK; EADDRNOTAVAIL for one of IPv6 that hears IPv4 too; EBUSY for
    one that is a tunnel's already."""
    if thing is None:
        raise Refusal(EBADF)
    if not isinstance(thing, UdpSocket):
        raise Refusal(ENOTSOCK)
    if thing.family == AF_INET6 and not thing.ipv6_only:
        raise Refusal(EADDRNOTAVAIL)
    if thing.user is not None:
        raise Refusal(EBUSY)
    thing.user = gtp
    return thing


def release_sockets(gtp: Gtp) -> None:
    """gtp_encap_disable()."""
    for version, socket in gtp.sockets.items():
        socket.user = None
        if gtp.created and socket.family == AF_INET6 and not any(gtp.local):
            udp.release_both(gtp.net, PORTS[GtpVersion(version)])
        elif gtp.created:
            udp.release(gtp.net, socket.family, PORTS[GtpVersion(version)], gtp.local)
    gtp.sockets.clear()
    gtp.created = False


# The device


class GtpOps(DeviceOps):
    """gtp_netdev_ops. There are no ethtool_ops."""

    has_rx_mode = False

    def uninit(self, dev: Device) -> None:
        release_sockets(state_of(dev))

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """gtp_dev_xmit(): whose frame it is nobody can say."""
        dev.stats.tx_errors += 1
        dev.changed()
        return Xmit.SUCCESS, None


def setup(dev: Device) -> None:
    """gtp_link_setup()."""
    dev.mtu = ETH_DATA_LEN - AROUND[AF_INET]
    dev.needed_headroom = LL_MAX_HEADER + AROUND[AF_INET]
    dev.type = int(ARPHRD.NONE)
    dev.flags = FLAGS
    dev.no_queue = True
    dev.priv = Gtp(dev, dev.net)


class GtpKind(Kind):
    """gtp_link_ops. There is neither changelink nor get_link_net."""

    name = NAME
    option = "GTP"
    ops = GtpOps()
    setup = staticmethod(setup)
    devtype = NAME
    params = GtpParams

    def validate(self, params: LinkParams) -> None:
        if params.data is None:
            raise Refusal(EINVAL)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """gtp_newlink(). Refusal EINVAL, ENOMEM, and those of sockets."""
        data: GtpParams = params.data
        gtp = state_of(dev)
        assert params.link_net is not None
        gtp.net = params.link_net
        if data.role is not None and data.role > GtpRole.SGSN:
            raise Refusal(EINVAL)
        gtp.role, gtp.restart_count = data.role or 0, data.restart_count or 0
        gtp.buckets = data.pdp_hashsize or HASH_SIZE
        if gtp.buckets > LARGEST:
            raise Refusal(ENOMEM)
        if data.create_sockets is None:
            take_sockets(gtp, data, params.file_of)
        elif data.local6 is not None:
            create_sockets(gtp, AF_INET6, data.local6)
        else:
            create_sockets(gtp, AF_INET, (data.local or 0).to_bytes(4, "big"))
        if any(socket.family == AF_INET6 for socket in gtp.sockets.values()):
            dev.mtu = ETH_DATA_LEN - AROUND[AF_INET6]
            dev.needed_headroom = LL_MAX_HEADER + AROUND[AF_INET6]
        try:
            register(dev)
        except Refusal:
            release_sockets(gtp)
            raise
        gtp.salt = salt(gtp.net)
        of_net(gtp.net).devices.insert(0, gtp)

    def del_link(self, dev: Device, kill: KillList) -> None:
        gtp = state_of(dev)
        gtp.by_ms.clear()
        gtp.by_number.clear()
        of_net(gtp.net).devices.remove(gtp)
        queue_unregister(dev, kill)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """gtp_net_exit_rtnl(): those whose sockets are there, wherever they are."""
        for gtp in tuple(of_net(net).devices):
            self.del_link(gtp.dev, kill)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        gtp = state_of(dev)
        return {"pdp_hashsize": gtp.buckets, "role": gtp.role, "restart_count": gtp.restart_count}


def salt(net: Net) -> int:
    """gtp_h_initval: the same for all tables of a machine."""
    generic = net.kernel.init_net.generic
    if "gtp_salt" not in generic:
        generic["gtp_salt"] = net.kernel.random.getrandbits(32)
    return cast("int", generic["gtp_salt"])


KIND = GtpKind()
