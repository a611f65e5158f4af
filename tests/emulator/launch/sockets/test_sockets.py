"""A netlink socket of the emulator and one of the real kernel, told apart by nothing that a program can try."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")


def real(*program: str) -> str:
    """What a program prints on this machine's own kernel, as nobody."""
    user = {"user": nobody.NOBODY, "group": nobody.NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run(  # type: ignore[call-overload]
        program, capture_output=True, text=True, timeout=120, check=True, env=nobody.environment(), cwd="/", **user
    )
    return str(done.stdout)


def readable(name: str) -> str:
    """The text of a program: where it lies may not be readable to nobody."""
    return (nobody.PROGRAMS / name).read_text()


def test_sockets_are_as_the_real_kernels() -> None:
    """The same program, line by line: names, kinds, options, messages, waiting, copies, overruns, wild pointers."""
    text = readable("sockets.py")
    expected = real(nobody.python(), "-c", text).splitlines()
    got = nobody.run(nobody.python(), "-c", text, options=["--uid-view", "user"]).splitlines()
    assert got == expected


def test_sockets_where_no_descriptor_can_be_copied() -> None:
    text = readable("sockets.py")
    expected = real(nobody.python(), "-c", text).splitlines()
    done = nobody.nlemu("run", "--uid-view", "user", "--", nobody.python(), "-c", text, copies=False)
    assert done.stdout.splitlines() == expected


def test_root_may_what_nobody_may_not() -> None:
    got = nobody.run(nobody.python(), "-c", readable("sockets.py")).splitlines()
    assert "force None" in got
    assert "to a program ECONNREFUSED" in got


def test_one_program_to_another() -> None:
    """Who reads with a name learns the sender's port; what nobody reads is lost to nobody else."""
    script = """
import socket
one, other = (socket.socket(16, 3, 0) for _ in range(2))
one.bind((0, 0))
other.bind((0, 0))
port = other.getsockname()[0], 0
one.sendto(b"by name", port)
text, sender = other.recvfrom(100)
print(text, sender == one.getsockname(), sender[0] != 0)
one.sendto(b"with room for more", port)
text, _, _, sender = other.recvmsg(100, 100)
print(text, sender == one.getsockname())
one.sendto(b"without a name", port)
print(other.recv(100))
"""
    got = nobody.run(nobody.python(), "-c", script).splitlines()
    assert got == ["b'by name' True True", "b'with room for more' True", "b'without a name'"]


def test_protocols_that_are_not_there() -> None:
    script = """
import socket
for protocol in (3, 9, 18, 21):
    try:
        socket.socket(16, 3, protocol)
    except OSError as error:
        print(error.errno)
"""
    assert nobody.run(nobody.python(), "-c", script).split() == ["93"] * 4  # EPROTONOSUPPORT


def test_a_socket_at_a_low_number() -> None:
    """Moved by dup2(), or passed from one program to another: it still says that it is netlink's, and works."""
    script = """
import array, os, socket, struct
dump = struct.pack("=IHHIIBxHiII", 32, 18, 0x301, 7, 0, 0, 0, 0, 0, 0)
def look(sock):
    print(sock.family, sock.type, sock.proto, sock.getsockopt(270, 11), end=" ")
    sock.setsockopt(270, 11, 1)
    sock.bind((0, 0))
    print(sock.getsockopt(270, 11), sock.getsockname()[0] > 0, end=" ")
    sock.sendto(dump, (0, 0))
    data, _, flags, name = sock.recvmsg(65536)
    print(len(data) > 100, flags, len(name) if isinstance(name, bytes) else name)
first = socket.socket(16, 3, 0)
os.dup2(first.fileno(), 500)
first.close()
look(socket.socket(fileno=500))
ours, theirs = socket.socketpair()
second = socket.socket(16, 2, 0)
socket.send_fds(ours, [b"x"], [second.fileno()])
second.close()
fd = socket.recv_fds(theirs, 1, 1)[1][0]
print(fd < 100, end=" ")
look(socket.socket(fileno=fd))
"""
    assert nobody.run(nobody.python(), "-c", script).splitlines() == [
        "16 3 0 0 1 True True 0 (0, 0)", "True 16 2 0 0 1 True True 0 (0, 0)",
    ]


def test_more_sockets_than_there_are_high_numbers() -> None:
    """As many as files can be open; those that find no high number work at others."""
    script = """
import os, resource, socket, struct
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
many = []
try:
    while True:
        many.append(socket.socket(16, 3, 0))
except OSError as error:
    print(error.errno)
print(len(many) > 1000, max(sock.fileno() for sock in many), {sock.family for sock in many} == {16})
last = next(sock for sock in reversed(many) if sock.fileno() < 900)
last.sendto(struct.pack("=IHHIIBxHiII", 32, 18, 1, 7, 0, 0, 0, 1, 0, 0), (0, 0))
data, _, _, name = last.recvmsg(65536)
print(struct.unpack_from("=H", data, 4), name)
"""
    assert nobody.run(nobody.python(), "-c", script).splitlines() == ["24", "True 1023 True", "(16,) (0, 0)"]


def test_a_child_has_an_answer_that_was_left() -> None:
    """Through an exec, at the number where systemd's services find theirs."""
    script = """
import os, socket, struct, sys
if len(sys.argv) == 1:
    s = socket.socket(16, 3, 0); s.setsockopt(1, 16, 1); s.bind((0, 1))
    s.sendto(struct.pack("=IHHIIBxHiII", 32, 19, 5, 5, 0, 0, 0, 1, 0, 0), (0, 0))
    os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
    os.execv(sys.executable, [sys.executable, "-c", sys.orig_argv[2], "again"])
s = socket.socket(fileno=3)
data, extra, flags, name = s.recvmsg(65536, 256)
print(struct.unpack_from("=HHI", data, 4), [(level, kind) for level, kind, _ in extra], flags, name)
"""
    assert nobody.run(nobody.python(), "-c", script).splitlines() == ["(2, 256, 5) [(1, 2)] 0 (0, 0)"]


def test_other_sockets_are_not_disturbed() -> None:
    script = """
import socket, threading
a, b = socket.socketpair()
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
client.send(b"x"); a.send(b"y")
many = [socket.socket() for _ in range(1000)]   # some of these have numbers like ours
print(peer.recv(1), b.recv(1), many[-1].fileno() > 900, many[-1].getsockname()[0], many[-1].dup().fileno() > 900)
n = socket.socket(16, 3, 0); n.bind((0, 0)); print(n.getsockname()[1])
"""
    assert nobody.run(nobody.python(), "-c", script).splitlines() == ["b'x' b'y' True 0.0.0.0 True", "0"]


def test_many_threads_at_once() -> None:
    script = """
import socket, struct, threading
def ask(count, out):
    s = socket.socket(16, 3, 16)
    attr = struct.pack("=HH", 11, 2) + b"netdev\\0\\0"
    for seq in range(count):
        s.sendto(struct.pack("=IHHIIBBH", 32, 16, 1, seq, 0, 3, 2, 0) + attr, (0, 0))
        data, address = s.recvfrom(65536)
        assert address == (0, 0) and struct.unpack_from("=I", data, 8)[0] == seq
    out.append(count)
done = []
threads = [threading.Thread(target=ask, args=(200, done)) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(done))
"""
    assert nobody.run(nobody.python(), "-c", script) == "1600\n"


def test_a_dump_is_split_by_the_room_that_the_reader_shows() -> None:
    """What no reader of 4 KiB can take whole is never sent to it (the kernel's NLMSG_GOODSIZE at first)."""
    script = """
import socket, struct, subprocess
subprocess.run(["ip", "-b", "-"], input="".join(f"link add type dummy\\n" for _ in range(40)), text=True, check=True)
def dump(receive):
    s = socket.socket(16, 3, 0)
    s.send(struct.pack("=IHHIIBBHiII", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0, 0))
    sizes = []
    while True:
        data = receive(s)
        sizes.append(len(data))
        if struct.unpack_from("=H", data, 4)[0] == 3:
            return sizes
small = dump(lambda s: s.recv(4096))
large = dump(lambda s: s.recv(65536))
named = dump(lambda s: s.recvfrom(65536)[0])
print(max(small) <= 4096, sum(small) == sum(large), len(large) < len(small), large == named)
"""
    nobody.need("ip")
    assert nobody.run(nobody.python(), "-c", script) == "True True True True\n"


def test_notifications_of_other_namespaces_say_where_they_are_from() -> None:
    nobody.need("ip")
    script = """
import socket, struct, subprocess
s = socket.socket(16, 3, 0)
s.setsockopt(270, 8, 1)
s.bind((0, 1))
def ip(*words): subprocess.run(["ip", *words], check=True)
ip("netns", "add", "other"); ip("netns", "set", "other", "7")
ip("-n", "other", "link", "add", "there", "type", "dummy")
while True:
    data, control, flags, address = s.recvmsg(65536, 128)
    if b"there" in data:
        break
print(address, [(level, kind, struct.unpack("i", value)[0]) for level, kind, value in control])
"""
    assert nobody.run(nobody.python(), "-c", script) == "(0, 1) [(270, 8, 7)]\n"


HARMLESS = frozenset((
    "socket", "bind", "connect", "getsockname", "getpeername", "setsockopt", "getsockopt", "sendto", "sendmsg",
    "sendmmsg", "recvfrom", "recvmsg", "recvmmsg", "read", "readv", "write", "writev", "dup", "dup2", "dup3", "fcntl",
    "ioctl", "setns", "openat", "newfstatat", "statx", "readlinkat", "faccessat", "inotify_add_watch", "listen",
    "accept4", "shutdown", "statfs", "chdir", "getresuid", "bpf",
))


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_a_program_passes_does_harm(seed: int) -> None:
    """Wild pointers, closed descriptors, lies about lengths: the program gets errors, everybody else the kernel."""
    from nlemu.emulator.launch.trap.architectures import architecture

    nobody.need("ip")
    arch = architecture()
    assert arch is not None
    numbers = {name: number for name, number in arch.numbers.items() if name in HARMLESS}
    script = """
import subprocess, sys
done = subprocess.run([sys.executable, "-c", *sys.argv[1:]], capture_output=True, text=True, timeout=60)
print(done.stdout, done.stderr)
print(subprocess.run(["ip", "-br", "link"], capture_output=True, text=True).stdout.split()[0])
"""
    words = [readable("fuzz.py"), repr(numbers), str(seed), "4000"]
    done = nobody.nlemu("run", "--", nobody.python(), "-c", script, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("made "), done.stdout
    assert done.stdout.split()[-1] == "lo"
    assert "a bug" not in done.stderr, done.stderr


PRELUDE = """
import errno, os, select, signal, socket, struct, time
def msg(kind, flags, body, seq=1):
    return struct.pack("=IHHII", 16 + len(body), kind, flags, seq, 0) + body
def link(index=0, flags=0, change=0):
    return struct.pack("=BBHiII", 0, 0, 0, index, flags, change)
def mtu(value):
    return msg(16, 5, link(1) + struct.pack("=HHI", 8, 4, value))
"""


def test_an_answer_is_there_when_send_returns() -> None:
    """To poll() and to a receive that does not wait, by every way to send and to receive."""
    script = PRELUDE + """
s = socket.socket(16, 3, 0)
get = msg(18, 1, link(1))
sends = [s.send, lambda data: os.write(s.fileno(), data), lambda data: s.sendmsg([data])]
receives = [lambda: s.recv(65536, 0x40), lambda: s.recv(4096, 0x40), lambda: s.recvmsg(65536, 0, 0x40)[0]]
got = 0
for send in sends:
    for receive in receives:
        send(get)
        got += bool(select.select([s], [], [], 0)[0]) and len(receive()) > 100
print(got)
"""
    assert nobody.run(nobody.python(), "-c", script) == "9\n"


def test_a_small_buffer_overruns_where_the_kernels_does() -> None:
    """After SO_RCVBUF 2048, which makes 4096 of it: what was read makes room again, what did not fit is told once."""
    script = PRELUDE + """
listener = socket.socket(16, 3, 0)
listener.setsockopt(1, 8, 2048)
listener.bind((0, 1))
asker = socket.socket(16, 3, 0)
def told():
    listener.setblocking(False)
    said = []
    while True:
        try:
            said.append(len(listener.recv(65536, 0x40)) > 1000)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return said
            said.append(errno.errorcode[error.errno])
for count in (1, 2, 20):
    for turn in range(count):
        asker.send(mtu(1000 + count * 50 + turn))
        asker.recv(65536)
    print(told())
"""
    assert nobody.run(nobody.python(), "-c", script).splitlines() == [
        "[True]", "['ENOBUFS', True]", "['ENOBUFS', True]",
    ]


def test_a_wait_with_a_limit_does_not_begin_again() -> None:
    script = PRELUDE + """
import ctypes
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.siginterrupt(signal.SIGUSR1, False)
s = socket.socket(16, 3, 0)
s.setsockopt(1, 20, struct.pack("ll", 60, 0))
libc = ctypes.CDLL(None, use_errno=True)
ended, end = os.pipe()
if not os.fork():
    os.close(end)
    while not select.select([ended], [], [], 0.01)[0]:      # one of them comes while it waits
        os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(0)
print(libc.recv(s.fileno(), ctypes.create_string_buffer(4096), 4096, 0), errno.errorcode[ctypes.get_errno()])
os.close(end)
os.wait()
"""
    assert nobody.run(nobody.python(), "-c", script) == "-1 EINTR\n"


def test_names_and_peers_of_a_socket() -> None:
    """A name that was taken stays the socket's name; who is connected hears its peer alone; nobody stands behind it."""
    script = PRELUDE + """
one, two = socket.socket(16, 3, 2), socket.socket(16, 3, 2)
one.bind((0, 0))
port = one.getsockname()[0]
try:
    two.bind((port, 0))
except OSError as error:
    print(errno.errorcode[error.errno], two.getsockname() == (port, 0))
three = socket.socket(16, 3, 2)
three.bind((0, 0))
one.connect((0, 0))
try:
    three.sendto(b"x" * 20, (port, 0))
except OSError as error:
    print(errno.errorcode[error.errno])
print(struct.unpack("iii", one.getsockopt(1, 17, 12)))
print(one.getsockopt(1, 8))
one.setsockopt(1, 8, 1 << 30)
print(one.getsockopt(1, 8))
"""
    assert nobody.run(nobody.python(), "-c", script).splitlines() == [
        "EADDRINUSE True", "ECONNREFUSED", "(0, -1, -1)", "212992", str(2 * 4194304),
    ]
