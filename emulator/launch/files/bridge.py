"""Files of bridges and their ports: bridge/, brforward and brif/ of a bridge, brport/ of a port (br_sysfs_br.c,
br_sysfs_if.c).

What is written to them is set as a request of netlink sets it, and told as that is.
"""

from __future__ import annotations

import errno
import re
import struct
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

from nlemu.emulator.kernel.bridge import fdb, ports, settings, stp
from nlemu.emulator.kernel.bridge.bridge import TICK, Bridge, Entry, Fdb, Port, Timer
from nlemu.emulator.kernel.bridge.params import BridgeParams, PortParams
from nlemu.emulator.kernel.bridge.vlans import OPTION as VLANS
from nlemu.emulator.kernel.core.kstrto import kstrtoul
from nlemu.emulator.kernel.devices import link_watch
from nlemu.emulator.launch.files.tree import Directory, File, Link, Node
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrBoolopt
from nlemu.protocol.uapi.if_ether import ETH_P

FDB_ENTRY = struct.Struct("=6sBBIBxxx")
"""struct __fdb_entry"""
FDB_ENTRIES = 4096 // FDB_ENTRY.size
NO_LL_LEARN = 1 << BrBoolopt.NO_LL_LEARN
LINK_LOCAL = bytes.fromhex("0180c20000")
RESERVED = (1, 2, 3)
"""The last byte of groups that are somebody else's: pause frames, slow protocols, port authentication."""
MAX_VID = 4095
LOCAL, STATIC = int(Fdb.LOCAL), int(Fdb.STATIC)


def bridge_id(raw: bytes) -> str:
    """br_show_bridge_id()."""
    return f"{raw[:2].hex()}.{raw[2:].hex()}\n"


def _line(value: Callable[[], object]) -> str:
    return f"{value()}\n"


# bridge/

SHOWN: dict[str, Callable[[Bridge], object]] = {
    "forward_delay": lambda br: br.forward_delay,
    "hello_time": lambda br: br.hello_time,
    "max_age": lambda br: br.max_age,
    "ageing_time": lambda br: br.ageing_time,
    "stp_state": lambda br: br.stp,
    "group_fwd_mask": lambda br: f"{br.group_fwd_mask:#x}",
    "priority": lambda br: int.from_bytes(br.id[:2], "big"),
    "no_linklocal_learn": lambda br: int(bool(br.options & NO_LL_LEARN)),
    "multicast_router": lambda br: int(br.multicast.router),
    "multicast_snooping": lambda br: int(br.snooping),
    "multicast_querier": lambda br: int(br.multicast.querier),
    "multicast_query_use_ifaddr": lambda br: int(br.query_use_ifaddr),
    "hash_elasticity": lambda br: settings.ELASTICITY,
    "hash_max": lambda br: br.hash_max,
    "multicast_last_member_count": lambda br: br.multicast.last_member_count,
    "multicast_startup_query_count": lambda br: br.multicast.startup_query_count,
    "multicast_last_member_interval": lambda br: br.multicast.last_member_interval,
    "multicast_membership_interval": lambda br: br.multicast.membership_interval,
    "multicast_querier_interval": lambda br: br.multicast.querier_interval,
    "multicast_query_interval": lambda br: br.multicast.query_interval,
    "multicast_query_response_interval": lambda br: br.multicast.query_response_interval,
    "multicast_startup_query_interval": lambda br: br.multicast.startup_query_interval,
    "multicast_stats_enabled": lambda br: int(br.multicast_stats),
    "multicast_igmp_version": lambda br: br.multicast.igmp_version,
    "multicast_mld_version": lambda br: br.multicast.mld_version,
    "vlan_filtering": lambda br: int(br.vlan_filtering),
    "vlan_protocol": lambda br: f"{br.vlan_protocol:#06x}",
    "default_pvid": lambda br: br.default_pvid,
    "vlan_stats_enabled": lambda br: int(br.vlan_stats),
    "vlan_stats_per_port": lambda br: int(br.vlan_stats_per_port),
}
"""What can be set as well."""
NAMES = {
    "hash_max": "mcast_hash_max", "multicast_router": "mcast_router", "multicast_snooping": "mcast_snooping",
    "multicast_querier": "mcast_querier", "multicast_query_use_ifaddr": "mcast_query_use_ifaddr",
    "multicast_last_member_count": "mcast_last_member_cnt",
    "multicast_startup_query_count": "mcast_startup_query_cnt",
    "multicast_last_member_interval": "mcast_last_member_intvl",
    "multicast_membership_interval": "mcast_membership_intvl", "multicast_querier_interval": "mcast_querier_intvl",
    "multicast_query_interval": "mcast_query_intvl",
    "multicast_query_response_interval": "mcast_query_response_intvl",
    "multicast_startup_query_interval": "mcast_startup_query_intvl",
    "multicast_stats_enabled": "mcast_stats_enabled", "multicast_igmp_version": "mcast_igmp_version",
    "multicast_mld_version": "mcast_mld_version", "default_pvid": "vlan_default_pvid",
}
"""Files that are called otherwise than the attribute that sets the same."""
TOLD: dict[str, Callable[[Bridge], str]] = {
    "bridge_id": lambda br: bridge_id(br.id),
    "root_id": lambda br: bridge_id(br.root),
    "root_path_cost": lambda br: f"{br.root_path_cost}\n",
    "root_port": lambda br: f"{br.root_port}\n",
    "topology_change": lambda br: f"{int(br.topology_change)}\n",
    "topology_change_detected": lambda br: f"{int(br.topology_change_detected)}\n",
    "hello_timer": lambda br: _left(br.hello_timer),
    "tcn_timer": lambda br: _left(br.tcn_timer),
    "topology_change_timer": lambda br: _left(br.topology_change_timer),
    "gc_timer": lambda br: _left(br.gc),
}
OF_VLANS = ("vlan_filtering", "vlan_protocol", "default_pvid", "vlan_stats_enabled", "vlan_stats_per_port")


