"""A daemon in a thread of this process: for tests, and for whoever wants to look around."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trio

from nlemu.emulator.daemon.server import serve
from nlemu.emulator.launch.place import make_place
from nlemu.emulator.machine.machine import Machine


@contextmanager
def daemon(make_machine: Callable[[], Machine] = Machine) -> Iterator[Path]:
    """A daemon in a temporary directory, for as long as the block runs. Its clock stands still (server.py).
    Raises NoPlace where no directory can be written."""
    started: list[trio.lowlevel.TrioToken] = []
    scope = trio.CancelScope()
    ready = threading.Event()
    failed: list[BaseException] = []

    async def life(directory: Path) -> None:
        with scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(serve, directory, make_machine)
                started.append(trio.lowlevel.current_trio_token())
                ready.set()

    def thread(directory: Path) -> None:
        try:
            trio.run(life, directory)
        except BaseException as error:
            failed.append(error)
        finally:
            ready.set()

    directory = Path(make_place())
    # Nobody waits for it at the interpreter's end, where whoever has forgotten it could not end it.
    worker = threading.Thread(target=thread, args=(directory,), daemon=True)
    worker.start()
    ready.wait()
    try:
        if failed:
            raise failed[0]
        yield directory
    finally:
        if started:
            started[0].run_sync_soon(scope.cancel)
        worker.join()
        shutil.rmtree(directory, ignore_errors=True)
