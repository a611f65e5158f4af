"""Machines that tests of worlds begin with, and how they are looked at."""

from __future__ import annotations

from typing import Any

from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.world.observe import Observer
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.world import World

NEW = 0x600  # NLM_F_CREATE | NLM_F_EXCL
DUMPS = (
    ("rt-link", "getlink"), ("rt-addr", "getaddr"), ("rt-route", "getroute"), ("rt-rule", "getrule"),
    ("rt-neigh", "getneigh"),
)


def up(session: Session, *names: str) -> None:
    for name in names:
        index = session.endpoint.net.by_name(name)
        assert index is not None
        session.ask("rt-link", "newlink", {"ifi-index": index.ifindex, "ifi-flags": ["up"], "ifi-change": 1})


def populated(seed: int = 0) -> Machine:
    """A machine with a bit of everything: ports of netdevsim, a pair, a VLAN on a dummy, addresses, routes, a
    neighbour, a rule."""
    machine = Machine(seed=seed)
    session = Session(machine, machine.init_net)
    machine.netdevsim_bus.new_device(10, 2, 4)
    data = {"mode": "l2", "peer-info": {"ifname": "nk1"}}
    session.ask("rt-link", "newlink", {"ifname": "nk0", "linkinfo": {"kind": "netkit", "data": data}}, NEW)
    dummy = {"ifname": "d0", "ifi-index": 20, "mtu": 9000, "linkinfo": {"kind": "dummy"}}
    session.ask("rt-link", "newlink", dummy, NEW)
    vlan = {"ifname": "d0.5", "link": 20, "linkinfo": {"kind": "vlan", "data": {"id": 5}}}
    session.ask("rt-link", "newlink", vlan, NEW)
    session.ask("rt-link", "newlinkprop", {"ifi-index": 20, "prop-list": {"alt-ifname": ["other"]}}, NEW)
    up(session, "lo", "nk0", "nk1", "d0", "d0.5", "eth1")
    machine.advance(5)
    v4 = {"ifa-family": "inet", "ifa-prefixlen": 24, "ifa-index": 20, "local": "10.0.0.1", "address": "10.0.0.1"}
    session.ask("rt-addr", "newaddr", {**v4, "broadcast": "10.0.0.255"}, NEW)
    ip6 = {"ifa-family": "inet6", "ifa-prefixlen": 64, "ifa-index": 20, "address": "2001:db8::1"}
    session.ask("rt-addr", "newaddr", ip6, NEW)
    machine.advance(5)
    unicast = {"rtm-table": "main", "rtm-type": "unicast", "rtm-protocol": "static"}
    session.ask(
        "rt-route", "newroute", {"rtm-family": "inet", "gateway": "10.0.0.9", "oif": 20, **unicast}, NEW
    )
    v6 = {"rtm-family": "inet6", "rtm-dst-len": 48, "dst": "2001:db8:1::", "gateway": "2001:db8::9", "oif": 20}
    session.ask("rt-route", "newroute", {**v6, **unicast}, NEW)
    neighbour = {"ndm-family": "inet", "ndm-ifindex": 20, "dst": "10.0.0.9", "ndm-state": ["permanent"]}
    session.ask("rt-neigh", "newneigh", {**neighbour, "lladdr": "02:00:00:00:00:09"}, NEW)
    session.ask("rt-rule", "newrule", {"family": "inet", "priority": 77, "table": 1000, "action": "to-tbl"}, NEW)
    session.close()
    return machine


def observed(machine: Machine) -> World:
    """The world of a machine, by its dumps."""
    observer = Observer()
    for name, net in machine.nets.items():
        session = Session(machine, net)
        for family, operation in DUMPS:
            for message in session.dump(family, operation):
                observer.observe(message, name)
        session.close()
    return observer.finish()


def content(world: World) -> list[tuple[str, str, Any]]:
    """What a world says, to be compared."""
    return [(namespace.name, entry.section, entry.fields) for namespace, entry in world]
