"""A client in a container, as small as can be: netlink over a socket of the one directory that it can reach.

    client.py DIR [NAME]        lists the devices of the namespace; makes one of that name first

It needs nothing but Python: DIR/route is a SEQPACKET socket, and what goes through it is rtnetlink.
"""

import os
import socket
import struct
import sys
from collections.abc import Iterator

ERROR, DONE, NEWLINK, GETLINK = 2, 3, 16, 18
REQUEST, ACK, DUMP, CREATE, EXCL = 1, 4, 0x300, 0x400, 0x200
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND = 3, 18, 1
IFINFO = bytes(16)


def attribute(kind: int, payload: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind, data[4:length]
        data = data[length + 3 & ~3 :]


def ask(sock: socket.socket, kind: int, flags: int, payload: bytes) -> Iterator[bytes]:
    """Sends a request; the payloads of the answers, until it is done. Raises OSError when it is refused."""
    sock.send(struct.pack("=IHHII", 16 + len(payload), kind, REQUEST | flags, 1, 0) + payload)
    while True:
        data = sock.recv(1 << 16)
        if not data:
            raise ConnectionResetError("the daemon went away")
        while data:
            length, kind = struct.unpack_from("=IH", data)
            if kind in (ERROR, DONE):
                (error,) = struct.unpack_from("=i", data, 16)
                if error:
                    raise OSError(-error, os.strerror(-error))
                return
            yield data[16:length]
            data = data[length + 3 & ~3 :]


def main(directory: str, *names: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.connect(f"{directory}/route")
        for name in names:
            dummy = attribute(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, b"dummy"))
            request = IFINFO + attribute(IFLA_IFNAME, name.encode() + b"\0") + dummy
            list(ask(sock, NEWLINK, ACK | CREATE | EXCL, request))
        for link in ask(sock, GETLINK, DUMP, IFINFO):
            (index,) = struct.unpack_from("=i", link, 4)
            print(index, dict(attributes(link[16:]))[IFLA_IFNAME].rstrip(b"\0").decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
