"""Addresses of IPv4 are added and deleted: inet_rtm_newaddr(), inet_rtm_deladdr() of net/ipv4/devinet.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.lifetime import INFINITY
from nlemu.emulator.kernel.ipv4 import address as ip4_address
from nlemu.emulator.kernel.ipv4.address import Address4
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.addr import DELADDR, NEWADDR, Ifa
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.netlink import NLM_F

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Attr, Attrs

EXCL, REPLACE = int(NLM_F.EXCL), int(NLM_F.REPLACE)


def in_addr(attrs: Attrs, attr: Attr[bytes]) -> int | None:
    """nla_get_in_addr()."""
    return int.from_bytes(attrs[attr][:4], "big") if attr in attrs else None


def lifetimes(attrs: Attrs, prefix: str) -> tuple[int, int]:
    """The valid and the preferred lifetime that are asked for, in seconds. EINVAL."""
    asked: Any = attrs.get(Ifa.cacheinfo)
    if asked is None:
        return INFINITY, INFINITY
    if not asked.valid or asked.prefered > asked.valid:
        raise Refusal(errno.EINVAL, f"{prefix}: address lifetime invalid")
    return asked.valid, asked.prefered


@doit_of(NEWADDR, AF_INET)
def newaddr(call: Call) -> None:
    """inet_rtm_newaddr()."""
    attrs = call.attrs
    header = call.fixed
    if header.prefixlen > 32:
        raise Refusal(errno.EINVAL, "ipv4: Invalid prefix length")
    local = in_addr(attrs, Ifa.local)
    if local is None:
        raise Refusal(errno.EINVAL, "ipv4: Local address is not supplied")
    valid, preferred = lifetimes(attrs, "ipv4")
    if not local:
        return
    dev = call.net.device(header.index)
    if dev is None:
        raise Refusal(errno.ENODEV, "ipv4: Device not found")
    if dev.ip4 is None:
        raise Refusal(errno.ENOBUFS)
    address = in_addr(attrs, Ifa.address)
    ifa = Address4(
        dev,
        local,
        local if address is None else address,
        header.prefixlen,
        broadcast=in_addr(attrs, Ifa.broadcast) or 0,
        label=attrs.get(Ifa.label, dev.name)[: IFNAMSIZ - 1],
        scope=header.scope,
        flags=attrs.get(Ifa.flags, header.flags),
        metric=attrs.get(Ifa.rt_priority, 0),
        proto=attrs.get(Ifa.proto, 0),
    )
    ip4_address.add(
        ifa, valid, preferred, exclusive=bool(call.flags & EXCL), replace=bool(call.flags & REPLACE), origin=call
    )


@doit_of(DELADDR, AF_INET)
def deladdr(call: Call) -> None:
    """inet_rtm_deladdr()."""
    attrs = call.attrs
    header = call.fixed
    dev = ip4_address.device_of(call.net, header.index)
    address = in_addr(attrs, Ifa.address)
    ip4_address.delete(
        dev,
        local=in_addr(attrs, Ifa.local),
        label=attrs.get(Ifa.label),
        address=None if address is None else (address, header.prefixlen),
        origin=call,
    )
