"""`nlemu ctl graph` and `nlemu ctl top`: what is drawn of a machine, in each way."""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nlemu.emulator.cli import main
from nlemu.emulator.cli.picture.dot import NoPicture, dot, svg
from nlemu.emulator.cli.picture.mermaid import mermaid
from nlemu.emulator.cli.picture.tree import tree
from nlemu.emulator.client.control import Control
from nlemu.emulator.daemon.background import daemon
from nlemu.emulator.daemon.state import state
from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.ethtool import rules
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.graph import Edge, graph_of
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.schema.flow_specs import flow_ext, tcpip4_spec
from nlemu.protocol.uapi.ethtool import RX_CLS_FLOW_DISC, FlowType

ROOT = Path(__file__).resolve().parents[3]
TCP, EXTRA = prepare(tcpip4_spec), prepare(flow_ext)


def rule(location: int, queue: int, port: int) -> Rule:
    nothing = EXTRA.unpack(bytes(EXTRA.size))
    values = TCP.unpack(TCP.pack(ip4src=0, ip4dst=0x0A000001, psrc=0, pdst=port, tos=0))
    masks = TCP.unpack(TCP.pack(ip4src=0, ip4dst=0xFFFFFFFF, psrc=0, pdst=0xFFFF, tos=0))
    return Rule(FlowType.TCP_V4, 0, values, masks, nothing, nothing, queue, location)


@pytest.fixture
def told() -> dict[str, Any]:
    """The state of a machine with a NIC of eight queues: a rule sends to the last one, another throws away."""
    machine = Machine()
    dev = machine.nics.plug("0000:01:00.0", PROFILES["mlx5_core"], machine.init_net, queues=8)
    rules.insert(dev, rule(1, 7, 80))
    rules.insert(dev, rule(2, RX_CLS_FLOW_DISC, 22))
    return state(machine)


def test_queues_that_are_alike_are_drawn_together(told: dict[str, Any]) -> None:
    graph = graph_of(told)
    assert [node.lines[0] for node in graph.nodes if node.kind == "queue"] == ["rx 0 to 6", "rx 7"]
    assert [edge for edge in graph.edges if "rss" in edge.start] == [
        Edge("init/eth0 rss 0", "init/eth0 rx 0", "87.5%"), Edge("init/eth0 rss 0", "init/eth0 rx 7", "12.5%"),
    ]


def test_rules_say_what_they_match(told: dict[str, Any]) -> None:
    graph = graph_of(told)
    lines = [node.lines for node in graph.nodes if node.kind == "rule"]
    assert lines == [
        ("rule 1", "tcp-v4", "ip4dst 10.0.0.1, pdst 80"), ("rule 2", "tcp-v4", "ip4dst 10.0.0.1, pdst 22", "drop"),
    ]
    assert [edge.end for edge in graph.edges if "rule" in edge.start] == ["init/eth0 rx 7"]


def test_every_edge_has_two_ends() -> None:
    """Of a lease, a peer elsewhere, a master and a program."""
    with daemon() as directory, Control(directory) as control:
        control.do(nic_new="0000:08:00.0", profile="bnxt_en", queues=4, name="eth0")
        told = control.do(state=True)
    told["namespaces"]["init"]["devices"][1]["leases"] = [
        {"queue": 3, "to": {"netns": "pod", "name": "nk", "ifindex": 2, "queue": 1}}
    ]
    device = {"name": "nk", "flags": [], "operstate": "UP", "kind": "netkit", "rx_queues": 2, "ifindex": 2,
              "leases": [{"queue": 1, "from": {"netns": "init", "name": "eth0", "ifindex": 2, "queue": 3}}]}
    told["namespaces"]["pod"] = {"devices": [device]}
    graph = graph_of(told)
    names = {node.name for node in graph.nodes}
    assert {edge.start for edge in graph.edges} | {edge.end for edge in graph.edges} <= names
    assert [(edge.start, edge.end) for edge in graph.edges if edge.label == "leased"] == [
        ("init/eth0 rx 3", "pod/nk rx 1")
    ]
    assert all(node.name in "\n".join(dot(graph)) for node in graph.nodes)


def test_graphviz_lays_it_out(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("dot") is None:
        pytest.skip("graphviz is not installed")
    picture = "\n".join(svg(graph_of(told)))
    assert "<svg" in picture and ">rx 0 to 6<" in picture
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoPicture, match="is not installed"):
        svg(graph_of(told))


def test_a_name_is_only_a_name(told: dict[str, Any]) -> None:
    """Whatever a device is called, it does not end what it is written in."""
    told["namespaces"]["init"]["devices"][1]["name"] = 'a"]; b'
    graph = graph_of(told)
    assert '[label="a\\"]; b\\nmlx5_core' in "\n".join(dot(graph))
    assert '[["a#quot;]; b<br>mlx5_core' in "\n".join(mermaid(graph))


def test_the_tree_says_the_same(told: dict[str, Any]) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(tree(told))
    assert console.export_text().splitlines() == [
        "init",
        "└── eth0 mlx5_core down",
        "    ├── rx 0-6  RSS 87.5%",
        "    ├── rx 7  RSS 12.5%  rule 1: tcp-v4 ip4dst 10.0.0.1 pdst 80",
        "    └── rule 2: tcp-v4 ip4dst 10.0.0.1 pdst 22 → drop",
    ]


def test_it_goes_where_it_is_sent(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with daemon() as directory:
        for name, first in (("a.dot", "digraph nlemu {"), ("a.gv", "digraph nlemu {"), ("a", "flowchart LR")):
            assert main(["ctl", "--dir", str(directory), "graph", "-o", str(tmp_path / name)]) == 0
            assert (tmp_path / name).read_text().splitlines()[0] == first
        assert main(["ctl", "--dir", str(directory), "graph", "-o", str(tmp_path / "no" / "where")]) == 1
    assert "No such file or directory" in capsys.readouterr().err


def test_it_is_live_on_a_terminal() -> None:
    """What comes while it is watched is seen, and an interrupt ends it."""
    with daemon() as directory, Control(directory) as control:
        ours, theirs = pty.openpty()
        watching = subprocess.Popen(
            [sys.executable, "-m", "nlemu", "ctl", "--dir", directory, "top", "--interval", "0.05"],
            stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm", "PYTHONPATH": str(ROOT)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests may run in a shell's background
        )
        os.close(theirs)
        try:
            seen = until(ours, b"init")
            assert b"mlx5_core" not in seen
            control.do(nic_new="0000:08:00.0", profile="mlx5_core", queues=8, name="eth0")
            until(ours, b"mlx5_core")
        finally:
            watching.send_signal(signal.SIGINT)
            os.close(ours)
            assert watching.wait(30) is not None


def until(terminal: int, text: bytes) -> bytes:
    """What a terminal shows, until that is among it."""
    shown, end = b"", time.monotonic() + 60
    while text not in shown:
        assert time.monotonic() < end, shown
        shown += os.read(terminal, 65536)
    return shown


def test_the_picture_of_the_page_is_what_it_shows() -> None:
    page = (ROOT / "docs" / "leases.md").read_text()
    (drawn,) = re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL)
    assert f"$ nlemu ctl graph\n{drawn}" in page
