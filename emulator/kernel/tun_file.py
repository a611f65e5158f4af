"""An open /dev/net/tun: one queue of a device, once it has been told of which (struct tun_file of drivers/net/tun.c).

It belongs to the namespace in which it was opened. TUNSETIFF makes a device there, or joins one that is there already;
TUNSETQUEUE takes it out of use and back; closing it leaves the device, which goes with its last queue unless it
persists. The other commands read and set what belongs to the device.

Descriptors and memory are the launcher's (emulator/launch/tun), which calls these verbs; who calls is a Caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from errno import E2BIG, EBADFD, EBUSY, EEXIST, EINVAL, EIO, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import features, link_watch, settings
from nlemu.emulator.kernel.devices.register import alloc_device, register, unregister
from nlemu.emulator.kernel.devices.states import RegState
from nlemu.emulator.kernel.links import tun as links
from nlemu.emulator.kernel.links.tun import (
    ASKED,
    INT_MAX,
    MAX_QUEUES,
    MULTI_QUEUE,
    PERSIST,
    TAP,
    TAP_OPS,
    TUN,
    TUN_OPS,
    VNET_HDR,
    Tun,
    state_of,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_HLEN, ETH_P
from nlemu.protocol.uapi.if_tun import TUN_TYPE_MASK, TunF, TunIff
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

PI = 4
"""sizeof(struct tun_pi)"""
RECEIVED = frozenset({ETH_P.IP, ETH_P.IPV6})
"""Protocols that somebody takes; packets of others are dropped behind the driver (__netif_receive_skb_core())."""
FILTER_EXACT = 8
"""FLT_EXACT_COUNT"""
NOBODY = 0xFFFFFFFF
"""INVALID_UID, INVALID_GID"""
VNET_LE = 0x80000000
"""TUN_VNET_LE: a flag of the device's that is never told."""
LINK_ADDRESS: dict[int, int] = {
    ARPHRD.IP6GRE: 16, ARPHRD.TUNNEL6: 16, ARPHRD.IPGRE: 4, ARPHRD.TUNNEL: 4, ARPHRD.SIT: 4, ARPHRD.ETHER: 6,
    ARPHRD.IEEE802154: 8, ARPHRD.IEEE802154_MONITOR: 8, ARPHRD.LOWPAN: 8, ARPHRD.FDDI: 6, ARPHRD.HIPPI: 6,
    ARPHRD.IEEE802: 6, ARPHRD.ROSE: 5, ARPHRD.NETROM: 7, ARPHRD.LOCALTLK: 1,
}
"""tun_get_addr_len(): how long an address is, by the type of the device; 0 of all others."""
PLAIN_GSO = features.GSO_UDP_L4 | features.TSO | features.TSO6


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call. uid: effective, of the first user namespace; groups: the effective one and the others; admin:
    whether CAP_NET_ADMIN is there over a namespace; capable: or in the first user namespace."""

    uid: int
    groups: frozenset[int]
    admin: Callable[[Net], bool]
    capable: bool


class TunFile:
    """struct tun_file. waiting: how many frames are to be read; on_gone: called when the device is lost to it."""

    __slots__ = ("detached", "dev", "filtered", "ifindex", "net", "on_gone", "sndbuf", "waiting")

    def __init__(self, net: Net) -> None:
        """tun_chr_open(): in that namespace, which it keeps alive."""
        self.net = net
        net.hold()
        self.dev: Device | None = None
        self.detached = False
        self.ifindex = 0
        self.sndbuf = INT_MAX
        self.filtered = False
        self.waiting = 0
        self.on_gone: Callable[[], None] | None = None

    # Of which device

    def set_iff(self, name: str, flags: int, caller: Caller) -> str:
        """TUNSETIFF, tun_set_iff(): the name of the device whose queue it is now. flags: TunIff. EEXIST: it is one
        already; EBUSY, EINVAL, EPERM, E2BIG, and what registering a device refuses."""
        if self.dev is not None:
            raise Refusal(EEXIST)
        if flags & TunIff.NAPI_FRAGS:
            if not caller.capable:
                raise Refusal(EPERM)
            if not flags & TunIff.NAPI or flags & TUN_TYPE_MASK != TAP:
                raise Refusal(EINVAL)
        dev = self.net.by_name(name) if name else None
        dev = self._create(name, flags, caller) if dev is None else self._join(dev, flags, caller)
        if flags & TunIff.NO_CARRIER:
            link_watch.carrier_off(dev)
        else:
            link_watch.carrier_on(dev)
        return dev.name

    def _join(self, dev: Device, flags: int, caller: Caller) -> Device:
        if flags & TunIff.TUN_EXCL:
            raise Refusal(EBUSY)
        same = (flags & TUN and dev.ops is TUN_OPS) or (flags & TAP and dev.ops is TAP_OPS)
        if not same:
            raise Refusal(EINVAL)
        tun = state_of(dev)
        if (flags ^ tun.flags) & MULTI_QUEUE:
            raise Refusal(EINVAL)
        if not_capable(dev, caller):
            raise Refusal(EPERM)
        self.attach(dev, skip_filter=bool(flags & TunIff.NOFILTER))
        if not (tun.flags & MULTI_QUEUE and len(tun.files) + len(tun.disabled) > 1):
            tun.flags = tun.flags & ~ASKED | flags & ASKED
        dev.changed()
        link_watch.state_change(dev)
        return dev

    def _create(self, name: str, flags: int, caller: Caller) -> Device:
        if not caller.admin(self.net):
            raise Refusal(EPERM)
        if flags & TUN:
            kind, ops, pattern = TUN, TUN_OPS, "tun%d"
        elif flags & TAP:
            kind, ops, pattern = TAP, TAP_OPS, "tap%d"
        else:
            raise Refusal(EINVAL)
        queues = MAX_QUEUES if flags & MULTI_QUEUE else 1
        dev = alloc_device(self.net, name or pattern, ops, links.setup, tx=queues, rx=queues)
        dev.kind = links.KIND
        dev.ifindex = self.ifindex
        links.initialize(dev, kind)
        tun = state_of(dev)
        tun.opener, tun.sndbuf = self, self.sndbuf
        tun.flags |= flags & ASKED
        register(dev)
        return dev

    def attach(self, dev: Device, *, skip_filter: bool = False) -> None:
        """tun_attach(): becomes a queue of the device. EBUSY: it has one, and can have no more; E2BIG."""
        tun = state_of(dev)
        if not tun.flags & MULTI_QUEUE and len(tun.files) == 1:
            raise Refusal(EBUSY)
        if not self.detached and len(tun.files) + len(tun.disabled) == MAX_QUEUES:
            raise Refusal(E2BIG)
        if not skip_filter and tun.filtered:
            # A slip of the kernel's: where the filter could be attached again, it stops here, and nothing is attached.
            self.filtered = True
            return
        if self.detached:
            tun.disabled.remove(self)
            self.detached = False
        self.dev = dev
        tun.files.append(self)
        _set_real_num_queues(dev)

    def set_queue(self, flags: int) -> None:
        """TUNSETQUEUE, tun_set_queue(): out of use, or back into it. EINVAL where it is so already."""
        dev = self.dev
        if flags & TunIff.ATTACH_QUEUE:
            if dev is None or not self.detached:
                raise Refusal(EINVAL)
            self.attach(dev)
        elif flags & TunIff.DETACH_QUEUE:
            if dev is None or self.detached or not state_of(dev).flags & MULTI_QUEUE:
                raise Refusal(EINVAL)
            tun = state_of(dev)
            self._take_out(tun)
            self.detached = True
            tun.disabled.append(self)
            _set_real_num_queues(dev)
        else:
            raise Refusal(EINVAL)
        dev.changed()
        link_watch.state_change(dev)

    def _take_out(self, tun: Tun) -> None:
        """The last queue takes the place of one that goes."""
        at = tun.files.index(self)
        tun.files[at] = tun.files[-1]
        tun.files.pop()
        self.waiting = 0

    def close(self) -> None:
        """tun_chr_close(), tun_detach(): the device goes with its last queue, unless it persists."""
        dev = self.dev
        if dev is not None:
            tun = state_of(dev)
            if self.detached:
                tun.disabled.remove(self)
            else:
                self._take_out(tun)
                _set_real_num_queues(dev)
            self.dev, self.detached = None, False
            dev.changed()
            if not tun.files and not tun.disabled:
                link_watch.carrier_off(dev)
                if not tun.flags & PERSIST and dev.reg_state == RegState.REGISTERED:
                    unregister(dev)
            link_watch.state_change(dev)
        self.net.release()

    def lose(self) -> None:
        """The device goes, by another hand."""
        self.dev, self.detached, self.waiting = None, False, 0
        if self.on_gone is not None:
            self.on_gone()

    # What a program reads and sets

    def device(self) -> Device:
        """The device. EBADFD: there is none."""
        if self.dev is None:
            raise Refusal(EBADFD)
        return self.dev

    def get_iff(self) -> tuple[str, int]:
        """TUNGETIFF: the device's name and its flags, with DETACH_QUEUE and NOFILTER as it is with this queue."""
        dev = self.device()
        flags = state_of(dev).shown_flags
        if self.detached:
            flags |= TunIff.DETACH_QUEUE
        if not self.filtered:
            flags |= TunIff.NOFILTER
        return dev.name, flags

    def set_ifindex(self, ifindex: int) -> None:
        """TUNSETIFINDEX: the index of a device to be made. EPERM: it has been; EINVAL: a negative one."""
        if self.dev is not None:
            raise Refusal(EPERM)
        if ifindex < 0:
            raise Refusal(EINVAL)
        self.ifindex = ifindex

    def write(self, data: bytes) -> int:
        """tun_get_user(): a packet comes in. EBADFD; EINVAL: it is none; EIO: the device is down."""
        dev = self.device()
        tun = state_of(dev)
        size, known = len(data), True
        if not tun.flags & TunIff.NO_PI:
            if size < PI:
                raise Refusal(EINVAL)
            size -= PI
            known = bool(tun.flags & TAP) or int.from_bytes(data[2:PI], "big") in RECEIVED
        if tun.flags & TunIff.VNET_HDR:
            if size < tun.vnet_hdr_sz:
                raise Refusal(EINVAL)
            size -= tun.vnet_hdr_sz
        if tun.flags & TAP:
            if size < ETH_HLEN:
                raise Refusal(EINVAL)
        elif tun.flags & TunIff.NO_PI and (not size or data[len(data) - size] >> 4 not in (4, 6)):
            _drop(dev, EINVAL)
        if not dev.up:
            _drop(dev, EIO)
        dev.stats.received(size)
        if not known:
            dev.stats.rx_dropped += 1
        dev.changed()
        return len(data)


