# mypy: ignore-errors
"""What calls that are seldom made on a netlink socket answer, printed line by line.

Run under `nlemu run` and on Linux, the lines have to be the same; those that Linux printed are recorded. Each line
begins with its section, which are named as arguments; numbers that differ from run to run are not shown.
"""

import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import sys
import termios

ROUTE, GENERIC = 0, 16
SOL_NETLINK = 270
libc = ctypes.CDLL(None, use_errno=True)
section = ""


def show(what, value=None, /, *args):
    """Prints what a call returns, or its errno."""
    if callable(value):
        try:
            value = value(*args)
        except OSError as error:
            value = errno.errorcode[error.errno] if error.errno else type(error).__name__
    print(section, what, value, flush=True)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def getfamily(seq, flags=1, name=b"nlctrl"):
    attr = struct.pack("=HH", 5 + len(name), 2) + name + b"\0"
    attr += bytes(-len(attr) % 4)
    return struct.pack("=IHHIIBBH", 20 + len(attr), 16, flags, seq, 0, 3, 2, 0) + attr


def netlink(protocol=GENERIC, kind=socket.SOCK_RAW, bound=True):
    s = socket.socket(socket.AF_NETLINK, kind, protocol)
    s.settimeout(5)
    s.setblocking(False)
    if bound:
        s.bind((0, 0))
    return s


def asked(seq=1):
    """A socket with one answer to be read."""
    s = netlink()
    s.send(getfamily(seq))
    return s


def ioctls():
    s = asked()
    numbers = {
        "FIONREAD": termios.FIONREAD, "TIOCOUTQ": termios.TIOCOUTQ, "SIOCATMARK": 0x8905, "SIOCGSTAMP": 0x8906,
        "SIOCGSTAMPNS": 0x8907, "TCGETS": 0x5401, "SIOCUNIXFILE": 0x89E0, "SIOCINQNSD": 0x894B, "FIOQSIZE": 0x5460,
        "SIOCGSTAMP_NEW": 0x80108906, "unknown": 0x12345678,
    }
    for name, number in numbers.items():
        show(name, lambda number=number: fcntl.ioctl(s, number, bytes(64)).hex())
    for name, number, value in (("FIONBIO", 0x5421, 0), ("FIOASYNC", 0x5452, 1), ("FIOASYNC", 0x5452, 0)):
        show(f"{name} {value}", lambda n=number, v=value: fcntl.ioctl(s, n, struct.pack("i", v)).hex())
        show("flags", hex(fcntl.fcntl(s, fcntl.F_GETFL)))
    for name, number in (("FIOSETOWN", 0x8901), ("SIOCSPGRP", 0x8902)):
        show(name, lambda n=number: fcntl.ioctl(s, n, struct.pack("i", os.getpid())) == struct.pack("i", os.getpid()))
    for name, number in (("FIOGETOWN", 0x8903), ("SIOCGPGRP", 0x8904)):
        show(name, lambda n=number: fcntl.ioctl(s, n, bytes(4)) == struct.pack("i", os.getpid()))
    show("the answer is still there", len(s.recv(1 << 16)) > 100)


