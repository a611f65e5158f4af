"""Neighbours are added, deleted and looked up: neigh_add(), neigh_delete(), neigh_get() of net/core/neighbour.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.neigh.dump import PROXY, SIZES, body, proxy_body
from nlemu.emulator.kernel.inet import neighbour, neighbour_proxy, neighbour_update
from nlemu.emulator.kernel.inet.neighbour import EXT_SHIFT, MANAGED, PERMANENT, VALIDATED
from nlemu.emulator.kernel.inet.neighbour_update import Wanted
from nlemu.emulator.netlink.registry import doit_of
from nlemu.emulator.netlink.request import family_of
from nlemu.protocol.families.route.neigh import DELNEIGH, GETNEIGH, HEADER, NEWNEIGH, Nda
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call

CREATE, EXCL, REPLACE = int(NLM_F.CREATE), int(NLM_F.EXCL), int(NLM_F.REPLACE)
BODY = 16 + (HEADER.size or 0)


def device(call: Call, ifindex: int, complaint: str | None = None) -> Device | None:
    """The device that is named, if one is: ENODEV."""
    if not ifindex:
        return None
    dev = call.net.device(ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV, complaint)
    return dev


def destination(call: Call, attrs: Attrs) -> int:
    """The address, of as many bytes as the family's have: EAFNOSUPPORT, EINVAL."""
    size = SIZES.get(family_of(call))
    if size is None:
        raise Refusal(errno.EAFNOSUPPORT)
    payload = attrs[Nda.dst]
    if len(payload) < size:
        raise Refusal(errno.EINVAL, "Invalid network address")
    return int.from_bytes(payload[:size], "big")


@doit_of(NEWNEIGH, AF_UNSPEC)
def newneigh(call: Call) -> None:
    """neigh_add()."""
    attrs = call.attrs
    header = call.fixed
    if Nda.dst not in attrs:
        raise Refusal(errno.EINVAL, "Network address not specified")
    dev = device(call, header.ifindex)
    lladdr = attrs.get(Nda.lladdr)
    if dev is not None and lladdr is not None and len(lladdr) < dev.addr_len:
        raise Refusal(errno.EINVAL, "Invalid link address")
    address = destination(call, attrs)
    flags = header.flags | attrs.get(Nda.flags_ext, 0) << EXT_SHIFT
    protocol = attrs.get(Nda.protocol, 0)
    if flags & PROXY:
        if flags & (MANAGED | VALIDATED):
            raise Refusal(errno.EINVAL, "Invalid NTF_* flag combination")
        permanent = bool(header.state & PERMANENT)
        neighbour_proxy.add(
            call.net, dev, header.family, address, flags=flags, protocol=protocol, permanent=permanent
        )
        return
    if dev is None:
        raise Refusal(errno.EINVAL, "Device not specified")
    neighbour_update.add(
        Wanted(dev, header.family, address, header.state, lladdr, flags, protocol),
        create=bool(call.flags & CREATE), exclusive=bool(call.flags & EXCL), replace=bool(call.flags & REPLACE),
        portid=call.portid,
    )


@doit_of(DELNEIGH, AF_UNSPEC)
def delneigh(call: Call) -> None:
    """neigh_delete(), which does not look at attributes but for the one it wants."""
    header = call.fixed
    attrs = Attrs.index(call.message, call.attrs.start, call.attrs.end)
    if Nda.dst not in attrs:
        raise Refusal(errno.EINVAL, "Network address not specified")
    dev = device(call, header.ifindex)
    address = destination(call, attrs)
    if header.flags & PROXY:
        neighbour_proxy.delete(call.net, dev, header.family, address)
        return
    if dev is None:
        raise Refusal(errno.EINVAL)
    neighbour_update.delete(call.net, dev, header.family, address, call.portid)


@doit_of(GETNEIGH, AF_UNSPEC)
def getneigh(call: Call) -> bytes:
    """neigh_get()."""
    header, attrs = call.fixed, call.attrs
    size = SIZES.get(header.family)
    if size is None:
        raise Refusal(errno.EAFNOSUPPORT, "Unsupported family in header for neighbor get request")
    if len(attrs[Nda.dst]) != size:
        raise Refusal(errno.EINVAL, "Invalid network address in neighbor get request")
    dev = device(call, header.ifindex, "Unknown device ifindex")
    address = int.from_bytes(attrs[Nda.dst], "big")
    if header.flags & PROXY:
        proxy = neighbour_proxy.find(call.net, dev, header.family, address)
        if proxy is None:
            raise Refusal(errno.ENOENT, "Proxy neighbour entry not found")
        return proxy_body(proxy)
    entry = None if dev is None else neighbour.of(call.net).find(dev, header.family, address)
    if entry is None:
        raise Refusal(errno.ENOENT, "Neighbour entry not found")
    return body(entry, held=1)
