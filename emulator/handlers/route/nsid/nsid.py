"""Ids of namespaces: rtnl_net_newid(), rtnl_net_getid(), rtnl_net_dumpid() of net/core/net_namespace.c."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.netns import net_by_id, net_of_descriptor, net_of_pid
from nlemu.emulator.netlink.call import Call, Fill
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.nsid import GETNSID, NEWNSID, REPLY, Nsid
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs
from nlemu.protocol.uapi.net_namespace import NETNSA_NSID_NOT_ASSIGNED
from nlemu.protocol.uapi.socket import AF_UNSPEC
from nlemu.protocol.wire.extack import Extack

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

HEADER = 16  # struct nlmsghdr
FAMILY = bytes(4)  # struct rtgenmsg, padded: AF_UNSPEC
BODY = HEADER + len(FAMILY)


def body(nsid: int, current: int | None = None) -> bytes:
    """rtnl_net_fill()."""
    return FAMILY + REPLY.encode({Nsid.nsid: nsid, Nsid.current_nsid: current})


def id_of(net: Net, peer: Net) -> int:
    """peernet2id()."""
    nsid = net.id_of(peer)
    return NETNSA_NSID_NOT_ASSIGNED if nsid is None else nsid


def find_peer(call: Call, attrs: Attrs, by_id: bool) -> tuple[Net, Attr[int]]:
    """The namespace a request is about, and the attribute that named it."""
    named: Attr[int]
    try:
        if Nsid.pid in attrs:
            named = Nsid.pid
            return net_of_pid(call, attrs[named]), named
        if Nsid.fd in attrs:
            named = Nsid.fd
            return net_of_descriptor(call, attrs[named]), named
        if by_id and Nsid.nsid in attrs:
            named = Nsid.nsid
            peer = call.net.by_id(attrs[named])
            if peer is None:
                raise Refusal(errno.ENOENT)
            return peer, named
    except Refusal as refused:
        raise Refusal(refused.errno, "Peer netns reference is invalid", at=attrs.offset(named)) from refused
    raise Refusal(errno.EINVAL, "Peer netns reference is missing")


@doit_of(NEWNSID, AF_UNSPEC)
def newnsid(call: Call) -> None:
    """rtnl_net_newid()."""
    attrs = call.attrs
    nsid = attrs.get(Nsid.nsid)
    if nsid is None:
        raise Refusal(errno.EINVAL, "nsid is missing")
    peer, named = find_peer(call, attrs, by_id=False)
    try:
        call.net.set_id(peer, nsid, call)
    except Refusal as refused:
        if refused.at is not None:
            refused.at = attrs.offset(named if refused.at == "peer" else Nsid.nsid)
        raise


@doit_of(GETNSID, AF_UNSPEC)
def getnsid(call: Call) -> bytes:
    """rtnl_net_getid()."""
    attrs = call.attrs
    peer, _ = find_peer(call, attrs, by_id=True)
    target, current = call.net, None
    wanted = attrs.get(Nsid.target_nsid)
    if wanted is not None:
        try:
            target = net_by_id(call, wanted)
        except Refusal as refused:
            offset = attrs.offset(Nsid.target_nsid)
            raise Refusal(refused.errno, "Target netns reference is invalid", at=offset) from refused
        current = id_of(call.net, peer)
    return body(id_of(target, peer), current)


class OneDatagram(Dump):
    """rtnl_net_dumpid() forgets to say that it did not fit: what is beyond the first datagram is never told."""

    def _pack(self, parts: list[bytes], left: int, extack: Extack) -> int:
        left = super()._pack(parts, left, extack)
        self.exhausted, self.waiting = True, None
        return left


@dumpit_of(GETNSID, AF_UNSPEC)
def dumpnsid(call: Call) -> Dump:
    """rtnl_net_dumpid()."""
    return OneDatagram(call, tell_ids(call))


def tell_ids(call: Call) -> Iterator[Fill]:
    """rtnl_net_dumpid(): the ids that a namespace has given; the request is looked at only if the socket is strict."""
    net, asker = call.net, None
    attrs = call.attrs
    for number in sorted(attrs.spans):
        at = attrs.spans[number][0] - 4
        if number != Nsid.target_nsid.number:
            raise Refusal(errno.EINVAL, "Unsupported attribute in dump request", at=at)
        try:
            net, asker = net_by_id(call, attrs[Nsid.target_nsid]), call.net
        except Refusal as refused:
            raise Refusal(refused.errno, "Invalid target network namespace id", at=at) from refused
    for nsid, peer in list(net.ids):
        yield partial(body, nsid, None if asker is None else id_of(asker, peer))