def files():
    s = asked()
    fd = s.fileno()
    show("lseek", os.lseek, fd, 0, os.SEEK_SET)
    show("pread", os.pread, fd, 100, 0)
    show("pread of nothing", os.pread, fd, 0, 0)
    show("pwrite", os.pwrite, fd, getfamily(2), 0)
    show("preadv", lambda: os.preadv(fd, [bytearray(100)], 0))
    show("pwritev", lambda: os.pwritev(fd, [getfamily(3)], 0))
    show("preadv2", lambda: os.preadv(fd, [bytearray(100)], 0, os.RWF_NOWAIT))
    show("pwritev2", lambda: os.pwritev(fd, [getfamily(3)], 0, os.RWF_APPEND))
    show("ftruncate", os.ftruncate, fd, 0)
    show("fsync", os.fsync, fd)
    show("fallocate", lambda: os.posix_fallocate(fd, 0, 1))
    show("fadvise", lambda: os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_NORMAL))
    show("fchmod", os.fchmod, fd, 0o600)
    show("flock", fcntl.flock, fd, fcntl.LOCK_EX)
    show("getdents", lambda: check(libc.syscall(217, fd, ctypes.create_string_buffer(1000), 1000)))
    show("fchdir", os.fchdir, fd)
    show("mode", oct(os.fstat(fd).st_mode))
    show("size", os.fstat(fd).st_size)
    show("link", os.readlink(f"/proc/self/fd/{fd}").split("[")[0])
    show("its inode", os.readlink(f"/proc/self/fd/{fd}") == f"socket:[{os.fstat(fd).st_ino}]")
    show("open by that", os.open, f"/proc/self/fd/{fd}", os.O_RDWR)
    show("isatty", os.isatty(fd))
    show("ttyname", os.ttyname, fd)
    show("mmap", lambda: libc.mmap(None, 4096, 1, 1, fd, 0) & 0xFFFFFFFF)
    show("errno", errno.errorcode[ctypes.get_errno()])
    show("openat", lambda: os.open("x", os.O_RDONLY, dir_fd=fd))
    show("flags", hex(fcntl.fcntl(fd, fcntl.F_GETFL)))
    show("F_GETPIPE_SZ", lambda: fcntl.fcntl(fd, 1032))
    show("F_GETLEASE", lambda: fcntl.fcntl(fd, fcntl.F_GETLEASE))
    show("F_GET_SEALS", lambda: fcntl.fcntl(fd, 1034))
    show("F_GETSIG", lambda: fcntl.fcntl(fd, fcntl.F_GETSIG))
    show("statfs", lambda: hex(struct.unpack_from("q", fstatfs(fd))[0]))
    show("the answer is still there", len(s.recv(1 << 16)) > 100)


def fstatfs(fd):
    data = ctypes.create_string_buffer(120)
    check(libc.fstatfs(fd, data))
    return data.raw


def vectors():
    s = netlink()
    fd = s.fileno()
    show("writev", lambda: os.writev(fd, [getfamily(1)[:7], getfamily(1)[7:]]))
    first, second = bytearray(16), bytearray(8)
    show("readv", lambda: os.readv(fd, [first, second]))
    show("which is cut", (struct.unpack_from("=HHI", first, 4), len(second)))
    show("and gone", s.recv, 100)
    show("writev of nothing", lambda: os.writev(fd, []))
    show("writev of empty ones", lambda: os.writev(fd, [b"", b""]))
    show("write of nothing", os.write, fd, b"")
    show("send of nothing", s.send, b"")
    show("sendmsg of nothing", lambda: s.sendmsg([]))
    s.send(getfamily(2))
    show("readv of nothing", lambda: os.readv(fd, []))
    show("readv into empty ones", lambda: os.readv(fd, [bytearray(0)]))
    s.send(getfamily(3))
    show("read of nothing", lambda: check(libc.read(fd, ctypes.create_string_buffer(1), 0)))
    show("then", lambda: struct.unpack_from("=I", s.recv(1 << 16), 8))
    s.send(getfamily(4))
    show("recv of nothing", s.recv, 0)
    show("then", lambda: struct.unpack_from("=I", s.recv(100), 8))
    s.send(getfamily(5))
    show("recv of nothing, to see how much", len(s.recv(0, socket.MSG_PEEK)))
    show("its name", lambda: s.recvfrom(1 << 16)[1])
    show("too many pieces", lambda: check(libc.writev(fd, ctypes.create_string_buffer(16 * 2000), 1025)))
    show("negative count", lambda: check(libc.readv(fd, ctypes.create_string_buffer(16), -1)))


