"""Forwarding tables: those of bridges, and of devices that are none, which addresses and groups they let in.

rtnl_fdb_add(), rtnl_fdb_del(), rtnl_fdb_get(), rtnl_fdb_dump() and ndo_dflt_fdb_*() of net/core/rtnetlink.c; what
bridges answer is in bridge_fdb.py, what drivers do that have a table of their own in files of theirs.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Protocol

from nlemu.emulator.handlers.common.devices import devices
from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.neigh import bridge_fdb, vxlan_fdb
from nlemu.emulator.kernel.bridge import fdb as forwarding
from nlemu.emulator.kernel.bridge.bridge import bridge_of, port_of
from nlemu.emulator.kernel.devices import rx_mode
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.emulator.netlink.request import check_length
from nlemu.protocol.families.route.link import TAKEN as TAKEN_LINK
from nlemu.protocol.families.route.link import Link
from nlemu.protocol.families.route.neigh import (
    DELNEIGH,
    FDB_SET,
    GETNEIGH,
    HEADER,
    NEWNEIGH,
    TOLD_FDB,
    UNCHECKED,
    Nda,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.link_kind import LINK
from nlemu.protocol.schema.policy import DEPRECATED_STRICT, LIBERAL
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.neighbour import NTF, NUD
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_HDRLEN
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP
from nlemu.protocol.uapi.socket import AF_BRIDGE
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call, Messages

VXLAN = "vxlan"
SELF, MASTER = int(NTF.SELF), int(NTF.MASTER)
PERMANENT = int(NUD.PERMANENT)
EXCL, BULK, REPLACE = int(NLM_F.EXCL), int(NLM_F.BULK), int(NLM_F.REPLACE)
NEIGH = int(RTNLGRP.NEIGH)
ETHER = int(ARPHRD.ETHER)
VLAN_VID_MASK = 4095
BODY = NLMSG_HDRLEN + (HEADER.size or 0)
NDM_FLAGS = NLMSG_HDRLEN + 10
"""Where ndm_flags stands in a message."""
LINK_BODY = NLMSG_HDRLEN + (LINK.size or 0)
FOR_BRIDGES = b"\x01\x80\xc2\x00\x00"
"""is_link_local_ether_addr(): what such groups begin with, before a last byte below 16."""


class Driver(Protocol):
    """ndo_fdb_*() of a driver that has a table of its own."""

    def add(self, call: Call, dev: Device, address: bytes, flags: int, /) -> None:
        """ndo_fdb_add, which tells of it. flags: NTF_*, as the request has them, without what a bridge has done."""

    def delete(self, attrs: Attrs, dev: Device, address: bytes, /) -> None:
        """ndo_fdb_del, which tells of it."""

    def delete_bulk(self, call: Call, dev: Device, /) -> None:
        """ndo_fdb_del_bulk."""

    def find(self, call: Call, dev: Device, address: bytes, /) -> bytes:
        """ndo_fdb_get."""

    def dump(self, dev: Device, /) -> Iterator[Callable[[], bytes]]:
        """ndo_fdb_dump."""


DRIVERS: dict[str, Driver] = {VXLAN: vxlan_fdb}
"""By the kind of their devices."""


def driver_of(dev: Device) -> Driver | None:
    """Who keeps the device's table, if its driver does: of one that is no Ethernet device nobody does."""
    return DRIVERS.get(dev.kind.name) if dev.kind is not None and dev.type == ETHER else None


def body(dev: Device, address: bytes, state: int, vid: int = 0) -> bytes:
    """nlmsg_populate_fdb_fill()."""
    head = HEADER.codec.pack(family=AF_BRIDGE, ifindex=dev.ifindex, state=state, flags=SELF, type=0)
    return head + TOLD_FDB.encode({Nda.lladdr: address, Nda.vlan: vid or None})


def _vid(attrs: Attrs) -> int:
    """fdb_vid_parse(): EINVAL, with texts."""
    if Nda.vlan not in attrs:
        return 0
    payload = attrs.payload(Nda.vlan)
    if len(payload) != 2:
        raise Refusal(errno.EINVAL, "invalid vlan attribute size")
    vid = int.from_bytes(payload, "little")
    if not 0 < vid < VLAN_VID_MASK:
        raise Refusal(errno.EINVAL, "invalid vlan id")
    return vid


def _device(call: Call) -> Device:
    """EINVAL, ENODEV, with texts."""
    if not call.fixed.ifindex:
        raise Refusal(errno.EINVAL, "invalid ifindex")
    dev = call.net.device(call.fixed.ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV, "unknown ifindex")
    return dev


def _address(attrs: Attrs) -> bytes:
    """EINVAL, with a text."""
    payload = attrs.payload(Nda.lladdr) if Nda.lladdr in attrs else b""
    if len(payload) != 6:
        raise Refusal(errno.EINVAL, "invalid address")
    return payload


