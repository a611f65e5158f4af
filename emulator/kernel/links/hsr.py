"""hsr: a master of two slaves that sends all by both, and takes what comes in once: HSR, and PRP (net/hsr).

The device has the address of its first slave and room for its tag below their MTUs, and is up while one of its slaves
is. It says so itself: its operational state is that of its slaves, whatever its carrier was. A third port, the
interlink, leads to nodes without the protocol. A slave that goes leaves the device behind, the last one takes it along.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from errno import EINVAL
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import (
    adjacency,
    features,
    flags,
    link_watch,
    rx_handler,
    rx_mode,
    settings,
)
from nlemu.emulator.kernel.devices.address import ether_setup, randomize_address
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.links import delete_links
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register, unregister
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.hsr import forward, timers
from nlemu.emulator.kernel.hsr.hsr import (
    HSR_HLEN,
    KEY,
    SLAVES,
    SUPERVISION,
    Hsr,
    Port,
    PortType,
    Version,
    port_of,
    state_of,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF, IfOper
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_DATA_LEN
from nlemu.protocol.uapi.if_link import HsrProtocol
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.devices.device import Device

ALLMULTI = int(IFF.ALLMULTI)
LOOPBACK = int(IFF.LOOPBACK)
CTAG_FILTER = features.word(NetifF.HW_VLAN_CTAG_FILTER)
FEATURES = (
    features.SG
    | features.FRAGLIST
    | features.HIGHDMA
    | features.GSO_MASK
    | features.HW_CSUM
    | features.word(NetifF.HW_VLAN_CTAG_TX)
    | CTAG_FILTER
)


@dataclass(slots=True)
class HsrParams:
    """IFLA_INFO_DATA of such a device; None: it was not there. supervision_addr, seq_nr: not looked at."""

    slave1: int | None = None
    slave2: int | None = None
    multicast_spec: int | None = None
    supervision_addr: bytes | None = None
    seq_nr: int | None = None
    version: int | None = None
    protocol: int | None = None
    interlink: int | None = None


class HsrOps(DeviceOps):
    """hsr_device_ops. There is no ndo_set_mac_address, and there are no ethtool_ops."""

    def stop(self, dev: Device) -> None:
        """hsr_dev_close(): the slaves lose what they let in for it."""
        for port in state_of(dev).slaves:
            if port.type in SLAVES:
                rx_mode.unsync(port.dev, port.given)
                rx_mode.unsync_groups(port.dev, dev, port.groups_given)

    def set_rx_mode(self, dev: Device) -> None:
        """hsr_set_rx_mode()."""
        for port in state_of(dev).slaves:
            if port.type in SLAVES:
                rx_mode.sync_groups(port.dev, dev, port.groups_given)
                rx_mode.sync(port.dev, dev, port.given)

    def change_rx_flags(self, dev: Device, change: int) -> None:
        """hsr_change_rx_flags()."""
        for port in state_of(dev).slaves:
            if port.type in SLAVES and change & ALLMULTI:
                rx_mode.change_allmulti(port.dev, 1 if dev.flags & ALLMULTI else -1)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        """hsr_dev_change_mtu(): EINVAL."""
        if mtu > max_mtu(state_of(dev)):
            raise Refusal(EINVAL)
        dev.mtu = mtu

    def fix_features(self, dev: Device, features_: int) -> int:
        """hsr_features_recompute(): the device is among its own ports."""
        mask = features_
        features_ &= ~features.ONE_FOR_ALL
        for port in state_of(dev).ports:
            features_ = features.increment(features_, port.dev.features, mask)
        return features_

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """hsr_dev_xmit()."""
        master = state_of(dev).port(PortType.MASTER)
        if master is None:
            dev.stats.tx_dropped += 1
        else:
            forward.forward(master, forward.Frame(dev.address, size))
        return Xmit.SUCCESS, None


OPS = HsrOps()


def setup(dev: Device) -> None:
    """hsr_dev_setup()."""
    ether_setup(dev)
    randomize_address(dev)
    dev.min_mtu = 0
    dev.no_queue = True
    dev.netns_immutable = True
    dev.features = dev.hw_features = FEATURES
    dev.priv = Hsr(dev)


def max_mtu(hsr: Hsr) -> int:
    """hsr_get_max_mtu()."""
    return max(min([ETH_DATA_LEN, *(port.dev.mtu for port in hsr.slaves)]) - HSR_HLEN, 0)


# Ports


def check_slave(dev: Device) -> None:
    """hsr_check_dev_ok(): EINVAL."""
    if dev.flags & LOOPBACK or dev.type != ARPHRD.ETHER or dev.addr_len != ETH_ALEN:
        raise Refusal(EINVAL, "hsr: Cannot use loopback or non-ethernet device as HSR slave.")
    if dev.ops is OPS:
        raise Refusal(EINVAL, "hsr: Cannot create trees of HSR devices.")
    if port_of(dev) is not None:
        raise Refusal(EINVAL, "hsr: This device is already a HSR slave.")
    if dev.kind is not None and dev.kind.name == "vlan":
        raise Refusal(EINVAL, "hsr: HSR on top of VLAN is not yet supported in this driver.")


def add_port(hsr: Hsr, dev: Device, kind: PortType) -> None:
    """hsr_add_port(): what a device cannot be, and what its chain refuses."""
    if kind != PortType.MASTER:
        check_slave(dev)
    port = Port(hsr, dev, kind, dev.address)
    hsr.ports.append(port)
    hsr.dev.changed()
    if kind != PortType.MASTER:
        try:
            _join(port)
        except Refusal:
            hsr.ports.remove(port)
            raise
    _adapt(hsr)


def _join(port: Port) -> None:
    """hsr_portdev_setup()."""
    dev, master = port.dev, port.hsr.dev
    flags.set_promiscuity(dev, 1)
    linked = False
    try:
        adjacency.link(dev, master, master=True)
        linked = True
        rx_handler.register(dev, forward.arrive)
    except Refusal:
        if linked:
            adjacency.unlink(dev, master)
        flags.set_promiscuity(dev, -1)
        raise
    dev.attach(KEY, port)
    features.disable(dev, features.LRO)


def _adapt(hsr: Hsr) -> None:
    """The device follows its ports: features, MTU. One that is not registered yet has no MTU to be set."""
    features.update_features(hsr.dev)
    with suppress(Refusal):
        settings.set_mtu(hsr.dev, max_mtu(hsr))


def delete_port(port: Port) -> None:
    """hsr_del_port()."""
    hsr, dev = port.hsr, port.dev
    hsr.ports.remove(port)
    hsr.dev.changed()
    if port.type == PortType.MASTER:
        return
    _adapt(hsr)
    dev.attach(KEY, None)
    rx_handler.unregister(dev)
    flags.set_promiscuity(dev, -1)
    adjacency.unlink(dev, hsr.dev)
    if hsr.protocol == HsrProtocol.PRP and port.type == PortType.SLAVE_B:
        set_address(dev, port.address)


def delete_ports(hsr: Hsr) -> None:
    """hsr_del_ports()."""
    for kind in (PortType.SLAVE_A, PortType.SLAVE_B, PortType.INTERLINK, PortType.MASTER):
        port = hsr.port(kind)
        if port is not None:
            delete_port(port)


def set_address(dev: Device, address: bytes) -> None:
    """eth_hw_addr_set(), and the chain is told."""
    dev.address = address
    dev.changed()
    dev.kernel.notify(NetdevEvent.CHANGEADDR, dev)


# Following the slaves


def follow_state(hsr: Hsr) -> None:
    """hsr_check_carrier_and_operstate(): the device is up while a slave is."""
    dev = hsr.dev
    carrier = any(port.dev.up and timers.is_oper_up(port.dev) for port in hsr.slaves)
    if carrier:
        link_watch.carrier_on(dev)
    else:
        link_watch.carrier_off(dev)
    if not dev.up:
        link_watch.set_operstate(dev, IfOper.DOWN)
    else:
        link_watch.set_operstate(dev, IfOper.UP if carrier else IfOper.LOWERLAYERDOWN)
    timers.check_announce(hsr)


def follow_address(port: Port) -> None:
    """A slave has another address: the first gives it to the device, and of PRP to the second."""
    hsr, dev = port.hsr, port.dev
    second = hsr.port(PortType.SLAVE_B)
    if port.type == PortType.SLAVE_A:
        set_address(hsr.dev, dev.address)
        if hsr.protocol == HsrProtocol.PRP and second is not None:
            set_address(second.dev, dev.address)
    hsr.self_addresses = hsr.dev.address, (hsr.dev if second is None else second.dev).address


OF_STATE = (NetdevEvent.UP, NetdevEvent.DOWN, NetdevEvent.CHANGE)
HEEDED = frozenset({
    NetdevEvent.CHANGEADDR, NetdevEvent.CHANGEMTU, NetdevEvent.UNREGISTER, NetdevEvent.PRE_TYPE_CHANGE, *OF_STATE,
})


def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
    """hsr_netdev_notify(): something happens to a slave, or to the device itself."""
    port = port_of(dev)
    if port is None:
        port = state_of(dev).port(PortType.MASTER) if dev.ops is OPS else None
        if port is None:
            return
    hsr = port.hsr
    if event in OF_STATE:
        follow_state(hsr)
    elif event == NetdevEvent.PRE_TYPE_CHANGE:
        raise Refusal(EINVAL)
    elif port.type == PortType.MASTER:
        return
    elif event == NetdevEvent.CHANGEADDR:
        follow_address(port)
    elif event == NetdevEvent.CHANGEMTU:
        hsr.dev.mtu = max_mtu(hsr)
        hsr.dev.changed()
    else:
        delete_port(port)
        if not hsr.slaves:
            delete_links([hsr.dev])


class HsrKind(Kind):
    """hsr_link_ops. There is no changelink."""

    name = "hsr"
    option = "HSR"
    ops = OPS
    setup = staticmethod(setup)
    devtype = "hsr"
    params = HsrParams
    notifiers = ((Stage.HSR, follow, HEEDED),)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """hsr_newlink(): EINVAL, in words."""
        data: HsrParams | None = params.data
        if params.link_net is not dev.net:
            raise Refusal(EINVAL, "hsr: HSR slaves/interlink must be on the same net namespace than HSR link")
        if data is None:
            raise Refusal(EINVAL, "hsr: No slave devices specified")
        slaves = [
            self._named(dev, index, f"hsr: Slave{number} device not specified", f"hsr: Slave{number} does not exist")
            for number, index in enumerate((data.slave1, data.slave2), 1)
        ]
        if slaves[0] is slaves[1]:
            raise Refusal(EINVAL, "hsr: Slave1 and Slave2 are same")
        if data.interlink is not None:
            interlink = self._named(dev, data.interlink, "", "hsr: Interlink does not exist")
            for number, slave in enumerate(slaves, 1):
                if interlink is slave:
                    raise Refusal(EINVAL, f"hsr: Interlink and Slave{number} are the same")
            slaves.append(interlink)
        hsr = state_of(dev)
        hsr.version = self._version(data)
        hsr.supervision = SUPERVISION[:-1] + bytes([data.multicast_spec or 0])
        self._finalize(hsr, slaves)

    def _named(self, dev: Device, index: int | None, missing: str, unknown: str) -> Device:
        if index is None:
            raise Refusal(EINVAL, missing)
        found = dev.net.device(index)
        if found is None:
            raise Refusal(EINVAL, unknown)
        return found

    def _version(self, data: HsrParams) -> Version:
        """What is to be spoken: EINVAL."""
        protocol = HsrProtocol.HSR if data.protocol is None else data.protocol
        if protocol > HsrProtocol.PRP:
            raise Refusal(EINVAL, "hsr: Unsupported protocol")
        if data.version is not None:
            if protocol == HsrProtocol.PRP:
                raise Refusal(EINVAL, "hsr: PRP version unsupported")
            if data.version > Version.HSR_V1:
                raise Refusal(EINVAL, "hsr: Only HSR version 0/1 supported")
        if protocol == HsrProtocol.PRP:
            if data.interlink is not None:
                raise Refusal(EINVAL, "hsr: Interlink only works with HSR")
            return Version.PRP_V1
        return Version(data.version or 0)

    def _finalize(self, hsr: Hsr, slaves: list[Device]) -> None:
        """hsr_dev_finalize(): what is done before a port is refused is undone."""
        dev = hsr.dev
        dev.address = slaves[0].address
        hsr.self_addresses = dev.address, slaves[1].address
        dev.no_carrier = True
        add_port(hsr, dev, PortType.MASTER)
        if all(slave.features & CTAG_FILTER for slave in slaves[:2]):
            dev.features |= CTAG_FILTER
        registered = False
        try:
            register(dev)
            registered = True
            add_port(hsr, slaves[0], PortType.SLAVE_A)
            add_port(hsr, slaves[1], PortType.SLAVE_B)
            if hsr.protocol == HsrProtocol.PRP:
                set_address(slaves[1], slaves[0].address)
            for interlink in slaves[2:]:
                add_port(hsr, interlink, PortType.INTERLINK)
                hsr.redbox = interlink.address
                timers.start(hsr, timers.PRUNE_PROXY, timers.PRUNE_PERIOD, timers.prune_proxies)
        except Refusal:
            delete_ports(hsr)
            if registered:
                unregister(dev)
            raise
        timers.start(hsr, timers.PRUNE, timers.PRUNE_PERIOD, timers.prune)

    def del_link(self, dev: Device, kill: KillList) -> None:
        """hsr_dellink()."""
        hsr = state_of(dev)
        for name in tuple(hsr.jobs):
            timers.stop(hsr, name)
        delete_ports(hsr)
        hsr.self_addresses = ()
        hsr.nodes.clear()
        hsr.proxy_nodes.clear()
        queue_unregister(dev, kill)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        hsr = state_of(dev)
        first, second, interlink = (
            hsr.port(kind) for kind in (PortType.SLAVE_A, PortType.SLAVE_B, PortType.INTERLINK)
        )
        return {
            "slave1": None if first is None else first.dev.ifindex,
            "slave2": None if second is None else second.dev.ifindex,
            "interlink": None if interlink is None else interlink.dev.ifindex,
            "supervision_addr": hsr.supervision,
            "seq_nr": hsr.sequence_nr,
            "version": int(hsr.version) if hsr.protocol == HsrProtocol.HSR else None,
            "protocol": hsr.protocol,
        }


KIND = HsrKind()
