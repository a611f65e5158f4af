"""The yardstick: a trio server that sends every SEQPACKET datagram back, written as one would write it at first.

`python -m tests.bench.echo PATH` serves until it is killed, and prints a line when it can be reached.
"""

import socket
import sys

import trio


async def echo(client: trio.socket.SocketType) -> None:
    with client:
        while datagram := await client.recv(65536):
            await client.send(datagram)


async def serve(path: str) -> None:
    listener = trio.socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    await listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    async with trio.open_nursery() as nursery:
        while True:
            client, _ = await listener.accept()
            nursery.start_soon(echo, client)


if __name__ == "__main__":
    trio.run(serve, sys.argv[1])