def _master_done(call: Call) -> None:
    """The kernel notes in the request that the bridge has done its part."""
    call.rewrite(NDM_FLAGS, bytes((call.fixed.flags & ~MASTER,)))


def _is_group(address: bytes) -> bool:
    """Whether it is kept among the groups; those that bridges speak to each other by are not."""
    return bool(address[0] & 1) and not (address[:5] == FOR_BRIDGES and address[5] < 16)


def _tell(call: Call, dev: Device, event: RTM, address: bytes, vid: int) -> None:
    """rtnl_fdb_notify()."""
    state = call.fixed.state
    if isinstance(call.machine.announcer, RtnlNotify):
        call.machine.announcer.notify(dev.net, NEIGH, event, lambda: body(dev, address, state, vid))


@doit_of(NEWNEIGH, AF_BRIDGE)
def add(call: Call) -> None:
    """rtnl_fdb_add(), ndo_dflt_fdb_add(): EINVAL and ENODEV with texts, EOPNOTSUPP, EINVAL, EEXIST."""
    attrs, header, dev = call.attrs, call.fixed, _device(call)
    address = _address(attrs)
    if dev.type != ETHER:
        raise Refusal(errno.EINVAL, "FDB add only supported for Ethernet devices")
    vid = _vid(attrs)
    handled = (not header.flags or bool(header.flags & MASTER)) and port_of(dev) is not None
    if handled:
        bridge_fdb.add(call, dev, address, vid)
        _master_done(call)
    if not header.flags & SELF:
        if handled:
            return
        raise Refusal(errno.EOPNOTSUPP)
    if bridge_of(dev) is not None:
        if not bridge_fdb.add(call, dev, address, vid):
            _tell(call, dev, RTM.NEWNEIGH, address, vid)
        return
    driver = driver_of(dev)
    if driver is not None:
        driver.add(call, dev, address, header.flags & ~MASTER if handled else header.flags)
        return
    if dev.ops.has("fdb_add"):
        dev.ops.fdb_add(dev, address, replace=bool(call.flags & REPLACE))
        _tell(call, dev, RTM.NEWNEIGH, address, vid)
        return
    if (header.state and not header.state & PERMANENT) or Nda.flags_ext in attrs or vid:
        raise Refusal(errno.EINVAL)
    try:
        (rx_mode.add_group_alone if _is_group(address) else rx_mode.add_address_alone)(dev, address)
    except Refusal:
        if call.flags & EXCL:
            raise
    _tell(call, dev, RTM.NEWNEIGH, address, vid)


@doit_of(DELNEIGH, AF_BRIDGE)
def delete(call: Call) -> None:
    """rtnl_fdb_del(), ndo_dflt_fdb_del(): EINVAL and ENODEV with texts, EOPNOTSUPP, EINVAL, ENOENT. Most
    drivers do not delete many at once."""
    check_length(call, FDB_SET)
    header, end, bulk = call.fixed, len(call.message), bool(call.flags & BULK)
    level = DEPRECATED_STRICT if bulk else LIBERAL
    attrs = Attrs(call.message, validate(UNCHECKED, call.message, BODY, end, level, call.extack), BODY, end)
    dev = _device(call)
    address = b"" if bulk else _address(attrs)
    vid = 0 if bulk else _vid(attrs)
    if dev.type != ETHER:
        raise Refusal(errno.EINVAL, "FDB delete only supported for Ethernet devices")
    handled = (not header.flags or bool(header.flags & MASTER)) and port_of(dev) is not None
    if handled:
        (bridge_fdb.delete_bulk(call, dev) if bulk else bridge_fdb.delete(dev, address, vid))
        _master_done(call)
    if not header.flags & SELF:
        if handled:
            return
        raise Refusal(errno.EOPNOTSUPP)
    if bridge_of(dev) is not None:
        (bridge_fdb.delete_bulk(call, dev) if bulk else bridge_fdb.delete(dev, address, vid))
        return
    driver = driver_of(dev)
    if driver is not None:
        (driver.delete_bulk(call, dev) if bulk else driver.delete(attrs, dev, address))
        return
    if bulk:
        raise Refusal(errno.EOPNOTSUPP)
    if dev.ops.has("fdb_delete"):
        dev.ops.fdb_delete(dev, address)
        _tell(call, dev, RTM.DELNEIGH, address, vid)
        return
    if not header.state & PERMANENT:
        raise Refusal(errno.EINVAL)
    known = dev.multicast if _is_group(address) else dev.unicast
    if address not in known:
        raise Refusal(errno.ENOENT)
    (rx_mode.delete_group if _is_group(address) else rx_mode.delete_address)(dev, address)
    _tell(call, dev, RTM.DELNEIGH, address, vid)


