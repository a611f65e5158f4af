"""The gtp family: whose packets go through which tunnel (drivers/net/gtp.c)."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.netns import net_of_descriptor
from nlemu.emulator.kernel.links.gtp import state_of
from nlemu.emulator.kernel.tunnels import address as tunnel_address
from nlemu.emulator.kernel.tunnels import gtp as tunnels
from nlemu.emulator.kernel.tunnels import xmit
from nlemu.emulator.kernel.tunnels.gtp import Context, Gtp, Wanted
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.gtp import DELPDP, ECHOREQ, GETPDP, NEWPDP, PDP_DEL, PDP_NEW, Pdp
from nlemu.protocol.frame import GENERIC, message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.gtp import GtpVersion
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Attr, Values
    from nlemu.protocol.schema.family import Operation

NEEDED: dict[int, tuple[Attr[Any], ...]] = {GtpVersion.V0: (Pdp.tid, Pdp.flow), GtpVersion.V1: (Pdp.i_tei, Pdp.o_tei)}
ECHO = {GtpVersion.V0: 20, GtpVersion.V1: 12}
"""The size of a header that asks for an echo: struct gtp0_header, struct gtp1_header_long."""
UDP_IP = 20 + 8
SKB_PAD = 64
"""NET_SKB_PAD: as nothing is inside an echo, what is counted of it begins where its memory does."""


def find_device(call: Call) -> Gtp:
    """gtp_find_dev(): here, or in the namespace that the request names. Refusal ENODEV."""
    attrs, net = call.attrs, call.net
    if Pdp.net_ns_fd in attrs:
        try:
            net = net_of_descriptor(call, attrs[Pdp.net_ns_fd])
        except Refusal as refused:
            raise Refusal(errno.ENODEV) from refused
    dev = net.device(attrs[Pdp.link])
    if dev is None or dev.kind is None or dev.kind.name != "gtp":
        raise Refusal(errno.ENODEV)
    return state_of(dev)


def find_context(call: Call) -> tuple[Gtp, Context]:
    """gtp_find_pdp(): by the subscriber's address, or by the number of the tunnel. Refusal EINVAL, ENODEV, ENOENT,
    EADDRNOTAVAIL."""
    attrs = call.attrs
    if Pdp.version not in attrs or Pdp.link not in attrs:
        raise Refusal(errno.EINVAL)
    family = attrs.get(Pdp.family, int(AF_INET))
    gtp = find_device(call)
    version = attrs[Pdp.version]
    if Pdp.ms_address in attrs:
        if family != AF_INET:
            raise Refusal(errno.EINVAL)
        found = gtp.find_ms(family, attrs[Pdp.ms_address], b"")
    elif Pdp.ms_addr6 in attrs:
        if family != AF_INET6:
            raise Refusal(errno.EINVAL)
        tunnels.check_prefix(attrs[Pdp.ms_addr6][:16])
        found = gtp.find_ms(family, 0, attrs[Pdp.ms_addr6])
    elif version == GtpVersion.V0 and Pdp.tid in attrs:
        found = gtp.find_number(family, version, attrs[Pdp.tid])
    elif version == GtpVersion.V1 and Pdp.i_tei in attrs:
        found = gtp.find_number(family, version, attrs[Pdp.i_tei])
    else:
        raise Refusal(errno.EINVAL)
    if found is None:
        raise Refusal(errno.ENOENT)
    return gtp, found


def fill(gtp: Gtp, context: Context) -> Values:
    """gtp_genl_fill_info()"""
    ours, theirs = context.family == AF_INET, context.socket.family == AF_INET
    first = context.version == GtpVersion.V0
    return {
        Pdp.version: context.version, Pdp.link: gtp.dev.ifindex, Pdp.family: context.family,
        Pdp.ms_address: context.ms if ours else None, Pdp.ms_addr6: None if ours else context.ms6,
        Pdp.peer_address: context.peer if theirs else None, Pdp.peer_addr6: None if theirs else context.peer6,
        Pdp.tid: context.tid if first else None, Pdp.flow: context.flow if first else None,
        Pdp.i_tei: None if first else context.i_tei, Pdp.o_tei: None if first else context.o_tei,
    }


def reply(call: Call, gtp: Gtp, context: Context) -> bytes:
    """What answers GETPDP: with the number of the family where the command should be."""
    assert GETPDP.replies is not None
    return GENERIC.pack(call.type & 0xFF, GETPDP.family.version, 0) + GETPDP.replies.encode(fill(gtp, context))


def tell(call: Call, op: Operation, gtp: Gtp, context: Context) -> None:
    """gtp_tunnel_notify()"""
    machine = call.machine
    machine.families.notify(
        gtp.dev.net, op, lambda: message(machine.number(op), 0, 0, 0, op.body(fill(gtp, context)))
    )


@doit(NEWPDP)
def new(call: Call) -> None:
    """gtp_genl_new_pdp(): EINVAL, ENODEV, and those of Gtp.add()."""
    attrs = call.attrs
    if Pdp.version not in attrs or Pdp.link not in attrs:
        raise Refusal(errno.EINVAL)
    version = attrs[Pdp.version]
    needed = NEEDED.get(version)
    if needed is None or any(attr not in attrs for attr in needed):
        raise Refusal(errno.EINVAL)
    gtp = find_device(call)
    socket = gtp.sockets.get(version)
    if socket is None:
        raise Refusal(errno.ENODEV)
    wanted = Wanted(
        version, attrs.get(Pdp.family, int(AF_INET)), ms=attrs.get(Pdp.ms_address), ms6=_address6(call, ours=True),
        peer=attrs.get(Pdp.peer_address), peer6=_address6(call, ours=False), tid=attrs.get(Pdp.tid, 0),
        flow=attrs.get(Pdp.flow, 0), i_tei=attrs.get(Pdp.i_tei, 0), o_tei=attrs.get(Pdp.o_tei, 0),
        excl=bool(call.flags & NLM_F.EXCL), replace=bool(call.flags & NLM_F.REPLACE),
    )
    tell(call, PDP_NEW, gtp, gtp.add(socket, wanted))


def _address6(call: Call, *, ours: bool) -> bytes | None:
    """nla_get_in6_addr(): what stands behind it is not looked at."""
    address = call.attrs.get(Pdp.ms_addr6 if ours else Pdp.peer_addr6)
    return None if address is None else address[:16]


@doit(DELPDP)
def delete(call: Call) -> None:
    """gtp_genl_del_pdp()"""
    gtp, context = find_context(call)
    tell(call, PDP_DEL, gtp, context)
    gtp.delete(context)


@doit(GETPDP)
def get(call: Call) -> bytes:
    """gtp_genl_get_pdp()"""
    return reply(call, *find_context(call))


@dumpit(GETPDP)
def dump(call: Call) -> Messages:
    """gtp_genl_dump_pdp(): those of all devices here."""
    for dev in call.net:
        if dev.kind is not None and dev.kind.name == "gtp":
            gtp = state_of(dev)
            for context in gtp.contexts():
                yield partial(reply, call, gtp, context)


@doit(ECHOREQ)
def echo_request(call: Call) -> None:
    """gtp_genl_send_echo_req(): by a socket of the device's own. EINVAL, EOPNOTSUPP, ENETDOWN; ENODEV, without a way
    there too."""
    attrs = call.attrs
    if any(attr not in attrs for attr in (Pdp.version, Pdp.link, Pdp.peer_address, Pdp.ms_address)):
        raise Refusal(errno.EINVAL)
    gtp, version = find_device(call), attrs[Pdp.version]
    if not gtp.created:
        raise Refusal(errno.EOPNOTSUPP)
    if not gtp.dev.flags & IFF.UP:
        raise Refusal(errno.ENETDOWN)
    if version not in ECHO:
        raise Refusal(errno.ENODEV)
    peer, source = (
        tunnel_address.ipv4(attrs[attr].to_bytes(4, "big")) for attr in (Pdp.peer_address, Pdp.ms_address)
    )
    try:
        through = xmit.find_way(gtp.dev, gtp.net, source, peer)
    except Refusal as refused:
        raise Refusal(errno.ENODEV) from refused
    xmit.send(gtp.dev, through, peer, ECHO[GtpVersion(version)], UDP_IP, counted=SKB_PAD)
