"""How `ip tunnel` asks for tunnels and deletes them: ip_tunnel_siocdevprivate() of net/ipv4/ip_tunnel.c and its like.

A tunnel is told as a structure, IPv4's with the outer header in it. New ones are asked for on the device that takes
what is for no other, and there is none here.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.register import unregister
from nlemu.emulator.kernel.links.sit import SitTunnel, SixRd, update_sixrd
from nlemu.emulator.kernel.tunnels.ip6_tunnel import Ip6Tunnel
from nlemu.emulator.kernel.tunnels.ip_tunnel import IpTunnel
from nlemu.emulator.launch.ioctls.caller import Ifreq, name_of
from nlemu.protocol.uapi.if_tunnel import GreFlag, TunnelIoctl
from nlemu.protocol.uapi.in_ import IpProto

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

PARM = struct.Struct(">16s4sHHII")
"""struct ip_tunnel_parm, but for the outer header: the index of the device below is in the machine's order."""
IPHDR = struct.Struct(">BBHHHBBHII")
PARM6 = struct.Struct(">16s4sBBBxI4s16s16s")
"""struct ip6_tnl_parm: the flags are in the machine's order too."""
KEYS6 = struct.Struct(">HHII")
"""What struct ip6_tnl_parm2 has besides."""
SIXRD = struct.Struct(">16sI4s")
"""struct ip_tunnel_6rd: two lengths at last, in the machine's order."""
INT, LENGTHS = struct.Struct("=I"), struct.Struct("=HH")
VERSION_AND_LENGTH, DF, KEY, VTI = 0x45, 0x4000, int(GreFlag.KEY), 0x0100
MAKING = (TunnelIoctl.ADDTUNNEL, TunnelIoctl.CHGTUNNEL)
LISTS = (TunnelIoctl.GETPRL, TunnelIoctl.ADDPRL, TunnelIoctl.DELPRL, TunnelIoctl.CHGPRL)
KINDS = frozenset({"ipip", "gre", "sit", "vti", "ip6tnl", "ip6gre", "vti6"})
"""Those whose drivers have ndo_siocdevprivate."""


def is_one(dev: Device) -> bool:
    """Whether its driver knows these ioctls."""
    return dev.kind is not None and dev.kind.name in KINDS


def private(dev: Device, command: int, request: Ifreq) -> int:
    """OSError EFAULT, EPERM, EINVAL for what is no such command, EOPNOTSUPP for what is not played."""
    tunnel: IpTunnel | Ip6Tunnel = dev.priv
    if command == TunnelIoctl.GETTUNNEL:
        answer(request, told(tunnel) if isinstance(tunnel, IpTunnel) else told6(tunnel))
        return 0
    if command == TunnelIoctl.DELTUNNEL:
        request.caller.want_admin(tunnel.net)
        unregister(dev)
        return 0
    if command >= TunnelIoctl.GET6RD and isinstance(tunnel, SitTunnel):
        return sixrd(tunnel, command, request)
    if command in MAKING or (isinstance(tunnel, SitTunnel) and command in LISTS):
        request.caller.want_admin(tunnel.net)
        raise OSError(errno.EOPNOTSUPP, "not played")
    raise OSError(errno.EINVAL, "no such command")


def sixrd(tunnel: SitTunnel, command: int, request: Ifreq) -> int:
    """ipip6_tunnel_get6rd(), ipip6_tunnel_6rdctl()"""
    if command == TunnelIoctl.GET6RD:
        one = tunnel.sixrd
        lengths = LENGTHS.pack(one.length, one.relay_length)
        answer(request, SIXRD.pack(one.prefix.to_bytes(16, "big"), one.relay, lengths))
        return 0
    if command > TunnelIoctl.CHG6RD:
        raise OSError(errno.EINVAL, "no such command")
    request.caller.want_admin(tunnel.net)
    prefix, relay, lengths = SIXRD.unpack(request.caller.memory.read(request.pointer, SIXRD.size))
    if command == TunnelIoctl.DEL6RD:
        tunnel.sixrd = SixRd()
        tunnel.dev.changed()
    else:
        update_sixrd(tunnel, SixRd(int.from_bytes(prefix, "big"), relay, *LENGTHS.unpack(lengths)))
    return 0


def answer(request: Ifreq, data: bytes) -> None:
    """Puts it where the request says, which can be read as well. OSError EFAULT."""
    memory = request.caller.memory
    memory.read(request.pointer, len(data))
    memory.write(request.pointer, data)


def told(tunnel: IpTunnel) -> bytes:
    """ip_tunnel_parm_to_user(), after what its kind makes of it."""
    parms, kind = tunnel.parms, tunnel.dev.kind
    i_flags, o_flags = parms.i_flags, parms.o_flags
    if kind is not None and kind.name == "vti":
        i_flags, o_flags = KEY | (VTI if parms.vti else 0), KEY
    head = PARM.pack(
        name_of(tunnel.dev.name), INT.pack(parms.link), i_flags, o_flags, parms.i_key, parms.o_key
    )
    return head + IPHDR.pack(
        VERSION_AND_LENGTH, parms.tos, 0, 0, DF if parms.df else 0, parms.ttl, parms.protocol, 0, parms.saddr,
        parms.daddr,
    )


def told6(tunnel: Ip6Tunnel) -> bytes:
    """ip6_tnl_parm_to_user(), ip6gre_tnl_parm_to_user(), vti6_parm_to_user()"""
    parms, name = tunnel.parms, "" if tunnel.dev.kind is None else tunnel.dev.kind.name
    vti = name == "vti6"
    head = PARM6.pack(
        name_of(tunnel.dev.name), INT.pack(parms.link), int(IpProto.GRE) if name == "ip6gre" else parms.proto,
        parms.encap_limit, parms.hop_limit, parms.flowinfo, INT.pack(0 if vti else parms.flags),
        parms.laddr.to_bytes(16, "big"), parms.raddr.to_bytes(16, "big"),
    )
    if name == "ip6tnl":
        return head
    i_flags, o_flags = parms.i_flags, parms.o_flags
    if vti:
        i_flags, o_flags = KEY if parms.i_key else 0, KEY if parms.o_key else 0
    return head + KEYS6.pack(i_flags, o_flags, parms.i_key, parms.o_key)
