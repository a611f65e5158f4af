"""The yardstick of `nlemu bench`: a trio server that sends every datagram back, written as one would write it at first.

`python -m nlemu.emulator.daemon.echo PATH` serves until it is killed, and says when it can be reached.
"""

from __future__ import annotations

import socket
import sys

import trio


async def answer(client: trio.socket.SocketType) -> None:
    """One client, until it leaves."""
    with client:
        while datagram := await client.recv(65536):
            await client.send(datagram)


async def serve(path: str) -> None:
    """All of them, for ever."""
    listener = trio.socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    await listener.bind(path)
    listener.listen()
    print(f"nlemu: serving {path}", file=sys.stderr, flush=True)
    async with trio.open_nursery() as nursery:
        while True:
            client, _ = await listener.accept()
            nursery.start_soon(answer, client)


if __name__ == "__main__":
    trio.run(serve, sys.argv[1])
