"""Addresses of IPv4 on a device: struct in_ifaddr, and what net/ipv4/devinet.c does with them.

The first address of a subnet on a device is primary, later ones are secondary and go with it, unless the device
promotes secondaries: then the next one takes the place of a primary that goes. Primaries stand before secondaries in
the list, those of a wider scope first.

An address that comes or goes is announced before its routes are: a listener learns of the address first.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EADDRNOTAVAIL, EEXIST, EINVAL, ENODEV
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core import lifetime
from nlemu.emulator.kernel.core.lifetime import INFINITY
from nlemu.emulator.kernel.inet import neighbour_parms
from nlemu.emulator.kernel.ipv4 import fib_sync, groups
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE, RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

SECONDARY, DEPRECATED, PERMANENT = int(IFA_F.SECONDARY), int(IFA_F.DEPRECATED), int(IFA_F.PERMANENT)
MCAUTOJOIN = int(IFA_F.MCAUTOJOIN)
NOT_OURS = int(
    IFA_F.NODAD | IFA_F.OPTIMISTIC | IFA_F.DADFAILED | IFA_F.HOMEADDRESS | IFA_F.TENTATIVE | IFA_F.MANAGETEMPADDR
    | IFA_F.STABLE_PRIVACY
)
"""IPV6ONLY_FLAGS"""
HOST = int(RT_SCOPE.HOST)


@dataclass(slots=True, eq=False)
class Address4:
    """struct in_ifaddr. address: of the other end, or the same as local; valid, preferred: lifetimes in seconds, as of
    tstamp; cstamp: when it was made; both in nanoseconds since boot."""

    dev: Device
    local: int
    address: int
    length: int
    broadcast: int = 0
    label: str = ""
    scope: int = 0
    flags: int = 0
    metric: int = 0
    proto: int = 0
    valid: int = 0
    preferred: int = 0
    cstamp: int = 0
    tstamp: int = 0
    told: tuple[object, bytes] | None = None
    """What whoever tells of it has worked out, and for what; the model never looks inside."""

    @property
    def prefix(self) -> int:
        """The first address of the subnet."""
        return self.address & ip4.mask_of(self.length)

    @property
    def last(self) -> int:
        """The last address of the subnet."""
        return self.address | ~ip4.mask_of(self.length) & ip4.BROADCAST

    def same_subnet(self, other: Address4) -> bool:
        """Whether it is in the subnet that the other one is in."""
        return self.length == other.length and self.prefix == other.prefix

    def lifetimes(self) -> tuple[int, int]:
        """What is left of the preferred and the valid lifetime, in seconds (inet_fill_ifaddr())."""
        if self.flags & PERMANENT:
            return INFINITY, INFINITY
        return lifetime.left(self.dev.kernel.clock.now, self.tstamp, self.preferred, self.valid)

    def set_lifetime(self, valid: int, preferred: int) -> None:
        """set_ifa_lifetime()."""
        self.flags &= ~(PERMANENT | DEPRECATED)
        if valid != INFINITY:
            self.valid = valid
        else:
            self.flags |= PERMANENT
        if preferred != INFINITY:
            if preferred == 0:
                self.flags |= DEPRECATED
            self.preferred = preferred
        self.tstamp = self.dev.kernel.clock.now
        self.cstamp = self.cstamp or self.tstamp


def _tell(event: int, ifa: Address4, origin: Origin | None) -> None:
    """rtmsg_ifa()."""
    ifa.dev.kernel.announcer.address4(event, ifa, origin=origin)


def device_of(net: Net, ifindex: int) -> Device:
    """The device of that index, if IPv4 is on it: ENODEV."""
    dev = net.device(ifindex)
    if dev is None or dev.ip4 is None:
        raise Refusal(ENODEV, "ipv4: Device not found")
    return dev


# -- coming -----------------------------------------------------------------------------------


def add(ifa: Address4, valid: int, preferred: int, *, exclusive: bool, replace: bool,
        origin: Origin | None = None) -> None:
    """inet_rtm_newaddr(), once the request has been read: a new address, or new facts about one that is there. EEXIST,
    EINVAL, with texts."""
    known = next(
        (other for other in ifa.dev.inet.addresses if other.same_subnet(ifa) and other.local == ifa.local), None
    )
    if known is None:
        ifa.set_lifetime(valid, preferred)
        if ifa.flags & MCAUTOJOIN:
            try:
                groups.autojoin(ifa.dev, ifa.address)
            except Refusal as refused:
                raise Refusal(refused.errno, "ipv4: Multicast auto join failed") from refused
        insert(ifa, origin)
        return
    if exclusive or not replace:
        raise Refusal(EEXIST, "ipv4: Address already assigned")
    if known.metric != ifa.metric:
        fib_sync.change_metric(known, ifa.metric)
        known.metric = ifa.metric
    known.proto = ifa.proto
    known.set_lifetime(valid, preferred)
    watch(known)
    _tell(RTM.NEWADDR, known, origin)


def insert(ifa: Address4, origin: Origin | None = None) -> None:
    """__inet_insert_ifa(): EEXIST, EINVAL. The device's settings are its own from now on (ipv4_devconf_setall())."""
    if ifa.dev.inet.conf.written is not None:
        ifa.dev.inet.conf.written = None
        neighbour_parms.freeze(ifa.dev, neighbour_parms.AF_INET)
    addresses: list[Address4] = ifa.dev.inet.addresses
    ifa.flags &= ~(SECONDARY | NOT_OURS)
    at = 0
    for index, other in enumerate(addresses):
        if not other.flags & SECONDARY and ifa.scope <= other.scope:
            at = index + 1
        if other.same_subnet(ifa):
            if other.local == ifa.local:
                raise Refusal(EEXIST)
            if other.scope != ifa.scope:
                raise Refusal(EINVAL, "ipv4: Invalid scope value")
            ifa.flags |= SECONDARY
    ifa.dev.ops.check_ip(ifa.dev, ifa.address, neighbour_parms.AF_INET)
    addresses.insert(len(addresses) if ifa.flags & SECONDARY else at, ifa)
    watch(ifa)
    _tell(RTM.NEWADDR, ifa, origin)
    fib_sync.on_address(ifa, up=True)


