# mypy: ignore-errors
"""What a program can tell about its netlink sockets, printed line by line.

Run on the emulator and on a real kernel, the lines have to be the same. It needs no privileges.
Numbers that differ from run to run are shown as what they are to us.
"""

import array
import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import threading

ROUTE, GENERIC, SOCK_DIAG = 0, 16, 4
SOL_NETLINK = 270
libc = ctypes.CDLL(None, use_errno=True)


def show(what, value=None, /, *args):
    """Prints what a call returns, or its errno."""
    if callable(value):
        try:
            value = value(*args)
        except OSError as error:
            value = errno.errorcode[error.errno] if error.errno else type(error).__name__
    print(what, value)


def getfamily(seq, flags=1, name=b"nlctrl"):
    attr = struct.pack("=HH", 5 + len(name), 2) + name + b"\0"
    attr += bytes(-len(attr) % 4)
    return struct.pack("=IHHIIBBH", 20 + len(attr), 16, flags, seq, 0, 3, 2, 0) + attr


def netlink(protocol=GENERIC, kind=socket.SOCK_RAW):
    return socket.socket(socket.AF_NETLINK, kind, protocol)


def mine(address):
    return ["pid" if address[0] == os.getpid() else "negative" if address[0] >> 31 else address[0], address[1]]


def names():
    s = netlink()
    show("unbound", s.getsockname())
    show("peer", s.getpeername())
    s.bind((0, 0))
    show("bound", mine(s.getsockname()))
    show("again", s.bind, (0, 0))
    show("elsewhere", s.bind, (77, 0))
    t = netlink()
    t.bind((0, 0))
    show("second", mine(t.getsockname()))
    u = netlink()
    show("taken", u.bind, (os.getpid(), 0))
    show("own", u.bind, (12345, 0))
    show("own is", u.getsockname())
    r = netlink(ROUTE)
    r.bind((0, 5))
    show("groups", mine(r.getsockname()))
    show("raw name", raw_name(r))
    show("short name", raw_name(r, 4))
    show("room for nothing", raw_name(r, 0))
    show("negative room", raw_name(r, -1))
    show("bind short", lambda: check(libc.bind(r.fileno(), struct.pack("=HHI", 16, 0, 0), 8)))
    show("bind family", lambda: check(libc.bind(r.fileno(), struct.pack("=HHII", 2, 0, 0, 0), 12)))
    show("connect", s.connect, (0, 0))
    show("connect to a program", s.connect, (4711, 0))
    show("connect to a group", s.connect, (0, 3))
    show("peer then", s.getpeername())
    show("listen", s.listen)
    show("accept", s.accept)
    show("shutdown", s.shutdown, socket.SHUT_RDWR)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def raw_name(sock, room=32):
    name, length = ctypes.create_string_buffer(32), ctypes.c_int(room)
    if libc.getsockname(sock.fileno(), name, ctypes.byref(length)) < 0:
        return errno.errorcode[ctypes.get_errno()]
    return name.raw[: max(min(room, 4), 0)].hex(), length.value


def kinds():
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        show(f"kind {int(kind)}", lambda kind=kind: netlink(kind=kind).getsockopt(socket.SOL_SOCKET, socket.SO_TYPE))
    for protocol in (-1, 32, 1000):
        show(f"protocol {protocol}", lambda protocol=protocol: check(libc.socket(16, 3, protocol)))
    s = netlink(kind=socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    show("domain", s.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN))
    show("proto", s.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL))
    show("type", s.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE))
    show("cloexec", fcntl.fcntl(s, fcntl.F_GETFD))
    show("nonblock", bool(fcntl.fcntl(s, fcntl.F_GETFL) & os.O_NONBLOCK))
    show("nothing", s.recv, 10)
    show("socket file", os.fstat(s.fileno()).st_mode)


