"""Addresses of IPv6 are added, deleted and looked up: inet6_rtm_newaddr() and its relatives of net/ipv6/addrconf.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.netns import net_by_id
from nlemu.emulator.handlers.route.addr.fill import body6
from nlemu.emulator.handlers.route.addr.ipv4 import lifetimes
from nlemu.emulator.kernel.core import lifetime
from nlemu.emulator.kernel.core.lifetime import INFINITY
from nlemu.emulator.kernel.ipv6 import address as ip6_address
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.address import DEPRECATED, PERMANENT, Wanted
from nlemu.emulator.kernel.ipv6.device import find_inet6
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.addr import DELADDR, GETADDR, NEWADDR, Ifa
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.netlink import NLM_F

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Attrs

EXCL, REPLACE = int(NLM_F.EXCL), int(NLM_F.REPLACE)
ACCEPTED = int(
    IFA_F.NODAD | IFA_F.HOMEADDRESS | IFA_F.MANAGETEMPADDR | IFA_F.NOPREFIXROUTE | IFA_F.MCAUTOJOIN
)
"""The flags that a request may set. IFA_F_OPTIMISTIC would be one, but the recorded machine does not allow it
(CONFIG_IPV6_OPTIMISTIC_DAD)."""


def addresses(attrs: Attrs) -> tuple[int, int]:
    """extract_addr(): the address that is meant, and that of the other end, 0 for none. EINVAL."""
    address = local = None
    if Ifa.address in attrs:
        address = int.from_bytes(attrs[Ifa.address][:16], "big")
    if Ifa.local in attrs:
        local = int.from_bytes(attrs[Ifa.local][:16], "big")
        # The kernel compares whole payloads: one with a tail is another address.
        differs = address is not None and attrs[Ifa.local] != attrs[Ifa.address][:16]
        return local, address if differs and address is not None else 0
    if address is None:
        raise Refusal(errno.EINVAL)
    return address, 0


@doit_of(NEWADDR, AF_INET6)
def newaddr(call: Call) -> None:
    """inet6_rtm_newaddr()."""
    attrs = call.attrs
    header = call.fixed
    address, peer = addresses(attrs)
    flags = attrs.get(Ifa.flags, header.flags) & ACCEPTED | PERMANENT
    valid, preferred = lifetimes(attrs, "ipv6")
    expires = None
    if valid != INFINITY:
        flags &= ~PERMANENT
        expires = lifetime.end(call.machine.clock.now, valid)
    if preferred == 0:
        flags |= DEPRECATED
    dev = call.net.device(header.index)
    if dev is None:
        raise Refusal(errno.ENODEV, "ipv6: Unable to find the interface")
    find_inet6(dev)
    wanted = Wanted(
        address, header.prefixlen, peer, attrs.get(Ifa.rt_priority, 0), flags, attrs.get(Ifa.proto, 0), valid, preferred
    )
    known = ip6.find(call.net, address, dev)
    if known is None:
        ip6_address.add(dev, wanted, expires)
    elif call.flags & EXCL or not call.flags & REPLACE:
        raise Refusal(errno.EEXIST, "ipv6: address already assigned")
    else:
        ip6_address.change(known, wanted, expires)


@doit_of(DELADDR, AF_INET6)
def deladdr(call: Call) -> None:
    """inet6_rtm_deladdr()."""
    attrs = call.attrs
    address, _ = addresses(attrs)
    ip6_address.delete(call.net, call.fixed.index, address, call.fixed.prefixlen)


@doit_of(GETADDR, AF_INET6)
def getaddr(call: Call) -> bytes:
    """inet6_rtm_getaddr(): one address, on a device or on any."""
    attrs = call.attrs
    net, nsid = call.net, None
    if Ifa.target_netnsid in attrs:
        nsid = attrs[Ifa.target_netnsid]
        net = net_by_id(call, nsid)
    address, _ = addresses(attrs)
    dev = net.device(call.fixed.index) if call.fixed.index else None
    ifa = ip6.find(net, address, dev)
    if ifa is None:
        raise Refusal(errno.EADDRNOTAVAIL)
    return body6(ifa, nsid if nsid is not None and nsid >= 0 else None)