class Many:
    """A vector of struct mmsghdr, each with a buffer of its own."""

    def __init__(self, buffers):
        self.buffers = [ctypes.create_string_buffer(bytes(one), len(one)) for one in buffers]
        self.vectors = [
            ctypes.create_string_buffer(struct.pack("=QQ", ctypes.addressof(one), len(one)), 16) for one in self.buffers
        ]
        self.names = [ctypes.create_string_buffer(12) for _ in buffers]
        self.headers = ctypes.create_string_buffer(64 * len(buffers))
        for at, vector in enumerate(self.vectors):
            struct.pack_into(
                "=QIxxxxQQQQixxxxI", self.headers, 64 * at, 0, 0, ctypes.addressof(vector), 1, 0, 0, 0, 0
            )

    def named(self):
        for at, name in enumerate(self.names):
            struct.pack_into("=QI", self.headers, 64 * at, ctypes.addressof(name), 12)
        return self

    def lengths(self):
        return [struct.unpack_from("=I", self.headers, 64 * at + 56)[0] > 0 for at in range(len(self.buffers))]

    def sent(self):
        return [struct.unpack_from("=I", self.headers, 64 * at + 56)[0] for at in range(len(self.buffers))]


def many():
    s = netlink()
    fd = s.fileno()
    requests = Many([getfamily(seq) for seq in range(1, 5)])
    show("sendmmsg", lambda: check(libc.sendmmsg(fd, requests.headers, 4, 0)))
    show("how much", requests.sent())
    answers = Many([bytearray(4096) for _ in range(6)]).named()
    show("recvmmsg", lambda: check(libc.recvmmsg(fd, answers.headers, 6, socket.MSG_DONTWAIT, None)))
    show("which", answers.lengths())
    show("in order", [struct.unpack_from("=I", one.raw, 8)[0] for one in answers.buffers])
    show("names", [name.raw.hex() for name in answers.names])
    show("no more", lambda: check(libc.recvmmsg(fd, answers.headers, 6, socket.MSG_DONTWAIT, None)))
    show("none of them", lambda: check(libc.recvmmsg(fd, answers.headers, 0, 0, None)))
    show("of none", lambda: check(libc.sendmmsg(fd, requests.headers, 0, 0)))
    broken = Many([getfamily(1), b"", getfamily(2)])
    show("one is empty", lambda: check(libc.sendmmsg(fd, broken.headers, 3, 0)))
    broken = Many([b"", getfamily(2)])
    show("the first is empty", lambda: check(libc.sendmmsg(fd, broken.headers, 2, 0)))
    show("so one came", lambda: check(libc.recvmmsg(fd, answers.headers, 6, 0x10000, None)))
    s.setblocking(True)
    s.send(getfamily(9))
    show("MSG_WAITFORONE", lambda: check(libc.recvmmsg(fd, answers.headers, 6, 0x10000, None)))
    limit = ctypes.create_string_buffer(struct.pack("=qq", 0, 2000000000), 16)
    show("a limit that is none", lambda: check(libc.recvmmsg(fd, answers.headers, 6, 0, limit)))
    s.send(getfamily(10))
    limit = ctypes.create_string_buffer(struct.pack("=qq", 0, 0), 16)
    show("no time at all", lambda: check(libc.recvmmsg(fd, answers.headers, 1, 0, limit)))


def bits(s):
    poll = select.poll()
    poll.register(s, 0x3FFF)
    return [hex(event) for _, event in poll.poll(0)]


def events():
    s = netlink()
    show("nothing", bits(s))
    s.send(getfamily(1))
    show("an answer", bits(s))
    poll = select.epoll()
    poll.register(s, select.EPOLLIN | select.EPOLLET | select.EPOLLRDHUP)
    show("edge", [event for _, event in poll.poll(0)])
    show("no other", poll.poll(0))
    s.recv(1 << 16)
    show("read", bits(s))
    show("select", [len(one) for one in select.select([s], [s], [s], 0)])
    show("shutdown", s.shutdown, socket.SHUT_WR)
    show("as before", bits(s))
    t = netlink(bound=False)
    show("not bound", bits(t))


