"""vrf: domains of routing, as devices (drivers/net/vrf.c).

A VRF has a table of routes. Devices become its slaves, and are then in its domain: routes of their addresses are in
that table and nowhere else, and what leaves by them is looked up there. To have it so a device that comes or goes is
taken down and up again, so that it loses what it loses then: IPv6 its addresses, both what user space routed through
it.

With the first VRF of a namespace come rules that lead each packet to the table of its domain, one for each family that
has rules; they stay. Several VRFs may share a table unless net.vrf.strict_mode says otherwise, which cannot be said
while some do.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from errno import EBUSY, EINVAL, ENODEV, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING, Any, ClassVar

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import adjacency, features, flags, l3mdev
from nlemu.emulator.kernel.devices.address import (
    check_new_address,
    ether_setup,
    randomize_address,
    set_ethernet_mac,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register, unregister
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv6 import lookup, packets
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF, IfOper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

UP = int(IFF.UP)
FLAGS = int(IFF.MASTER | IFF.NOARP)
IPV6_MIN_MTU = 1280
IP6_MAX_MTU = 0xFFFF + 40
"""All that a packet of IPv6 can hold, and its header."""
FEATURES = (
    features.VLAN_CHALLENGED
    | features.GSO_SOFTWARE
    | features.RXCSUM
    | features.HW_CSUM
    | features.SCTP_CRC
    | features.SG
    | features.FRAGLIST
    | features.HIGHDMA
)
STRICT_MODE = "vrf/strict_mode"


@dataclass(slots=True)
class VrfParams:
    """IFLA_INFO_DATA of a VRF; None: it was not there."""

    table: int | None = None


@dataclass(slots=True, eq=False)
class Vrf:
    """struct net_vrf. mapped: it is known by its table."""

    table: int = 0
    mapped: bool = False


class VrfOps(DeviceOps):
    """vrf_netdev_ops, vrf_l3mdev_ops and vrf_ethtool_ops."""

    driver = "vrf"
    driver_version = "1.1"
    has_rx_mode = False

    def init(self, dev: Device) -> None:
        dev.kernel.new_fib_table(dev.net, dev.priv.table)
        dev.flags = FLAGS
        dev.operstate = IfOper.UP

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)

    def add_slave(self, dev: Device, slave: Device) -> None:
        """vrf_add_slave(): EINVAL, EOPNOTSUPP, and what the chain refuses."""
        if l3mdev.is_master(slave):
            raise Refusal(EINVAL, "Can not enslave an L3 master device to a VRF")
        if l3mdev.master_of(slave) is not None:
            raise Refusal(EINVAL)
        if slave is dev.net.loopback:
            raise Refusal(EOPNOTSUPP, "Can not enslave loopback device to a VRF")
        adjacency.link(slave, dev, master=True)
        cycle(slave)

    def del_slave(self, dev: Device, slave: Device) -> None:
        """do_vrf_del_slave()."""
        adjacency.unlink(slave, dev)
        cycle(slave)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """vrf_xmit(), vrf_process_v6_outbound(): a packet of IPv6 goes where the domain's routes lead."""
        sending = dev.kernel.sending
        if sending is None or sending.family != ip6.AF_INET6:
            return Xmit.SUCCESS, None
        source = lookup.select_source(dev.net, dev, sending.group)
        try:
            way = lookup.find_way(dev.net, Flow(sending.group, source or 0, l3mdev=dev.ifindex))
        except Refusal:
            xmit = Xmit.DROP
        else:
            xmit = Xmit.DROP if way.dev is None or way.dev is dev else packets.pass_on(way.dev, sending)
        dev.changed()
        if xmit == Xmit.DROP:
            dev.stats.tx_errors += 1
            dev.stats.tx_dropped += 1
        else:
            dev.stats.sent(size)
        return xmit, None

    def fib_table(self, dev: Device) -> int:
        table: int = dev.priv.table
        return table


OPS = VrfOps()


def cycle(dev: Device) -> None:
    """cycle_netdev(): down and up again, if it is up."""
    if not dev.running:
        return
    wanted = dev.flags
    with suppress(Refusal):
        flags.change_flags(dev, wanted & ~UP)
        flags.change_flags(dev, wanted)


def setup(dev: Device) -> None:
    """vrf_setup()."""
    ether_setup(dev)
    randomize_address(dev)
    dev.netns_immutable = True
    dev.features = dev.hw_features = FEATURES
    dev.no_queue = dev.no_rx_handler = True
    dev.live_address_change = True
    dev.min_mtu = IPV6_MIN_MTU
    dev.mtu = dev.max_mtu = IP6_MAX_MTU
    dev.priv = Vrf()


def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
    """vrf_device_event(): a slave goes, or leaves its namespace."""
    master = dev.master
    if master is not None and master.ops is OPS:
        OPS.del_slave(master, dev)


def tables(net: Net) -> list[int]:
    """The tables of the VRFs of a namespace, as often as VRFs have them (vrf_map)."""
    return [dev.priv.table for dev in net if dev.ops is OPS and dev.priv.mapped]


def check_table(net: Net, table: int) -> None:
    """vrf_ifindex_lookup_by_table_id(), for a tunnel that ends in that table: EPERM, ENODEV, with the texts of
    __seg6_end_dt_vrf_build()."""
    if net.sysctls.get(STRICT_MODE, "0") != "1":
        raise Refusal(EPERM, "Strict mode for VRF is disabled")
    if table not in tables(net):
        raise Refusal(ENODEV, "Table has no associated VRF device")


def set_strict_mode(net: Net, mode: int) -> None:
    """vrf_shared_table_handler(), vrf_strict_mode_change(): EINVAL, EBUSY."""
    if mode not in (0, 1):
        raise Refusal(EINVAL)
    known = tables(net)
    if mode and len(set(known)) != len(known):
        raise Refusal(EBUSY)


class VrfKind(Kind):
    """vrf_link_ops. There is no changelink."""

    name = "vrf"
    option = "NET_VRF"
    ops = OPS
    setup = staticmethod(setup)
    params = VrfParams
    notifiers = ((Stage.DRIVERS, follow, frozenset({NetdevEvent.UNREGISTER})),)
    sysctls: ClassVar[Mapping[str, Callable[[Net, int], None]]] = {STRICT_MODE: set_strict_mode}

    def validate(self, params: LinkParams) -> None:
        """vrf_validate(): EINVAL, EADDRNOTAVAIL."""
        try:
            check_new_address(params.address)
        except Refusal as refused:
            raise Refusal(refused.errno, "Invalid hardware address") from refused

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """vrf_newlink(): EINVAL, EBUSY."""
        data: VrfParams | None = params.data
        if data is None or data.table is None:
            raise Refusal(EINVAL, "VRF table id is missing")
        if not data.table:
            raise Refusal(EINVAL, "Invalid VRF table id", at="table")
        dev.priv.table = data.table
        register(dev)
        if dev.net.sysctls.get(STRICT_MODE, "0") == "1" and data.table in tables(dev.net):
            unregister(dev)
            raise Refusal(EBUSY, "Table is used by another VRF")
        dev.priv.mapped = True
        dev.kernel.lead_to_domains(dev.net)

    def del_link(self, dev: Device, kill: KillList) -> None:
        """vrf_dellink()."""
        for slave in tuple(dev.lowers):
            OPS.del_slave(dev, slave)
        dev.priv.mapped = False
        queue_unregister(dev, kill)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        return {"table": dev.priv.table}

    def fill_slave_info(self, dev: Device, slave: Device) -> Mapping[str, Any]:
        return {"table": dev.priv.table}


KIND = VrfKind()
