"""What the soak found (tests/soak): namespaces that go while somebody connects, and descriptors that run out."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from nlemu.emulator.daemon.directory import Directory, DirectoryError
from nlemu.emulator.launch.sockets.ahead import skb_size
from tests.emulator.daemon.edge import daemon, getfamily, seq_of


async def test_a_namespace_goes_between_a_client_and_its_acceptance(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task that would accept it finds its socket closed, and the daemon lives on."""
    async with daemon(place / "d") as d:
        wait, closed = trio.lowlevel.wait_readable, []

        async def late(listener: socket.socket) -> None:
            await wait(listener)
            if listener in d.server._listeners.get("pod", ()):
                listener.close()
                closed.append(listener)

        monkeypatch.setattr("nlemu.emulator.daemon.server.wait_readable", late)
        ctl = await d.control()
        await ctl.ok(netns="pod")
        await d.connect("pod")
        await wait_all_tasks_blocked()
        assert closed
        client = await d.connect()
        assert seq_of(await client.ask(getfamily(seq=5))) == 5


async def test_a_namespace_without_a_place_has_one_later(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes back with a snapshot when no descriptors are left."""
    async with daemon(place / "d") as d:
        ctl = await d.control()
        await ctl.ok(netns="pod")
        await ctl.ok(snapshot="then")
        await ctl.ok(netns_del="pod")
        listen = Directory.listen

        def full(self: Directory, path: Path, kind: socket.SocketKind) -> socket.socket:
            if path.name == "generic":
                raise DirectoryError(f"{path}: {os.strerror(errno.EMFILE)}")
            return listen(self, path, kind)

        with monkeypatch.context() as patch:
            patch.setattr(Directory, "listen", full)
            assert "Too many open files" in (await ctl.do(restore="then"))["error"]
        await ctl.ok(netns="other")
        client = await d.connect("pod")
        assert seq_of(await client.ask(getfamily(seq=5))) == 5


async def test_answers_need_no_descriptors(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much memory an answer takes is guessed where it cannot be tried, and known again later."""

    def full(*_: Any) -> Any:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async with daemon(place / "d") as d:
        client = await d.connect()
        skb_size.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(socket, "socketpair", full)
            for seq in range(100):
                assert seq_of(await client.ask(getfamily(seq=seq))) == seq
            await client.send(getfamily(seq=100))
            await wait_all_tasks_blocked()
        assert seq_of(await client.receive()) == 100
        assert seq_of(await client.ask(getfamily(seq=101))) == 101
        (connection,) = d.server.connections
        connection._ahead.sync()
        assert connection.endpoint._queued == 0
    assert not d.server.machine.bugs
