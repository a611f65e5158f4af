"""A program with netlink sockets of the real kernel, which tells what it sent (>) and what it read (<), in hexadecimal
digits. Its argument says what it does."""

import array
import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress

ROUTE, GENERIC, LINKS = 0, 16, 1
GETLINK, SETLINK, GETFAMILY, NLCTRL = 18, 19, 3, 16
REQUEST, ACK, DUMP = 1, 4, 0x300
ROOM = 65536

libc = ctypes.CDLL(None, use_errno=True)
told = threading.Lock()


def tell(sign: str, data: bytes) -> bytes:
    with told:
        print(sign, data.hex(), flush=True)
    return data


def message(kind: int, flags: int, body: bytes, seq: int = 1) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags | REQUEST, seq, 0) + body


def getlink(index: int, seq: int = 1) -> bytes:
    return message(GETLINK, 0, struct.pack("=BxHiII", 0, 0, index, 0, 0), seq)


def families() -> bytes:
    return message(NLCTRL, DUMP, struct.pack("=BBH", GETFAMILY, 1, 0))


def opened(protocol: int = ROUTE, groups: int = 0) -> socket.socket:
    one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    one.bind((0, groups))
    return one


def ask(one: socket.socket, data: bytes) -> bytes:
    one.send(tell(">", data))
    return tell("<", one.recv(ROOM))


def done(datagram: bytes) -> bool:
    at = 0
    while at < len(datagram):
        length, kind = struct.unpack_from("=IH", datagram, at)
        if kind in (2, 3):
            return True
        at += length + 3 & ~3
    return False


def plain() -> None:
    """Two sockets, a dump of several datagrams, an error, and what is answered without being waited for."""
    one, two = opened(), opened(GENERIC)
    two.send(tell(">", families()))
    ask(one, getlink(1))
    while not done(tell("<", two.recv(4096))):
        pass
    ask(one, getlink(0x7FFFFFFF))
    with suppress(BlockingIOError):
        one.recv(ROOM, socket.MSG_DONTWAIT)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(Iovec)),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("header", Msghdr), ("length", ctypes.c_uint)]


def many(buffers: "list[ctypes.Array[ctypes.c_char]]") -> "ctypes.Array[Mmsghdr]":
    vector = (Mmsghdr * len(buffers))()
    for one, buffer in zip(vector, buffers, strict=True):
        one.header.iov = ctypes.pointer(Iovec(ctypes.addressof(buffer), len(buffer)))
        one.header.iovlen = 1
    return vector


def calls() -> None:
    """Every call there is; looks, and a datagram that is cut off."""
    one = opened()
    kernel = (0, 0)
    one.sendto(tell(">", getlink(1, 2)), kernel)
    assert one.recv(ROOM, socket.MSG_PEEK | socket.MSG_TRUNC)
    tell("<", one.recvfrom(ROOM)[0])
    one.sendmsg([tell(">", getlink(1, 3))[:10], getlink(1, 3)[10:]], [], 0, kernel)
    one.recvmsg(0, 0, socket.MSG_PEEK | socket.MSG_TRUNC)
    first, rest = bytearray(100), bytearray(ROOM)
    count, _, _, _ = one.recvmsg_into([first, rest])
    tell("<", bytes(first + rest)[:count])
    os.write(one.fileno(), tell(">", getlink(1, 4)))
    tell("<", os.read(one.fileno(), ROOM))
    os.writev(one.fileno(), [tell(">", getlink(1, 5))[:7], getlink(1, 5)[7:]])
    count = os.readv(one.fileno(), [first, rest])
    tell("<", bytes(first + rest)[:count])
    sent = [ctypes.create_string_buffer(tell(">", getlink(1, seq)), 32) for seq in (6, 7)]
    assert libc.sendmmsg(one.fileno(), many(sent), 2, 0) == 2
    got = [ctypes.create_string_buffer(ROOM) for _ in range(3)]
    vector = many(got)
    assert libc.recvmmsg(one.fileno(), vector, 3, socket.MSG_DONTWAIT, None) == 2
    for buffer, header in zip(got, vector[:2], strict=False):
        tell("<", buffer.raw[: header.length])
    one.send(tell(">", getlink(1, 8)))
    tell("<", one.recv(20))
    try:
        one.sendto(getlink(1), (0x7FFFFFF0, 0))
        raise AssertionError("there is nobody")
    except OSError:
        pass


def others() -> None:
    """Sockets that threads have, that are inherited, duplicated and passed on, and those of other programs."""
    def thread() -> None:
        mine = opened()
        for seq in range(20):
            ask(mine, getlink(1, seq))

    threads = [threading.Thread(target=thread) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    mine = opened()
    child = os.fork()
    if not child:
        ask(mine, getlink(1, 100))
        os._exit(0)
    os.waitpid(child, 0)
    ask(socket.socket(fileno=os.dup2(mine.fileno(), 77)), getlink(1, 101))
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        _, control, _, _ = ours.recvmsg(1, 100)
        descriptors = array.array("i", control[0][2])
        ask(socket.socket(fileno=descriptors[0]), getlink(1, 102))
        os._exit(0)
    with opened() as passed:
        theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [passed.fileno()]))])
    os.waitpid(child, 0)
    subprocess.run([sys.executable, __file__, "plain"], check=True)
    # A thread that is not the first executes something.
    threading.Thread(target=os.execv, args=(sys.executable, [sys.executable, __file__, "plain"])).start()
    threading.Event().wait()


def waits() -> None:
    """A receive that waits for a notification, one that a signal interrupts, and a child that stops. Wants a network of
    its own."""
    heard, asking = opened(ROUTE, LINKS), opened()
    for _ in range(3):
        waiting = threading.Thread(target=lambda: tell("<", heard.recv(ROOM)))
        waiting.start()
        ask(asking, message(SETLINK, ACK, struct.pack("=BxHiII", 0, 0, 1, 1, 1)))
        waiting.join()
        ask(asking, message(SETLINK, ACK, struct.pack("=BxHiII", 0, 0, 1, 0, 1)))
        tell("<", heard.recv(ROOM))

    def interrupt(*_: object) -> None:
        raise InterruptedError

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        heard.recv(ROOM)
    except InterruptedError:
        print("interrupted", flush=True)
    child = os.fork()
    if not child:
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(7)
    _, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    print("woken", os.WEXITSTATUS(status), flush=True)


def given() -> None:
    """A socket that was open before the recording began."""
    ask(socket.socket(fileno=int(sys.argv[2])), getlink(1))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
