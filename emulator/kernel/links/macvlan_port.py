"""What macvlans of one device share, and where frames go among them: the other half of drivers/net/macvlan.c.

The first macvlan makes a device a port, and the last one that goes takes that away. A port knows its macvlans, and
those that are up by their addresses. It takes all frames that come to the device, and hands to each macvlan what is for
it; the device has frames to groups besides.

Frames here are to groups: a macvlan has those that it listens to, or all, if it is promiscuous or takes all groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import qdisc, rx_handler, rx_mode
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.protocol.uapi.if_ether import ETH_HLEN
from nlemu.protocol.uapi.if_link import MacvlanFlag, MacvlanMode

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

KEY = "macvlan"
HASH_BITS = 8
GOLDEN_RATIO = 0x61C8864680B583EB
NO_CUTOFF = 1
"""bc_cutoff as long as nobody says otherwise; it is not told then."""
PRIVATE, VEPA = int(MacvlanMode.PRIVATE), int(MacvlanMode.VEPA)
BRIDGE, PASSTHRU = int(MacvlanMode.BRIDGE), int(MacvlanMode.PASSTHRU)
SOURCE = int(MacvlanMode.SOURCE)
NODST = int(MacvlanFlag.NODST)


@dataclass(slots=True, eq=False)
class Port:
    """struct macvlan_port, of the device ``dev``. vlans: those on it, in the order of their making; by_address:
    those that are up; count: those that are registered; passthru: its one macvlan has the device to itself;
    address_changing: that macvlan is about to change its address, and so the device's; address: what the device had
    before. queue_len: how many frames to groups may wait, the most that any macvlan asks for; cutoff: how many have
    to want a group for its frames to wait."""

    dev: Device
    address: bytes
    vlans: list[Device] = field(default_factory=list)
    by_address: dict[bytes, Device] = field(default_factory=dict)
    count: int = 0
    passthru: bool = False
    address_changing: bool = False
    queue_len: int = 0
    cutoff: int = NO_CUTOFF

    def is_busy(self, address: bytes) -> bool:
        """macvlan_addr_busy(): the address is that of the device, or of a macvlan that is up."""
        own = not self.passthru and not self.address_changing and self.dev.address == address
        return own or address in self.by_address

    def update_queue_len(self) -> None:
        """update_port_bc_queue_len()."""
        self.queue_len = max((vlan.priv.queue_len for vlan in self.vlans), default=0)
        for vlan in self.vlans:
            vlan.changed()


@dataclass(slots=True, eq=False)
class Macvlan:
    """struct macvlan_dev: what stands on ``lower``. sources: the senders it listens to, the newest first; queue_len:
    how many frames it wants to let wait; given, groups_given: the addresses and groups that the device below lets in
    for it."""

    lower: Device
    port: Port
    mode: int = VEPA
    flags: int = 0
    sources: list[bytes] = field(default_factory=list)
    queue_len: int = 1000
    given: set[bytes] = field(default_factory=set)
    groups_given: set[bytes] = field(default_factory=set)


def port_of(dev: Device) -> Port | None:
    """macvlan_port_get_rtnl(): of a device that macvlans stand on."""
    port: Port | None = dev.attached.get(KEY)
    return port


def bucket(address: bytes) -> int:
    """macvlan_eth_hash(): the senders are told in that order."""
    value = int.from_bytes(address, "little") << 16
    return (value * GOLDEN_RATIO & (1 << 64) - 1) >> 64 - HASH_BITS


# Frames


def _count(vlan: Device, size: int, group: bool) -> None:
    """macvlan_count_rx() of one that is taken."""
    vlan.stats.received(size)
    vlan.stats.multicast += group
    vlan.changed()


def _broadcast(port: Port, modes: int, size: int, sender: bytes, source: Device | None, *, local: bool) -> None:
    """macvlan_broadcast(): to the macvlans of those modes but the source. What one sends to another has its header
    still when it is counted, and that is counted again."""
    for vlan in tuple(port.by_address.values()):
        if vlan is source or not vlan.priv.mode & modes or not rx_mode.hears(vlan):
            continue
        if local and not vlan.takes(size):
            vlan.stats.rx_errors += 1
            continue
        _count(vlan, size + ETH_HLEN if local else size, True)
        rx_handler.receive(vlan, size, sender)


def _forward_source(port: Port, size: int, sender: bytes) -> bool:
    """macvlan_forward_source(): to those that listen to the sender; whether it is nobody else's then."""
    consumed = False
    for vlan in port.vlans:
        own: Macvlan = vlan.priv
        if sender in own.sources:
            consumed |= bool(own.flags & NODST)
            if vlan.up:
                _count(vlan, size, False)
                rx_handler.receive(vlan, size, sender)
    return consumed


def arrive(dev: Device, size: int, sender: bytes) -> Device | None:
    """macvlan_handle_frame(): a frame has come to the device."""
    port = port_of(dev)
    assert port is not None
    if _forward_source(port, size, sender):
        return None
    source = port.by_address.get(sender)
    mode = 0 if source is None else source.priv.mode
    if source is not None and not mode & (VEPA | BRIDGE):
        _count(source, 0, False)
        rx_handler.receive(source, size, sender)
        return None
    if rx_mode.hears(dev):
        if source is None:
            _broadcast(port, PRIVATE | VEPA | PASSTHRU | BRIDGE, size, sender, None, local=False)
        else:
            _broadcast(port, VEPA | BRIDGE, size, sender, source if mode == VEPA else None, local=False)
    return dev


def transmit(dev: Device, size: int) -> tuple[Xmit, Device | None]:
    """macvlan_start_xmit(): in bridge mode the others have it too."""
    vlan: Macvlan = dev.priv
    if vlan.mode == BRIDGE:
        _broadcast(vlan.port, BRIDGE, size, dev.address, dev, local=True)
    xmit, receiver = qdisc.transmit(vlan.lower, size)
    vlan.lower.changed()
    if xmit == Xmit.DROP:
        dev.stats.tx_dropped += 1
    else:
        dev.stats.sent(size)
    return xmit, receiver