def _drop(dev: Device, errno: int) -> None:
    dev.stats.rx_dropped += 1
    dev.changed()
    raise Refusal(errno)


def not_capable(dev: Device, caller: Caller) -> bool:
    """tun_not_capable(): whether the device is somebody else's."""
    tun = state_of(dev)
    foreign = (tun.owner is not None and caller.uid != tun.owner) or (
        tun.group is not None and tun.group not in caller.groups
    )
    return foreign and not caller.admin(dev.net)


def _set_real_num_queues(dev: Device) -> None:
    """tun_set_real_num_queues(): a device cannot have none, so of the last one that goes nothing is said."""
    count = len(state_of(dev).files)
    if count:
        settings.set_real_num_tx_queues(dev, count)
        settings.set_real_num_rx_queues(dev, count)


# What belongs to the device, by the commands that set it


def set_persist(dev: Device, persist: bool) -> None:
    """TUNSETPERSIST."""
    tun = state_of(dev)
    if persist != bool(tun.flags & PERSIST):
        tun.flags ^= PERSIST
        dev.changed()
        link_watch.state_change(dev)


def set_owner(dev: Device, owner: int) -> None:
    """TUNSETOWNER: a user id of the first user namespace. EINVAL: it is none."""
    _check_id(owner)
    state_of(dev).owner = owner
    dev.changed()
    link_watch.state_change(dev)


