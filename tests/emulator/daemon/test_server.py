"""The data path: netlink over SOCK_SEQPACKET, many clients, rude clients, and what is left behind."""

from __future__ import annotations

import os
import shutil
import socket
import struct
from contextlib import ExitStack
from errno import ENOENT
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from nlemu.emulator.daemon.attendant import TURN
from nlemu.emulator.daemon.directory import DirectoryError
from nlemu.emulator.daemon.server import Server, serve, serving
from nlemu.emulator.machine.endpoint import LONGEST, Datagram, Endpoint
from tests.emulator.daemon.edge import (
    ACK,
    DONE,
    DUMP,
    MGMT,
    NETDEV,
    NLCTRL,
    REQUEST,
    Client,
    Daemon,
    daemon,
    errno_of,
    getfamily,
    newlink,
    port_of,
    seq_of,
    type_of,
)


def endpoint_of(server: Server) -> Endpoint:
    (connection,) = server.connections
    return connection.endpoint


def flood(client: Client, request: bytes, count: int) -> None:
    """So many at once, before the daemon gets a turn."""
    for _ in range(count):
        assert client.push(request)


async def test_a_namespace_has_two_sockets(place: Path) -> None:
    async with daemon(place / "d") as d:
        assert sorted(path.name for path in (place / "d").iterdir()) == ["control", "init"]
        generic = await d.connect()
        assert type_of(await generic.ask(getfamily())) == NLCTRL
        route = await d.connect("init", "route")
        assert errno_of(await route.ask(newlink("dummy0"))) == 0


async def test_the_first_socket_has_the_process_id_as_its_port(place: Path) -> None:
    async with daemon(place / "d") as d:
        first, second = await d.connect(), await d.connect()
        assert port_of(await first.ask(getfamily())) == os.getpid()
        other = port_of(await second.ask(getfamily()))
        assert other != os.getpid() and other > 1 << 31, "the kernel's later choices are negative"
        first.sock.close()
        await wait_all_tasks_blocked()
        third = await d.connect()
        assert port_of(await third.ask(getfamily())) == os.getpid(), "the port was free again"


