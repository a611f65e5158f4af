"""Buckets of resilient groups are looked up and listed: rtm_get_nexthop_bucket(), rtm_dump_nexthop_bucket() of
net/ipv4/nexthop.c."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.nexthop.fill import of_bucket
from nlemu.emulator.handlers.route.nexthop.get import Filter, asked
from nlemu.emulator.handlers.route.nexthop.set import number_of, refuse
from nlemu.emulator.kernel.inet import nexthop
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.emulator.netlink.request import nested
from nlemu.protocol.families.route.nexthop import (
    DUMP_BUCKET,
    GETNEXTHOPBUCKET,
    HEADER,
    RES_DUMP,
    RES_GET,
    Nha,
    ResBucket,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.policy import STRICT
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN
from nlemu.protocol.uapi.socket import AF_UNSPEC
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.nexthop import Nexthop
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Attr


def resilient(net: Net, number: int) -> Nexthop:
    """nexthop_find_group_resilient(): ENOENT, EINVAL, with texts."""
    one = nexthop.of(net).find(number)
    if one is None:
        raise Refusal(errno.ENOENT)
    if one.way is not None:
        raise refuse("Not a nexthop group")
    if one.buckets is None:
        raise refuse("Nexthop group not of type resilient")
    return one


@doit_of(GETNEXTHOPBUCKET, AF_UNSPEC)
def get(call: Call) -> bytes:
    """rtm_get_nexthop_bucket(): EINVAL, ENOENT, with texts."""
    number, attrs = number_of(call), call.attrs
    if Nha.res_bucket not in attrs:
        raise refuse("Bucket information is missing")
    said = nested(call, RES_GET, attrs.spans[Nha.res_bucket.number])
    if ResBucket.index not in said:
        raise refuse("Bucket index is missing")
    one = resilient(call.net, number)
    assert one.buckets is not None
    if said[ResBucket.index] >= len(one.buckets.buckets):
        raise Refusal(errno.ENOENT, "Bucket index out of bounds")
    return of_bucket(one, said[ResBucket.index])


def _chosen(attrs: Attrs, attr: Attr[int]) -> int:
    """nh_valid_dump_nhid(): 0 for any. EINVAL, with a text."""
    number = attrs.get(attr)
    if number == 0:
        raise refuse("Invalid nexthop id")
    return number or 0


def _groups(net: Net, number: int) -> Iterator[Nexthop]:
    """That one, or all, with room for change in between."""
    if number:
        yield resilient(net, number)
        return
    known = nexthop.of(net)
    one = known.after(0)
    while one is not None:
        if one.buckets is not None:
            yield one
        one = known.after(one.id)


def _read(call: Call) -> Attrs:
    """The attributes of a request to list, which is read without an extack: of what is wrong only the errno is told."""
    start, end = NLMSG_HDRLEN + (HEADER.size or 0), len(call.message)
    try:
        return Attrs(call.message, validate(DUMP_BUCKET, call.message, start, end, STRICT, Extack()), start, end)
    except Refusal as refused:
        raise Refusal(refused.errno) from refused


def _walk(call: Call) -> Messages:
    """rtm_dump_nexthop_bucket(): EINVAL, with texts."""
    attrs = call.attrs = _read(call)
    group, member = _chosen(attrs, Nha.id), 0
    if Nha.res_bucket in attrs:
        member = _chosen(nested(call, RES_DUMP, attrs.spans[Nha.res_bucket.number]), ResBucket.nh_id)
    chosen: Filter = asked(call)
    for one in _groups(call.net, group):
        assert one.buckets is not None
        for index, bucket in enumerate(one.buckets.buckets):
            if bucket.share is not None and chosen.shows(bucket.share.member) and member in (0, bucket.share.member.id):
                yield partial(of_bucket, one, index)


@dumpit_of(GETNEXTHOPBUCKET, AF_UNSPEC)
def dump(call: Call) -> Dump:
    """rtm_dump_nexthop_bucket()."""
    return Dump(call, _walk(call), generation=lambda: nexthop.of(call.net).seq)
