"""The wireguard family: keys, peers and their addresses of WireGuard devices.

As Documentation/netlink/specs/wireguard.yaml of Linux 7.2 has it. The members of its lists all have the number 0.
"""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import array, binary, nest, nul_string, structure, u8, u16, u32, u64
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.wireguard import (
    WG_GENL_NAME,
    WG_GENL_VERSION,
    WG_KEY_LEN,
    WgallowedipFlag,
    WgCmd,
    WgdeviceFlag,
    WgpeerFlag,
)

SOCKADDR_IN = 16
"""sizeof(struct sockaddr_in)"""
TIMESPEC = structure("kernel_timespec" / c.Struct("sec" / c.Int64ul, "nsec" / c.Int64ul), "--kernel-timespec")
"""struct __kernel_timespec"""


class Wgallowedip(AttrSet):
    """WGALLOWEDIP_A_*, written as by get_allowedips()."""

    family = Attr(1, u16)
    ipaddr = Attr(2, binary, min=4)
    cidr_mask = Attr(3, u8)
    flags = Attr(4, u32, flags=WgallowedipFlag)
    order = (cidr_mask, family, ipaddr, flags)


ALLOWEDIP = Policy(*Wgallowedip.order, chosen_from=Wgallowedip)
"""wireguard_wgallowedip_nl_policy"""


class Wgpeer(AttrSet):
    """WGPEER_A_*, written as by get_peer()."""

    public_key = Attr(1, binary, min=WG_KEY_LEN, max=WG_KEY_LEN)
    preshared_key = Attr(2, binary, min=WG_KEY_LEN, max=WG_KEY_LEN)
    flags = Attr(3, u32, flags=WgpeerFlag)
    endpoint = Attr(4, binary, min=SOCKADDR_IN)
    persistent_keepalive_interval = Attr(5, u16)
    last_handshake_time = Attr(6, TIMESPEC)
    rx_bytes = Attr(7, u64)
    tx_bytes = Attr(8, u64)
    allowedips = Attr(9, array(nest(ALLOWEDIP), first=0, alike=True))
    protocol_version = Attr(10, u32)
    order = (
        public_key, preshared_key, last_handshake_time, persistent_keepalive_interval, tx_bytes, rx_bytes,
        protocol_version, endpoint, allowedips, flags,
    )


PEER = Policy(
    *(attr for attr in Wgpeer.order if attr is not Wgpeer.last_handshake_time),
    Wgpeer.last_handshake_time.but(kind=binary, min=TIMESPEC.size, max=TIMESPEC.size), chosen_from=Wgpeer,
)
"""wireguard_wgpeer_nl_policy"""


class Wgdevice(AttrSet):
    """WGDEVICE_A_*, written as by wg_get_device_dumpit()."""

    ifindex = Attr(1, u32)
    ifname = Attr(2, nul_string, length=IFNAMSIZ - 1)
    private_key = Attr(3, binary, min=WG_KEY_LEN, max=WG_KEY_LEN)
    public_key = Attr(4, binary, min=WG_KEY_LEN, max=WG_KEY_LEN)
    flags = Attr(5, u32, flags=WgdeviceFlag)
    listen_port = Attr(6, u16)
    fwmark = Attr(7, u32)
    peers = Attr(8, array(nest(PEER), first=0, alike=True))
    order = (listen_port, fwmark, ifindex, ifname, private_key, public_key, peers, flags)


wireguard = Family(WG_GENL_NAME, version=WG_GENL_VERSION, dump_flags=NLM_F.MULTI, option="WIREGUARD")

GET_DEVICE = wireguard.operation(
    WgCmd.GET_DEVICE,
    Wgdevice,
    dump=Half(Policy(Wgdevice.ifindex, Wgdevice.ifname), flags=GenlFlag.UNS_ADMIN_PERM),
    replies=Layout(*Wgdevice.order),
)
SET_DEVICE = wireguard.operation(
    WgCmd.SET_DEVICE, Wgdevice, do=Half(Policy(*Wgdevice.order), flags=GenlFlag.UNS_ADMIN_PERM)
)
