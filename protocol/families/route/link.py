"""Links: RTM_NEWLINK, DELLINK, GETLINK, SETLINK, NEWLINKPROP and DELLINKPROP.

One attribute set serves what is told and what is taken. The order is that of rtnl_fill_ifinfo() of
net/core/rtnetlink.c; what a request may hold is TAKEN, ifla_policy there: nests in it are opened later, with policies
of their own.
"""

from typing import Any

from nlemu.protocol.families.route.family import route
from nlemu.protocol.families.route.kinds import KINDS
from nlemu.protocol.families.route.link_af import AfSpec, Inet6Link
from nlemu.protocol.families.route.link_vf import Port, VfInfoList, VfPorts
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout, Stretch
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import (
    binary,
    chosen,
    nest,
    nul_string,
    s32,
    string,
    structure,
    u8,
    u16,
    u32,
    uint,
)
from nlemu.protocol.schema.link_kind import LINK
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.schema.structs import rtnl_link_ifmap, rtnl_link_stats, rtnl_link_stats64
from nlemu.protocol.uapi.if_ import ALTIFNAMSIZ, IFALIASZ, IFNAMSIZ, IfLinkMode, IfOper
from nlemu.protocol.uapi.if_link import XDP_FLAGS, IflaEvent, XdpAttached
from nlemu.protocol.uapi.netdevice import MAX_ADDR_LEN
from nlemu.protocol.uapi.rtnetlink import RTEXT_FILTER, RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE, AF_INET6, AF_UNSPEC

MAX_PHYS_ITEM_ID_LEN = 32
"""include/linux/netdevice.h"""
MAX_TCP_HEADER = 256
"""include/net/tcp.h, with the recorded machine's configuration: no segment can be smaller."""
MAX_TXQLEN = 0x7FFF
IFLA_MAX = 69
STRICT_FROM = 65
"""strict_start_type of ifla_policy."""
NESTED = nest(None)
"""A nest whose inside is not looked at by the policy of the message."""


class LinkInfo(AttrSet):
    """IFLA_INFO_*."""

    kind = Attr(1, string)
    data = Attr(2, chosen("kind", {name: kind.data for name, kind in KINDS.items() if kind.data}))
    xstats = Attr(3, binary)
    slave_kind = Attr(4, string)
    slave_data = Attr(5, chosen("slave-kind", {name: kind.slave for name, kind in KINDS.items() if kind.slave}))
    order = (kind, xstats, data, slave_kind, slave_data)


class Xdp(AttrSet):
    """IFLA_XDP_*."""

    fd = Attr(1, s32)
    attached = Attr(2, u8, shown=XdpAttached)
    flags = Attr(3, u32, shown=XDP_FLAGS)
    prog_id = Attr(4, u32)
    drv_prog_id = Attr(5, u32)
    skb_prog_id = Attr(6, u32)
    hw_prog_id = Attr(7, u32)
    expected_fd = Attr(8, s32)
    order = (skb_prog_id, drv_prog_id, hw_prog_id, attached, prog_id)


class ProtoDownReason(AttrSet):
    """IFLA_PROTO_DOWN_REASON_*."""

    mask = Attr(1, u32)
    value = Attr(2, u32)


class DevlinkHandle(AttrSet):
    """What a link tells of its devlink port: DEVLINK_ATTR_*."""

    bus_name = Attr(1, string)
    dev_name = Attr(2, string)
    port_index = Attr(3, u32)
    index = Attr(184, uint)
    order = (bus_name, dev_name, index, port_index)


class DpllPin(AttrSet):
    """What a link tells of the clock pin it is tied to: DPLL_A_PIN_*; no device here has one."""

    id = Attr(1, u32)


class PropList(AttrSet):
    """IFLA_PROP_LIST: the properties there are."""

    alt_ifname = Attr(53, string, multi=True)