def set_group(dev: Device, group: int) -> None:
    """TUNSETGROUP: a group id of the first user namespace. EINVAL: it is none."""
    _check_id(group)
    state_of(dev).group = group
    dev.changed()
    link_watch.state_change(dev)


def _check_id(number: int) -> None:
    """uid_valid(), gid_valid()."""
    if number == NOBODY:
        raise Refusal(EINVAL)


def set_link_type(dev: Device, number: int) -> None:
    """TUNSETLINK: another ARPHRD, while it is down. EBUSY, and what a notifier refuses."""
    if dev.up:
        raise Refusal(EBUSY)
    dev.kernel.notify(NetdevEvent.PRE_TYPE_CHANGE, dev)
    dev.type = number & 0xFFFF
    dev.addr_len = LINK_ADDRESS.get(dev.type, 0)
    tun = state_of(dev)
    tun.hidden = tuple(
        shown + hidden[len(shown) :] for shown, hidden in zip((dev.address, dev.broadcast), tun.hidden, strict=True)
    )
    dev.address, dev.broadcast = (whole[: dev.addr_len] for whole in tun.hidden)
    dev.changed()
    dev.kernel.notify(NetdevEvent.POST_TYPE_CHANGE, dev)


def set_offload(dev: Device, wanted: int) -> None:
    """TUNSETOFFLOAD: what the program can do with (TunF). EINVAL: something unknown, or not by itself."""
    found = 0
    if wanted & TunF.CSUM:
        found |= features.HW_CSUM
        wanted &= ~TunF.CSUM
        if wanted & (TunF.TSO4 | TunF.TSO6):
            if wanted & TunF.TSO_ECN:
                found |= features.TSO_ECN
                wanted &= ~TunF.TSO_ECN
            if wanted & TunF.TSO4:
                found |= features.TSO
            if wanted & TunF.TSO6:
                found |= features.TSO6
            wanted &= ~(TunF.TSO4 | TunF.TSO6)
        wanted &= ~TunF.UFO
        if wanted & TunF.USO4 and wanted & TunF.USO6:
            found |= features.GSO_UDP_L4
            wanted &= ~(TunF.USO4 | TunF.USO6)
        if found & PLAIN_GSO and wanted & TunF.UDP_TUNNEL_GSO:
            found |= features.word(NetifF.GSO_UDP_TUNNEL)
            if wanted & TunF.UDP_TUNNEL_GSO_CSUM:
                found |= features.word(NetifF.GSO_UDP_TUNNEL_CSUM)
            wanted &= ~(TunF.UDP_TUNNEL_GSO | TunF.UDP_TUNNEL_GSO_CSUM)
    if wanted:
        raise Refusal(EINVAL)
    state_of(dev).set_features = found
    dev.wanted_features = dev.wanted_features & ~links.USER_FEATURES | found
    features.update_features(dev)