def lost():
    """Overrun, and what tells of it."""
    s = netlink()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for seq in range(40):
        s.send(getfamily(seq))
    show("SO_ERROR", errno.errorcode.get(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
    show("once", s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    got = []
    while True:
        try:
            got.append(struct.unpack_from("=I", s.recvfrom(1 << 16)[0], 8)[0])
        except BlockingIOError:
            break
    show("what fits", got)
    s.send(getfamily(99))
    show("there is room again", lambda: struct.unpack_from("=I", s.recvfrom(1 << 16)[0], 8))
    for seq in range(40):
        s.send(getfamily(seq))
    show("a receive", s.recvfrom, 100)
    show("the next", lambda: struct.unpack_from("=I", s.recvfrom(1 << 16)[0], 8))
    t = netlink()
    t.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    t.setsockopt(SOL_NETLINK, 5, 1)
    for seq in range(40):
        t.send(getfamily(seq))
    show("NO_ENOBUFS", t.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    show("the first", lambda: struct.unpack_from("=I", t.recvfrom(1 << 16)[0], 8))
    meminfo = struct.unpack("=9I", s.getsockopt(socket.SOL_SOCKET, 55, 36))
    show("SO_MEMINFO of the first: room", (meminfo[1], meminfo[3], meminfo[8] > 0))


def broadcast():
    """To a group of a protocol for programs: what the sender hears of a listener that has no room."""
    for told in (0, 1):
        s, t = netlink(2), netlink(2)
        show("a group", t.setsockopt, SOL_NETLINK, 1, 1)
        t.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
        t.setsockopt(SOL_NETLINK, 4, told)
        for turn in range(4):
            show(f"{told} broadcast {turn}", s.sendto, bytes(1000), (0, 1))
        show("heard", lambda t=t: len(t.recvfrom(2000)[0]))
        show("heard", lambda t=t: len(t.recvfrom(2000)[0]))


def refusals():
    s = asked()
    show("listen", s.listen)
    show("accept", s.accept)
    for how in (socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR, 17):
        show(f"shutdown {how}", lambda how=how: check(libc.shutdown(s.fileno(), how)))
    show("peer", s.getpeername())
    show("a pair", lambda: socket.socketpair(socket.AF_NETLINK, socket.SOCK_RAW, 16))
    show("a pair of datagrams", lambda: socket.socketpair(socket.AF_NETLINK, socket.SOCK_DGRAM, 0))
    show("out of band", s.send, getfamily(2), socket.MSG_OOB)
    show("out of band", s.recv, 10, socket.MSG_OOB)
    show("the queue of errors", s.recv, 10, socket.MSG_ERRQUEUE)
    show("the queue of errors, with a name", lambda: s.recvmsg(10, 100, socket.MSG_ERRQUEUE)[2:])
    s.send(getfamily(3))
    show("MSG_WAITALL", lambda: len(s.recv(1 << 16, socket.MSG_WAITALL)) < 1 << 16)
    s.send(getfamily(4), socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)
    show("MSG_CMSG_CLOEXEC", lambda: hex(s.recvmsg(1 << 16, 100, socket.MSG_CMSG_CLOEXEC)[2]))
    show("MSG_MORE", s.send, getfamily(5), socket.MSG_MORE)
    show("MSG_CONFIRM", s.send, getfamily(5), socket.MSG_CONFIRM)
    show("MSG_FASTOPEN", s.send, getfamily(5), 0x20000000)
    show("MSG_ZEROCOPY", s.send, getfamily(5), 0x4000000)
    show("descriptors", lambda: socket.send_fds(s, [getfamily(6)], [0]))
    show("credentials of another", lambda: s.sendmsg([getfamily(6)], [(1, 2, struct.pack("=iII", 1, 0, 0))]))
    mine = struct.pack("=iII", os.getpid(), os.getuid(), os.getgid())
    show("credentials", lambda: s.sendmsg([getfamily(6)], [(1, 2, mine)]))
    show("control of another level", lambda: s.sendmsg([getfamily(6)], [(41, 2, mine)]))
    show("control that is unknown", lambda: s.sendmsg([getfamily(6)], [(1, 99, mine)]))
    show("splice", lambda: os.splice(s.fileno(), os.pipe()[1], 100))


def own():
    """Options of the level of sockets."""
    s = netlink(ROUTE)
    known = [*range(1, 59), *range(60, 63), 69, 70, 76, 83]
    untold = {17, 36, 55, 56, 57}
    for name in known:
        for size in (4, 16):
            if name not in untold:
                show(f"get {name} {size}", lambda name=name, size=size: s.getsockopt(1, name, size).hex())
    for name in known:
        if name not in {7, 8, 32, 33}:
            show(f"set {name}", lambda name=name: s.setsockopt(1, name, 1))
            show(f"short {name}", lambda name=name: check(libc.setsockopt(s.fileno(), 1, name, b"\1", 1)))
    for name in (1, 2, 6, 9, 12, 15, 16, 18, 29, 35, 36, 42, 43, 44, 45, 46, 50, 69, 76):
        show(f"then {name}", lambda name=name: s.getsockopt(1, name, 4).hex())


def beside():
    """A socket is closed while another thread receives."""
    import threading
    import time

    s = netlink()
    s.setblocking(True)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("=qq", 1, 0))
    port = s.getsockname()[0]
    got = []

    def receive():
        try:
            got.append(len(s.recvfrom(100)[0]))
        except OSError as error:
            got.append(errno.errorcode[error.errno])

    thread = threading.Thread(target=receive)
    thread.start()
    time.sleep(0.2)
    libc.close(s.fileno())
    t = netlink(bound=False)
    show("its port is still taken", t.bind, (port, 0))
    thread.join()
    show("the reader", got)
    s.detach()
    u = netlink(bound=False)
    show("its port is free", u.bind, (port, 0))


def numbers():
    """Copies at other numbers."""
    s = netlink()
    fd = s.fileno()
    show("F_DUPFD negative", lambda: fcntl.fcntl(fd, fcntl.F_DUPFD, -1))
    show("F_DUPFD too high", lambda: fcntl.fcntl(fd, fcntl.F_DUPFD, 1 << 30))
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD, fd + 3)
    show("F_DUPFD", (copy >= fd + 3, socket.socket(fileno=copy).getsockname() == s.getsockname()))
    low = os.dup2(fd, 9)
    t = socket.socket(fileno=low)
    show("dup2", (t.family, t.proto, t.getsockname() == s.getsockname()))
    t.send(getfamily(1))
    show("received there", lambda: t.recvfrom(1 << 16)[1])
    t.send(getfamily(2))
    show("received there, with more", lambda: [t.recvmsg(40, 100)[at] for at in (1, 2, 3)])
    t.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    t.setsockopt(SOL_NETLINK, 3, 1)
    t.send(getfamily(3))
    show("ancillary data", lambda: [(level, kind, data.hex()) for level, kind, data in t.recvmsg(1 << 16, 100)[1]])
    show("refused", lambda: t.sendto(getfamily(4), (4711, 0)))
    show("listen", t.listen)
    show("accept", t.accept)
    show("shutdown", t.shutdown, socket.SHUT_RDWR)
    show("peer", t.getpeername())
    show("SO_RCVBUF", t.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
    t.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    show("then", s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
    for seq in range(40):
        t.send(getfamily(seq))
    show("SO_ERROR", errno.errorcode.get(t.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
    for _ in range(4):
        show("read there", lambda: struct.unpack_from("=I", t.recvmsg(1 << 16)[0], 8))
    a, b = socket.socketpair()
    socket.send_fds(a, [b"x"], [fd])
    _, passed, _, _ = socket.recv_fds(b, 10, 1)
    u = socket.socket(fileno=passed[0])
    show("passed", (u.family, u.getsockname() == s.getsockname()))
    many = [netlink() for _ in range(124)]
    show("many", len({one.getsockname()[0] for one in many}))


if __name__ == "__main__":
    for part in sys.argv[1:]:
        section = part
        globals()[part]()
