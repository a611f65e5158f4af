"""Tunnels that give packets a way by segments: seg6_build_state(), seg6_fill_encap_info() of
net/ipv6/seg6_iptunnel.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.inet import pack6
from nlemu.emulator.handlers.route.route import segments
from nlemu.emulator.kernel.inet.lwtunnel import Seg6
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AF_INET6, AddrType
from nlemu.protocol.families.route.lwtunnel import Seg6Tunnel
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.release import V7_2, V7_3
from nlemu.protocol.uapi.seg6 import Seg6IptunMode

if TYPE_CHECKING:
    from nlemu.protocol.release import Release
    from nlemu.protocol.schema.attributes import Attrs

MODE = 4
"""How long the mode is, which stands before the header."""


def read(attrs: Attrs, family: int, release: Release) -> Seg6:
    """family: of the way. EINVAL, some with texts."""
    payload = attrs.get(Seg6Tunnel.srh, b"")
    if len(payload) < MODE + segments.LEAST:
        raise Refusal(errno.EINVAL)
    mode = int.from_bytes(payload[:MODE], "little")
    sourced = Seg6Tunnel.src in attrs and release >= V7_2
    if mode == Seg6IptunMode.INLINE:
        if family != AF_INET6:
            raise Refusal(errno.EINVAL)
        if sourced:
            raise Refusal(errno.EINVAL, "incompatible mode for tunsrc")
    elif mode > Seg6IptunMode.L2ENCAP_RED:
        raise Refusal(errno.EINVAL)
    header = segments.read(payload[MODE:])
    source = int.from_bytes(attrs[Seg6Tunnel.src], "big") if sourced else 0
    if sourced and (not source or ip6.classify(source)[0] & (AddrType.MULTICAST | AddrType.LOOPBACK)):
        raise Refusal(errno.EINVAL, "invalid tunsrc address")
    table = 0
    if Seg6Tunnel.table in attrs and release >= V7_3:
        table = attrs[Seg6Tunnel.table]
        if not table:
            raise Refusal(errno.EINVAL, "invalid lookup table")
    return Seg6(mode, header, source, table)


def told(tunnel: Seg6) -> bytes:
    """seg6_fill_encap_info()."""
    return Seg6Tunnel.spec.layout.encode(
        {
            Seg6Tunnel.srh: tunnel.mode.to_bytes(MODE, "little") + segments.told(tunnel.header),
            Seg6Tunnel.src: pack6(tunnel.source),
            Seg6Tunnel.table: tunnel.table or None,
        }
    )
