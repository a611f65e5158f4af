"""The wireguard family: what a device and its peers are set to (drivers/net/wireguard/netlink.c).

A device is told in as many messages as its peers need, one in each datagram; a peer whose addresses do not fit goes on
in the next, by its key and the rest of them.
"""

from __future__ import annotations

import errno
import struct
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.netns import capable_in
from nlemu.emulator.kernel.links.wireguard import state_of
from nlemu.emulator.kernel.wireguard.device import BITS, Peer, Prefix, WireGuard, prefix_of
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.wireguard import GET_DEVICE, SET_DEVICE, Wgallowedip, Wgdevice, Wgpeer
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs, Values, walk
from nlemu.protocol.uapi.netlink import NLA_F_NESTED
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6
from nlemu.protocol.uapi.wireguard import WG_KEY_LEN, WgallowedipFlag, WgdeviceFlag, WgpeerFlag

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL_VERSION = 1
FAMILY = struct.Struct("=H")
ENDPOINT = {AF_INET: 16, AF_INET6: 28}
"""sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6)"""
HEADER = 20
"""struct nlmsghdr and struct genlmsghdr"""
NEST = 4
"""struct nlattr"""


def find(call: Call) -> WireGuard:
    """lookup_interface(). Refusal EBADR: both an index and a name, or neither; ENODEV, EOPNOTSUPP."""
    attrs = call.attrs
    index, name = attrs.get(Wgdevice.ifindex), attrs.get(Wgdevice.ifname)
    if (index is None) == (name is None):
        raise Refusal(errno.EBADR)
    dev = call.net.device(index) if index is not None else call.net.by_name(name or "")
    if dev is None:
        raise Refusal(errno.ENODEV)
    if dev.kind is None or dev.kind.name != "wireguard":
        raise Refusal(errno.EOPNOTSUPP)
    return state_of(dev)


# Telling


class Telling:
    """Where a dump of a device is: struct dump_ctx. last: the peer that was told last; prefixes: what is left of the
    next one's, None when it has not begun; seq: how often addresses had changed when it began."""

    def __init__(self, wg: WireGuard) -> None:
        self.wg = wg
        self.last: Peer | None = None
        self.prefixes: list[Prefix] | None = None
        self.seq = 0
        self.done = False

    def fill(self, dump: Dump) -> Values:
        """wg_get_device_dumpit(): as many peers as there is room for."""
        wg = self.wg
        values: dict[Attr[Any], Any] = {}
        if self.last is None:
            values = {
                Wgdevice.listen_port: wg.port, Wgdevice.fwmark: wg.fwmark, Wgdevice.ifindex: wg.dev.ifindex,
                Wgdevice.ifname: wg.dev.name,
            }
            if wg.public_key is not None:
                values |= {Wgdevice.private_key: wg.private_key, Wgdevice.public_key: wg.public_key}
        if not wg.peers or (self.last is not None and self.last.dead):
            self.done = True
            return values
        room = dump.left - HEADER - len(Wgdevice.spec.layout.encode(values)) - NEST
        told: list[bytes] = []
        for peer in self._others():
            piece, whole = self._peer(peer, room)
            if piece:
                told.append(piece)
                room -= NEST + len(piece)
            if not whole:
                break
            self.last = peer
        else:
            self.done = True
        dump.full = not self.done
        return values | {Wgdevice.peers: told}

    def _others(self) -> Iterator[Peer]:
        peers = list(self.wg.peers.values())
        return iter(peers if self.last is None else peers[peers.index(self.last) + 1 :])

    def _peer(self, peer: Peer, room: int) -> tuple[bytes, bool]:
        """get_peer(): the attributes of the peer for which there is room, or nothing, and whether that was all."""
        layout = Wgpeer.spec.layout
        begun = self.prefixes
        head: dict[Attr[Any], Any] = {Wgpeer.public_key: peer.public_key}
        if begun is None:
            head |= {
                Wgpeer.preshared_key: peer.preshared_key, Wgpeer.last_handshake_time: (0, 0),
                Wgpeer.persistent_keepalive_interval: peer.keepalive, Wgpeer.tx_bytes: peer.tx_bytes,
                Wgpeer.rx_bytes: peer.rx_bytes, Wgpeer.protocol_version: PROTOCOL_VERSION,
                Wgpeer.endpoint: peer.endpoint,
            }
        encoded = layout.encode(head)
        room -= NEST + len(encoded)
        if room < 0:
            return b"", False
        left = list(peer.prefixes) if begun is None else begun
        if self.seq == 0 and left:
            self.seq = self.wg.prefixes_seq
        if not left or self.seq != self.wg.prefixes_seq:
            self.prefixes, self.seq = None, 0
            return encoded, True
        room -= NEST
        if room < 0:
            return b"", False
        addresses: list[bytes] = []
        for prefix in left:
            one = Wgallowedip.spec.layout.encode(_allowed(prefix))
            room -= NEST + len(one)
            if room < 0:
                break
            addresses.append(one)
        rest = left[len(addresses) :]
        self.prefixes, self.seq = (rest, self.seq) if rest else (None, 0)
        return encoded + Wgpeer.allowedips.encode(addresses), not rest


