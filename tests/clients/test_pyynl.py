"""The kernel's own Python client, unchanged but for `socket.socket`, against the daemon's sockets."""

from __future__ import annotations

import importlib
import pathlib
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nlemu.emulator.client.control import Control
from nlemu.emulator.client.stand_in import netlink_socket
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netlink import NLM_F

Open = Callable[..., Any]


@pytest.fixture
def ynl(kernel_tree: pathlib.Path, daemon: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a family: `ynl("netdev")`, in a namespace: `ynl("netdev", netns="pod")`."""
    monkeypatch.syspath_prepend(str(kernel_tree / "tools/net/ynl/pyynl"))
    library: Any = importlib.import_module("lib.ynl")
    opened = []

    def open_family(name: str, netns: str = "init") -> Any:
        monkeypatch.setattr(socket, "socket", netlink_socket(daemon, netns))
        library.genl_family_name_to_id = None  # pyynl asks once a process; a daemon of its own answers each test
        family = library.YnlFamily(str(kernel_tree / f"Documentation/netlink/specs/{name}.yaml"), schema="")
        opened.append(family)
        return family

    open_family.error = library.NlError  # type: ignore[attr-defined]
    open_family.families = library.YnlFamily  # type: ignore[attr-defined]
    yield open_family
    for family in opened:
        family.close()
    for name in [name for name in sys.modules if name == "lib" or name.startswith("lib.")]:
        del sys.modules[name]


def test_it_lists_families(ynl: Open) -> None:
    names = {family["family-name"] for family in ynl("nlctrl").dump("getfamily", {})}
    assert {"nlctrl", "netdev", "ethtool"} <= names


def test_it_reads_policies(ynl: Open) -> None:
    policy = ynl("netdev").get_policy("queue-create", "do")
    assert set(policy.attrs if hasattr(policy, "attrs") else policy) >= {"ifindex", "type", "lease"}


def test_it_leases_a_queue(ynl: Open, daemon: pathlib.Path) -> None:
    with Control(daemon) as control:
        control.do(nsim_new=[10, 1, 4])
        control.do(netns="pod")
        host = ynl("netdev")
        links = ynl("rt-link")
        nic = next(link for link in links.dump("getlink", {}) if link["ifname"] == "eth0")["ifi-index"]
        up = {"ifi-index": nic, "ifi-flags": int(IFF.UP), "ifi-change": int(IFF.UP)}
        links.do("setlink", up)
        pair = {"kind": "netkit", "data": {"pairing": "single"}}
        request = {"ifname": "nk", "num-rx-queues": 2, "linkinfo": pair}
        links.do("newlink", request, flags=[int(NLM_F.CREATE), int(NLM_F.EXCL)])
        netkit = next(link for link in links.dump("getlink", {}) if link["ifname"] == "nk")["ifi-index"]
        lease = {"ifindex": nic, "queue": {"id": 3, "type": "rx"}}
        assert host.do("queue-create", {"ifindex": netkit, "type": "rx", "lease": lease}) == {"id": 1}
        told = [queue for queue in host.dump("queue-get", {"ifindex": nic}) if "lease" in queue]
        assert [(queue["id"], queue["lease"]) for queue in told] == [
            (3, {"ifindex": netkit, "queue": {"id": 1, "type": "rx"}})
        ]
        with pytest.raises(ynl.error) as refused:  # type: ignore[attr-defined]
            host.do("queue-create", {"ifindex": netkit, "type": "rx", "lease": lease})
        assert refused.value.nl_msg.extack["msg"] == "Device queue in use due to queue leasing"


def test_it_hears_of_devices(ynl: Open, daemon: pathlib.Path) -> None:
    family = ynl("netdev")
    family.ntf_subscribe("mgmt")
    with Control(daemon) as control:
        control.do(nsim_new=[10, 1, 4])
    heard = next(iter(family.poll_ntf(duration=10)))
    assert heard["name"] == "dev-add-ntf" and heard["msg"]["ifindex"] == 2