def _left(timer: Timer) -> str:
    return f"{timer.left}\n"


def _set(br: Bridge, name: str, value: int) -> None:
    """What one of the files of SHOWN does with a number. EINVAL, EPROTONOSUPPORT, and what the bridge refuses."""
    if name == "hash_elasticity":
        return  # it is always the same
    if name == "vlan_protocol" and value & 0xFFFF not in (ETH_P.VLAN_8021Q, ETH_P.VLAN_8021AD):
        raise Refusal(errno.EPROTONOSUPPORT)
    if name == "default_pvid":
        _check_pvid(br, value)
    if name == "no_linklocal_learn":
        said = BridgeParams(multi_boolopt=SimpleNamespace(optval=NO_LL_LEARN if value else 0, optmask=NO_LL_LEARN))
    else:
        value &= 0xFFFF if name in ("priority", "vlan_protocol") else 0xFFFFFFFFFFFFFFFF
        said = BridgeParams(**{NAMES.get(name, name): value})  # type: ignore[arg-type]
    settings.change_bridge(br, said)


def _check_pvid(br: Bridge, value: int) -> None:
    """br_vlan_set_default_pvid(): other than by netlink, not while VLANs are heeded. EINVAL, EPERM."""
    if value >= MAX_VID:
        raise Refusal(errno.EINVAL)
    if value != br.default_pvid and br.vlan_filtering:
        raise Refusal(errno.EPERM)


def _store(br: Bridge, name: str, text: str) -> None:
    """store_bridge_parm()."""
    _set(br, name, kstrtoul(text))
    link_watch.state_change(br.dev)


def _flush(br: Bridge, text: str) -> None:
    kstrtoul(text)
    settings.change_bridge(br, BridgeParams(fdb_flush=b""))
    link_watch.state_change(br.dev)


