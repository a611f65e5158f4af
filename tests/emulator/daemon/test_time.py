"""The daemon's time: the wall clock pushes the machine's, or nobody does. Trio's clock stands in for the wall's."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from nlemu.emulator.daemon.server import Server, serving
from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.netlink.protocol import KernelSocket, Protocol
from nlemu.protocol.frame import NLMSGHDR
from nlemu.protocol.uapi.netlink import NetlinkProtocol


class Bell:
    """Work for the machine's queue that tells when it was done."""

    def __init__(self, server: Server, seconds: float) -> None:
        self.server = server
        self.rung: float | None = None
        server.machine.call_later(seconds, self.ring)

    def ring(self) -> None:
        self.rung = self.server.machine.clock.now / NSEC_PER_SEC


async def test_time_passes_by_itself(place: Path, mock_clock: MockClock) -> None:
    async with serving(place / "d", real_time=True) as server:
        await wait_all_tasks_blocked()
        late = Bell(server, 5.0)
        server.settle()
        await wait_all_tasks_blocked()
        early = Bell(server, 1.0)
        server.settle()
        await wait_all_tasks_blocked()
        mock_clock.jump(0.9)
        await wait_all_tasks_blocked()
        assert early.rung is None
        mock_clock.jump(0.1)
        await wait_all_tasks_blocked()
        assert early.rung == pytest.approx(1.0) and late.rung is None
        mock_clock.jump(10)
        await wait_all_tasks_blocked()
        assert late.rung == pytest.approx(5.0)
        server.settle()
        assert server.machine.clock.now / NSEC_PER_SEC == pytest.approx(11.0)


async def test_time_stands_still_unless_it_is_told_to_pass(place: Path, mock_clock: MockClock) -> None:
    async with serving(place / "d") as server:
        bell = Bell(server, 1.0)
        mock_clock.jump(10)
        await wait_all_tasks_blocked()
        server.settle()
        assert bell.rung is None and server.machine.clock.now == 0
        server.machine.advance(1.0)
        assert bell.rung == 1.0


async def test_a_request_finds_the_time_of_its_arrival(place: Path, mock_clock: MockClock) -> None:
    async with serving(place / "d", real_time=True) as server:
        machine, seen = server.machine, []
        machine.protocols[0] = clock_reader = Protocol(NetlinkProtocol.ROUTE, module=__name__)
        clock_reader.kernel = KernelSocket(receive=lambda call: seen.append(machine.clock.now / NSEC_PER_SEC))
        client = trio.socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        await client.connect(str(place / "d" / "init" / "route"))
        for _ in range(2):
            await wait_all_tasks_blocked()
            mock_clock.jump(10)
            await client.send(NLMSGHDR.pack(16, 18, 1, 0, 0))
        await wait_all_tasks_blocked()
        client.close()
    assert seen == pytest.approx([10.0, 20.0])


async def test_a_fresh_machine_begins_at_its_boot(place: Path, mock_clock: MockClock) -> None:
    async with serving(place / "d", real_time=True) as server:
        mock_clock.jump(3)
        server.settle()
        server.reset()
        await wait_all_tasks_blocked()
        assert server.machine.clock.now == 0
        bell = Bell(server, 2.0)
        server.settle()
        await wait_all_tasks_blocked()
        mock_clock.jump(2)
        await trio.testing.wait_all_tasks_blocked()
        assert bell.rung == pytest.approx(2.0)