def options():
    s = netlink(ROUTE)
    for name in range(1, 13):
        show(f"get {name}", s.getsockopt, SOL_NETLINK, name)
    for name in (3, 4, 5, 10, 11, 12):
        show(f"set {name}", s.setsockopt, SOL_NETLINK, name, 1)
        show(f"then {name}", s.getsockopt, SOL_NETLINK, name)
    show("set unknown", s.setsockopt, SOL_NETLINK, 99, 1)
    for group in (0, 1, 33, 5000):
        show(f"join {group}", s.setsockopt, SOL_NETLINK, 1, group)
    show("groups", mine(s.getsockname()))
    show("leave", s.setsockopt, SOL_NETLINK, 2, 1)
    show("memberships", lambda: s.getsockopt(SOL_NETLINK, 9, 4))
    show("other level", s.setsockopt, socket.IPPROTO_TCP, 1, 1)
    show("get of another level", s.getsockopt, socket.IPPROTO_TCP, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 10000)
    show("rcvbuf", s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    show("least rcvbuf", s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
    show("force", s.setsockopt, socket.SOL_SOCKET, 33, 1 << 20)
    show("error", s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    show("wild", lambda: check(libc.setsockopt(s.fileno(), SOL_NETLINK, 11, ctypes.c_void_p(8), 4)))
    nowhere = ctypes.c_void_p(8)
    show("wild get", lambda: check(libc.getsockopt(s.fileno(), SOL_NETLINK, 11, nowhere, nowhere)))


def messages():
    s = netlink()
    s.settimeout(10)
    show("send", s.send(getfamily(1)))
    whole = s.recv(65536)
    show("header", struct.unpack_from("=HHI", whole, 4))
    show("own port", struct.unpack_from("=I", whole, 12)[0] == os.getpid())
    s.send(getfamily(2))
    data, address = s.recvfrom(65536)
    show("from", (len(data) == len(whole), address))
    s.sendto(getfamily(3), (0, 0))
    show("peek", len(s.recv(0, socket.MSG_PEEK | socket.MSG_TRUNC)) == 0)
    data, control, flags, address = s.recvmsg(30)
    show("cut", (len(data), control, flags == socket.MSG_TRUNC, address))
    s.send(getfamily(4))
    buffer = bytearray(8)
    show("true length", s.recv_into(buffer, 8, socket.MSG_PEEK | socket.MSG_TRUNC) == len(whole))
    show("read", len(os.read(s.fileno(), 65536)) == len(whole))
    show("write", os.write(s.fileno(), getfamily(5)))
    show("sequence", struct.unpack_from("=I", s.recv(65536), 8))
    show("pieces", s.sendmsg([getfamily(6)[:10], getfamily(6)[10:]], [], 0, (0, 0)))
    first, second = bytearray(10), bytearray(65536)
    show("in pieces", s.recvmsg_into([first, second])[0] == len(whole))
    show("empty", s.send, b"")
    show("short", s.send(b"abc"))
    show("long", s.send, bytes(1 << 20))
    show("to a program", s.sendto, getfamily(7), (4711, 0))
    show("to a group", s.sendto, getfamily(7), (0, 1))
    s.settimeout(None)
    show("not waiting", s.recv, 100, socket.MSG_DONTWAIT)
    s.send(getfamily(8, 5) + getfamily(9, 5))
    got = [struct.unpack_from("=IHHI", s.recv(65536))[1:] for _ in range(4)]
    show("two with acks", got)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    s.send(getfamily(10))
    show("credentials", [(level, kind, data.hex()) for level, kind, data in s.recvmsg(65536, 256)[1]])
    s.setsockopt(SOL_NETLINK, 3, 1)
    s.send(getfamily(11))
    show("and group", [(level, kind, data.hex()) for level, kind, data in s.recvmsg(65536, 256)[1]])
    s.send(getfamily(12))
    _, control, flags, _ = s.recvmsg(65536, 20)
    show("no room for them", (len(control), bool(flags & socket.MSG_CTRUNC)))
    s.send(getfamily(13, name=b"no such family"))
    error = s.recv(65536)
    show("error", (struct.unpack_from("=HH", error, 4), struct.unpack_from("=i", error, 16)))
    show("out of band", s.recv, 100, socket.MSG_OOB)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("=qq", 0, 20000))
    show("timeout", s.recvfrom, 100)


def waiting():
    s = netlink()
    poll = select.epoll()
    poll.register(s, select.EPOLLIN)
    show("quiet", poll.poll(0))
    s.send(getfamily(1))
    show("readable", [event for _, event in poll.poll(10)])
    s.recv(65536)
    show("quiet again", poll.poll(0))
    got = []
    thread = threading.Thread(target=lambda: got.append(s.recvfrom(65536)[1]))
    thread.start()
    s.send(getfamily(2))
    thread.join(10)
    show("another thread", got)
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(InterruptedError(errno.EINTR, "")))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    show("interrupted", s.recvfrom, 65536)
    child = os.fork()
    if not child:
        s.send(getfamily(3))
        os._exit(0)
    os.waitpid(child, 0)
    show("a child's answer", struct.unpack_from("=I", s.recv(65536), 8))


def copies():
    s = netlink()
    s.bind((0, 0))
    for what, copy in (
        ("dup", os.dup(s.fileno())),
        ("dupfd", fcntl.fcntl(s, fcntl.F_DUPFD, 5)),
        ("cloexec", fcntl.fcntl(s, fcntl.F_DUPFD_CLOEXEC, 0)),
    ):
        t = socket.socket(fileno=copy)
        show(what, (t.family == socket.AF_NETLINK, t.proto, mine(t.getsockname()), os.get_inheritable(copy)))
        t.close()
    show("dup of nothing", lambda: check(libc.dup(s.fileno() + 50)))
    s.send(getfamily(1))
    show("still there", len(s.recv(65536)) > 100)
    s.close()
    t = netlink()
    t.bind((0, 0))
    show("the port is free again", mine(t.getsockname()))


def overrun():
    s = netlink()
    for _ in range(2000):
        s.send(getfamily(1))
    show("overrun", s.recvfrom, 65536)
    show("and then", len(s.recvfrom(65536)[0]) > 100)


def dumps():
    s = netlink()
    s.send(struct.pack("=IHHIIBBH", 20, 16, 0x301, 1, 0, 3, 2, 0))
    kinds, done = set(), False
    while not done:
        data = s.recv(16384)
        at = 0
        while at < len(data):
            length, kind = struct.unpack_from("=IH", data, at)
            kinds.add(kind)
            done = kind == 3
            at += length + 3 & ~3
    show("dump", sorted(kinds))


def wild():
    s = netlink()
    fd = s.fileno()
    null, bad, end = ctypes.c_void_p(0), ctypes.c_void_p(8), ctypes.c_void_p(-4096)
    for what, pointer in (("null", null), ("low", bad), ("high", end)):
        show(f"bind {what}", lambda p=pointer: check(libc.bind(fd, p, 12)))
        show(f"getsockname {what}", lambda p=pointer: check(libc.getsockname(fd, p, p)))
        show(f"sendmsg {what}", lambda p=pointer: check(libc.sendmsg(fd, p, 0)))
        show(f"recvmsg {what}", lambda p=pointer: check(libc.recvmsg(fd, p, socket.MSG_DONTWAIT)))
        show(f"sendto {what}", lambda p=pointer: check(libc.sendto(fd, p, 20, 0, getaddress(), 12)))
    show("bind long", lambda: check(libc.bind(fd, getaddress(), 1000)))
    show("bind negative", lambda: check(libc.bind(fd, getaddress(), -1)))
    show("address negative", lambda: check(libc.sendto(fd, b"x", 1, 0, getaddress(), -1)))
    show("closed", lambda: check(libc.getsockname(987, bad, bad)))
    show("negative", lambda: check(libc.getsockname(-1, bad, bad)))
    header = array.array("Q", [0, 0, 8, 5000, 0, 0, 0])
    show("too many pieces", lambda: check(libc.sendmsg(fd, header.buffer_info()[0:1][0] and pointer_of(header), 0)))
    header = array.array("Q", [0, 0, 8, 2, 0, 0, 0])
    show("wild pieces", lambda: check(libc.sendmsg(fd, pointer_of(header), 0)))
    s.send(getfamily(1))
    show("into nowhere", lambda: check(libc.recvfrom(fd, bad, 100, 0, null, null)))
    s.send(getfamily(2))
    rodata = ctypes.cast(libc.getpid, ctypes.c_void_p)
    show("into code", lambda: check(libc.recvfrom(fd, rodata, 100, 0, null, null)))
    s.send(getfamily(3))
    show("name to nowhere", lambda: check(libc.recvfrom(fd, ctypes.create_string_buffer(4096), 4096, 0, bad, bad)))


def pointer_of(values):
    return ctypes.c_void_p(values.buffer_info()[0])


def getaddress():
    return struct.pack("=HHII", 16, 0, 0, 0)


if __name__ == "__main__":
    for part in (names, kinds, options, messages, waiting, copies, overrun, dumps, wild):
        print(f"-- {part.__name__}")
        part()