async def test_acks_are_capped_and_extended(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        ack = await client.ask(getfamily("nosuch", flags=REQUEST | ACK) + bytes(0))
        assert errno_of(ack) == 2
        length, flags = struct.unpack_from("<I2xH", ack)
        assert length == 36 and flags & 0x100, "only the request's header comes back"


async def test_a_dump_and_a_burst_come_in_order(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        for seq in range(100):
            await client.send(getfamily(flags=REQUEST | DUMP if seq % 10 == 0 else REQUEST, seq=seq))
        got: list[int] = []
        while not got or got[-1] != 99:
            seq = seq_of(await client.receive())
            if not got or got[-1] != seq:
                got.append(seq)
        assert got == list(range(100))


async def test_several_messages_in_one_datagram(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        await client.send(getfamily("nlctrl", seq=1) + getfamily("netdev", seq=2))
        assert [seq_of(await client.receive()), seq_of(await client.receive())] == [1, 2]


async def test_many_clients_at_once(place: Path) -> None:
    async def converse(client: Client, number: int) -> None:
        for turn in range(20):
            seq = number << 8 | turn
            assert seq_of(await client.ask(getfamily(seq=seq))) == seq

    async with daemon(place / "d") as d:
        clients = [await d.connect() for _ in range(60)]
        async with trio.open_nursery() as nursery:
            for number, client in enumerate(clients):
                nursery.start_soon(converse, client, number)
        assert len({connection.endpoint.portid for connection in d.server.connections}) == 60
        for client in clients:
            client.sock.close()
        await wait_all_tasks_blocked()
        assert not d.server.connections
        assert not list(d.server.machine.ports)


async def test_a_busy_client_does_not_starve_the_others(place: Path) -> None:
    async with daemon(place / "d") as d:
        busy = await d.connect()
        other = await d.connect()
        for client in (busy, other):  # both have been accepted, which takes the daemon turns of its own
            await client.ask(getfamily())
        flood(busy, getfamily(), 5 * TURN)
        flood(other, getfamily(seq=7), 1)
        assert seq_of(await other.receive()) == 7
        answered = 0
        while busy.waiting():
            busy.sock.recv(65536)
            answered += 1
        assert 0 < answered < 4 * TURN


async def test_notifications_reach_clients_that_ask_nothing(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        listener = await ctl.open("m", opts=[[1, MGMT]])
        await wait_all_tasks_blocked()
        assert not listener.waiting()
        await ctl.ok(nsim_new=[10, 1, 1])
        assert listener.waiting(), "it was written before the step was answered"
        assert type_of(await listener.receive()) == NETDEV


async def test_an_answer_is_written_when_it_is_made(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        await client.ask(getfamily())
        endpoint = endpoint_of(d.server)
        endpoint.deliver(newlink("a"))
        assert client.waiting() and not endpoint.pending()
        assert endpoint.queued, "it counts until it is read"
        assert client.sock.recv(65536) == newlink("a")


async def test_nothing_is_written_before_what_waits(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        await client.ask(getfamily())
        endpoint = endpoint_of(d.server)
        endpoint.queue(Datagram(newlink("a"), nsid=0))  # it goes out with a note, and not at once
        endpoint.deliver(newlink("b"))
        assert not client.waiting()
        d.server.settle()
        assert [client.sock.recv(65536) for _ in "ab"] == [newlink("a"), newlink("b")]


async def test_a_client_that_does_not_read_gets_its_work_done_and_holds_up_nobody(place: Path) -> None:
    async with daemon(place / "d") as d:
        slow = await d.connect()
        await wait_all_tasks_blocked()
        slow_endpoint = endpoint_of(d.server)
        request = getfamily(flags=REQUEST | DUMP)
        for _ in range(2000):
            while not slow.push(request):
                await wait_all_tasks_blocked()
        other = await d.connect()
        assert type_of(await other.ask(getfamily())) == NLCTRL
        await wait_all_tasks_blocked()
        assert slow_endpoint.pending(), "the endpoint's queue waits"

        # Now it reads, and the daemon goes on writing.
        while slow_endpoint.pending() or slow.waiting():
            await slow.receive()
        # What the queue had no room for is lost, and the client lives.
        while True:
            answer = await slow.ask(getfamily(seq=99))
            if seq_of(answer) == 99:
                break


async def test_missed_notifications_are_counted(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        listener = await ctl.open("m", opts=[[1, MGMT]])
        connection = d.server.named["m"]
        for number in range(1000):
            await ctl.ok(nsim_new=[number, 1, 1])
        heard = 0
        while listener.waiting() or connection.endpoint.pending():
            await listener.receive()
            heard += 1
            await wait_all_tasks_blocked()
        assert 0 < heard < 1000
        assert connection.overruns == 1, "told once, as ENOBUFS is"
        await ctl.ok(nsim_new=[1000, 1, 1])
        assert type_of(await listener.receive()) == NETDEV


async def test_a_client_that_leaves_without_reading_has_been_heard(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect("init", "route")
        assert errno_of(await client.ask(newlink("first"))) == 0
        await client.send(newlink("second"))
        await wait_all_tasks_blocked()
        assert client.waiting()
        for number in range(5):
            assert client.push(newlink(f"dummy{number}"))
        client.sock.close()
        await wait_all_tasks_blocked()
        assert [d.server.machine.init_net.by_name(f"dummy{number}") is not None for number in range(5)] == [True] * 5
        assert not d.server.connections


async def test_a_client_that_leaves_in_the_middle_of_a_dump(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        await client.ask(getfamily())
        endpoint = endpoint_of(d.server)
        while not endpoint.pending():
            await client.send(getfamily(flags=REQUEST | DUMP))
            await wait_all_tasks_blocked()
        client.sock.close()
        await wait_all_tasks_blocked()
        assert endpoint.closed and not d.server.connections
        other = await d.connect()
        assert type_of(await other.ask(getfamily())) == NLCTRL


@pytest.mark.parametrize(
    "garbage",
    [b"\0", b"x" * 15, b"\xff" * 16, b"\xff" * 4096, bytes(16), bytes(65536), struct.pack("<IHHII", 15, 16, 5, 1, 0)],
    ids=["one byte", "short", "ones", "page of ones", "zeros", "many zeros", "length below a header"],
)
async def test_garbage(place: Path, garbage: bytes) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        await client.send(garbage)
        assert seq_of(await client.ask(getfamily(seq=9))) == 9
        assert not d.server.machine.bugs


async def test_an_empty_datagram_is_not_the_end(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        await client.send(b"")
        assert seq_of(await client.ask(getfamily(seq=9))) == 9
        assert client.push(b"")
        assert client.push(b"")
        assert client.push(getfamily())
        client.sock.close()
        await wait_all_tasks_blocked()
        assert not d.server.connections


async def test_a_datagram_that_is_too_long_is_nobodys(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        longest = getfamily(seq=1, flags=REQUEST) + bytes(LONGEST)
        await client.send(longest[: LONGEST])
        assert seq_of(await client.receive()) == 1
        await client.send(longest[: LONGEST + 1])
        assert seq_of(await client.ask(getfamily(seq=2))) == 2


async def test_a_directory_is_a_descriptor_of_its_namespace(place: Path) -> None:
    async with daemon(place / "d") as d:
        ctl = await d.control()
        await ctl.ok(netns="guest")
        client = await d.connect("init", "route")
        await wait_all_tasks_blocked()
        endpoint = endpoint_of(d.server)
        number = os.open(place / "d" / "guest", os.O_RDONLY)
        try:
            assert endpoint.descriptors.get(number) is d.server.steps.nets["guest"]
            assert endpoint.descriptors.get(client.sock.fileno()) is None
            assert endpoint.descriptors.get(1 << 30) is None
            await ctl.ok(netns_del="guest")
            assert endpoint.descriptors.get(number) is None
        finally:
            os.close(number)


async def test_nothing_is_left_behind(place: Path) -> None:
    with ExitStack() as stack:
        async with serving(place / "d") as server:
            d = Daemon(place / "d", server, stack)
            await (await d.control()).ok(netns="guest")
            client = await d.connect("guest")
            await client.ask(getfamily())
        assert not server.connections
        assert await client.receive() == b""
        assert not (place / "d").exists()


async def test_a_second_daemon_is_refused_and_the_first_lives(place: Path) -> None:
    async with daemon(place / "d") as d:
        with pytest.raises(DirectoryError, match="another daemon"):
            async with serving(place / "d"):
                pass
        client = await d.connect()
        assert type_of(await client.ask(getfamily())) == NLCTRL


@pytest.mark.parametrize("name", ["control", "init", "init/route"])
async def test_a_file_in_the_way_is_refused_and_kept(place: Path, name: str) -> None:
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).write_text("mine")
    with pytest.raises(DirectoryError, match=name):
        async with serving(place):
            pass
    assert [str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()] == [name]
    assert not [path for path in place.rglob("*") if path.is_socket()]


async def test_a_directory_that_vanishes_ends_nothing(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        ctl = await d.control()
        shutil.rmtree(place / "d")
        assert type_of(await client.ask(getfamily())) == NLCTRL
        assert "error" in await ctl.do(netns="guest")
        assert type_of(await client.ask(getfamily())) == NLCTRL


async def test_a_bug_ends_one_client_at_most(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    async with daemon(place / "d") as d:
        client, other = await d.connect(), await d.connect()
        await client.ask(getfamily())
        await other.ask(getfamily())
        with monkeypatch.context() as patch:
            patch.setattr(d.server.machine, "released", broken)
            client.sock.close()
            await wait_all_tasks_blocked()
        assert "on purpose" in caplog.text
        with monkeypatch.context() as patch:
            patch.setattr(d.server.machine, "settle", broken)
            assert type_of(await other.ask(getfamily())) == NLCTRL
        assert type_of(await other.ask(getfamily())) == NLCTRL


async def test_a_daemon_as_a_task(place: Path) -> None:
    async with trio.open_nursery() as nursery:
        server: Server = await nursery.start(serve, place / "d")
        assert server.machine.init_net.name == "init"
        with ExitStack() as stack:
            client = await Daemon(place / "d", server, stack).connect()
            assert errno_of(await client.ask(getfamily("nosuch"))) == ENOENT
        nursery.cancel_scope.cancel()
    assert not (place / "d").exists()


async def test_the_end_of_a_dump_is_told(place: Path) -> None:
    async with daemon(place / "d") as d:
        client = await d.connect()
        await client.send(getfamily(flags=REQUEST | DUMP))
        data = await client.receive()
        while data:
            kind, length = type_of(data), int.from_bytes(data[:4], "little")
            data = data[length + 3 & ~3 :] or (b"" if kind == DONE else await client.receive())
        assert kind == DONE


async def test_what_is_not_read_is_lost_where_linux_loses_it(place: Path) -> None:
    """Nine answers of 136 bytes find room in 8192 bytes (programs/calls.py on Linux), wherever they lie; and what was
    lost is told at once."""
    async with daemon(place / "d") as d:
        ctl = await d.control()
        client = await ctl.open("a", proto=16, rcvbuf=4096)
        for seq in range(40):
            await client.send(getfamily("nlctrl", seq=seq))
        await wait_all_tasks_blocked()
        (told,) = [one for one in (await ctl.ok(state=True))["sockets"] if one.get("name") == "a"]
        assert (told["overruns"], told["drops"]) == (1, 31)
        got = []
        while client.waiting():
            got.append(seq_of(await client.receive()))
        assert got == list(range(9))
        assert seq_of(await client.ask(getfamily(seq=99))) == 99
