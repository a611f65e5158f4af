"""Opens /dev/net/tun and asks it everything. Prints a line a question: what comes back, in hexadecimal, or the errno.

Runs on Linux (as root, where nothing else has devices, /dev/net/tun for all) and on the emulator.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

PATH = "/dev/net/tun"
TUN, TAP, MULTI, NO_PI, VNET_HDR = 1, 2, 0x100, 0x1000, 0x4000
ATTACH, DETACH = 0x200, 0x400
SETIFF, GETIFF, SETQUEUE = 0x400454CA, 0x800454D2, 0x400454D9
NUMBERS = {
    "NOCSUM": 0x400454C8, "DEBUG": 0x400454C9, "PERSIST": 0x400454CB, "OWNER": 0x400454CC, "LINK": 0x400454CD,
    "GROUP": 0x400454CE, "OFFLOAD": 0x400454D0,
}
READS = {
    "FEATURES": 0x800454CF, "SNDBUF": 0x800454D3, "VNETHDRSZ": 0x800454D7, "VNETLE": 0x800454DD, "VNETBE": 0x800454DF,
}
WRITES = {
    "SNDBUF": 0x400454D4, "VNETHDRSZ": 0x400454D8, "IFINDEX": 0x400454DA, "VNETLE": 0x400454DC, "VNETBE": 0x400454DE,
    "CARRIER": 0x400454E2, "STEERINGEBPF": 0x800454E0, "FILTEREBPF": 0x800454E1,
}
GIFHWADDR, SIFHWADDR, GSKNS, GETDEVNETNS = 0x8927, 0x8924, 0x894C, 0x54E3
SETTXFILTER, ATTACHFILTER, DETACHFILTER, GETFILTER = 0x400454D1, 0x401054D5, 0x401054D6, 0x801054DB
IPV4, IPV6 = bytes([0x45]) + bytes(27), bytes([0x60]) + bytes(39)


def say(about: str, answer: object) -> None:
    print(about, answer, flush=True)


def tell(about: str, function: Callable[..., Any], *arguments: Any) -> None:
    """Prints what a function answers."""
    try:
        answer = function(*arguments)
    except OSError as error:
        say(about, errno.errorcode.get(error.errno or 0, str(error.errno)))
        return
    say(about, answer.rstrip(b"\0").hex() if isinstance(answer, bytes) else answer)


def ifreq(name: str = "", flags: int = 0) -> bytes:
    return struct.pack("=16sH22x", name.encode(), flags)


def open_(flags: int = 0) -> int:
    return os.open(PATH, os.O_RDWR | flags)


def iff(fd: int, name: str, flags: int) -> str:
    answer = fcntl.ioctl(fd, SETIFF, ifreq(name, flags))
    return f"{answer[:16].rstrip(bytes(1)).decode()} {answer[16:].rstrip(bytes(1)).hex()}"


def get_iff(fd: int) -> str:
    answer = fcntl.ioctl(fd, GETIFF, ifreq("x", 0xFFFF))
    return f"{answer[:16].rstrip(bytes(1)).decode()} {answer[16:].rstrip(bytes(1)).hex()}"


def number(fd: int, command: int, value: int) -> int:
    return fcntl.ioctl(fd, command, value)


def place(fd: int, command: int, value: int = 0) -> int:
    return int(struct.unpack("=i", fcntl.ioctl(fd, command, struct.pack("=i", value)))[0])


def everything(fd: int) -> None:
    """Every command that leaves the device as it is, or nearly."""
    tell("GETIFF", get_iff, fd)
    for what, command in READS.items():
        tell(f"GET{what}", place, fd, command)
    for what, command in WRITES.items():
        if what not in ("STEERINGEBPF", "FILTEREBPF"):
            tell(f"SET{what} 0", place, fd, command, 0)
            tell(f"SET{what} -1", place, fd, command, -1)
            tell(f"SET{what} 12", place, fd, command, 12)
        else:
            tell(f"SET{what} -1", place, fd, command, -1)
    for what, command in READS.items():
        tell(f"GET{what}", place, fd, command)
    for what, command in NUMBERS.items():
        if what not in ("PERSIST", "LINK"):
            tell(f"SET{what}", number, fd, command, 3)
    tell("SETOWNER nobody", number, fd, NUMBERS["OWNER"], -1)
    tell("SETTXFILTER none", fcntl.ioctl, fd, SETTXFILTER, struct.pack("=HH", 0, 0))
    tell("SETTXFILTER two", fcntl.ioctl, fd, SETTXFILTER, struct.pack("=HH", 0, 2) + bytes(12))
    tell("SETTXFILTER nine", fcntl.ioctl, fd, SETTXFILTER, struct.pack("=HH", 0, 9) + bytes(54))
    tell("SETTXFILTER nine, of a group", fcntl.ioctl, fd, SETTXFILTER, struct.pack("=HH", 1, 9) + bytes(48) + b"\1" * 6)
    tell("SETTXFILTER none", fcntl.ioctl, fd, SETTXFILTER, struct.pack("=HH", 0, 0))
    tell("GETFILTER", fcntl.ioctl, fd, GETFILTER, bytes(16))
    tell("DETACHFILTER", fcntl.ioctl, fd, DETACHFILTER, bytes(16))
    tell("GIFHWADDR", lambda: len(fcntl.ioctl(fd, GIFHWADDR, ifreq("y")).rstrip(b"\0")))
    tell("SIFHWADDR", fcntl.ioctl, fd, SIFHWADDR, ifreq("") [:16] + struct.pack("=H14s8x", 1, b"\2\0\0\0\0\7"))
    tell("SIFHWADDR of nothing", fcntl.ioctl, fd, SIFHWADDR, ifreq("")[:16] + struct.pack("=H14s8x", 7, b"\2" * 6))
    for what, command in (("GSKNS", GSKNS), ("GETDEVNETNS", GETDEVNETNS)):
        tell(what, same_namespace, fd, command)
    tell("unknown", fcntl.ioctl, fd, 0x400454E3, 0)
    tell("GETIFF at nothing", fcntl.ioctl, fd, GETIFF, 16)
    tell("SETIFF at nothing", fcntl.ioctl, fd, SETIFF, 16)


def same_namespace(fd: int, command: int) -> bool:
    other = fcntl.ioctl(fd, command, 0)
    try:
        return os.fstat(other).st_ino == os.stat("/proc/self/ns/net").st_ino
    finally:
        os.close(other)


def attributes(name: str) -> None:
    for file in ("tun_flags", "owner", "group", "type", "addr_len", "flags", "mtu"):
        with open(f"/sys/class/net/{name}/{file}") as content:
            say(file, content.read().strip())


def link(*words: str) -> int:
    return subprocess.run(["ip", *words], stderr=subprocess.DEVNULL, check=False).returncode


def packets(name: str) -> str:
    """What was received."""
    found = []
    for file in ("rx_packets", "rx_bytes", "rx_dropped"):
        with open(f"/sys/class/net/{name}/statistics/{file}") as content:
            found.append(content.read().strip())
    return " ".join(found)


def quiet() -> None:
    """No packet is sent by itself."""
    with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as setting:
        setting.write("1")


def section(name: str) -> None:
    say("--", name)


def main() -> None:
    quiet()
    section("the file")
    found = os.stat(PATH)
    say("stat", (stat.S_ISCHR(found.st_mode), os.major(found.st_rdev), os.minor(found.st_rdev)))
    say("access", os.access(PATH, os.R_OK | os.W_OK))
    tell("O_EXCL", os.open, PATH, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    tell("O_DIRECTORY", os.open, PATH, os.O_RDONLY | os.O_DIRECTORY)

    section("without a device")
    fd = open_()
    everything(fd)
    tell("read", os.read, fd, 2000)
    tell("write", os.write, fd, IPV4)
    tell("SETQUEUE", fcntl.ioctl, fd, SETQUEUE, ifreq("", ATTACH))

    section("tun")
    tell("IFINDEX", place, fd, WRITES["IFINDEX"], 40)
    tell("SETIFF", iff, fd, "", TUN | NO_PI)
    tell("SETIFF again", iff, fd, "", TUN | NO_PI)
    tell("IFINDEX", place, fd, WRITES["IFINDEX"], 41)
    everything(fd)
    attributes("tun0")
    tell("write, down", os.write, fd, IPV4)
    tell("GETIFF", get_iff, fd)
    link("link", "set", "tun0", "up")
    for about, data in (("IPv4", IPV4), ("IPv6", IPV6), ("neither", b"\x70abc"), ("nothing", b"")):
        tell(f"write {about}", os.write, fd, data)
    tell("writev", os.writev, fd, [IPV4[:3], IPV4[3:]])
    say("received", packets("tun0"))
    os.set_blocking(fd, False)
    tell("read", os.read, fd, 2000)
    tell("read much", os.read, fd, 70000)
    tell("readv", os.readv, fd, [bytearray(100)])
    say("poll", [event for _, event in poll(fd)])

    section("with headers")
    other = open_(os.O_NONBLOCK)
    tell("SETIFF", iff, other, "pi", TUN | VNET_HDR)
    link("link", "set", "pi", "up")
    for size in (0, 3, 4, 13, 14, 15, 60):
        tell(f"write {size}", os.write, other, bytes(size))
    say("received", packets("pi"))
    tell("VNETHDRSZ", place, other, WRITES["VNETHDRSZ"], 12)
    for size in (14, 15, 16, 17):
        tell(f"write {size}", os.write, other, bytes(size))
    say("received", packets("pi"))
    os.close(other)
    say("gone", not os.path.exists("/sys/class/net/pi"))

    section("tap")
    other = open_(os.O_NONBLOCK)
    tell("SETIFF", iff, other, "tap%d", TAP | NO_PI)
    everything(other)
    attributes("tap0")
    link("link", "set", "tap0", "up")
    for size in (13, 14, 60):
        tell(f"write {size}", os.write, other, bytes(size))
    say("received", packets("tap0"))
    tell("LINK", number, other, NUMBERS["LINK"], 1)
    for wanted in (1, 7, 6, 1 | 1 << 20, 1 << 20, 0):
        tell(f"OFFLOAD {wanted:#x}", number, other, NUMBERS["OFFLOAD"], wanted)
    link("link", "set", "tap0", "down")
    tell("LINK", number, other, NUMBERS["LINK"], 512)
    attributes("tap0")
    os.close(other)

    section("copies")
    copy = os.dup(fd)
    tell("GETIFF of a copy", get_iff, copy)
    os.close(fd)
    say("there", os.path.exists("/sys/class/net/tun0"))
    low = os.dup2(copy, 9)
    tell("GETIFF of a low copy", get_iff, low)
    os.close(copy)
    say("there", os.path.exists("/sys/class/net/tun0"))
    tell("write", os.write, low, IPV4)
    child = os.fork()
    if not child:
        tell("a child has it", get_iff, low)
        os._exit(0)
    os.waitpid(child, 0)
    say("there", os.path.exists("/sys/class/net/tun0"))
    os.close(low)
    say("gone", not os.path.exists("/sys/class/net/tun0"))

    section("persistent")
    fd = open_()
    tell("SETIFF", iff, fd, "kept", TUN)
    tell("PERSIST", number, fd, NUMBERS["PERSIST"], 1)
    tell("OWNER", number, fd, NUMBERS["OWNER"], 1000)
    tell("GROUP", number, fd, NUMBERS["GROUP"], 50)
    os.close(fd)
    attributes("kept")
    fd, other = open_(), open_()
    tell("SETIFF", iff, fd, "kept", TUN)
    tell("and another", iff, other, "kept", TUN)
    os.close(fd)
    child = os.fork()
    if not child:
        for uid, group in ((1000, 7), (1001, 50), (1000, 50)):
            pid = os.fork()
            if not pid:
                os.setgroups([50] if group == 50 else [])
                os.setresgid(7, 7, 7)
                os.setresuid(uid, uid, uid)
                mine = open_()
                tell(f"{uid} of {group}", iff, mine, "kept", TUN)
                tell("a new one", iff, open_(), "fresh", TUN)
                os._exit(0)
            os.waitpid(pid, 0)
        os._exit(0)
    os.waitpid(child, 0)
    tell("SETIFF", iff, other, "kept", TUN)
    tell("PERSIST", number, other, NUMBERS["PERSIST"], 0)

    section("a read that waits")
    heard: list[str] = []

    def reader() -> None:
        try:
            heard.append(os.read(other, 100).hex())
        except OSError as error:
            heard.append(errno.errorcode[error.errno or 0])

    link("link", "set", "kept", "up")
    thread = threading.Thread(target=reader)
    thread.start()
    time.sleep(0.3)
    say("waits", thread.is_alive())
    link("link", "del", "kept")
    thread.join()
    say("heard", heard)
    tell("read", os.read, other, 100)
    tell("GETIFF", get_iff, other)
    tell("SETIFF", iff, other, "new", TAP)
    os.close(other)

    section("queues")
    files = [open_() for _ in range(3)]
    for file in files:
        tell("SETIFF", iff, file, "mq", TAP | MULTI)
    tell("SETQUEUE", fcntl.ioctl, files[1], SETQUEUE, ifreq("", DETACH))
    for file in files:
        tell("GETIFF", get_iff, file)
    tell("write", os.write, files[1], bytes(60))
    say("queues", sorted(os.listdir("/sys/class/net/mq/queues")))
    os.close(files[0])
    tell("SETQUEUE", fcntl.ioctl, files[1], SETQUEUE, ifreq("", ATTACH))
    say("queues", sorted(os.listdir("/sys/class/net/mq/queues")))
    os.close(files[1])
    os.close(files[2])
    say("gone", not os.path.exists("/sys/class/net/mq"))


def poll(fd: int) -> list[tuple[int, int]]:
    watch = select.poll()
    watch.register(fd, select.POLLIN | select.POLLOUT)
    return watch.poll(0)


if __name__ == "__main__":
    main()