class Link(AttrSet):
    """IFLA_*."""

    address = Attr(1, binary, length=MAX_ADDR_LEN)
    broadcast = Attr(2, binary, length=MAX_ADDR_LEN)
    ifname = Attr(3, string, length=IFNAMSIZ - 1)
    mtu = Attr(4, u32)
    link = Attr(5, u32)
    qdisc = Attr(6, string)
    stats = Attr(7, structure(rtnl_link_stats, "rtnl_link_stats"))
    master = Attr(10, u32)
    wireless = Attr(11, binary)
    protinfo = Attr(12, nest(Inet6Link, flagged=False))
    txqlen = Attr(13, u32, min=0, max=MAX_TXQLEN)
    map = Attr(14, structure(rtnl_link_ifmap, "rtnl_link_ifmap"))
    weight = Attr(15, u32)
    operstate = Attr(16, u8, shown=IfOper)
    linkmode = Attr(17, u8, shown=IfLinkMode)
    linkinfo = Attr(18, nest(LinkInfo, flagged=False))
    net_ns_pid = Attr(19, u32)
    ifalias = Attr(20, string)
    num_vf = Attr(21, u32)
    vfinfo_list = Attr(22, nest(VfInfoList, flagged=False))
    stats64 = Attr(23, structure(rtnl_link_stats64, "rtnl_link_stats64"))
    vf_ports = Attr(24, nest(VfPorts, flagged=False))
    port_self = Attr(25, nest(Port, flagged=False))
    af_spec = Attr(26, nest(AfSpec, flagged=False))
    group = Attr(27, u32)
    net_ns_fd = Attr(28, u32)
    ext_mask = Attr(29, u32, shown=RTEXT_FILTER)
    promiscuity = Attr(30, u32)
    num_tx_queues = Attr(31, u32)
    num_rx_queues = Attr(32, u32)
    carrier = Attr(33, u8)
    phys_port_id = Attr(34, binary, length=MAX_PHYS_ITEM_ID_LEN)
    carrier_changes = Attr(35, u32)
    phys_switch_id = Attr(36, binary, length=MAX_PHYS_ITEM_ID_LEN)
    link_netnsid = Attr(37, s32)
    phys_port_name = Attr(38, string)
    proto_down = Attr(39, u8)
    gso_max_segs = Attr(40, u32)
    gso_max_size = Attr(41, u32, min=MAX_TCP_HEADER + 1)
    xdp = Attr(43, nest(Xdp, flagged=False))
    event = Attr(44, u32, shown=IflaEvent)
    new_netnsid = Attr(45, s32)
    target_netnsid = Attr(46, s32)
    carrier_up_count = Attr(47, u32)
    carrier_down_count = Attr(48, u32)
    new_ifindex = Attr(49, s32, min=1)
    min_mtu = Attr(50, u32)
    max_mtu = Attr(51, u32)
    prop_list = Attr(52, nest(PropList))
    alt_ifname = Attr(53, string, length=ALTIFNAMSIZ - 1)
    perm_address = Attr(54, binary, reject="")
    proto_down_reason = Attr(55, nest(ProtoDownReason))
    parent_dev_name = Attr(56, nul_string)
    parent_dev_bus_name = Attr(57, string)
    gro_max_size = Attr(58, u32)
    tso_max_size = Attr(59, u32, reject="")
    tso_max_segs = Attr(60, u32, reject="")
    allmulti = Attr(61, u32, reject="")
    devlink_port = Attr(62, nest(DevlinkHandle))
    gso_ipv4_max_size = Attr(63, u32, min=MAX_TCP_HEADER + 1)
    gro_ipv4_max_size = Attr(64, u32)
    dpll_pin = Attr(65, nest(DpllPin))
    max_pacing_offload_horizon = Attr(66, uint)
    netns_immutable = Attr(67, u8, reject="")
    headroom = Attr(68, u16, reject="")
    tailroom = Attr(69, u16, reject="")

    order = (
        ifname, prop_list, target_netnsid, txqlen, operstate, linkmode, netns_immutable, mtu, min_mtu, max_mtu, group,
        promiscuity, allmulti, num_tx_queues, gso_max_segs, gso_max_size, gro_max_size, gso_ipv4_max_size,
        gro_ipv4_max_size, tso_max_size, tso_max_segs, max_pacing_offload_horizon, num_rx_queues, master, carrier,
        ifalias, carrier_changes, carrier_up_count, carrier_down_count, headroom, tailroom, proto_down,
        proto_down_reason, event, address, broadcast, phys_port_id, phys_port_name, phys_switch_id, stats64, stats,
        num_vf, vfinfo_list, vf_ports, port_self, xdp, linkinfo, new_netnsid, new_ifindex, perm_address, link_netnsid,
        link, qdisc, af_spec, map, parent_dev_name, parent_dev_bus_name, devlink_port, dpll_pin,
    )


OPENED_LATER = (
    Link.linkinfo, Link.vfinfo_list, Link.vf_ports, Link.port_self, Link.af_spec, Link.xdp, Link.prop_list,
    Link.proto_down_reason,
)
AS_THEY_ARE = (
    Link.ifname, Link.address, Link.broadcast, Link.map, Link.mtu, Link.link, Link.master, Link.carrier, Link.txqlen,
    Link.weight, Link.operstate, Link.linkmode, Link.net_ns_pid, Link.net_ns_fd, Link.ext_mask, Link.promiscuity,
    Link.num_tx_queues, Link.num_rx_queues, Link.gso_max_segs, Link.gso_max_size, Link.phys_port_id,
    Link.carrier_changes, Link.phys_switch_id, Link.link_netnsid, Link.proto_down, Link.event, Link.group,
    Link.target_netnsid, Link.carrier_up_count, Link.carrier_down_count, Link.min_mtu, Link.max_mtu, Link.alt_ifname,
    Link.perm_address, Link.new_ifindex, Link.parent_dev_name, Link.gro_max_size, Link.tso_max_size,
    Link.tso_max_segs, Link.allmulti, Link.gso_ipv4_max_size, Link.gro_ipv4_max_size, Link.netns_immutable,
    Link.headroom, Link.tailroom,
)
TAKEN = Policy(
    *AS_THEY_ARE,
    *(attr.but(kind=NESTED) for attr in OPENED_LATER),
    Link.ifalias.but(kind=binary, length=IFALIASZ - 1),  # not a string: an empty one takes the alias away
    top=IFLA_MAX,
    strict_from=STRICT_FROM,
)
"""ifla_policy."""