def _allowed(prefix: Prefix) -> Values:
    family, address, length = prefix
    return {
        Wgallowedip.cidr_mask: length, Wgallowedip.family: family,
        Wgallowedip.ipaddr: address.to_bytes(BITS[family] // 8, "big"),
    }


@dumpit(GET_DEVICE)
def get_device(call: Call) -> Dump:
    """wg_get_device_start(), wg_get_device_dumpit()."""
    wg = find(call)
    telling = Telling(wg)

    def messages() -> Messages:
        while not telling.done:
            yield partial(telling.fill, dump)

    dump = Dump(call, messages(), generation=lambda: wg.generation)
    return dump


# Setting


@doit(SET_DEVICE)
def set_device(call: Call) -> None:
    """wg_set_device_doit(): in this order; what was done before something is refused, stays done."""
    wg, attrs = find(call), call.attrs
    of_sockets = Wgdevice.listen_port in attrs or Wgdevice.fwmark in attrs
    if of_sockets and (wg.net is None or not capable_in(call, wg.net)):
        raise Refusal(errno.EPERM)
    wg.generation += 1
    if Wgdevice.fwmark in attrs:
        wg.fwmark = attrs[Wgdevice.fwmark]
    if Wgdevice.listen_port in attrs:
        wg.set_port(attrs[Wgdevice.listen_port])
    if attrs.get(Wgdevice.flags, 0) & WgdeviceFlag.REPLACE_PEERS:
        wg.remove_peers()
    if Wgdevice.private_key in attrs:
        wg.set_private_key(attrs[Wgdevice.private_key])
    if Wgdevice.peers in attrs:
        for peer in members(attrs, Wgdevice.peers):
            set_peer(wg, peer)


def members(attrs: Attrs, attr: Attr[Any]) -> Iterator[Attrs]:
    """nla_for_each_nested() and nla_parse_nested(): the members of a list, one by one. Refusal EINVAL: one that does
    not say that it is a nest."""
    for _, first, last in walk(attrs.message, *attrs.spans[attr.number]):
        if not int.from_bytes(attrs.message[first - 2 : first], "little") & NLA_F_NESTED:
            raise Refusal(errno.EINVAL)
        yield Attrs.index(attrs.message, first, last)


def set_peer(wg: WireGuard, attrs: Attrs) -> None:
    """set_peer(). Refusal EINVAL, EPFNOSUPPORT, ENOMEM."""
    key = attrs.get(Wgpeer.public_key)
    if key is None or len(key) != WG_KEY_LEN:
        raise Refusal(errno.EINVAL)
    preshared_key, flags = attrs.get(Wgpeer.preshared_key), attrs.get(Wgpeer.flags, 0)
    if attrs.get(Wgpeer.protocol_version, PROTOCOL_VERSION) != PROTOCOL_VERSION:
        raise Refusal(errno.EPFNOSUPPORT)
    peer = wg.peers.get(key)
    if peer is None:
        if flags & (WgpeerFlag.REMOVE_ME | WgpeerFlag.UPDATE_ONLY) or key == wg.public_key:
            return
        peer = wg.add_peer(key, preshared_key)
        flags &= ~WgpeerFlag.REPLACE_ALLOWEDIPS
    if flags & WgpeerFlag.REMOVE_ME:
        wg.remove_peer(peer)
        return
    if preshared_key is not None:
        peer.preshared_key = preshared_key
    endpoint = attrs.get(Wgpeer.endpoint)
    if endpoint is not None and ENDPOINT.get(FAMILY.unpack_from(endpoint)[0]) == len(endpoint):
        peer.endpoint = endpoint
    if flags & WgpeerFlag.REPLACE_ALLOWEDIPS:
        wg.remove_prefixes(peer)
    if Wgpeer.allowedips in attrs:
        for allowed in members(attrs, Wgpeer.allowedips):
            set_allowedip(wg, peer, allowed)
    peer.keepalive = attrs.get(Wgpeer.persistent_keepalive_interval, peer.keepalive)


def set_allowedip(wg: WireGuard, peer: Peer, attrs: Attrs) -> None:
    """set_allowedip(). Refusal EINVAL."""
    family, address = attrs.get(Wgallowedip.family), attrs.get(Wgallowedip.ipaddr)
    length = attrs.get(Wgallowedip.cidr_mask)
    if family is None or address is None or length is None:
        raise Refusal(errno.EINVAL)
    bits = BITS.get(family, 0)
    if length > bits or len(address) * 8 != bits:
        raise Refusal(errno.EINVAL)
    prefix = prefix_of(family, address, length)
    if attrs.get(Wgallowedip.flags, 0) & WgallowedipFlag.REMOVE_ME:
        wg.remove_prefix(peer, prefix)
    else:
        wg.add_prefix(peer, prefix)
