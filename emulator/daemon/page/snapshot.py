"""What the page shows of a machine, in pieces with keys: so that a reader is told the pieces that changed, and no more.

    kernel              which Linux, and what the daemon is
    netns NAME          a namespace
    dev NETNS/NAME      a device: its queues, tables and rules, and the edges that begin there (script/graph.py)
    figures             counters: requests, refusals, sockets ...
    faults              the faults that wait
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nlemu.emulator.daemon.state import state
from nlemu.emulator.script.counts import refusals, requests
from nlemu.emulator.script.faults import listed
from nlemu.emulator.script.graph import Edge, Node, device_name, graph_of

if TYPE_CHECKING:
    from nlemu.emulator.daemon.server import Server

Pieces = dict[str, str]
"""By key; each is JSON."""


def snapshot(server: Server) -> Pieces:
    """The machine as it is now."""
    machine = server.machine
    told = state(machine, server.connections)
    graph = graph_of(told)
    pieces: dict[str, Any] = {
        "kernel": {"name": machine.build.name, "started": True},
        "figures": figures(server, told),
        "faults": listed(machine),
    }
    parts, edges = defaultdict[str, list[Node]](list), defaultdict[str, list[Edge]](list)
    owners = {node.name: node.device for node in graph.nodes}
    for node in graph.nodes:
        parts[node.device].append(node)
    for edge in graph.edges:
        edges[owners[edge.start]].append(edge)
    for netns, namespace in told["namespaces"].items():
        pieces[f"netns {netns}"] = {"name": netns, "devices": len(namespace["devices"])}
        for dev in namespace["devices"]:
            name = device_name(netns, dev["name"])
            if parts[name]:
                pieces[f"dev {name}"] = device(netns, dev, parts[name], edges[name])
    return {key: json.dumps(piece, separators=(",", ":")) for key, piece in pieces.items()}


def device(netns: str, dev: Mapping[str, Any], parts: list[Node], edges: list[Edge]) -> dict[str, Any]:
    """A device: itself, which is the first of its nodes, what it has, and what that is tied to."""
    first, *others = parts
    return {
        "id": first.name, "netns": netns, "name": dev["name"], "index": dev["ifindex"], "nic": first.kind == "nic",
        "about": first.lines[1] if len(first.lines) > 2 else "", "state": dev["operstate"].lower(),
        "parts": [{"id": part.name, "kind": part.kind, "lines": part.lines} for part in others],
        "edges": [
            {"from": edge.start, "to": edge.end, "label": edge.label} for edge in edges if edge.end != first.name
        ],
    }


def figures(server: Server, told: Mapping[str, Any]) -> dict[str, Any]:
    """What is counted."""
    machine = server.machine
    return {
        "namespaces": len(told["namespaces"]),
        "devices": sum(len(one["devices"]) for one in told["namespaces"].values()),
        "sockets": len(told["sockets"]),
        "datagrams lost": sum(one.get("drops", 0) for one in told["sockets"]),
        "bugs": machine.bugs,
        "requests": requests(machine),
        "refusals": [[name, errno, count] for (name, errno), count in refusals(machine).items()],
        "not emulated": told["not emulated"],
    }