TAKEN_INFO = Policy(
    LinkInfo.kind, LinkInfo.data.but(kind=NESTED), LinkInfo.slave_kind, LinkInfo.slave_data.but(kind=NESTED)
)
"""ifla_info_policy."""

TAKEN_PROTO_DOWN_REASON = Policy(ProtoDownReason.mask, ProtoDownReason.value)
TAKEN_XDP = Policy(Xdp.fd, Xdp.expected_fd, Xdp.attached, Xdp.flags, Xdp.prog_id, top=8, strict_from=8)


def between(first: Attr[Any], last: Attr[Any]) -> Stretch:
    """The attributes of a link from one to another, as they are written."""
    return Stretch(*Link.order[Link.order.index(first) : Link.order.index(last) + 1])


SIZES = between(Link.txqlen, Link.num_rx_queues)
COUNTS = between(Link.carrier_changes, Link.proto_down)
STATS = between(Link.stats64, Link.stats)
MAP = between(Link.map, Link.map)
REPLY = Layout(*Link.order, stretches=(SIZES, COUNTS, STATS, MAP))
INET6_REPLY = Layout(Link.ifname, Link.address, Link.mtu, Link.link, Link.operstate, Link.protinfo)
"""inet6_fill_ifinfo() of net/ipv6/addrconf.c: what IPv6 tells of a link."""

SET = Half(TAKEN, level=LIBERAL)
BRIDGE_SET = Half(None, cut=None)
"""rtnl_bridge_setlink(), rtnl_bridge_dellink(): attributes are looked for one by one."""
UNSAID = ("pad", "type", "flags", "change")

NEWLINK = route.operation(
    RTM.NEWLINK, Link, fixed=LINK, replies=REPLY, registered={AF_UNSPEC: Registered(do=SET)}
)
DELLINK = route.operation(
    RTM.DELLINK, Link, fixed=LINK, replies=REPLY,
    registered={AF_UNSPEC: Registered(do=SET), AF_BRIDGE: Registered(do=BRIDGE_SET)},
)
GETLINK = route.operation(
    RTM.GETLINK, Link, fixed=LINK, replies=REPLY, reply_cmd=RTM.NEWLINK,
    registered={
        AF_UNSPEC: Registered(
            do=Half(
                TAKEN, level=LIBERAL, cut="Invalid header for get link",
                strict=Strict(
                    zero=UNSAID, nonzero="Invalid values in header for get link request",
                    allowed=(Link.ifname, Link.alt_ifname, Link.ext_mask, Link.target_netnsid),
                    unsupported="Unsupported attribute in get link request",
                ),
            ),
            dump=Half(
                TAKEN, level=LIBERAL, older=4, unless_strict=Unread.FORGIVEN, done_apart=True,
                strict=Strict(
                    cut="Invalid header for link dump",
                    zero=UNSAID, nonzero="Invalid values in header for link dump request",
                    check=lambda header: (
                        "Filter by device index not supported for link dumps" if header.index else None
                    ),
                ),
            ),
        ),
        AF_BRIDGE: Registered(
            dump=Half(
                TAKEN, level=LIBERAL, unless_strict=Unread.FORGIVEN, done_apart=True,
                strict=Strict(
                    cut="Invalid header for bridge link dump",
                    zero=(*UNSAID, "index"), nonzero="Invalid values in header for bridge link dump request",
                    allowed=(Link.ext_mask,), unsupported="Unsupported attribute in bridge link dump request",
                ),
            ),
        ),
        AF_INET6: Registered(
            dump=Half(
                None, unless_strict=Unread.IGNORED,
                strict=Strict(
                    cut="ipv6: Invalid header for link dump request", bare="ipv6: Invalid data after header",
                    check=lambda header: (
                        "ipv6: Invalid values in header for dump request" if any(header[1:]) else None
                    ),
                ),
            ),
        ),
    },
)
SETLINK = route.operation(
    RTM.SETLINK, Link, fixed=LINK,
    registered={AF_UNSPEC: Registered(do=SET), AF_BRIDGE: Registered(do=BRIDGE_SET)},
)
NEWLINKPROP = route.operation(
    RTM.NEWLINKPROP, Link, fixed=LINK, registered={AF_UNSPEC: Registered(do=Half(TAKEN))}
)
DELLINKPROP = route.operation(
    RTM.DELLINKPROP, Link, fixed=LINK, registered={AF_UNSPEC: Registered(do=Half(TAKEN))}
)
