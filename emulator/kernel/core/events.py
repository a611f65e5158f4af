"""What happens to devices, and who is told.

Two kinds of telling, as in the kernel. A *notifier* is code inside the machine: it sits on the netdevice notifier
chain, is called in the order of its registration, and some of its calls may refuse (before a device comes up, before
its MTU changes). An *announcer* stands for user space: rtnetlink's and nsid's multicast messages that are not raised
through the chain but by the code that made the change, so that it can say what the chain cannot (the change mask, the
namespace a device went to). The model knows neither messages nor sockets: an announcer fills the message from the
device as it is at that moment, or does nothing when nobody listens.

`origin` is a token of whoever asked: the model hands it from the verb to the announcer and never looks inside.
None is the kernel's own doing (port id 0, no request).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import Entry, PortMulticast
    from nlemu.emulator.kernel.bridge.mdb import Group, PortGroup
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.core.uevents import Uevent
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devlink.instance import Instance as Devlink
    from nlemu.emulator.kernel.devlink.objects import Object
    from nlemu.emulator.kernel.inet.membership import Membership
    from nlemu.emulator.kernel.inet.neighbour import Neighbour
    from nlemu.emulator.kernel.inet.nexthop import Nexthop
    from nlemu.emulator.kernel.inet.rules import Rule
    from nlemu.emulator.kernel.ipv4.address import Address4
    from nlemu.emulator.kernel.ipv4.fib import Route4
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.anycast import Anycast
    from nlemu.emulator.kernel.ipv6.fib import Route6
    from nlemu.emulator.kernel.mpls.labels import LabelRoute
    from nlemu.emulator.kernel.queues.page_pool import PagePool, PagePoolEvent
    from nlemu.emulator.kernel.teaming.options import Instance
    from nlemu.emulator.kernel.teaming.team import Port, Team
    from nlemu.emulator.kernel.vxlan.mdb import GroupEntry, GroupRemote
    from nlemu.emulator.kernel.vxlan.vxlan import Remote, TunnelEntry, Vni
    from nlemu.protocol.uapi.devlink import DevlinkCmd
    from nlemu.protocol.uapi.hsr_netlink import HsrCmd

Origin = object
"""Who asked for a change; opaque to the model."""


class Stage(IntEnum):
    """Where on the notifier chain the parts of the kernel stand, which is the order in which they register at boot: by
    initcall level, and within a level by the order of linking. An announcement made on the chain is seen before those
    of every part that stands behind."""

    RTNETLINK = 0
    """core_initcall"""
    NETDEV = 1
    """subsys_initcall, net/core/netdev-genl.c"""
    PAGE_POOL = 2
    """subsys_initcall, net/core/page_pool_user.c"""
    ETHTOOL = 3
    """subsys_initcall, net/ethtool"""
    NEXTHOP = 4
    """subsys_initcall, net/ipv4/nexthop.c"""
    IPV4 = 5
    """fs_initcall, net/ipv4: arp, then devinet, then the routes"""
    XSK = 6
    """fs_initcall, net/xdp"""
    DRIVERS = 7
    """device_initcall, drivers come before net"""
    IPV6 = 8
    """device_initcall, net/ipv6"""
    BRIDGE = 9
    """device_initcall, net/bridge"""
    VLAN = 10
    """device_initcall, net/8021q"""
    MPLS = 11
    """device_initcall, net/mpls"""
    HSR = 12
    """device_initcall, net/hsr"""
    LATE = 13
    """late_initcall, drivers/net/vxlan"""


class NetdevEvent(IntEnum):
    """enum netdev_cmd of include/linux/netdevice.h."""

    UP = 1
    DOWN = 2
    REBOOT = 3
    CHANGE = 4
    REGISTER = 5
    UNREGISTER = 6
    CHANGEMTU = 7
    CHANGEADDR = 8
    PRE_CHANGEADDR = 9
    GOING_DOWN = 10
    CHANGENAME = 11
    FEAT_CHANGE = 12
    BONDING_FAILOVER = 13
    PRE_UP = 14
    PRE_TYPE_CHANGE = 15
    POST_TYPE_CHANGE = 16
    POST_INIT = 17
    PRE_UNINIT = 18
    RELEASE = 19
    NOTIFY_PEERS = 20
    JOIN = 21
    CHANGEUPPER = 22
    RESEND_IGMP = 23
    PRECHANGEMTU = 24
    CHANGEINFODATA = 25
    BONDING_INFO = 26
    PRECHANGEUPPER = 27
    CHANGELOWERSTATE = 28
    UDP_TUNNEL_PUSH_INFO = 29
    UDP_TUNNEL_DROP_INFO = 30
    CHANGE_TX_QUEUE_LEN = 31
    CVLAN_FILTER_PUSH_INFO = 32
    CVLAN_FILTER_DROP_INFO = 33
    SVLAN_FILTER_PUSH_INFO = 34
    SVLAN_FILTER_DROP_INFO = 35
    OFFLOAD_XSTATS_ENABLE = 36
    OFFLOAD_XSTATS_DISABLE = 37
    OFFLOAD_XSTATS_REPORT_USED = 38
    OFFLOAD_XSTATS_REPORT_DELTA = 39
    XDP_FEAT_CHANGE = 40


@dataclass(slots=True)
class Info:
    """What comes with an event beside the device (struct netdev_notifier_*info)."""

    flags_changed: int = 0
    mtu: int = 0
    address: bytes = b""
    upper: Device | None = None
    """Of PRECHANGEUPPER and CHANGEUPPER: the device above; ``master``: whether it is the master; ``linking``:
    whether they come together, or part."""
    master: bool = False
    linking: bool = False


Notifier = Callable[[NetdevEvent, "Device", Info], None]
"""Raises Refusal to veto where the verb asks (PRE_UP, PRECHANGEMTU, PRE_CHANGEADDR, REGISTER, POST_INIT)."""


class Announcer(Protocol):
    """Announcements to user space that the model makes outside the notifier chain."""

    def link_new(self, dev: Device, change: int, *, event: int = 0, new_nsid: int | None = None,
                 new_ifindex: int = 0, origin: Origin | None = None) -> None:
        """RTM_NEWLINK to RTNLGRP_LINK (rtmsg_ifinfo(), rtmsg_ifinfo_newnet()). change: ifi_change; event: IFLA_EVENT_*,
        shown unless 0; new_nsid, new_ifindex: IFLA_NEW_NETNSID and IFLA_NEW_IFINDEX, unless None and 0."""

    def link_going(self, dev: Device, change: int, *, event: int = 0, new_nsid: int | None = None,
                   new_ifindex: int = 0, origin: Origin | None = None) -> Callable[[], None]:
        """RTM_DELLINK, built from the device as it is now (rtmsg_ifinfo_build_skb()); the answer, when called, sends it
        to the namespace the device was in when it was built."""

    def link6(self, dev: Device) -> None:
        """RTM_NEWLINK to RTNLGRP_IPV6_IFINFO: IPv6 is ready, or has a new token (inet6_ifinfo_notify())."""

    def nsid_new(self, net: Net, nsid: int, *, origin: Origin | None = None) -> None:
        """RTM_NEWNSID in net: it knows another namespace by nsid from now on (rtnl_net_notifyid())."""

    def nsid_del(self, net: Net, nsid: int, *, origin: Origin | None = None) -> None:
        """RTM_DELNSID in net: the id no longer stands for a namespace."""

    def address4(self, event: int, ifa: Address4, *, origin: Origin | None = None) -> None:
        """RTM_NEWADDR or RTM_DELADDR to RTNLGRP_IPV4_IFADDR (rtmsg_ifa())."""

    def address6(self, event: int, ifa: Address6) -> None:
        """The same to RTNLGRP_IPV6_IFADDR (inet6_ifa_notify())."""

    def route4(self, net: Net, event: int, route: Route4, *, nlflags: int = 0,
               origin: Origin | None = None) -> None:
        """RTM_NEWROUTE or RTM_DELROUTE to RTNLGRP_IPV4_ROUTE (rtmsg_fib()). nlflags: the message's."""

    def route6(self, net: Net, event: int, route: Route6, *, nlflags: int = 0,
               origin: Origin | None = None) -> None:
        """The same to RTNLGRP_IPV6_ROUTE (inet6_rt_notify())."""

    def label_route(self, net: Net, event: int, label: int, route: LabelRoute, *, nlflags: int = 0,
                    origin: Origin | None = None) -> None:
        """The same to RTNLGRP_MPLS_ROUTE (rtmsg_lfib())."""

    def group4(self, event: int, dev: Device, group: int, membership: Membership) -> None:
        """RTM_NEWMULTICAST or RTM_DELMULTICAST to RTNLGRP_IPV4_MCADDR (inet_ifmcaddr_notify())."""

    def group6(self, event: int, dev: Device, group: int, membership: Membership) -> None:
        """The same to RTNLGRP_IPV6_MCADDR (inet6_ifmcaddr_notify())."""

    def anycast6(self, event: int, dev: Device, address: int, found: Anycast) -> None:
        """RTM_NEWANYCAST or RTM_DELANYCAST to RTNLGRP_IPV6_ACADDR (inet6_ifacaddr_notify())."""

    def rule(self, net: Net, event: int, rule: Rule, *, origin: Origin | None = None) -> None:
        """RTM_NEWRULE or RTM_DELRULE to RTNLGRP_IPV4_RULE (notify_rule_change())."""

    def neighbour(self, event: int, entry: Neighbour, *, portid: int = 0) -> None:
        """RTM_NEWNEIGH or RTM_DELNEIGH to RTNLGRP_NEIGH (__neigh_notify())."""

    def bridge_link(self, event: int, dev: Device) -> None:
        """RTM_NEWLINK or RTM_DELLINK of AF_BRIDGE to RTNLGRP_LINK: a port, or a bridge (br_ifinfo_notify())."""

    def fdb(self, event: int, dev: Device, entry: Entry) -> None:
        """RTM_NEWNEIGH or RTM_DELNEIGH of AF_BRIDGE to RTNLGRP_NEIGH: of the table of that bridge (fdb_notify())."""

    def tunnel_fdb(self, event: int, dev: Device, entry: TunnelEntry, remote: Remote | None) -> None:
        """The same of a VXLAN, with one of the entry's remotes (vxlan_fdb_notify())."""

    def vni(self, event: int, dev: Device, vni: Vni) -> None:
        """RTM_NEWTUNNEL or RTM_DELTUNNEL to RTNLGRP_TUNNEL: of what a VXLAN filters (vxlan_vnifilter_notify())."""

    def mdb(self, event: int, dev: Device, group: Group, port_group: PortGroup | None) -> None:
        """RTM_NEWMDB or RTM_DELMDB to RTNLGRP_MDB: of a port, or of the bridge itself (br_mdb_notify())."""

    def mdb_router(self, event: int, dev: Device, pmctx: PortMulticast) -> None:
        """The same: behind a port there is a multicast router, or none any more (br_rtr_notify())."""

    def vxlan_mdb(self, event: int, dev: Device, entry: GroupEntry, remote: GroupRemote) -> None:
        """RTM_NEWMDB or RTM_DELMDB to RTNLGRP_MDB: of a VXLAN (vxlan_mdb_remote_notify())."""

    def bridge_vlan_global(self, dev: Device, vid: int, last: int) -> None:
        """RTM_NEWVLAN to RTNLGRP_BRVLAN: of a VLAN of a bridge, or of several (br_vlan_global_opts_notify())."""

    def bridge_vlan(self, event: int, dev: Device, vid: int, last: int = 0) -> None:
        """RTM_NEWVLAN or RTM_DELVLAN to RTNLGRP_BRVLAN: of a port or a bridge (br_vlan_notify())."""

    def nexthop(self, net: Net, event: int, one: Nexthop, *, origin: Origin | None = None) -> None:
        """RTM_NEWNEXTHOP or RTM_DELNEXTHOP to RTNLGRP_NEXTHOP (nexthop_notify())."""

    def nexthop_bucket(self, net: Net, event: int, one: Nexthop, index: int) -> None:
        """RTM_NEWNEXTHOPBUCKET to RTNLGRP_NEXTHOP: of a resilient group (nexthop_bucket_notify())."""

    def hw_stats(self, dev: Device) -> None:
        """RTM_NEWSTATS to RTNLGRP_STATS: whether hardware counts for a device (rtnl_offload_xstats_notify())."""

    def netconf(self, net: Net, event: int, family: int, ifindex: int, conf: object,
                fields: Iterable[object] | None = None) -> None:
        """RTM_NEWNETCONF or RTM_DELNETCONF to the family's group (inet_netconf_notify_devconf()). conf: the settings;
        fields: those that are told, None for all."""

    def uevent(self, net: Net, event: Uevent) -> None:
        """An uevent to those of the namespace."""

    def ethtool(self, dev: Device, message: int, context: int = 0) -> None:
        """ETHTOOL_MSG_*_NTF (KernelMsg): a setting was made otherwise than by netlink (ethtool_notify()). context: the
        one that it is about, where there are some (ethtool_rss_notify())."""

    def page_pool(self, event: PagePoolEvent, pool: PagePool) -> None:
        """NETDEV_CMD_PAGE_POOL_*_NTF in the namespace of the pool's device (netdev_nl_page_pool_event())."""

    def team_options(self, team: Team, chosen: list[Instance]) -> bool:
        """TEAM_CMD_OPTIONS_GET, told: options that changed, or were set; whether anybody heard of it."""

    def team_port(self, team: Team, port: Port) -> bool:
        """TEAM_CMD_PORT_LIST_GET, told: a port that came, went, or has another link; whether anybody heard of it."""

    def devlink(self, instance: Devlink, command: DevlinkCmd, thing: Object) -> None:
        """DEVLINK_CMD_*_NEW and _DEL in the namespace of the instance, about one of its objects or itself."""

    def hsr(self, net: Net, command: HsrCmd, address: bytes, ifindex: int | None = None) -> None:
        """HSR_C_RING_ERROR with the index of a port, or HSR_C_NODE_DOWN: of the node of that address."""