def add_loopback(dev: Device) -> None:
    """What inetdev_event() gives a loopback device that comes up: 127.0.0.1/8."""
    ifa = Address4(dev, ip4.LOOPBACK, ip4.LOOPBACK, 8, label=dev.name, scope=HOST)
    ifa.set_lifetime(INFINITY, INFINITY)
    try:
        insert(ifa)
    except Refusal:
        return  # it has it already


# -- going ------------------------------------------------------------------------------------


def delete(dev: Device, *, local: int | None, label: str | None, address: tuple[int, int] | None,
           origin: Origin | None = None) -> None:
    """inet_rtm_deladdr(): the first address that fits; None is no condition. address: of the other end, and a length.
    EADDRNOTAVAIL."""
    for ifa in dev.inet.addresses:
        if local is not None and ifa.local != local:
            continue
        if label is not None and ifa.label != label:
            continue
        if address is not None:
            end, length = address
            if length != ifa.length or (end ^ ifa.address) & ip4.mask_of(ifa.length):
                continue
        if ip4.is_multicast(ifa.address):
            groups.autoleave(dev, ifa.address)
        remove(ifa, origin)
        return
    raise Refusal(EADDRNOTAVAIL, "ipv4: Address not found")


def remove(ifa: Address4, origin: Origin | None = None) -> None:
    """__inet_del_ifa(): the address goes. With a primary its secondaries go, or the first of them takes its place."""
    idev = ifa.dev.inet
    addresses: list[Address4] = idev.addresses
    promoted: Address4 | None = None
    if not idev.dead and not ifa.flags & SECONDARY:
        promoted = _remove_secondaries(ifa, bool(idev.conf[Ipv4Devconf.PROMOTE_SECONDARIES]), origin)
    if promoted is not None:
        for other in addresses[addresses.index(promoted):]:
            if other.same_subnet(ifa):
                fib_sync.delete_address(other, ifa)
    at = addresses.index(ifa)
    del addresses[at]
    _forget(ifa)
    _tell(RTM.DELADDR, ifa, origin)
    fib_sync.on_address(ifa, up=False)
    if promoted is not None:
        _promote(ifa, promoted, at, origin)


