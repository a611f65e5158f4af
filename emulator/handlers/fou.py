"""The fou family: UDP ports at which other protocols arrive (net/ipv4/fou_core.c)."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.tunnels import fou
from nlemu.emulator.kernel.tunnels.fou import Place
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.fou import ADD, DEL, GET, Fou
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Values

SIZES = {AF_INET: 4, AF_INET6: 16}


def place_of(call: Call) -> tuple[Place, bool]:
    """parse_nl_config(): which port is meant, and whether another end is named. EAFNOSUPPORT, EINVAL."""
    attrs = call.attrs
    family = attrs.get(Fou.af, int(AF_INET))
    if family not in SIZES:
        raise Refusal(errno.EAFNOSUPPORT)
    local, peer = (Fou.local_v4, Fou.peer_v4) if family == AF_INET else (Fou.local_v6, Fou.peer_v6)
    size = SIZES[family]
    connected = peer in attrs
    if connected and Fou.peer_port not in attrs:
        raise Refusal(errno.EINVAL)
    if Fou.ifindex in attrs and local not in attrs:
        raise Refusal(errno.EINVAL)
    address = attrs.payload(local)[:size] if local in attrs else bytes(size)
    peer_port = attrs[Fou.peer_port] if connected else 0
    return Place(family, attrs.get(Fou.port, 0), address, peer_port, attrs.get(Fou.ifindex, 0)), connected


@doit(ADD)
def add(call: Call) -> None:
    """fou_nl_add_doit()."""
    place, connected = place_of(call)
    if connected or place.ifindex:
        call.machine.refuse_not_emulated("fou add of another end or a device")
    attrs = call.attrs
    fou.add(call.net, fou.Fou(
        place, attrs.get(Fou.ipproto, 0), attrs.get(Fou.type, 0), nopartial=Fou.remcsum_nopartial in attrs,
    ))


@doit(DEL)
def delete(call: Call) -> None:
    """fou_nl_del_doit()."""
    place, connected = place_of(call)
    if connected:
        raise Refusal(errno.EINVAL)
    fou.delete(call.net, place)


def fill(one: fou.Fou) -> Values:
    """fou_fill_info()."""
    place = one.place
    four = place.family == AF_INET
    return {
        Fou.af: place.family, Fou.port: place.port, Fou.peer_port: 0, Fou.ipproto: one.protocol, Fou.type: one.type,
        Fou.ifindex: 0, Fou.remcsum_nopartial: one.nopartial or None,
        Fou.local_v4: int.from_bytes(place.local, "big") if four else None, Fou.peer_v4: 0 if four else None,
        Fou.local_v6: None if four else place.local, Fou.peer_v6: None if four else bytes(16),
    }


@doit(GET)
def get(call: Call) -> Values:
    """fou_nl_get_doit(): EINVAL, ESRCH."""
    place, connected = place_of(call)
    if not place.port:
        raise Refusal(errno.EINVAL)
    found = None if connected else fou.find(call.net, place)
    if found is None:
        raise Refusal(errno.ESRCH)
    return fill(found)


@dumpit(GET)
def dump(call: Call) -> Messages:
    """fou_nl_get_dumpit(): the next datagram begins behind the place in the list at which the last one ended."""
    at = 0
    while at < len(known := fou.ports(call.net)):
        at += 1
        yield partial(_body, call, known[at - 1])


def _body(call: Call, one: fou.Fou) -> bytes | None:
    """One that does not fit ends the datagram, and is told no more: Linux counts it before it looks."""
    assert call.dump is not None
    body = GET.body(fill(one))
    if NLMSG_HDRLEN + len(body) <= call.dump.left:
        return body
    call.dump.full = True
    return None