def set_sndbuf(dev: Device, size: int) -> None:
    """TUNSETSNDBUF: of all queues that are in use. EINVAL."""
    if size <= 0:
        raise Refusal(EINVAL)
    tun = state_of(dev)
    tun.sndbuf = size
    for file in tun.files:
        file.sndbuf = size


def set_vnet_header(dev: Device, size: int) -> None:
    """TUNSETVNETHDRSZ. EINVAL: too small."""
    if size < VNET_HDR:
        raise Refusal(EINVAL)
    state_of(dev).vnet_hdr_sz = size


def set_filter(dev: Device, addresses: tuple[bytes, ...]) -> int:
    """TUNSETTXFILTER, update_filter(): the addresses of a tap that are let through; how many of them are looked at one
    by one. None, or more than that of which one is not a group's, lets all through."""
    tun = state_of(dev)
    tun.filter = 0
    if not all(address[0] & 1 for address in addresses[FILTER_EXACT:]):
        return 0
    tun.filter = min(len(addresses), FILTER_EXACT)
    return tun.filter


def attach_filter(dev: Device, program: bytes) -> None:
    """TUNATTACHFILTER: a socket filter (struct sock_fprog) for all queues of a tap."""
    tun = state_of(dev)
    tun.program = program
    tun.filtered = True
    for file in tun.files:
        file.filtered = True


def detach_filter(dev: Device) -> None:
    """TUNDETACHFILTER."""
    tun = state_of(dev)
    tun.filtered = False
    for file in tun.files:
        file.filtered = False

