"""A graph in Graphviz's language, and laid out by its `dot`: a cluster a namespace, with a cluster a device in it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from nlemu.emulator.script.graph import Edge, Graph, Node

SHAPES = {
    "nic": 'shape=box, style="filled,bold", fillcolor="#dbeafe"',
    "device": 'shape=box, style=filled, fillcolor="#dcfce7"',
    "queue": 'shape=box, style="filled,rounded", fillcolor="#f1f5f9"',
    "table": 'shape=folder, style=filled, fillcolor="#fef3c7"',
    "rule": 'shape=note, style=filled, fillcolor="#fee2e2"',
}
HEAD = (
    'rankdir=LR; fontname="sans-serif"; nodesep=0.15; ranksep=0.6;',
    'node [fontname="sans-serif", fontsize=10, margin="0.12,0.05", height=0.3];',
    'edge [fontname="sans-serif", fontsize=9, color="#64748b"];',
)


class NoPicture(Exception):
    """It could not be laid out: one line."""


def dot(graph: Graph) -> list[str]:
    """The lines of a file for Graphviz."""
    return ["digraph nlemu {", *(f"    {line}" for line in HEAD), *clusters(graph), *map(arrow, graph.edges), "}"]


def clusters(graph: Graph) -> Iterator[str]:
    """Namespaces, and in them devices that have parts."""
    for netns in dict.fromkeys(node.netns for node in graph.nodes):
        yield f"    subgraph {quoted('cluster ' + netns)} {{"
        yield f"        label={quoted(netns)}; style=rounded; color=\"#94a3b8\";"
        nodes = graph.of(netns)
        for device in dict.fromkeys(node.device for node in nodes):
            parts = [node for node in nodes if node.device == device]
            if len(parts) == 1:
                yield f"        {node_of(parts[0])}"
                continue
            yield f"        subgraph {quoted('cluster ' + device)} {{"
            yield '            label=""; style=dashed; color="#cbd5e1";'
            yield from (f"            {node_of(node)}" for node in parts)
            yield "        }"
        yield "    }"


def node_of(node: Node) -> str:
    """A statement of a node."""
    return f"{quoted(node.name)} [label={quoted(chr(10).join(node.lines))}, {SHAPES[node.kind]}];"


LOOKS = {"leased": 'color="#2563eb", penwidth=2', "peer": "style=bold"}


def arrow(edge: Edge) -> str:
    """A statement of an edge."""
    attributes = [f"label={quoted(edge.label)}"] if edge.label else []
    attributes += [] if edge.one_way else ["dir=none"]
    attributes += [LOOKS[edge.label]] if edge.label in LOOKS else []
    return f"    {quoted(edge.start)} -> {quoted(edge.end)} [{', '.join(attributes)}];"


def quoted(text: str) -> str:
    """A string of that language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def svg(graph: Graph) -> list[str]:
    """The lines of a picture. NoPicture: Graphviz is not installed, or fails."""
    program = shutil.which("dot")
    if program is None:
        raise NoPicture("Graphviz, whose `dot` lays out an SVG, is not installed; --format mermaid needs nothing")
    done = subprocess.run([program, "-Tsvg"], input="\n".join(dot(graph)), capture_output=True, text=True)
    if done.returncode:
        raise NoPicture(f"dot: {done.stderr.strip()}")
    return done.stdout.splitlines()