@doit_of(GETNEIGH, AF_BRIDGE)
def get(call: Call) -> bytes:
    """rtnl_fdb_get(): EINVAL, ENODEV, EOPNOTSUPP, ENOENT, with texts."""
    attrs, header = call.attrs, call.fixed
    for number in sorted(attrs.spans):
        if number == Nda.lladdr.number:
            if len(attrs.payload(Nda.lladdr)) != 6:
                raise Refusal(errno.EINVAL, "Invalid address in fdb get request")
        elif number == Nda.vlan.number:
            _vid(attrs)
        elif number not in (Nda.master.number, Nda.vni.number):
            raise Refusal(errno.EINVAL, "Unsupported attribute in fdb get request")
    if Nda.lladdr not in attrs:
        raise Refusal(errno.EINVAL, "Missing lookup address for fdb get request")
    if header.ifindex and call.net.device(header.ifindex) is None:
        raise Refusal(errno.ENODEV, "Unknown device ifindex")
    master = attrs.get(Nda.master, 0)
    if master and header.ifindex:
        raise Refusal(errno.EINVAL, "Master and device are mutually exclusive")
    if master and call.net.device(master) is None:
        raise Refusal(errno.EINVAL, "Invalid master ifindex")
    asked = call.net.device(master or header.ifindex)
    if header.ifindex and (not header.flags or header.flags & MASTER):
        if asked is None or port_of(asked) is None:
            raise Refusal(errno.EINVAL, "Device is not a bridge port")
        asked = asked.master
    if asked is None:
        raise Refusal(errno.ENODEV, "No device specified")
    driver = driver_of(asked)
    if driver is not None:
        return driver.find(call, asked, attrs.payload(Nda.lladdr))
    br = bridge_of(asked)
    if br is None:
        raise Refusal(errno.EOPNOTSUPP, "Fdb get operation not supported by device")
    return bridge_fdb.find(br, attrs.payload(Nda.lladdr), _vid(attrs))


def _asked_strictly(call: Call) -> tuple[int, int]:
    """valid_fdb_dump_strict(): the bridge and the device that are asked for, 0 for any. EINVAL, with texts."""
    message, header, end = call.message, call.fixed, len(call.message)
    if end < BODY:
        raise Refusal(errno.EINVAL, "Invalid header for fdb dump request")
    if any((header.pad1, header.pad2, header.state, header.flags, header.type)):
        raise Refusal(errno.EINVAL, "Invalid values in header for fdb dump request")
    attrs = Attrs(message, validate(UNCHECKED, message, BODY, end, DEPRECATED_STRICT, call.extack), BODY, end)
    found = {"MASTER": 0, "IFINDEX": header.ifindex}
    names = {Nda.ifindex.number: "IFINDEX", Nda.master.number: "MASTER"}
    for number in sorted(attrs.spans):
        name = names.get(number)
        if name is None:
            raise Refusal(errno.EINVAL, "Unsupported attribute in fdb dump request")
        start, stop = attrs.spans[number]
        if stop - start != 4:
            raise Refusal(errno.EINVAL, f"Invalid {name} attribute in fdb dump request")
        found[name] = int.from_bytes(message[start:stop], "little")
    return found["MASTER"], found["IFINDEX"]


def _asked(call: Call) -> tuple[int, int]:
    """valid_fdb_dump_legacy(): the same, of a struct ifinfomsg and its attributes, unless it has the size of a struct
    ndmsg."""
    message, end = call.message, len(call.message)
    if end in (BODY, BODY + 8):
        return 0, 0
    if end < LINK_BODY:
        raise Refusal(errno.EINVAL, "Invalid header length")
    try:
        spans = validate(TAKEN_LINK, message, LINK_BODY, end, LIBERAL, call.extack)
    except Refusal as refused:
        refused.errno = errno.EINVAL
        raise
    attrs = Attrs(message, spans, LINK_BODY, end)
    return attrs.get(Link.master, 0), LINK.decode(message, NLMSG_HDRLEN, LINK_BODY).index


@dumpit_of(GETNEIGH, AF_BRIDGE)
def dump(call: Call) -> Messages:
    """rtnl_fdb_dump(), ndo_dflt_fdb_dump(): addresses before groups, each in the order in which they came."""
    bridge, ifindex = (_asked_strictly if call.endpoint.strict else _asked)(call)
    wanted = call.net.device(bridge) if bridge else None
    if bridge and wanted is None:
        raise Refusal(errno.ENODEV)
    for dev in devices(call.net):
        port, own = port_of(dev), bridge_of(dev)
        if ifindex not in (0, dev.ifindex):
            continue
        if wanted is not None:
            if dev is not wanted and port is None:
                continue
            if dev.master is not wanted and own is None:
                continue
        if port is not None and (wanted is None or bridge_of(wanted) is not None):
            for entry in forwarding.behind(port.bridge, port):
                yield partial(bridge_fdb.body, port.bridge, entry)
        driver = driver_of(dev)
        if driver is not None:
            yield from driver.dump(dev)
        elif dev.type == ETHER:
            for address in (*dev.unicast, *dev.multicast):
                yield partial(body, dev, address, PERMANENT)
        if own is not None:
            for entry in forwarding.behind(own, None):
                yield partial(bridge_fdb.body, own, entry)