def _silent() -> None:
    pass


class NullAnnouncer(Announcer):
    """Announces nothing: nothing listens yet."""

    def link_new(self, dev: Device, change: int, *, event: int = 0, new_nsid: int | None = None,
                 new_ifindex: int = 0, origin: Origin | None = None) -> None:
        pass

    def link_going(self, dev: Device, change: int, *, event: int = 0, new_nsid: int | None = None,
                   new_ifindex: int = 0, origin: Origin | None = None) -> Callable[[], None]:
        return _silent

    def link6(self, dev: Device) -> None:
        pass

    def nsid_new(self, net: Net, nsid: int, *, origin: Origin | None = None) -> None:
        pass

    def nsid_del(self, net: Net, nsid: int, *, origin: Origin | None = None) -> None:
        pass

    def address4(self, event: int, ifa: Address4, *, origin: Origin | None = None) -> None:
        pass

    def address6(self, event: int, ifa: Address6) -> None:
        pass

    def route4(self, net: Net, event: int, route: Route4, *, nlflags: int = 0,
               origin: Origin | None = None) -> None:
        pass

    def route6(self, net: Net, event: int, route: Route6, *, nlflags: int = 0,
               origin: Origin | None = None) -> None:
        pass

    def label_route(self, net: Net, event: int, label: int, route: LabelRoute, *, nlflags: int = 0,
                    origin: Origin | None = None) -> None:
        pass

    def group4(self, event: int, dev: Device, group: int, membership: Membership) -> None:
        pass

    def group6(self, event: int, dev: Device, group: int, membership: Membership) -> None:
        pass

    def anycast6(self, event: int, dev: Device, address: int, found: Anycast) -> None:
        pass

    def rule(self, net: Net, event: int, rule: Rule, *, origin: Origin | None = None) -> None:
        pass

    def neighbour(self, event: int, entry: Neighbour, *, portid: int = 0) -> None:
        pass

    def bridge_link(self, event: int, dev: Device) -> None:
        pass

    def fdb(self, event: int, dev: Device, entry: Entry) -> None:
        pass

    def tunnel_fdb(self, event: int, dev: Device, entry: TunnelEntry, remote: Remote | None) -> None:
        pass

    def vni(self, event: int, dev: Device, vni: Vni) -> None:
        pass

    def mdb(self, event: int, dev: Device, group: Group, port_group: PortGroup | None) -> None:
        pass

    def mdb_router(self, event: int, dev: Device, pmctx: PortMulticast) -> None:
        pass

    def vxlan_mdb(self, event: int, dev: Device, entry: GroupEntry, remote: GroupRemote) -> None:
        pass

    def bridge_vlan_global(self, dev: Device, vid: int, last: int) -> None:
        pass

    def bridge_vlan(self, event: int, dev: Device, vid: int, last: int = 0) -> None:
        pass

    def nexthop(self, net: Net, event: int, one: Nexthop, *, origin: Origin | None = None) -> None:
        pass

    def nexthop_bucket(self, net: Net, event: int, one: Nexthop, index: int) -> None:
        pass

    def hw_stats(self, dev: Device) -> None:
        pass

    def netconf(self, net: Net, event: int, family: int, ifindex: int, conf: object,
                fields: Iterable[object] | None = None) -> None:
        pass

    def uevent(self, net: Net, event: Uevent) -> None:
        pass

    def ethtool(self, dev: Device, message: int, context: int = 0) -> None:
        pass

    def page_pool(self, event: PagePoolEvent, pool: PagePool) -> None:
        pass

    def team_options(self, team: Team, chosen: list[Instance]) -> bool:
        return False

    def team_port(self, team: Team, port: Port) -> bool:
        return False

    def devlink(self, instance: Devlink, command: DevlinkCmd, thing: Object) -> None:
        pass

    def hsr(self, net: Net, command: HsrCmd, address: bytes, ifindex: int | None = None) -> None:
        pass
