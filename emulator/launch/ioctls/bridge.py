"""How `brctl` makes and sets bridges: br_ioctl_stub(), br_dev_siocdevprivate() of net/bridge/br_ioctl.c.

Bridges are made and deleted, and given ports, by commands of their own. All the rest is one private command of the
device, whose struct ifreq points to four numbers: what is to be done (BRCTL_*), and what with.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import ports, stp
from nlemu.emulator.kernel.bridge.bridge import MAX_PORTS, NO_STP, Bridge, Port, bridge_of
from nlemu.emulator.kernel.devices import link_watch
from nlemu.emulator.kernel.devices.links import delete_link
from nlemu.emulator.kernel.devices.register import alloc_device, register
from nlemu.emulator.kernel.links.bridge import KIND as BRIDGE
from nlemu.emulator.launch.files.bridge import FDB_ENTRIES, FDB_ENTRY, fdb_entries
from nlemu.emulator.launch.ioctls.caller import Caller, Ifreq, text_of
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.if_bridge import Brctl
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

VERSION = 1
"""BRCTL_VERSION"""
ARGUMENTS = struct.Struct("=4Q")
OLD_ARGUMENTS = struct.Struct("=3Q")
INT = struct.Struct("=i")
BRIDGE_INFO = struct.Struct("=8s8s7I4B6I")
"""struct __bridge_info"""
PORT_INFO = struct.Struct("=8s8sHHIIBBBxIII4x")
"""struct __port_info"""
MOST_BRIDGES, USUAL_PORTS = 2048, 256
JIFFIES = 10
"""A hundredth of a second has that many: some times are told as the kernel keeps them."""
COMMANDS = frozenset({Sioc.GIFBR, Sioc.SIFBR, Sioc.BRADDBR, Sioc.BRDELBR, Sioc.BRADDIF, Sioc.BRDELIF})


def ioctl(caller: Caller, command: int, place: int) -> int:
    """br_ioctl_stub(). OSError EPERM, EFAULT, ENODEV, EOPNOTSUPP, ENXIO, EBUSY, and what a bridge refuses."""
    if command in (Sioc.GIFBR, Sioc.SIFBR):
        return _deviceless(caller, place)
    caller.want_admin()
    if command in (Sioc.BRADDBR, Sioc.BRDELBR):
        return _make_or_delete(caller, place, make=command == Sioc.BRADDBR)
    request = Ifreq(caller, place)
    dev = request.device()
    br = bridge_of(dev)
    if br is None:
        raise OSError(errno.EOPNOTSUPP, "no bridge")
    return _add_or_delete(br, INT.unpack_from(request.value)[0], add=command == Sioc.BRADDIF)


def _name(caller: Caller, place: int) -> str:
    return text_of(caller.memory.read(place, IFNAMSIZ)[: IFNAMSIZ - 1])


def _make_or_delete(caller: Caller, place: int, *, make: bool) -> int:
    """br_add_bridge(), br_del_bridge()."""
    name = _name(caller, place)
    if make:
        dev = alloc_device(caller.net, name, BRIDGE.ops, BRIDGE.setup)
        dev.kind = BRIDGE
        register(dev)
        return 0
    found = caller.net.by_name(name)
    if found is None:
        raise OSError(errno.ENXIO, name)
    if bridge_of(found) is None:
        raise OSError(errno.EPERM, "no bridge")
    if found.up:
        raise OSError(errno.EBUSY, "it is up")
    delete_link(found)
    return 0


def _add_or_delete(br: Bridge, ifindex: int, *, add: bool) -> int:
    """add_del_if()."""
    dev = br.dev.net.device(ifindex)
    if dev is None:
        raise OSError(errno.EINVAL, "no such device")
    (ports.add if add else ports.delete)(br, dev)
    return 0


def _deviceless(caller: Caller, place: int) -> int:
    """old_deviceless(): what there was before devices had commands of their own."""
    what, pointer, most = OLD_ARGUMENTS.unpack(caller.memory.read(place, OLD_ARGUMENTS.size))
    if what == Brctl.GET_VERSION:
        return VERSION
    if what == Brctl.GET_BRIDGES:
        if most >= MOST_BRIDGES:
            raise OSError(errno.ENOMEM, "too many")
        indexes = [dev.ifindex for dev in caller.net if bridge_of(dev) is not None][:most]
        caller.memory.write(pointer, b"".join(map(INT.pack, indexes)))
        return len(indexes)
    if what in (Brctl.ADD_BRIDGE, Brctl.DEL_BRIDGE):
        caller.want_admin()
        return _make_or_delete(caller, pointer, make=what == Brctl.ADD_BRIDGE)
    raise OSError(errno.EOPNOTSUPP, "no such command")


# What is asked of a bridge


def _port(br: Bridge, number: int) -> Port:
    port = next((port for port in br.ports if port.number == number & 0xFFFF), None)
    if port is None:
        raise OSError(errno.EINVAL, "no such port")
    return port


def _bridge_info(br: Bridge) -> bytes:
    return BRIDGE_INFO.pack(
        br.root, br.id, br.root_path_cost, br.max_age, br.hello_time, br.forward_delay * JIFFIES,
        br.bridge_max_age * JIFFIES, br.bridge_hello_time * JIFFIES, br.bridge_forward_delay,
        br.topology_change, br.topology_change_detected, br.root_port & 0xFF, br.stp != NO_STP,
        br.ageing_time & 0xFFFFFFFF, 0, br.hello_timer.left, br.tcn_timer.left, br.topology_change_timer.left,
        br.gc.left,
    )


def _port_info(port: Port) -> bytes:
    return PORT_INFO.pack(
        port.designated_root, port.designated_bridge, port.id, port.designated_port, port.cost, port.designated_cost,
        port.state, port.topology_change_ack, port.config_pending, port.message_age_timer.left,
        port.forward_delay_timer.left, port.hold_timer.left,
    )


def _get_info(br: Bridge, caller: Caller, args: tuple[int, ...]) -> int:
    caller.memory.write(args[1], _bridge_info(br))
    return 0


def _get_ports(br: Bridge, caller: Caller, args: tuple[int, ...]) -> int:
    """Indexes, by the numbers of ports."""
    count = INT.unpack(INT.pack((args[2] & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)))[0]
    if count < 0:
        raise OSError(errno.EINVAL, "a negative number")
    count = min(count or USUAL_PORTS, MAX_PORTS)
    indexes = [0] * count
    for port in br.ports:
        if port.number < count:
            indexes[port.number] = port.dev.ifindex
    caller.memory.write(args[1], b"".join(map(INT.pack, indexes)))
    return count


def _get_port(br: Bridge, caller: Caller, args: tuple[int, ...]) -> int:
    caller.memory.write(args[1], _port_info(_port(br, args[2])))
    return 0


def _get_fdb(br: Bridge, caller: Caller, args: tuple[int, ...]) -> int:
    """How many entries they are."""
    entries = fdb_entries(br, min(args[2], FDB_ENTRIES), args[3])
    caller.memory.write(args[1], entries)
    return len(entries) // FDB_ENTRY.size


GETS: dict[int, Callable[[Bridge, Caller, tuple[int, ...]], int]] = {
    Brctl.GET_BRIDGE_INFO: _get_info, Brctl.GET_PORT_LIST: _get_ports, Brctl.GET_PORT_INFO: _get_port,
    Brctl.GET_FDB_ENTRIES: _get_fdb,
}
SETS: dict[int, Callable[[Bridge, tuple[int, ...]], None]] = {
    Brctl.SET_BRIDGE_FORWARD_DELAY: lambda br, args: stp.set_forward_delay(br, args[1]),
    Brctl.SET_BRIDGE_HELLO_TIME: lambda br, args: stp.set_hello_time(br, args[1]),
    Brctl.SET_BRIDGE_MAX_AGE: lambda br, args: stp.set_max_age(br, args[1]),
    Brctl.SET_AGEING_TIME: lambda br, args: stp.set_ageing_time(br, args[1]),
    Brctl.SET_BRIDGE_STP_STATE: lambda br, args: stp.set_enabled(br, bool(args[1])),
    Brctl.SET_BRIDGE_PRIORITY: lambda br, args: stp.set_priority(br, args[1] & 0xFFFF),
}
PORT_SETS: dict[int, Callable[[Port, int], None]] = {
    Brctl.SET_PORT_PRIORITY: stp.set_port_priority, Brctl.SET_PATH_COST: stp.set_path_cost,
}


def private(dev: Device, request: Ifreq) -> int:
    """br_dev_siocdevprivate(): whichever private command it is. OSError EFAULT, EINVAL, EPERM, EOPNOTSUPP; and what a
    bridge refuses."""
    br: Bridge = dev.priv
    caller = request.caller
    args = ARGUMENTS.unpack(caller.memory.read(request.pointer, ARGUMENTS.size))
    what = args[0]
    if what in GETS:
        return GETS[what](br, caller, args)
    if what not in SETS and what not in PORT_SETS and what not in (Brctl.ADD_IF, Brctl.DEL_IF):
        raise OSError(errno.EOPNOTSUPP, "no such command")
    caller.want_admin()
    if what in (Brctl.ADD_IF, Brctl.DEL_IF):
        return _add_or_delete(br, args[1] & 0x7FFFFFFF, add=what == Brctl.ADD_IF)
    if what in PORT_SETS:
        port = _port(br, args[1])
        PORT_SETS[what](port, args[2])
        stp.tell(port)
    else:
        SETS[what](br, args)
        link_watch.state_change(dev)
    return 0
