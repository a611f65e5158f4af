"""A refused request leaves no trace in the state: the whole machine is compared before and after, in every trace.

Where the kernel commits part of a request before it refuses the rest, so do we; those requests are listed. So is what
any refusal may use up: the kernel draws an address, counts an index or an id, and gives neither back; and the model
makes some objects when they are first looked at.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from enum import Enum
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any
from weakref import WeakSet

import pytest

from fixtures import traces
from nlemu.emulator.kernel.core.chain import Chain
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.faults.notices import Notices
from nlemu.emulator.machine.faults.requests import Faults
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.netlink.multicast import Multicast
from nlemu.emulator.script import trace as tape
from nlemu.emulator.script.pauses import catch_up, let_time_pass
from nlemu.emulator.script.replay import machine_of
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import Step
from nlemu.protocol.frame import split
from nlemu.protocol.schema.family import Family

TRACES = {path.stem: path for path in traces()}

PLAIN = (int, float, str, bytes, Enum, type, type(None), BuiltinFunctionType, FunctionType, MethodType, partial)
SOCKETS = (Endpoint, Multicast, Faults, Notices, WeakSet)  # what was said to whom is no state of the kernel
DRIVERS = (Chain,)  # nor which drivers are loaded: one that a refused request has loaded stays

USED_UP = {
    ("Random", "state"),
    ("Net", "_next_index"), ("Net", "dev_base_seq"), ("Uevents", "seqnum"),  # a device was made, and unmade
    ("LinkWatch", "_arrivals"), ("LinkWatch", "_job"),  # and its link was waited for
    ("Machine", "ethtool_notifications"),  # and its features were told of
    ("Reports", "_done"),  # what was trapped is counted when somebody asks
    ("Devmem", "_next"),  # xa_alloc_cyclic()
    ("Nexthops", "_last"),  # nh_find_unused_id()
    ("Queues", "*"), ("Net", "ip4"), ("Net", "ip6"), ("Net", "neighbours"),  # made when first looked at
    ("Net", "nexthops"), ("dict", "vxlan"), ("Machine", "nics"), ("Machine", "netdevsim_bus"),
}
HEARD = {("Stats", "rx_packets"), ("Stats", "rx_bytes")}  # nlmon counts the request, and that it was refused
REMEMBERED = ("revision", "known", "told", "seen_by", "_patterns", "_told")  # worked out once, and whether it holds

COMMITTED = {
    "a01_macvlan_made": {11},
    "a02_macvlan_refused": {40, 74},
    "a05_macvlan_sources": {25},
    "a08_macvtap": {36},
    "a13_ipvlan_addresses": {12, 42},
    "a22_vrf_slaves": {46},
    "b05_forwarding": {40},
    "b08_vlan_options": {27, 65},
    "b09_vlan_groups": {19, 27, 56},
    "d06_devlink_reload": {34, 55},
    "d09_devlink_rates": {24},
    "d10_devlink_health": {55},
    "d13_devlink_traps": {20, 41},
    "d18_routes_taken_over": {48, 50, 69},
    "d19_hardware_counts": {26},
    "g01_contexts": {58},
    "i03_flow_hash": {16, 24},
    "j02_family": {33, 35, 36, 37, 42},
    "k01_since_7_3": {46, 47},
    "m09_neighbour_parameters": {50},
    "m14_mptcp": {354},
    "m15_segments": {25},
    "o02_bond_options": {558, 561, 562, 564, 568, 569, 573, 587},
    "o04_bond_refused": {16, 18, 19},
    "o11_bridge_groups": {60},
    "o19_refused_halfway": {4, 8},
    "o22_half_done": {6, 9},
    "r03_netkit_errors": {22},
    "r17_ipv6": {15, 28, 29, 30, 32, 35, 36},
    "r20_settings": {111, 112, 113},
    "r21_settings_up": {112, 113, 114},
    "r22_settings_elsewhere": {56, 57, 109, 110, 162, 163, 189},
    "r24_kinds": {24, 26},
    "r30_names": {7, 26},
    "r38_reported_anew": {5, 8, 11},
    "r45_neighbours": {65},
    "r49_autojoin": {40, 43, 55, 57, 59, 61},
    "r58_shared_load": {18, 23},
    "r59_ways": {28},
    "r74_half_of_a_setting": {5},
    "r87_written_into": {6, 7, 10, 11, 22, 23, 24, 27, 28, 39, 40, 41, 46, 47, 52, 53, 58, 59},
    "r75_virtual_functions": {67, 68, 75, 79},
    "r92_tables6": {23},
    "r99_slaves_of_other_sorts": {8, 10, 14, 16},
    "t13_vxlan_filter": {59},
    "t30_ipip": {53},
    "t40_ip6tnl": {40},
    "t41_ip6gre": {106},
    "w04_wireguard": {81},
    "w05_peers": {33, 34, 36, 41, 42, 43, 44, 45, 48},
    "x11_hsr_made": {65},
}
"""By trace, the steps that leave something: do_setlink(), rtnl_linkprop() and neigh_add() work through a request in
order. Whoever asks for an address of IPv6 wakes the device's reports of its groups, and a refusal does not put them to
sleep again (r17, r38, r49; r38 shows the reports). In r03 one end of a pair was there before the other was refused:
link-watch is still to look at it, in vain. Of several next hops those before the one that is refused come and go again,
and those that can be deleted are (r58); a table is made before the route that is not (r59, r92). Parameters of
neighbours are set before limits are refused (m09). An entry of a forwarding table is added to the bridge before the
port itself refuses it, and deleted (b05, o22), VLANs that are named before another that is none (r87), their options
before one that is not there (b08, b09).

