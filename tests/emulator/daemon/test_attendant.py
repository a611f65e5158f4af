"""The attendant: whom it asks, for how much, and that one bug ends one connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from nlemu.emulator.daemon.attendant import TURN, Attendant


class Client:
    """What stands for a connection: it says how much it was asked for."""

    def __init__(self, asked: list[tuple[str, int]], name: str) -> None:
        self.sock, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.setblocking(False)
        self.asked, self.name = asked, name
        self.closed = self.broken = False

    def attend(self, most: int) -> int:
        if self.broken:
            raise RuntimeError("a bug")
        for taken in range(most):
            try:
                self.sock.recv(10)
            except BlockingIOError:
                if taken:
                    self.asked.append((self.name, taken))
                return taken
        self.asked.append((self.name, most))
        return most

    def close(self) -> None:
        self.closed = True

    def say(self, count: int) -> None:
        for _ in range(count):
            self.theirs.send(b"x")


class World:
    """An attendant with such clients."""

    def __init__(self, stack: ExitStack) -> None:
        self.slept = 0
        self.asked: list[tuple[str, int]] = []
        self.attendant = Attendant(self.wake)
        stack.callback(self.attendant.close)
        self.stack = stack

    def wake(self) -> None:
        self.slept += 1

    def client(self, name: str) -> Client:
        made = Client(self.asked, name)
        self.stack.enter_context(made.sock)
        self.stack.enter_context(made.theirs)
        self.attendant.add(made)  # type: ignore[arg-type]
        return made


@pytest.fixture
def world() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


async def attended(world: World) -> None:
    """Until nobody has anything to say."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.attendant.serve)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


async def test_all_that_have_something_share_a_turn(world: World) -> None:
    clients = [world.client(name) for name in "abcd"]
    for client in clients:
        client.say(TURN)
    await attended(world)
    assert set(world.asked[:4]) == {(name, TURN // 4) for name in "abcd"}
    assert sum(count for _, count in world.asked) == 4 * TURN


async def test_one_alone_has_all_of_it(world: World) -> None:
    world.client("b")
    world.client("a").say(2 * TURN + 1)
    await attended(world)
    assert world.asked == [("a", TURN), ("a", TURN), ("a", 1)]


async def test_one_that_is_forgotten_is_asked_no_more(world: World) -> None:
    one, other = world.client("a"), world.client("b")
    one.say(1)
    other.say(1)
    world.attendant.forget(one)  # type: ignore[arg-type]
    world.attendant.forget(one)  # type: ignore[arg-type]
    await attended(world)
    assert world.asked == [("b", 1)]


async def test_a_bug_ends_one_connection(world: World, caplog: pytest.LogCaptureFixture) -> None:
    one, other = world.client("a"), world.client("b")
    one.broken = True
    one.say(1)
    other.say(1)

    def close() -> None:
        one.closed = True
        world.attendant.forget(one)  # type: ignore[arg-type]

    one.close = close  # type: ignore[method-assign]
    await attended(world)
    assert one.closed and not other.closed and world.asked == [("b", 1)]
    assert "a connection ends" in caplog.text


async def test_the_machine_is_told_the_time_after_a_sleep(world: World) -> None:
    client = world.client("a")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.attendant.serve)
        await wait_all_tasks_blocked()
        assert world.slept == 0
        client.say(1)
        await wait_all_tasks_blocked()
        assert world.slept == 1 and world.asked == [("a", 1)]
        nursery.cancel_scope.cancel()
