# mypy: ignore-errors
"""Makes every call that is handed over, with arguments that are wrong in every way; prints how many there were.

What is written over is its own. Nothing may hang it, and afterwards the kernel has to be there for others.
"""

import ctypes
import os
import random
import signal
import socket
import struct
import sys

numbers, seed, count = eval(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
choice = random.Random(seed).choice
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
sockets = [socket.socket(16, 3 | socket.SOCK_NONBLOCK, protocol) for protocol in (0, 16)]
sysfs = os.open("/sys/bus/netdevsim/new_device", os.O_WRONLY)
net = os.open("/proc/self/ns/net", os.O_RDONLY)
room = ctypes.create_string_buffer(bytes(65536), 65536)
base = ctypes.addressof(room)
room[: len(b"/sys/class/net/lo/mtu")] = b"/sys/class/net/lo/mtu"
struct.pack_into("=QIxxxxQQQQi", room, 256, base + 512, 12, base + 1024, 2, base + 2048, 64, 0)
struct.pack_into("=HHII", room, 512, 16, 0, 0, 0)
struct.pack_into("=QQQQ", room, 1024, base + 4096, 100, 8, 100)
signal.signal(signal.SIGALRM, lambda *_: None)
ODD = (0, 1, 2, 12, 20, 100, 4096, -1, -100, 1 << 31, 1 << 32, (1 << 63) - 1, -(1 << 63), 900, 901, 902, 950, 1023,
       8, base, base + 256, base + 512, base + 1024, base + 65530, 270, 0x8913, 0x8933, 0x8946, 0x40000000)
made = 0
for _ in range(count):
    name = choice(sorted(numbers))
    first = choice((*(each.fileno() for each in sockets), sysfs, net, -1, 999, base, 0x40000000, -100))
    arguments = [first, *(choice(ODD) for _ in range(5))]
    if name in ("dup2", "dup3") and 0 <= arguments[1] < 900:
        continue
    if name in ("fcntl", "socket"):
        arguments[1] &= 0xFF
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    result = libc.syscall(numbers[name], *(ctypes.c_long(argument) for argument in arguments))
    signal.setitimer(signal.ITIMER_REAL, 0)
    kept = (0, 1, 2, sysfs, net, *(each.fileno() for each in sockets))
    if name in ("dup", "fcntl", "socket", "openat", "accept4") and result >= 0 and result not in kept:
        os.close(result)
    made += 1
sys.stdout.write(f"made {made}\n")
sys.stdout.flush()
os._exit(0)
