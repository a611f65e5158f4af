"""The control socket: its verbs, and every way to ask for them wrongly."""

from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from nlemu.emulator.cli.state import state_lines
from nlemu.emulator.daemon.control import LINE_MAX
from tests.emulator.daemon.edge import NLCTRL, REQUEST, daemon, errno_of, getfamily, newlink, port_of, type_of


async def test_namespaces_come_and_go(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        assert await ctl.ok(netns="guest") is True
        client = await d.connect("guest", "generic")
        assert type_of(await client.ask(getfamily())) == NLCTRL
        await ctl.ok(netns_del="guest")
        assert not (place / "d" / "guest").exists()
        with pytest.raises(FileNotFoundError):
            await d.connect("guest", "generic")
        assert type_of(await client.ask(getfamily())) == NLCTRL, "a socket in a namespace without a name lives on"
        client.sock.close()
        await wait_all_tasks_blocked()
        await ctl.ok(netns="guest")
        client = await d.connect("guest", "generic")
        assert type_of(await client.ask(getfamily())) == NLCTRL
        assert set(d.server.steps.nets) == {"init", "guest"}


async def test_an_opened_socket_is_handed_over(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        assert await ctl.ok(open="a", proto=16, port=77) == {"socket": "a", "port": 77}
        sock = ctl.passed.pop()
        sock.setblocking(False)
        await trio.lowlevel.wait_writable(sock)
        sock.send(getfamily())
        await trio.lowlevel.wait_readable(sock)
        data, _, _, name = sock.recvmsg(65536)
        sock.close()
        assert port_of(data) == 77
        # Python shows the path of the address: the rest of a sockaddr_nl, port id 0.
        assert isinstance(name, bytes) and len(name) == 10 and name[:6] == bytes(6)


async def test_an_opened_socket_has_what_was_asked_for(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        await ctl.ok(netns="guest")
        nobody = await ctl.open("u", proto=0, netns="guest", opts=[[10, 1]], uid=65534, groups=1)
        endpoint = d.server.steps.sockets["u"]
        assert endpoint.net.name == "guest" and endpoint.cap_ack and not endpoint.ext_ack and endpoint.groups == {1}
        assert endpoint.portid == os.getpid()
        assert errno_of(await nobody.ask(newlink("dummy0"))) == 1
        await ctl.ok(opt="u", name=11, value=1)
        assert endpoint.ext_ack


async def test_sockets_are_closed_from_either_side(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        first = await ctl.open("a", port=5)
        await ctl.ok(close="a")
        assert await first.receive() == b""
        assert not list(d.server.machine.ports)
        second = await ctl.open("a", port=5)
        second.sock.close()
        await wait_all_tasks_blocked()
        assert not d.server.steps.sockets and not d.server.named
        assert (await ctl.do(close="a"))["error"] == "close: there is no socket 'a'"


async def test_a_socket_outlives_the_control_connection(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        client = await ctl.open("a")
        ctl.sock.close()
        await wait_all_tasks_blocked()
        assert type_of(await client.ask(getfamily())) == NLCTRL
        assert (await (await d.control()).do(open="a", proto=16))["error"] == (
            "open: there is a socket 'a' already"
        )


async def test_a_socket_that_nobody_takes_is_closed(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        await ctl.ok(open="a", proto=16)
        ctl.passed.pop().close()
        await wait_all_tasks_blocked()
        assert not d.server.steps.sockets


async def test_refusals_of_the_kernel_have_an_errno(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        await ctl.ok(open="a", proto=16, port=5)
        answer = await ctl.do(open="b", proto=16, port=5)
        assert answer == {"error": "port 5 is taken", "errno": "EADDRINUSE"}
        answer = await ctl.do(open="b", proto=3)
        assert answer == {"error": "the kernel has no netlink protocol 3", "errno": "EPROTONOSUPPORT"}
        assert (await ctl.do(open="b", proto=16, opts=[[99, 1]]))["errno"] == "ENOPROTOOPT"
        assert (await ctl.do(opt="a", name=1, value=1000))["errno"] == "EINVAL"
        await ctl.ok(nsim_new=[10, 1, 4])
        assert (await ctl.do(nsim_new=[10, 1, 4]))["errno"] == "ENOSPC"
        assert (await ctl.do(nsim_del=11))["errno"] == "ENOENT"
        assert (await ctl.do(nsim_new=[12, 4_000_000_000, 1]))["errno"] == "ENOMEM"
        assert set(d.server.steps.sockets) == {"a"}
        ctl.passed.pop().close()


async def test_devices_show_in_the_state(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        await ctl.ok(nsim_new=[10, 2, 4])
        await ctl.ok(netns="guest")
        await ctl.open("a", port=5, netns="guest")
        state = await ctl.ok(state=True)
        assert set(state["namespaces"]) == {"init", "guest"}
        devices = state["namespaces"]["init"]["devices"]
        assert [device["name"] for device in devices] == ["lo", "eth0", "eth1"]
        assert devices[1]["rx_queues"] == 4
        (sock,) = state["sockets"]
        assert (sock["name"], sock["netns"], sock["protocol"], sock["port"]) == ("a", "guest", "generic", 5)
        assert state["families"]["netdev"] == 20
        await ctl.ok(nsim_del=10)
        state = await ctl.ok(state=True)
        assert [device["name"] for device in state["namespaces"]["init"]["devices"]] == ["lo"]


async def test_what_is_not_emulated_shows_in_the_state(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        sock = await ctl.open("x", proto=6)
        await sock.ask(struct.pack("<IHHII", 240, 0x10, 5, 1, 0) + bytes(224))  # XFRM_MSG_NEWSA
        state = await ctl.ok(state=True)
        assert state["not emulated"] == ["xfrm newsa"]
        assert state["sockets"][0]["protocol"] == "xfrm" and state["protocols"]["xfrm"] == 6
        assert state_lines(state)[-2:] == ["", "not emulated: xfrm newsa"]


async def test_reset_is_a_fresh_machine(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        await ctl.ok(netns="guest")
        await ctl.ok(nsim_new=[10, 1, 1])
        opened = await ctl.open("a")
        connected = await d.connect()
        await connected.ask(getfamily())
        before = d.server.machine
        await ctl.ok(reset=True)
        assert d.server.machine is not before
        assert await opened.receive() == b"" and await connected.receive() == b""
        assert sorted(path.name for path in (place / "d").iterdir()) == ["control", "init"]
        state = await ctl.ok(state=True)
        assert [device["name"] for device in state["namespaces"]["init"]["devices"]] == ["lo"]
        assert not state["sockets"]
        client = await d.connect()
        assert type_of(await client.ask(getfamily())) == NLCTRL


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "not JSON"),
        ("open", "not JSON"),
        ("{", "not JSON"),
        ("[1]", "a line is an object, and not [1]"),
        ("null", "a line is an object, and not null"),
        ("{}", "one of these has to be there"),
        ('{"send": "a", "hex": ""}', "\"send\" is no verb; one of these has to be there"),
        ('{"open": "a", "close": "a"}', "open and close cannot be said in one line"),
        ('{"state": false}', "'state' should be true, and not false"),
        ('{"state": true, "all": 1}', "'state' has no field \"all\"; it takes nothing else"),
        ('{"open": "a"}', "'open' needs 'proto'"),
        ('{"open": "a", "proto": true}', "'proto' should be a number from 0 to 4294967295, and not true"),
        ('{"open": "", "proto": 16}', "'open' should be a name"),
        ('{"open": "a", "proto": 16, "port": -1}', "'port' should be a number from 0 to 4294967295, and not -1"),
        ('{"open": "a", "proto": 16, "port": 1e3}', "'port' should be a number"),
        ('{"open": "a", "proto": 16, "prot": 1}', "'open' has no field \"prot\"; it takes proto"),
        ('{"open": "a", "proto": 16, "opts": [[1]]}', "'opts' should be"),
        ('{"open": "a", "proto": 16, "netns": "none"}', "open: there is no namespace 'none'"),
        ('{"open": "a", "proto": 16, "uid": "root"}', "'uid' should be a number"),
        ('{"open": "a", "open": "b", "proto": 16}', "open is given twice"),
        ('{"open": "a", "proto": 16, "rcvbuf": -1}', "'rcvbuf' should be a number from 0 to 4294967295, and not -1"),
        ('{"opt": "a", "name": 1, "value": 1}', "opt: there is no socket 'a'"),
        ('{"netns": "init"}', "there is a namespace 'init' already"),
        ('{"netns": "../up"}', "'../up' is no name for a namespace"),
        ('{"netns": "control"}', "the control socket has it"),
        ('{"netns": "' + "x" * 200 + '"}', "has room for 107 bytes"),
        ('{"netns": 7}', "'netns' should be a name, and not 7"),
        ('{"netns": "\\ud800"}', "is no name for a namespace"),
        ('{"netns_del": "init"}', "the first namespace stays"),
        ('{"netns_del": "none"}', "netns_del: there is no namespace 'none'"),
        ('{"nsim_new": [1, 2]}', "'nsim_new' should be a list of 3"),
        ('{"nsim_new": [1, 2, "x"]}', "'nsim_new' should be a list of 3 in which"),
        ('{"sleep": -1}', "'sleep' should be a number of seconds"),
        ('{"sleep": 1e308}', "'sleep' should be a number of seconds up to 1000000000"),
        ('{"sleep": NaN}', "NaN is no number there"),
        ('{"sleep": ' + "9" * 5000 + "}", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
async def test_bad_lines(place: Path, line: str, says: str) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        before = await ctl.ok(state=True)
        await ctl.write(line.encode() + b"\n")
        answer = await ctl.read()
        assert set(answer) == {"error"}
        assert says in answer["error"] and "\n" not in answer["error"]
        assert answer["error"].count("JSON") <= 1
        assert await ctl.ok(state=True) == before, "nothing was done"
        assert not d.server.machine.bugs


async def test_a_line_that_is_not_text(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        await ctl.write(b'{"netns": "\xff"}\n')
        assert (await ctl.read()) == {"error": "the line is not UTF-8"}


async def test_a_line_that_is_too_long(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ctl.write, b'{"netns": "' + b"x" * (3 * LINE_MAX) + b'"}\n{"netns": "guest"}\n')
            assert (await ctl.read()) == {"error": f"the line is longer than {LINE_MAX} bytes"}
            assert (await ctl.read()) == {"ok": True}


async def test_lines_come_in_any_pieces(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        lines = b"".join(json.dumps({"netns": f"n{number}"}).encode() + b"\n" for number in range(3))
        for at in range(len(lines)):
            await ctl.write(lines[at : at + 1])
            await wait_all_tasks_blocked()
        assert [await ctl.read() for _ in range(3)] == [{"ok": True}] * 3
        await ctl.write(b'{"netns_del": "n0"}\n{"netns_del": "n1"}\n{"state": true}')
        assert [await ctl.read() for _ in range(2)] == [{"ok": True}] * 2
        ctl.sock.shutdown(socket.SHUT_WR)
        state: dict[str, Any] = (await ctl.read())["ok"]
        assert set(state["namespaces"]) == {"init", "n2"}, "the end of the stream ends a line too"


async def test_a_namespace_that_gets_no_place_is_not_made(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        (place / "d" / "guest").write_text("mine")
        assert "guest" in (await ctl.do(netns="guest"))["error"]
        assert set(d.server.steps.nets) == {"init"}
        (place / "d" / "guest").unlink()
        await ctl.ok(netns="guest")


async def test_time_passes_when_told_to(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        before = d.server.machine.boottime
        await ctl.ok(sleep=2.5)
        assert d.server.machine.boottime == before + 2.5


async def test_a_client_that_leaves_before_its_answer(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        await ctl.write(b'{"open": "a", "proto": 16}\n' * 50)
        ctl.sock.close()
        await wait_all_tasks_blocked()
        assert not d.server.connections
        other = await d.connect()
        assert type_of(await other.ask(getfamily(flags=REQUEST))) == NLCTRL
