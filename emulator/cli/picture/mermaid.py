"""A graph in Mermaid's language, which pages of GitHub and GitLab draw."""

from __future__ import annotations

from nlemu.emulator.script.graph import Edge, Graph, Node

SHAPES = {
    "nic": ("[[", "]]"), "device": ("[", "]"), "queue": ("(", ")"), "table": ("[/", "/]"), "rule": (">", "]"),
}


def mermaid(graph: Graph) -> list[str]:
    """The lines of a flow chart."""
    numbers = {node.name: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for number, netns in enumerate(dict.fromkeys(node.netns for node in graph.nodes)):
        lines.append(f"    subgraph s{number} [{quoted(netns)}]")
        lines += [f"        {numbers[node.name]}{box(node)}" for node in graph.of(netns)]
        lines.append("    end")
    return lines + [f"    {arrow(edge, numbers)}" for edge in graph.edges]


def box(node: Node) -> str:
    """A node's shape, with what it says."""
    before, behind = SHAPES[node.kind]
    return f"{before}{quoted('<br>'.join(node.lines))}{behind}"


def arrow(edge: Edge, numbers: dict[str, str]) -> str:
    """An edge."""
    line = "-->" if edge.one_way else "===" if edge.label else "---"
    label = f"|{quoted(edge.label)}|" if edge.label else ""
    return f"{numbers[edge.start]} {line}{label} {numbers[edge.end]}"


def quoted(text: str) -> str:
    """A text of that language."""
    return '"' + text.replace('"', "#quot;") + '"'