def _remove_secondaries(ifa: Address4, promote: bool, origin: Origin | None) -> Address4 | None:
    """Those of the subnet of a primary that goes; returns the one to be promoted, if that is what happens."""
    addresses: list[Address4] = ifa.dev.inet.addresses
    for other in addresses[addresses.index(ifa) + 1:]:
        if not other.flags & SECONDARY or not other.same_subnet(ifa):
            continue
        if promote:
            return other
        addresses.remove(other)
        _forget(other)
        _tell(RTM.DELADDR, other, origin)
        fib_sync.on_address(other, up=False)
    return None


def _forget(ifa: Address4) -> None:
    ip4.of(ifa.dev.net).mortal.pop(ifa, None)


def _promote(gone: Address4, promoted: Address4, at: int, origin: Origin | None) -> None:
    """A secondary becomes the primary of its subnet: it moves behind the last primary of a scope as wide as that of the
    one that is gone, which stood at ``at``."""
    addresses: list[Address4] = gone.dev.inet.addresses
    was = addresses.index(promoted)
    after = addresses[was + 1:]
    place = at
    for index, other in enumerate(addresses[at:was], at):
        if not other.flags & SECONDARY and gone.scope <= other.scope:
            place = index + 1
    del addresses[was]
    addresses.insert(place, promoted)
    promoted.flags &= ~SECONDARY
    _tell(RTM.NEWADDR, promoted, origin)
    fib_sync.on_address(promoted, up=True)
    for other in after:
        if other.same_subnet(gone):
            fib_sync.add_address(other)


def remove_all(dev: Device) -> None:
    """inetdev_destroy(): IPv4 leaves the device."""
    idev = dev.inet
    idev.dead = True
    while idev.addresses:
        remove(idev.addresses[0])


def rename(dev: Device) -> None:
    """inetdev_changename(): labels follow the device's name; what follows a colon stays, as far as there is room."""
    for number, ifa in enumerate(dev.inet.addresses, 1):
        old, ifa.label = ifa.label, dev.name
        if number > 1:
            colon = old.find(":")
            tail = old[colon:] if colon >= 0 else f":{number}"
            ifa.label = dev.name[: IFNAMSIZ - 1 - len(tail)] + tail
        _tell(RTM.NEWADDR, ifa, None)


# -- time -------------------------------------------------------------------------------------


def watch(ifa: Address4) -> None:
    """Looks soon whether its time, or another's, is up, if it has an end (addr_chk_work)."""
    net = ifa.dev.net
    state = ip4.of(net)
    if ifa.flags & PERMANENT:
        state.mortal.pop(ifa, None)
    else:
        state.mortal[ifa] = None
        if state.expiry is not None:
            state.expiry.cancel()
        state.expiry = net.kernel.defer(lambda: _check_lifetimes(net))


def _check_lifetimes(net: Net) -> None:
    """check_lifetime(). The kernel finds the addresses in the order of a hash; here they come as they were made."""
    now = net.kernel.clock.now
    state = ip4.of(net)
    state.expiry = None
    wanted = min([_check(ifa, now) for ifa in tuple(state.mortal)], default=now)
    if state.mortal:
        state.expiry = net.kernel.work.at(lifetime.next_look(now, wanted), lambda: _check_lifetimes(net))


def _check(ifa: Address4, now: int) -> int:
    """Ends one address, or deprecates it; returns when to look again."""
    stage, look = lifetime.stage(now, ifa.tstamp, ifa.preferred, ifa.valid)
    if stage is lifetime.Stage.OVER:
        if ifa in ifa.dev.inet.addresses:
            remove(ifa)
    elif stage is lifetime.Stage.DEPRECATED and not ifa.flags & DEPRECATED:
        ifa.flags |= DEPRECATED
        _tell(RTM.NEWADDR, ifa, None)
    return look
