"""Dumps of addresses: inet_dump_ifaddr() of net/ipv4/devinet.c, inet6_dump_ifaddr() of net/ipv6/addrconf.c.

A socket that wants strict checking may narrow a dump to one device, or ask for another namespace by id; from others
everything but the family is ignored.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from nlemu.emulator.handlers.common.netns import net_by_id
from nlemu.emulator.handlers.route.addr.fill import body4, body6
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import dumpit_of
from nlemu.protocol.families.route.addr import GETADDR, Ifa
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device


class Asked(NamedTuple):
    """What a dump is to show: of which namespace, under which id the asker knows it, of which device."""

    net: Net
    nsid: int | None = None
    ifindex: int = 0


def asked(call: Call, prefix: str) -> Asked:
    """What is left of inet_valid_dump_ifaddr_req(), inet6_valid_dump_ifaddr_req() once the request has been read:
    EINVAL with texts, ENODEV, EACCES."""
    if not call.endpoint.strict:
        return Asked(call.net)
    header, attrs = call.fixed, call.attrs
    net, nsid = call.net, None
    for number in sorted(attrs.spans):
        if number != Ifa.target_netnsid.number:
            raise Refusal(errno.EINVAL, f"{prefix}: Unsupported attribute in dump request")
        nsid = attrs[Ifa.target_netnsid]
        try:
            net = net_by_id(call, nsid)
        except Refusal as refused:
            raise Refusal(refused.errno, f"{prefix}: Invalid target network namespace id") from refused
    if header.index and net.device(header.index) is None:
        raise Refusal(errno.ENODEV)
    return Asked(net, nsid if nsid is not None and nsid >= 0 else None, header.index)


def devices(what: Asked) -> Iterator[Device]:
    """The devices of a dump, with room for change in between."""
    if what.ifindex:
        dev = what.net.device(what.ifindex)
        if dev is not None:
            yield dev
        return
    dev = what.net.after(0)
    while dev is not None:
        yield dev
        dev = what.net.after(dev.ifindex)


def walk4(call: Call) -> Messages:
    """inet_dump_addr()."""
    what = asked(call, "ipv4")
    for dev in devices(what):
        yield from _each(dev.ip4, body4, what.nsid)


def walk6(call: Call) -> Messages:
    """inet6_dump_addr()."""
    what = asked(call, "ipv6")
    for dev in devices(what):
        yield from _each(dev.ip6, body6, what.nsid)


def _each(idev: Any, body: Callable[[Any, int | None], bytes], nsid: int | None) -> Messages:
    """The addresses of one device, by their place in the list, as the kernel counts them."""
    at = 0
    while idev is not None and at < len(idev.addresses):
        yield partial(body, idev.addresses[at], nsid)
        at += 1


@dumpit_of(GETADDR, AF_INET)
def dump4(call: Call) -> Dump:
    """inet_dump_ifaddr(), of which the DONE stands apart (RTNL_FLAG_DUMP_SPLIT_NLM_DONE)."""
    return Dump(call, walk4(call), done_apart=True, generation=partial(ip4.base_seq, call.net))


@dumpit_of(GETADDR, AF_INET6)
def dump6(call: Call) -> Dump:
    """inet6_dump_ifaddr()."""
    return Dump(call, walk6(call), generation=partial(ip6.base_seq, call.net))

