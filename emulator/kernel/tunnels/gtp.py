"""GTP tunnels and the contexts that say whose packets go through them (drivers/net/gtp.c).

A device has a socket for each version of the protocol, or for one alone, and a context for each subscriber (ms) whose
packets it wraps: the address of the subscriber, that of the other end (peer), and the number of the tunnel. Contexts
are found by the subscriber's address and by that number, in two tables of as many buckets as the device was told.
Whoever changes a context leaves it in the buckets where it was, so it may not be found any more by what it says now;
and a dump walks the buckets, in an order that another boot has otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EADDRNOTAVAIL, EAFNOSUPPORT, EEXIST, EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.gtp import GtpVersion
from nlemu.protocol.uapi.if_link import GtpRole
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.tunnels.udp import UdpSocket

PREFIX = 64
"""A subscriber of IPv6 has as long a prefix."""


@dataclass(slots=True)
class Wanted:
    """What a request says of a context. ms, ms6, peer, peer6: addresses, of which one of each two is said; tid, flow:
    of version 0, i_tei, o_tei: of version 1. excl, replace: how it is to be made."""

    version: int
    family: int = AF_INET
    ms: int | None = None
    ms6: bytes | None = None
    peer: int | None = None
    peer6: bytes | None = None
    tid: int = 0
    flow: int = 0
    i_tei: int = 0
    o_tei: int = 0
    excl: bool = False
    replace: bool = False

    @property
    def number(self) -> int:
        """By what the tunnel is known to this end."""
        return self.tid if self.version == GtpVersion.V0 else self.i_tei


@dataclass(slots=True, eq=False)
class Context:
    """struct pdp_ctx. family: of the subscriber; socket: through which it goes. ms_bucket, number_bucket: where it is
    in the tables."""

    socket: UdpSocket
    family: int
    version: int = 0
    ms: int = 0
    ms6: bytes = bytes(16)
    peer: int = 0
    peer6: bytes = bytes(16)
    tid: int = 0
    flow: int = 0
    i_tei: int = 0
    o_tei: int = 0
    ms_bucket: int = 0
    number_bucket: int = 0

    @property
    def number(self) -> int:
        """By what the tunnel is known to this end."""
        return self.tid if self.version == GtpVersion.V0 else self.i_tei

    def fill(self, wanted: Wanted) -> None:
        """ipv4_pdp_fill(), ipv6_pdp_fill(). Refusal EADDRNOTAVAIL for a subscriber of IPv6 that is no prefix; by then
        its address is another, and that of the other end."""
        if wanted.peer is not None:
            self.peer = wanted.peer
        elif wanted.peer6 is not None:
            self.peer6 = wanted.peer6
        if self.family == AF_INET:
            assert wanted.ms is not None
            self.ms = wanted.ms
        else:
            assert wanted.ms6 is not None
            self.ms6 = wanted.ms6
            check_prefix(self.ms6)
        self.version = wanted.version
        if self.version == GtpVersion.V0:
            self.tid, self.flow = wanted.tid, wanted.flow
        else:
            self.i_tei, self.o_tei = wanted.i_tei, wanted.o_tei


def check_prefix(address: bytes) -> None:
    """Refusal EADDRNOTAVAIL for an address of IPv6 with anything behind the prefix."""
    if any(address[PREFIX // 8 :]):
        raise Refusal(EADDRNOTAVAIL)


@dataclass(slots=True, eq=False)
class Gtp:
    """struct gtp_dev. net: where its sockets are; created: they are its own, and listen on local. salt: what buckets
    follow from besides what is looked for. by_ms, by_number: the two tables, the newest of a bucket first."""

    dev: Device
    net: Net
    role: int = int(GtpRole.GGSN)
    buckets: int = 0
    restart_count: int = 0
    sockets: dict[int, UdpSocket] = field(default_factory=dict)
    """By the version that they are for."""
    created: bool = False
    local: bytes = b""
    salt: int = 0
    by_ms: dict[int, list[Context]] = field(default_factory=dict)
    by_number: dict[int, list[Context]] = field(default_factory=dict)

    def _bucket(self, *words: int) -> int:
        return hash((self.salt, *words)) % self.buckets

    def _ms_bucket(self, family: int, ms: int, ms6: bytes) -> int:
        return self._bucket(ms) if family == AF_INET else self._bucket(*_prefix(ms6))

    def find_ms(self, family: int, ms: int, ms6: bytes) -> Context | None:
        """ipv4_pdp_find(), ipv6_pdp_find()."""
        return next(
            (
                one for one in self.by_ms.get(self._ms_bucket(family, ms, ms6), ())
                if one.family == family and (one.ms == ms if family == AF_INET else _prefix(one.ms6) == _prefix(ms6))
            ),
            None,
        )

    def find_number(self, family: int, version: int, number: int) -> Context | None:
        """gtp0_pdp_find(), gtp1_pdp_find()."""
        return next(
            (
                one for one in self.by_number.get(self._bucket(number), ())
                if (one.family, one.version, one.number) == (family, version, number)
            ),
            None,
        )

    def add(self, socket: UdpSocket, wanted: Wanted) -> Context:
        """gtp_pdp_add(): a new context, or one that is there and is changed. Refusal EINVAL, EAFNOSUPPORT, EEXIST,
        EOPNOTSUPP, EADDRNOTAVAIL."""
        if wanted.peer is None and wanted.peer6 is None:
            raise Refusal(EINVAL)
        if (wanted.peer if socket.family == AF_INET6 else wanted.peer6) is not None:
            raise Refusal(EAFNOSUPPORT)
        if wanted.family not in (AF_INET, AF_INET6):
            raise Refusal(EAFNOSUPPORT)
        said, other = (wanted.ms, wanted.ms6) if wanted.family == AF_INET else (wanted.ms6, wanted.ms)
        if said is None or other is not None:
            raise Refusal(EINVAL)
        ms, ms6 = wanted.ms or 0, wanted.ms6 or bytes(16)
        by_ms = self.find_ms(wanted.family, ms, ms6)
        by_number = self.find_number(wanted.family, wanted.version, wanted.number)
        found = by_ms or by_number
        if found is not None:
            if wanted.excl:
                raise Refusal(EEXIST)
            if wanted.replace:
                raise Refusal(EOPNOTSUPP)
            if by_ms is not None and by_number is not None:
                raise Refusal(EEXIST)
            found.fill(wanted)
            return found
        new = Context(socket, wanted.family)
        new.fill(wanted)
        new.ms_bucket, new.number_bucket = self._ms_bucket(new.family, ms, ms6), self._bucket(new.number)
        self.by_ms.setdefault(new.ms_bucket, []).insert(0, new)
        self.by_number.setdefault(new.number_bucket, []).insert(0, new)
        return new

    def delete(self, context: Context) -> None:
        """pdp_context_delete()"""
        for table, bucket in ((self.by_ms, context.ms_bucket), (self.by_number, context.number_bucket)):
            table[bucket].remove(context)
            if not table[bucket]:
                del table[bucket]

    def contexts(self) -> Iterator[Context]:
        """All of them, as a dump walks them."""
        for bucket in sorted(self.by_number):
            yield from tuple(self.by_number.get(bucket, ()))


def _prefix(address: bytes) -> tuple[int, int]:
    return int.from_bytes(address[:4], "little"), int.from_bytes(address[4:8], "little")
