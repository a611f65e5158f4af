"""A machine as a tree on a terminal, drawn by rich: namespaces, devices, and of NICs and lessees the queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text
from rich.tree import Tree

from nlemu.emulator.script.graph import Device, drops, runs, special

UP, DOWN = "green", "dim"


def tree(state: Mapping[str, Any]) -> Tree:
    """The tree of a state. Loopback devices are left out."""
    root = Tree("nlemu", hide_root=True)
    for netns, namespace in state["namespaces"].items():
        branch = root.add(Text(netns, "bold"))
        for dev in namespace["devices"]:
            if "LOOPBACK" not in dev["flags"]:
                device(branch, netns, dev)
    return root


def device(branch: Tree, netns: str, dev: Device) -> None:
    """A device, and what there is below it."""
    about = dev.get("driver") if "parent" in dev else dev.get("kind")
    peer = dev.get("peer")
    words = [
        Text(dev["name"], "bold cyan"), Text(about or "", "cyan"),
        Text(dev["operstate"].lower(), UP if dev["operstate"] == "UP" else DOWN),
        *([Text(f"master {dev['master']}")] if "master" in dev else []),
        *([Text(f"peer {peer['netns']}/{peer['name']}")] if peer is not None else []),
    ]
    below = branch.add(Text(" ").join(word for word in words if word))
    told = special(dev)
    if "parent" not in dev and not told:
        return
    for first, last in runs(dev, told):
        numbers = f"rx {first}" if first == last else f"rx {first}-{last}"
        below.add(Text("  ").join([Text(numbers), *queue(dev, first, last)]))
    for rule in dev.get("rules", ()):
        if rule.get("drops") or "queue" not in rule:
            where = drops(rule) or [f"RSS context {rule['context']}"]
            below.add(Text(f"rule {rule['location']}: {flow(rule)} → {where[0]}"))


def queue(dev: Device, first: int, last: int) -> Iterator[Text]:
    """What there is to say of the queues of a row."""
    for context, counts in dev.get("tables", {}).items():
        here = sum(counts.get(str(index), 0) for index in range(first, last + 1))
        if here:
            text = "RSS" if context == "0" else f"context {context}"
            yield Text(f"{text} {100 * here / sum(counts.values()):.3g}%", "yellow")
    for line in special(dev).get(first, ()):
        yield Text(line, "magenta")
    for lease in dev.get("leases", ()):
        if lease["queue"] == first:
            way, other = next((way, lease[way]) for way in ("to", "from") if way in lease)
            verb = "leased to" if way == "to" else "leased from"
            yield Text(f"{verb} {other['netns']}/{other['name']} rx {other['queue']}", "bold blue")
    for rule in dev.get("rules", ()):
        if rule.get("queue") == first and not rule.get("drops"):
            yield Text(f"rule {rule['location']}: {flow(rule)}", "red")


def flow(rule: Mapping[str, Any]) -> str:
    """What a rule matches."""
    return " ".join([str(rule["kind"]), *(f"{name} {value}" for name, value in rule["flow"].items())])
