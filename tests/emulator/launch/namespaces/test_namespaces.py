"""Namespaces as programs use them, with the programs that use them most: ip, unshare, and Python's own calls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.cli.conftest import environment
from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")


@pytest.fixture(autouse=True)
def _ip() -> None:
    nobody.need("ip")


def test_a_named_namespace_from_beginning_to_end() -> None:
    script = """
    ip netns add one; ip netns add two; ip netns list | sort
    ip -n one link add d0 type dummy
    ip -n one -br link | cut -d' ' -f1
    ip netns exec one ls /sys/class/net
    ls /sys/class/net
    ip netns exec one ip netns identify
    ip netns del one; ip netns list
    """
    assert nobody.shell(script).split() == [
        "one", "two", "lo", "d0", "bonding_masters", "d0", "lo", "bonding_masters", "lo", "one", "two",
    ]


def test_a_device_goes_into_a_namespace_by_name_and_by_process() -> None:
    script = """
    ip netns add one
    ip link add d0 type dummy; ip link set d0 netns one; ip -n one -br link | cut -d' ' -f1
    ip link add d1 type dummy
    ip netns exec one sleep 30 & sleeper=$!
    while [ "$(readlink /proc/$sleeper/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
    ip link set d1 netns $sleeper; ip -n one -br link | cut -d' ' -f1
    kill $sleeper
    """
    assert nobody.shell(script).split() == ["lo", "d0", "lo", "d0", "d1"]


def test_unshare_and_what_it_leaves() -> None:
    """A nameless namespace lives as long as somebody is in it; then its devices go, and a pair's other end too."""
    script = """
    ip link add v0 type veth peer v1
    unshare -n sh -ec 'ip -br link | cut -d" " -f1; ip link set lo up; ip -br link | tr -s " " | cut -d" " -f1,2'
    unshare -n sleep 30 & sleeper=$!
    while [ "$(readlink /proc/$sleeper/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
    ip link set v1 netns $sleeper
    ip -br link | cut -d' ' -f1
    kill $sleeper; wait $sleeper 2>/dev/null || :
    while ip link show v0 >/dev/null 2>&1; do :; done
    ip -br link | cut -d' ' -f1
    """
    assert nobody.shell(script).split() == ["lo", "lo", "UNKNOWN", "lo", "v0@if2", "lo"]


def test_threads_are_each_in_their_own() -> None:
    script = """
import ctypes, os, socket, subprocess, threading
libc = ctypes.CDLL(None, use_errno=True)
def names(): return [name for _, name in socket.if_nameindex()]
subprocess.run(["ip", "netns", "add", "one"], check=True)
subprocess.run(["ip", "-n", "one", "link", "add", "d0", "type", "dummy"], check=True)
def thread():
    before = open("/proc/thread-self/ns/net")
    with open("/run/netns/one") as file:
        assert libc.setns(file.fileno(), 0) == 0
        same = os.fstat(file.fileno()).st_ino == os.stat("/proc/thread-self/ns/net").st_ino
    out.append((names(), same, subprocess.run(["ls", "/sys/class/net"], capture_output=True, text=True).stdout.split()))
    assert libc.setns(before.fileno(), 0x40000000) == 0
    out.append(names())
out = []
other = threading.Thread(target=thread); other.start(); other.join()
print(out, names())
"""
    # /sys tells of the namespace in which it was mounted.
    expected = "[(['lo', 'd0'], True, ['bonding_masters', 'lo']), ['lo']] ['lo']\n"
    assert nobody.run(nobody.python(), "-c", script) == expected


def test_what_was_mounted_over_sys_is_taken_away_again() -> None:
    """Without mounts of its own too, as Go programs mount it: with an empty string where others have NULL."""
    script = """
import ctypes, os, subprocess
libc = ctypes.CDLL(None, use_errno=True)
def devices(): return " ".join(sorted(set(os.listdir("/sys/class/net")) - {"bonding_masters"}))
for name in ("d0", "d1", "d2"):
    subprocess.run(["ip", "link", "add", "name", name, "type", "dummy"], check=True)
    print(name != "d0" and libc.mount(b"sysfs", b"/sys", b"sysfs", 1, b""), devices())
    assert libc.unshare(0x40000000) == 0
print(libc.umount2(b"/sys/", 0), devices())
print(libc.umount2(b"/sys", 0), devices())
"""
    # Nobody is in the second one any more, so it is gone with its devices.
    assert nobody.run(nobody.python(), "-c", script).splitlines() == [
        "False d0 lo", "0 d1 lo", "0 d2 lo", "0 ", "0 d0 lo",
    ]


def test_what_a_child_mounts_over_sys_all_see_that_share_its_mounts() -> None:
    script = """
    unshare -n -m sh -c 'ip link add inside type dummy; mount -t sysfs sysfs /sys; ls /sys/class/net'
    ls /sys/class/net
    """
    assert nobody.run("sh", "-c", script).split() == ["bonding_masters", "inside", "lo", "bonding_masters", "lo"]


FORKS_TWICE = """
import os
if not os.fork():
    os.setsid()
    if not os.fork():
        while os.getppid() == os.getsid(0):  # until the one in between is gone
            os.sched_yield()
        os.execvp("sh", ["sh", "-c", "ip link add born type dummy; echo > done"])
    os._exit(0)
os._exit(0)
"""


@pytest.mark.parametrize(
    "born",
    [
        "sh -c '( (ip link add born type dummy); : ); echo > done'",
        "sh -c '(read word < begin; ip link add born type dummy; echo > done) & exit 0'; echo > begin",
        "{python} -c '{forks_twice}'",
    ],
    ids=["by a copy of a shell", "when its parent is gone", "by a daemon that forked twice"],
)
def test_a_process_is_where_its_maker_was(born: str) -> None:
    """Also where what made it has done nothing that the launcher sees."""
    made = born.format(python=nobody.python(), forks_twice=FORKS_TWICE)
    script = f"""
    cd $(mktemp -d)
    mkfifo begin done
    ip netns add pod
    read end < done & waited=$!
    ip netns exec pod {made}
    wait $waited
    ip -br link | cut -d' ' -f1; echo; ip -n pod -br link | cut -d' ' -f1
    rm -r $(pwd)
    """
    assert nobody.run("sh", "-c", script).split("\n\n") == ["lo", "lo\nborn\n"]


def test_a_socket_stays_where_it_was_made() -> None:
    script = """
import ctypes, socket, struct, subprocess
libc = ctypes.CDLL(None)
s = socket.socket(16, 3, 0)
assert libc.unshare(0x40000000) == 0
t = socket.socket(16, 3, 0)
subprocess.run(["ip", "link", "add", "d0", "type", "dummy"], check=True)
for sock in (s, t):
    sock.send(struct.pack("=IHHIIBBHiII", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0, 0))
    print(b"d0\\0" in sock.recv(65536))
"""
    assert nobody.run(nobody.python(), "-c", script).split() == ["False", "True"]


def test_what_is_no_namespace() -> None:
    script = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def failed(result):
    return result, ctypes.get_errno()
r, w = os.pipe()
print(failed(libc.setns(r, 0)), failed(libc.setns(999, 0)), failed(libc.setns(-1, 0)))
with open("/proc/self/ns/net") as net:
    print(failed(libc.setns(net.fileno(), 0x20000)))
"""
    assert nobody.run(nobody.python(), "-c", script).splitlines() == ["(-1, 22) (-1, 9) (-1, 9)", "(-1, 22)"]


def test_a_user_may_not_enter() -> None:
    done = nobody.nlemu("run", "--uid-view", "user", "--", "unshare", "-n", "true")
    assert done.returncode == 1
    assert "Operation not permitted" in done.stderr


def test_the_machines_own_are_not_touched() -> None:
    def seen() -> tuple[object, ...]:
        names = set(Path("/run/netns").iterdir()) if Path("/run/netns").exists() else None
        devices = set(Path("/sys/class/net").iterdir())
        return os.readlink("/proc/self/ns/net"), Path("/proc/self/mountinfo").read_text(), devices, names

    before = seen()
    nobody.shell("ip netns add one; ip link add d0 type dummy; ip netns exec one true; ip netns del one")
    assert seen() == before


def test_names_can_be_watched() -> None:
    """`ip netns monitor` prints what inotify tells it."""
    script = """
import subprocess
monitor = subprocess.Popen(["ip", "netns", "monitor"], stdout=subprocess.PIPE, text=True)
heard = False
while not heard:   # until it watches, and then some
    subprocess.run(["ip", "netns", "add", "one"], check=True)
    subprocess.run(["ip", "netns", "del", "one"], check=True)
    import select
    heard = bool(select.select([monitor.stdout], [], [], 0)[0])
print(monitor.stdout.readline().split())
monitor.terminate()
"""
    assert nobody.run(nobody.python(), "-c", script) in ("['add', 'one']\n", "['delete', 'one']\n")


def test_the_files_of_namespaces_are_on_nsfs() -> None:
    """statfs() by every path, fstatfs() of what was opened: CNI's library asks before it opens a namespace."""
    script = """
    ip netns add one
    exec 5< /run/netns/one
    stat -f -c %t /run/netns/one /var/run/netns/one
    stat -L -f -c %t /proc/self/ns/net /proc/thread-self/ns/net /proc/$$/ns/net /proc/self/fd/5
    stat -f -c %t /proc/sys/net/ipv4/conf /sys/class/net
    """
    assert nobody.shell(script).split() == ["6e736673"] * 6 + ["9fa0", "62656572"]


HANDLES = """
import ctypes, errno, fcntl, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def ask(fd, code, argument=0):
    try: return fcntl.ioctl(fd, code, argument)
    except OSError as error: return errno.errorcode[error.errno]
fd, old = os.open("/proc/self/ns/net", os.O_RDONLY), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
print(ask(fd, 0xB703) == 0x40000000, os.readlink(f"/proc/self/fd/{ask(fd, 0xB701)}")[:6])
print([ask(fd, code) for code in (0xB702, 0xB704)], ask(os.open("/dev/null", os.O_RDONLY), 0xB703))
print(os.readlink("/proc/self/ns/net") == os.readlink(f"/proc/self/fd/{fd}") == f"net:[{os.fstat(fd).st_ino}]")
assert libc.unshare(0x40000000) == 0
new = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
inodes = [os.fstat(ask(sock, 0x894C)).st_ino for sock in (old, new)]
print(inodes == [os.fstat(fd).st_ino, os.stat("/proc/self/ns/net").st_ino], inodes[0] != inodes[1])
cookies = [struct.unpack("Q", sock.getsockopt(socket.SOL_SOCKET, 71, 8))[0] for sock in (old, new)]
print(cookies[0], cookies[0] != cookies[1], struct.unpack("Q", fcntl.ioctl(fd, 0x8008B70D, bytes(8)))[0])
try: old.getsockopt(socket.SOL_SOCKET, 71, 16)
except OSError as error: print(errno.errorcode[error.errno])
"""


def test_what_can_be_asked_of_a_namespace_and_of_a_socket() -> None:
    """ioctl_ns(2), SIOCGSKNS, SO_NETNS_COOKIE, the links of descriptors."""
    assert nobody.run(nobody.python(), "-c", HANDLES).splitlines() == [
        "True user:[", "['EINVAL', 'EINVAL'] ENOTTY", "True", "True True", "7 True 7", "EINVAL",
    ]


def test_a_namespace_is_mounted_on_any_file() -> None:
    """As Docker and Podman keep theirs: entered, named in messages, kept and let go by it."""
    script = """
    place=$(mktemp -d); cd $place; : > here
    unshare -n sh -c 'ip link add inner type dummy; mount --bind /proc/self/ns/net here'
    stat -f -c %t here; stat -f -c %t $place/here
    nsenter --net=here ip -br link | cut -d' ' -f1
    ip link add v0 type veth peer name v1 netns $place/here
    rm -f here 2>/dev/null || echo busy
    umount here
    while ip link show v0 >/dev/null 2>&1; do :; done
    stat -c %s here; ip -br link | cut -d' ' -f1
    rm -r $place
    """
    assert nobody.shell(script).split() == ["6e736673"] * 2 + ["lo", "inner", "busy", "0", "lo"]


def test_a_namespace_goes_with_the_last_descriptor() -> None:
    """Nobody leaves a namespace meanwhile: that the descriptor is closed is enough."""
    script = """
import os, socket, subprocess
other = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE)
while os.readlink(f"/proc/{other.pid}/ns/net") == os.readlink("/proc/self/ns/net"): pass
fd = os.open(f"/proc/{other.pid}/ns/net", os.O_RDONLY)
subprocess.run(f"ip link add v0 type veth peer name v1 netns {other.pid}", shell=True, check=True)
other.stdin.close(); other.wait()
print([name for _, name in socket.if_nameindex()])
os.close(fd)
while len(socket.if_nameindex()) > 1: pass
print("gone")
"""
    assert nobody.run(nobody.python(), "-c", script).splitlines() == ["['lo', 'v0']", "gone"]


def test_an_ordinary_user_has_namespaces_of_all_kinds_where_this_machine_lets() -> None:
    """With a user namespace of its own: process ids, mounts, /proc; the network is the emulator's."""
    user = {"user": nobody.NOBODY, "group": nobody.NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    allowed = subprocess.run(  # type: ignore[call-overload]
        ["unshare", "-Urpfm", "--mount-proc", "true"], check=False, capture_output=True, cwd="/", **user
    )
    inside = (
        "ip link add d0 type dummy; ip -br link | cut -d' ' -f1; echo $$; id -u; "
        "mount -t tmpfs none /mnt; touch /mnt/x; ls /mnt; wc -l < /proc/net/tcp"
    )
    done = nobody.nlemu("run", "--", "unshare", "-Urnpf", "--mount-proc", "sh", "-ec", inside)
    if allowed.returncode:
        assert done.returncode == 1 and "Operation not permitted" in done.stderr
    else:
        assert done.stdout.split() == ["lo", "d0", "1", "0", "x", "1"], done.stderr


def test_where_namespaces_are_mounted() -> None:
    """/proc/PID/mountinfo and mounts tell of names and of other files that a namespace is mounted on: lsns and findmnt
    say what they say on Linux 7.2.13."""
    nobody.need("lsns")
    script = """
    place=$(mktemp -d); cd "$place"; touch 'a b'
    before=$(cat /proc/self/mountinfo)
    ip netns add pod; ip netns add zed; mount --bind /run/netns/pod 'a b'
    ip netns exec zed sleep 30 & sleeper=$!
    while [ "$(readlink /proc/$sleeper/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
    lsns -rn -t net -p $sleeper -o TYPE,NPROCS,NETNSID,NSFS
    (cd /proc/$sleeper/ns; [ "$(stat -L -c %i net)" = "$(stat -c %i /run/netns/zed)" ])
    ip netns identify $sleeper
    kill $sleeper
    findmnt -rn -t nsfs -o TARGET,FSTYPE,OPTIONS | sed "s,$place,PLACE,"
    [ "$(findmnt -n -o SOURCE /run/netns/pod)" = "nsfs[net:[$(stat -c %i /run/netns/pod)]]" ]
    tail -1 /proc/mounts | sed "s,$place,PLACE,"
    umount 'a b'; ip netns del pod; ip netns del zed
    [ "$(cat /proc/self/mountinfo)" = "$before" ]
    rm -r "$place"
    """
    assert nobody.shell(script).splitlines() == [
        "net 1 unassigned /run/netns/zed",
        "zed",
        "/run/netns/pod nsfs rw",
        "/run/netns/zed nsfs rw",
        "PLACE/a\\x20b nsfs rw",
        "nsfs PLACE/a\\040b nsfs rw 0 0",
    ]


def privileged(*program: str) -> str:
    """What a program prints under `nlemu run` of somebody who really is root, at least of a user namespace."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        nobody.lacking("this machine lets users have no namespaces (unshare -rm)")
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-m", "nlemu", "run", "--", *program], capture_output=True, text=True,
        timeout=120, env=environment(PATH=nobody.PATH), check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.parametrize("others", [[], ["--unshare-ipc", "--unshare-uts"], ["--unshare-pid"]])
def test_a_sandbox_of_root_has_mounts_of_its_own(others: list[str]) -> None:
    """bubblewrap without a user namespace: its mounts are real, its network is the emulator's."""
    command = [nobody.need("bwrap"), "--unshare-net", *others, "--ro-bind", "/", "/", "--dev", "/dev"]
    script = "ip link add d0 type dummy; ip -br link | cut -d' ' -f1; touch /mnt/x 2>/dev/null || echo read-only"
    assert privileged(*command, "sh", "-c", script).split() == ["lo", "d0", "read-only"]


@pytest.mark.parametrize("flags", ["-nm", "-m", "-mi", "-nmiu"])
def test_root_mounts_in_a_namespace_of_its_own(flags: str) -> None:
    script = "mount -t tmpfs none /mnt && touch /mnt/x && ls /mnt; ip -br link | cut -d' ' -f1"
    assert privileged("unshare", flags, "sh", "-ec", script).split() == ["x", "lo"]
