"""Labels of addresses are added, deleted, looked up and listed: net/ipv6/addrlabel.c."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv6 import labels
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.addrlabel import (
    DELADDRLABEL,
    GETADDRLABEL,
    HEADER,
    NEWADDRLABEL,
    TOLD,
    Ifal,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.socket import AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.kernel.ipv6.labels import Label, Labels
    from nlemu.emulator.netlink.call import Call, Messages

NONE = 0xFFFFFFFF
"""IPV6_ADDR_LABEL_DEFAULT: what an address has that no label fits."""
REPLACE = int(NLM_F.REPLACE)


def body(label: Label, seq: int) -> bytes:
    """ip6addrlbl_fill()."""
    head = HEADER.codec.pack(family=AF_INET6, reserved=0, prefixlen=label.length, flags=0, index=label.ifindex, seq=seq)
    return head + TOLD.encode({Ifal.address: label.prefix.to_bytes(16, "big"), Ifal.label: label.label})


def _named(call: Call) -> tuple[int, int]:
    """The prefix and the label that a request names: EINVAL."""
    header, attrs = call.fixed, call.attrs
    if header.family != AF_INET6 or header.prefixlen > 128 or Ifal.address not in attrs or Ifal.label not in attrs:
        raise Refusal(errno.EINVAL)
    if attrs[Ifal.label] == NONE:
        raise Refusal(errno.EINVAL)
    return int.from_bytes(attrs[Ifal.address][:16], "big"), attrs[Ifal.label]


def _check_device(call: Call) -> None:
    if call.fixed.index and call.net.device(call.fixed.index) is None:
        raise Refusal(errno.EINVAL)


@doit_of(NEWADDRLABEL, AF_INET6)
def newaddrlabel(call: Call) -> None:
    """ip6addrlbl_newdel()."""
    prefix, label = _named(call)
    _check_device(call)
    header = call.fixed
    labels.of(call.net).add(
        prefix, header.prefixlen, header.index, label, replace=bool(call.flags & REPLACE)
    )


@doit_of(DELADDRLABEL, AF_INET6)
def deladdrlabel(call: Call) -> None:
    """ip6addrlbl_newdel()."""
    prefix, _ = _named(call)
    labels.of(call.net).delete(prefix, call.fixed.prefixlen, call.fixed.index)


@doit_of(GETADDRLABEL, AF_INET6)
def getaddrlabel(call: Call) -> bytes:
    """ip6addrlbl_get(): EINVAL, ESRCH."""
    header, attrs = call.fixed, call.attrs
    if header.family != AF_INET6 or header.prefixlen != 128:
        raise Refusal(errno.EINVAL)
    _check_device(call)
    if Ifal.address not in attrs:
        raise Refusal(errno.EINVAL)
    known = labels.of(call.net)
    label = known.find(int.from_bytes(attrs[Ifal.address][:16], "big"), header.index)
    if label is None:
        raise Refusal(errno.ESRCH)
    return body(label, known.seq)


def walk(known: Labels) -> Messages:
    """ip6addrlbl_dump(): the list by place."""
    place = 0
    while (label := known.at(place)) is not None:
        yield partial(_fill, known, label)
        place += 1


def _fill(known: Labels, label: Label) -> bytes:
    return body(label, known.seq)


@dumpit_of(GETADDRLABEL, AF_INET6)
def dump(call: Call) -> Messages:
    """ip6addrlbl_dump()."""
    return walk(labels.of(call.net))
