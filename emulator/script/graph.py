"""A machine as a graph: from what brings packets, on the left, to who gets them, on the right.

Rules and tables point to queues of a NIC, a leased queue to the queue that it is elsewhere, a device to its peer and
its master; a queue says which program has bound it. Queues to which nothing special happens are drawn together, as many
as stand in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

Device = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """name: by which edges know it; kind: "nic", "queue", "table", "rule", "device"; lines: what it says; netns: the
    namespace it is in; device: the one whose part it is."""

    name: str
    kind: str
    lines: tuple[str, ...]
    netns: str
    device: str


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow; without a way, a line: between peers, and from a queue to its device."""

    start: str
    end: str
    label: str = ""
    one_way: bool = True


@dataclass(slots=True)
class Graph:
    """Nodes in the order in which they are met, and edges."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def of(self, netns: str) -> list[Node]:
        """The nodes of a namespace."""
        return [node for node in self.nodes if node.netns == netns]


def graph_of(state: Mapping[str, Any]) -> Graph:
    """The graph of a state (emulator/daemon/state.py). Loopback devices are left out."""
    graph = Graph()
    for netns, namespace in state["namespaces"].items():
        for dev in namespace["devices"]:
            if "LOOPBACK" not in dev["flags"]:
                draw(graph, netns, dev)
    return graph


def draw(graph: Graph, netns: str, dev: Device) -> None:
    """A device, its queues, and what they are tied to."""
    name = device_name(netns, dev["name"])
    lends = "parent" in dev
    about = dev.get("driver") if lends else dev.get("kind")
    lines = (dev["name"], *([about] if about and about != dev["name"] else []), dev["operstate"].lower())
    graph.nodes.append(Node(name, "nic" if lends else "device", lines, netns, name))
    if "master" in dev:
        graph.edges.append(Edge(name, device_name(netns, dev["master"]), "master"))
    peer = dev.get("peer")
    if peer is not None and (netns, dev["name"]) < (peer["netns"], peer["name"]):
        graph.edges.append(Edge(name, device_name(peer["netns"], peer["name"]), "peer", one_way=False))
    told = special(dev)
    if not lends and not told:
        return
    where: dict[int, str] = {}
    for first, last in runs(dev, told):
        queue = f"{name} rx {first}"
        where |= dict.fromkeys(range(first, last + 1), queue)
        text = f"rx {first}" if first == last else f"rx {first} to {last}"
        graph.nodes.append(Node(queue, "queue", (text, *told.get(first, ())), netns, name))
        graph.edges.append(Edge(queue, name, one_way=False))
    for lease in dev.get("leases", ()):
        if "to" in lease:
            to = lease["to"]
            lessee = device_name(to["netns"], to["name"])
            graph.edges.append(Edge(where[lease["queue"]], f"{lessee} rx {to['queue']}", "leased"))
    tables(graph, netns, dev, where)
    rules(graph, netns, dev, where)


def tables(graph: Graph, netns: str, dev: Device, where: Mapping[int, str]) -> None:
    """The tables of receive-side scaling, each with its share of packets to each queue or row of queues."""
    name = device_name(netns, dev["name"])
    for context, counts in dev.get("tables", {}).items():
        table = table_name(name, context)
        text = "RSS" if context == "0" else f"RSS context {context}"
        total = sum(counts.values())
        graph.nodes.append(Node(table, "table", (text, f"{total} entries"), netns, name))
        shares: dict[str, int] = {}
        for queue, count in counts.items():
            target = where.get(int(queue))
            if target is not None:
                shares[target] = shares.get(target, 0) + count
        graph.edges += [Edge(table, queue, f"{100 * count / total:.3g}%") for queue, count in shares.items()]


def rules(graph: Graph, netns: str, dev: Device, where: Mapping[int, str]) -> None:
    """The rules, each to its queue or its context."""
    name = device_name(netns, dev["name"])
    for rule in dev.get("rules", ()):
        node = f"{name} rule {rule['location']}"
        flow = ", ".join(f"{field} {value}" for field, value in rule["flow"].items())
        lines = (f"rule {rule['location']}", str(rule["kind"]), *([flow] if flow else []), *drops(rule))
        graph.nodes.append(Node(node, "rule", lines, netns, name))
        if "context" in rule:
            graph.edges.append(Edge(node, table_name(name, str(rule["context"]))))
        elif rule.get("queue") in where:
            graph.edges.append(Edge(node, where[rule["queue"]]))


def drops(rule: Mapping[str, Any]) -> list[str]:
    """Where a rule sends packets, if that is not a queue of the device."""
    return ["drop"] if rule.get("drops") else [f"vf {rule['vf']}"] if "vf" in rule else []


def special(dev: Device) -> dict[int, tuple[str, ...]]:
    """What there is to say of a device's queues, by their numbers: programs, leases, rules."""
    told: dict[int, list[str]] = {}
    for index in dev.get("xsk", ()):
        told.setdefault(index, []).append("AF_XDP")
    for index, provider in dev.get("providers", {}).items():
        told.setdefault(int(index), []).append(provider)
    for lease in dev.get("leases", ()):
        told.setdefault(lease["queue"], [])
    for rule in dev.get("rules", ()):
        if "queue" in rule:
            told.setdefault(rule["queue"], [])
    return {index: tuple(lines) for index, lines in told.items()}


def runs(dev: Device, told: Mapping[int, object]) -> Iterator[tuple[int, int]]:
    """The queues: each of those that are special alone, the others in rows, first and last, that are in the same
    tables."""
    tables = dev.get("tables", {})

    def alike(index: int) -> object:
        return index if index in told else tuple(str(index) in counts for counts in tables.values())

    for _, row in groupby(range(dev["rx_queues"]), key=alike):
        indices = list(row)
        yield indices[0], indices[-1]


def device_name(netns: str, name: str) -> str:
    """By which edges know a device."""
    return f"{netns}/{name}"


def table_name(device: str, context: str) -> str:
    """By which edges know a table."""
    return f"{device} rss {context}"
