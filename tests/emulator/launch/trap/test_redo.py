"""Calls that are made in another form than a program asks for: clone(CLONE_NEWNET), going to directories of ours."""

from __future__ import annotations

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

CLONE = """
import ctypes, errno, os, signal
libc = ctypes.CDLL(None, use_errno=True)
NEWNS, VFORK, NEWUTS, NEWNET = 0x20000, 0x4000, 0x4000000, 0x40000000
number = 56 if os.uname().machine == "x86_64" else 220
def net():
    return os.readlink("/proc/self/ns/net")
def clone(flags):
    pid = libc.syscall(number, ctypes.c_ulong(flags | signal.SIGCHLD), None, None, None, None)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone")
    return pid
def made(flags):
    "Whether a child made so is in another namespace; and what it ends with."
    r, w = os.pipe()
    pid = clone(flags)
    if not pid:
        os.write(w, net().encode())
        os._exit(3)
    seen = os.read(r, 100).decode()
    os.close(r), os.close(w)
    return seen != net(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


def python(script: str, *options: str) -> str:
    return nobody.run(nobody.python(), "-c", script, options=options)


def test_a_child_in_a_namespace_of_its_own() -> None:
    script = CLONE + """
for flags in (0, NEWNET, NEWNET | NEWNS, NEWNET | VFORK, 0):
    print(*made(flags))
try:
    print(*made(NEWNET | NEWUTS))
except OSError as error:
    print(errno.errorcode[error.errno])
"""
    assert python(script).splitlines() == ["False 3", "True 3", "True 3", "True 3", "False 3", "True 3"]


def test_a_child_sees_its_own_devices() -> None:
    script = CLONE + """
os.system("ip link add dm0 type dummy")
pid = clone(NEWNET)
if not pid:
    os.execvp("sh", ["sh", "-c", "ip -br link | cut -d' ' -f1"])
os.waitpid(pid, 0)
os.system("ip -br link | cut -d' ' -f1")
"""
    assert python(script).split() == ["lo", "lo", "dm0"]


def test_signals_do_not_get_in_the_way() -> None:
    """A call that begins again does so whatever comes in between, and no signal is lost. (One that has not been taken
    yet ends with EINTR, as seccomp has it, unless the handler is one that lets calls begin again.)"""
    script = CLONE + """
import signal
heard = 0
def hear(*_):
    global heard
    heard += 1
signal.signal(signal.SIGALRM, hear)
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
results = set()
for _ in range(100):
    pid = clone(NEWNET)
    if not pid:
        os._exit(0)
    results.add(os.waitpid(pid, 0)[1])
    os.chdir("/sys/class/net")
    results.add(os.getcwd())
    os.chdir("/")
signal.setitimer(signal.ITIMER_REAL, 0)
print(results == {0, "/sys/class/net"}, heard > 0)
"""
    assert python(script).split() == ["True", "True"]


def test_without_privileges_there_is_no_namespace() -> None:
    script = CLONE + """
try:
    made(NEWNET)
except OSError as error:
    print(errno.errorcode[error.errno])
"""
    assert python(script, "--uid-view", "user").split() == ["EPERM"]


def test_where_no_descriptor_can_be_copied() -> None:
    script = CLONE + "print(*made(NEWNET)); os.chdir('/sys/class/net'); print(os.getcwd(), os.listdir())"
    done = nobody.nlemu("run", "--", nobody.python(), "-c", script, copies=False)
    assert (done.stdout.splitlines(), done.stderr) == (["True 3", "/sys/class/net ['bonding_masters', 'lo']"], "")


def test_where_somebody_traces_the_program_already() -> None:
    """Two cannot do so at once: the calls are refused, as they would be without a launcher, and nothing hangs."""
    script = CLONE + """
PTRACE_TRACEME = 0
child = os.fork()
if not child:
    libc.ptrace(PTRACE_TRACEME, 0, None, None)
    for act in (lambda: made(NEWNET), lambda: os.chdir("/sys/class/net")):
        try:
            act()
        except OSError as error:
            print(errno.errorcode[error.errno], flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
    assert python(script).split() == ["EPERM", "EACCES", "0"]


DEVICES = "/sys/devices/virtual/net"
"""Where the links of /sys/class/net lead."""


def test_a_program_goes_to_a_directory() -> None:
    script = """
    ip link add dm0 type dummy
    cd /sys/class/net; ls; cat lo/mtu
    cd lo; pwd; /bin/pwd; ls mtu; cat mtu ../dm0/type; echo 1400 > mtu; cat mtu
    (cd statistics; /bin/pwd; cat rx_bytes; cd ..; /bin/pwd)
    cd ..; /bin/pwd; cd /; /bin/pwd; ls sys/class/net
    cd /sys/class; ls net; cd net; ls; cd /usr/bin; ls ../../sys/class/net
    """
    assert nobody.shell(script).split() == [
        "bonding_masters", "dm0", "lo", "65536",
        "/sys/class/net/lo", f"{DEVICES}/lo", "mtu", "65536", "1", "1400",
        f"{DEVICES}/lo/statistics", "0", f"{DEVICES}/lo",
        "/sys/class/net", "/", "bonding_masters", "dm0", "lo",
        *["bonding_masters", "dm0", "lo"] * 3,
    ]


def test_where_nobody_can_go() -> None:
    script = """
import errno, os
for path in ("/sys/class/net/none", "/sys/class/net/lo/mtu", "/sys/class/net/lo/mtu/x"):
    try:
        os.chdir(path)
    except OSError as error:
        print(errno.errorcode[error.errno], os.getcwd())
os.chdir("/sys/class/net/lo")
before = len(os.listdir("/proc/self/fd"))
for _ in range(50):
    os.chdir("/sys/class/net"), os.chdir("lo")
print(len(os.listdir("/proc/self/fd")) - before, os.getcwd())
"""
    lines = python("import os; os.chdir('/')" + script).splitlines()
    assert lines == ["ENOENT /", "ENOTDIR /", "ENOTDIR /", "0 /sys/devices/virtual/net/lo"]