def _store_group(br: Bridge, text: str) -> None:
    """group_addr_store()."""
    found = re.match(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", text)
    address = b"" if found is None else bytes.fromhex(found[0].replace(":", ""))
    if address[:5] != LINK_LOCAL or address[5] > 15 or address[5] in RESERVED:
        raise Refusal(errno.EINVAL)
    br.group_addr, br.group_addr_set = address, True
    link_watch.state_change(br.dev)


def bridge(br: Bridge) -> Directory:
    """bridge/ of a bridge."""
    entries: dict[str, Callable[[], Node]] = {
        name: partial(_setting, br, name) for name in SHOWN
        if name not in OF_VLANS or br.dev.kernel.build.has(VLANS)
    }
    entries |= {name: partial(_told, partial(show, br)) for name, show in TOLD.items()}
    entries["group_addr"] = lambda: File(lambda: f"{br.group_addr.hex(':')}\n", partial(_store_group, br))
    entries["flush"] = lambda: File(write=partial(_flush, br))
    return Directory(entries)


def _setting(br: Bridge, name: str) -> File:
    show = SHOWN[name]
    return File(lambda: f"{show(br)}\n", partial(_store, br, name))


def _told(read: Callable[[], str]) -> File:
    return File(read)


# What stands beside bridge/


def fdb_entries(br: Bridge, most: int = FDB_ENTRIES, skip: int = 0) -> bytes:
    """br_fdb_fillbuf(): entries of the forwarding table that are a port's, in binary; at most that many of them, the
    first ones skipped."""
    now = br.dev.kernel.clock.now
    shown = [entry for entry in fdb.entries(br) if entry.port is not None and not fdb.expired(br, entry)]
    return b"".join(_fdb_entry(entry, now) for entry in shown[skip : skip + most])


def _fdb_entry(entry: Entry, now: int) -> bytes:
    assert entry.port is not None
    age = 0 if entry.flags & STATIC else (now - entry.updated) // TICK
    port = entry.port.number
    return FDB_ENTRY.pack(entry.address, port & 0xFF, int(bool(entry.flags & LOCAL)), age, port >> 8)


def brforward(br: Bridge) -> File:
    """brforward: the forwarding table."""
    return File(lambda: fdb_entries(br).decode("utf-8", "surrogateescape"))


def brif(br: Bridge) -> Directory:
    """brif/: the ports."""
    return Directory({port.dev.name: partial(_port_link, port) for port in br.ports})


def _port_link(port: Port) -> Link:
    return Link(f"../../{port.dev.name}/brport", lambda: brport(port, lambda: bridge(port.bridge)))


# brport/

PORT_SHOWN: dict[str, Callable[[Port], object]] = {
    "path_cost": lambda port: port.cost,
    "priority": lambda port: port.priority,
    "port_id": lambda port: f"{port.id:#x}",
    "port_no": lambda port: f"{port.number:#x}",
    "designated_root": lambda port: bridge_id(port.designated_root).strip(),
    "designated_bridge": lambda port: bridge_id(port.designated_bridge).strip(),
    "designated_port": lambda port: port.designated_port,
    "designated_cost": lambda port: port.designated_cost,
    "state": lambda port: int(port.state),
    "change_ack": lambda port: int(port.topology_change_ack),
    "config_pending": lambda port: int(port.config_pending),
    "message_age_timer": lambda port: port.message_age_timer.left,
    "forward_delay_timer": lambda port: port.forward_delay_timer.left,
    "hold_timer": lambda port: port.hold_timer.left,
    "multicast_router": lambda port: int(port.multicast.router),
    "group_fwd_mask": lambda port: f"{port.group_fwd_mask:#x}",
}
PORT_SET = {"path_cost": "cost", "priority": "priority", "multicast_router": "multicast_router",
            "group_fwd_mask": "group_fwd_mask"}
"""Those of them that can be set, and the attribute that sets the same."""
SWITCHES = {
    "hairpin_mode": "mode", "bpdu_guard": "guard", "root_block": "protect", "learning": "learning",
    "unicast_flood": "unicast_flood", "multicast_fast_leave": "fast_leave", "multicast_to_unicast": "mcast_to_ucast",
    "proxyarp": "proxyarp", "proxyarp_wifi": "proxyarp_wifi", "multicast_flood": "mcast_flood",
    "broadcast_flood": "bcast_flood", "neigh_suppress": "neigh_suppress", "isolated": "isolated",
}
"""BRPORT_ATTR_FLAG()"""


def _leading(text: str) -> int:
    """simple_strtoul(): what is behind the number does not matter. EINVAL without one."""
    found = re.match(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*", text)
    if found is None:
        raise Refusal(errno.EINVAL)
    digits = found[0]
    return int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10)


def _port_store(port: Port, attribute: str, text: str) -> None:
    """brport_store()."""
    value = _leading(text)
    value = int(bool(value)) if attribute in SWITCHES.values() else value
    settings.change_port(port, PortParams(**{attribute: value}))  # type: ignore[arg-type]
    stp.tell(port)


def _port_flush(port: Port, text: str) -> None:
    _leading(text)
    fdb.delete_by_port(port.bridge, port)
    stp.tell(port)


def _backup(port: Port) -> str:
    return "" if port.backup is None else f"{port.backup.dev.name}\n"


def _store_backup(port: Port, text: str) -> None:
    name, index = text.split("\n", 1)[0], 0
    if name:
        dev = port.dev.net.by_name(name)
        if dev is None:
            raise Refusal(errno.ENOENT)
        index = dev.ifindex
    ports.set_backup(port, index)
    stp.tell(port)


def brport(port: Port, of_bridge: Callable[[], Node]) -> Directory:
    """brport/ of a port. of_bridge: makes the bridge's own directory."""
    entries: dict[str, Callable[[], Node]] = {
        name: partial(_port_file, port, partial(_line, partial(show, port)), PORT_SET.get(name))
        for name, show in PORT_SHOWN.items()
    }
    entries |= {
        name: partial(_port_file, port, partial(_switch, port, attribute), attribute)
        for name, attribute in SWITCHES.items()
    }
    entries["flush"] = lambda: File(write=partial(_port_flush, port))
    entries["backup_port"] = lambda: File(partial(_backup, port), partial(_store_backup, port))
    entries["bridge"] = lambda: Link(f"../../{port.bridge.dev.name}", of_bridge)
    return Directory(entries)


def _switch(port: Port, attribute: str) -> str:
    return f"{int(bool(port.flags & settings.SWITCHES[attribute]))}\n"


def _port_file(port: Port, read: Callable[[], str], attribute: str | None) -> File:
    return File(read, None if attribute is None else partial(_port_store, port, attribute))
