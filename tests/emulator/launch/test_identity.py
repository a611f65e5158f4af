"""Who a program is, and what it may do when it has become somebody else: as of the kernel, whoever runs nlemu."""

from __future__ import annotations

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")


def python(script: str) -> str:
    """What a script prints under `nlemu run`."""
    return nobody.run(nobody.python(), "-c", script)


ASK = """
import ctypes, errno, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def open_(): return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
def up(sock):
    sock.send(struct.pack("=IHHIIBBHiII", 32, 16, 5, 1, 0, 0, 0, 0, 1, 1, 1))
    error = -struct.unpack_from("=i", sock.recv(4096), 16)[0]
    return errno.errorcode.get(error, error)
def said(result): return errno.errorcode[ctypes.get_errno()] if result else 0
"""


def test_nothing_is_allowed_after_becoming_a_user() -> None:
    """Not by a socket from before either, whose sender is looked at (netlink_ns_capable())."""
    script = ASK + """
before, shared = open_(), open_()
if not os.fork():
    os.setgroups([]); os.setresgid(1000, 1000, 1000); os.setresuid(1000, 1000, 1000)
    print(up(before), up(open_()), said(libc.unshare(0x40000000)), os.getresuid(), os.getgroups())
    for name, value in ((33, 1 << 20),):
        try: before.setsockopt(socket.SOL_SOCKET, name, value)
        except OSError as error: print(errno.errorcode[error.errno])
    try: os.setuid(0)
    except OSError as error: print(errno.errorcode[error.errno], flush=True)
    os._exit(0)
os.wait()
print(up(shared), os.getuid())
"""
    assert python(script).splitlines() == ["EPERM EPERM EPERM (1000, 1000, 1000) []", "EPERM", "EPERM", "0 0"]


def test_capabilities_go_and_come_as_the_kernel_has_it() -> None:
    """Sets dropped and raised, kept over setuid(), ambient over exec, regained by root's exec."""
    script = ASK + """
header = struct.pack("=Ii", 0x20080522, 0)
def get():
    data = ctypes.create_string_buffer(24); assert libc.capget(header, data) == 0
    words = struct.unpack("6I", data.raw); return [words[n] | words[n + 3] << 32 for n in range(3)]
def put(e, p, i): return said(libc.capset(header, struct.pack("6I", *(n & 0xFFFFFFFF for n in (e, p, i)),
                                                             *(n >> 32 for n in (e, p, i)))))
NET = 1 << 12
full = get()[0]
print(full == (1 << 41) - 1, put(full & ~NET, full, 0), up(open_()), put(full, full, 0), up(open_()))
print(libc.prctl(8, 1, 0, 0, 0), libc.prctl(7, 0, 0, 0, 0)); os.setresuid(1000, 1000, 1000)
print([hex(n) for n in get()], up(open_()), put(NET, NET, NET), up(open_()), put(NET | 1, NET | 1, 0))
print(said(libc.prctl(47, 2, 12, 0, 0)), said(libc.prctl(47, 2, 13, 0, 0)), libc.prctl(47, 1, 12, 0, 0), flush=True)
os.system("ip link set lo down && echo ambient")
libc.prctl(47, 4, 0, 0, 0)
os.system("ip link set lo up 2>/dev/null || echo nothing")
"""
    assert python(script).splitlines() == [
        "True 0 EPERM 0 0", "0 1", "['0x0', '0x1ffffffffff', '0x0'] EPERM 0 0 EPERM", "0 EPERM 1", "ambient", "nothing",
    ]


def test_tools_that_drop_privileges() -> None:
    nobody.need("setpriv")
    script = """
    id -u; setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'id -ru; id -g; id -G'
    setpriv --reuid 1000 --clear-groups ip link add d0 type dummy 2>/dev/null || echo refused
    setpriv --bounding-set -net_admin ip link add d1 type dummy 2>/dev/null || echo refused
    ip link add d2 type dummy; ip -br link | cut -d' ' -f1
    """
    assert nobody.shell(script).split("\n")[:-1] == [
        "0", "1000", "1000", "1000", "refused", "refused", "lo", "d2",
    ]


def test_a_sandbox_of_an_ordinary_user() -> None:
    """A user namespace: everything in its own network namespace, nothing outside."""
    script = ASK + """
home, before = os.open("/proc/self/ns/net", os.O_RDONLY), open_()
os.setgroups([]); os.setresgid(1000, 1000, 1000); os.setresuid(1000, 1000, 1000)
libc.prctl(4, 1, 0, 0, 0)
print(said(libc.unshare(0x50000000)), up(before), up(open_()), os.getuid(), said(libc.setns(home, 0x40000000)))
def write(name, text):
    try:
        with open(f"/proc/self/{name}", "w") as file: file.write(text)
    except OSError as error: return errno.errorcode[error.errno]
print(write("gid_map", "0 1000 1"), write("setgroups", "deny"), write("gid_map", "0 1000 1"))
print(write("uid_map", "0 0 1"), write("uid_map", "0 1000 1"), write("uid_map", "0 1000 1"))
print(os.getresuid(), open("/proc/self/uid_map").read().split(), flush=True)
os.system("ip link add d0 type dummy; ip netns add one && ip link set d0 netns one && ip -n one -br link | wc -l")
"""
    assert python(script).splitlines() == [
        "0 EPERM 0 65534 EPERM", "EPERM None None", "EPERM None EPERM", "(0, 0, 0) ['0', '1000', '1']", "2",
    ]


def test_unshare_as_a_user_does() -> None:
    script = """
    unshare -rn sh -c 'id -u; ip link add d0 type dummy; ip -br link | cut -d" " -f1'
    setpriv --reuid 1000 --regid 1000 --clear-groups \\
        unshare -rn sh -c 'id -u; ip link set lo up; ip link add d1 type dummy'
    ip -br link | cut -d' ' -f1
    """
    assert nobody.shell(script).split() == ["0", "lo", "d0", "0", "lo"]


def test_threads_are_what_their_makers_are() -> None:
    script = """
import ctypes, os, threading
libc = ctypes.CDLL(None, use_errno=True)
def own(): return os.readlink("/proc/thread-self/ns/net")
def inner():
    libc.unshare(0x40000000)
    mine, others = own(), []
    second = threading.Thread(target=lambda: others.append(own())); second.start(); second.join()
    out.append((mine != first, others == [mine], open("/proc/net/dev").read().count(":")))
first, out = own(), []
thread = threading.Thread(target=inner); thread.start(); thread.join()
after = []
thread = threading.Thread(target=lambda: after.append(own())); thread.start(); thread.join()
print(out, after == [first])
"""
    assert python(script).splitlines() == ["[(True, True, 1)] True"]
