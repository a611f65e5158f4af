"""A WireGuard device beside its link: struct wg_device, its peers, and the addresses that are theirs.

Which peer an address belongs to is the device's to know: one that is given to another peer is taken from the first. The
device listens on a UDP port of the namespace in which it was made, wherever it moves, and of all addresses; when that
namespace goes it has none any more.

No handshake is made and no packet is sent, so nothing is ever counted of a peer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EADDRINUSE, ENOMEM, ENONET
from typing import TYPE_CHECKING, cast

from nlemu.emulator.kernel.tunnels import udp
from nlemu.emulator.kernel.wireguard import curve25519
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel

NO_KEY = bytes(curve25519.KEY)
MAX_PEERS = 1 << 20
"""MAX_PEERS_PER_DEVICE"""
EPHEMERAL = (32768, 60999)
"""net.ipv4.ip_local_port_range: where a port is looked for that nobody named."""
RETRIES = 100
BITS = {AF_INET: 32, AF_INET6: 128}

Prefix = tuple[int, int, int]
"""Family, address without what the mask hides, and how long the mask is."""


@dataclass(eq=False)
class Peer:
    """struct wg_peer. endpoint: struct sockaddr_in or sockaddr_in6, None for none; keepalive: in seconds, 0 for none;
    prefixes: in the order in which they became its own; dead: the device has forgotten it."""

    public_key: bytes
    preshared_key: bytes = NO_KEY
    endpoint: bytes | None = None
    keepalive: int = 0
    prefixes: dict[Prefix, None] = field(default_factory=dict)
    rx_bytes: int = 0
    tx_bytes: int = 0
    dead: bool = False


class WireGuard:
    """struct wg_device. net: where its sockets are, None when that is gone; port: as asked for, or as it was found;
    generation: how often it was changed, and prefixes_seq how often addresses were."""

    def __init__(self, dev: Device, net: Net) -> None:
        self.dev = dev
        self.net: Net | None = net
        self.private_key = NO_KEY
        self.public_key: bytes | None = None
        self.port = 0
        self.fwmark = 0
        self.peers: dict[bytes, Peer] = {}
        self.owners: dict[Prefix, Peer] = {}
        self.generation = 1
        self.prefixes_seq = 1
        self._bound: tuple[Net, int] | None = None

    # Sockets

    def listen(self, port: int) -> None:
        """wg_socket_init(): sockets for both families, on that port, or with 0 on any that is free. ENONET,
        EADDRINUSE."""
        net = self.net
        if net is None:
            raise Refusal(ENONET)
        held, self._bound = self._bound, None
        try:
            found = self._bind(net, port)
        except Refusal:
            self._bound = held
            raise
        if held is not None:
            udp.release_both(*held)
        self._bound, self.port = (net, found), found

    def _bind(self, net: Net, port: int) -> int:
        for _ in range(RETRIES):
            wanted = port or net.kernel.random.randint(*EPHEMERAL)
            try:
                udp.bind_both(net, wanted, self)
            except Refusal:
                if port:
                    raise
                continue
            return wanted
        raise Refusal(EADDRINUSE)

    def close(self) -> None:
        """wg_socket_reinit() without sockets: the port is remembered."""
        if self._bound is not None:
            udp.release_both(*self._bound)
            self._bound = None

    def set_port(self, port: int) -> None:
        """set_port(). EADDRINUSE, ENONET."""
        if port == self.port:
            return
        if self.dev.running:
            self.listen(port)
        else:
            self.port = port

    # Keys and peers

    def set_private_key(self, key: bytes) -> None:
        """Takes the key, and forgets the peer whose public key is its own; zeros are no key."""
        if key == self.private_key:
            return
        public = curve25519.generate_public(key)
        if public in self.peers:
            self.remove_peer(self.peers[public])
        self.private_key, self.public_key = curve25519.clamp(key), public

    def add_peer(self, public_key: bytes, preshared_key: bytes | None) -> Peer:
        """wg_peer_create(). ENOMEM: there are too many."""
        if len(self.peers) >= MAX_PEERS:
            raise Refusal(ENOMEM)
        peer = self.peers[public_key] = Peer(public_key, preshared_key or NO_KEY)
        return peer

    def remove_peer(self, peer: Peer) -> None:
        """wg_peer_remove()."""
        del self.peers[peer.public_key]
        self.remove_prefixes(peer)
        peer.dead = True

    def remove_peers(self) -> None:
        """wg_peer_remove_all()."""
        self.prefixes_seq += 1
        self.owners.clear()
        for peer in self.peers.values():
            peer.prefixes.clear()
            peer.dead = True
        self.peers.clear()

    # Whose an address is

    def add_prefix(self, peer: Peer, prefix: Prefix) -> None:
        """wg_allowedips_insert_v4(), wg_allowedips_insert_v6(): it is that peer's from now on, and its last one."""
        self.prefixes_seq += 1
        before = self.owners.get(prefix)
        if before is not None:
            del before.prefixes[prefix]
        self.owners[prefix] = peer
        peer.prefixes[prefix] = None

    def remove_prefix(self, peer: Peer, prefix: Prefix) -> None:
        """wg_allowedips_remove_v4(), wg_allowedips_remove_v6(): if it is that peer's."""
        self.prefixes_seq += 1
        if self.owners.get(prefix) is peer:
            del self.owners[prefix], peer.prefixes[prefix]

    def remove_prefixes(self, peer: Peer) -> None:
        """wg_allowedips_remove_by_peer()."""
        if peer.prefixes:
            self.prefixes_seq += 1
            for prefix in peer.prefixes:
                del self.owners[prefix]
            peer.prefixes.clear()


def prefix_of(family: int, address: bytes, length: int) -> Prefix:
    """The prefix of an address: what its mask hides is left out."""
    hidden = BITS[family] - length
    return family, int.from_bytes(address, "big") >> hidden << hidden, length


def devices(kernel: Kernel) -> list[WireGuard]:
    """device_list: those of a machine, the newest first."""
    return cast("list[WireGuard]", kernel.init_net.generic.setdefault("wireguard", []))