What a macvlan's port is told stays though the macvlan is refused (a01), and so does its other mode (a05), the options
of a bond before the one that is refused (o02), the VNIs of a range before the one that is missing (t13), that nothing
is around a tunnel any more, or something else (t30, t40, t41, o19), and what was set of a WireGuard device and its
peers (w05), or of IPv6 and redirects where it cannot listen (w04). A device leaves its master before another refuses
it (a22), and one that a bond refuses has been up (o04), and the bond has been of its sort (r99), or has noted its own
address (o04). An address of IPv4 that is refused was looked at as one that settings are kept for (a13). A device below
that joins a bridge in vain was to take all groups for a moment (a02, a08), and a group was there, and heard of, before
its source was refused (o11). A driver that fails to begin anew has ended (d06). A rate has the share that was set
before its most was refused (d09), a reporter of health the period of grace before that of bursts (d10), and traps the
action that their group has before its policer (d13)."""


def fields(thing: object) -> Iterator[tuple[object, object]]:
    """What an object holds, by name, key or place."""
    if isinstance(thing, random.Random):
        yield "state", hash(thing.getstate())
    elif isinstance(thing, dict):
        yield from thing.items()
    elif isinstance(thing, (list, tuple, deque)):
        yield from enumerate(thing)
    elif isinstance(thing, (set, frozenset)):
        yield from ((item, True) for item in thing)
    else:
        for cls in type(thing).__mro__:
            for name in cls.__dict__.get("__slots__", ()):
                if hasattr(thing, name):
                    yield name, getattr(thing, name)
        yield from getattr(thing, "__dict__", {}).items()


class Photo:
    """Every object that a machine is made of, and what it held at that moment. It keeps them alive, so that no other
    takes the place of one.

    ``but``: classes of objects that are not looked into."""

    def __init__(self, machine: object, but: tuple[type, ...] = ()) -> None:
        self.things: dict[int, tuple[object, dict[object, object]]] = {}
        waiting: list[object] = [machine]
        passed_over = (*PLAIN, *SOCKETS, *DRIVERS, *but)
        while waiting:
            thing = waiting.pop()
            if isinstance(thing, passed_over) or id(thing) in self.things:
                continue
            held: dict[object, object] = {}
            for name, value in fields(thing):
                if name in REMEMBERED:
                    continue
                for part in (name, value):
                    waiting.append(part)
                held[name if isinstance(name, (str, int, bytes)) else key_of(name)] = key_of(value)
            self.things[id(thing)] = thing, held

    def changes(self, later: Photo) -> set[tuple[str, str]]:
        """The type and the field of all that holds something else in a later photo; things that are new do not count,
        but what holds them does."""
        changed = set()
        for key, (thing, held) in self.things.items():
            now: dict[object, object] = later.things.get(key, (thing, held))[1]
            for name in held.keys() | now.keys():
                if held.get(name, KEYLESS) != now.get(name, KEYLESS):
                    kind = type(thing).__name__
                    changed.add((kind, "*" if (kind, "*") in USED_UP else str(name)))
        return changed


KEYLESS = object()


def key_of(value: object) -> object:
    """What tells it from another: a plain value is itself, everything else its identity."""
    return (type(value).__name__, value) if isinstance(value, PLAIN) else id(value)


def refused(step: Step) -> bool:
    """Whether a step is one request, and the kernel refused it."""
    if step.verb != "send" or len(list(split(bytes.fromhex(step["hex"])))) != 1:
        return False
    answers = [bytes.fromhex(text) for text in step.got.get(step.subject, ()) if ".." not in text and text[0] != "!"]
    return any(answer[4:6] == b"\2\0" and answer[16:20] != bytes(4) for answer in answers)


@pytest.mark.parametrize("name", TRACES)
def test_it_leaves_no_trace(name: str) -> None:
    trace = tape.read(TRACES[name])
    machine = machine_of(trace.header)
    assert machine.families
    assert machine.ethtool  # both are made when they are first asked for
    declared = tuple(machine.families.numbers)
    untouched = Photo(declared)
    steps = Steps(machine)
    left: dict[int, set[tuple[str, str]]] = {}
    for number, step in enumerate(trace.steps, 1):
        catch_up(steps, step)
        if refused(step):
            before = Photo(machine, but=(Family,))
            steps.do(step)
            changes = before.changes(Photo(machine, but=(Family,))) - USED_UP
            if any(net.taps for net in machine.alive):
                changes -= HEARD
            if changes:
                left[number] = changes
            step = tape.step_of({"sleep": 0})
        let_time_pass(steps, step, steps.perform(step))
    assert set(left) == COMMITTED.get(name, set()), left
    # The declarations of families are nine tenths of all objects, and looked at once a trace.
    assert not untouched.changes(Photo(declared))


def test_a_change_would_be_seen() -> None:
    machine = Machine()
    before = Photo(machine)
    device: Any = machine.init_net.loopback
    device.mtu += 1
    assert before.changes(Photo(machine)) == {("Device", "mtu")}
    machine.init_net.ids.assign(machine.new_net("pod"))
    changed = before.changes(Photo(machine))
    assert ("NetnsIds", "_by_id") not in changed  # the same dictionary: what it holds is another
    assert {kind for kind, _ in changed} >= {"dict", "Device"}


def test_every_list_is_about_a_trace() -> None:
    assert set(COMMITTED) <= set(TRACES)
