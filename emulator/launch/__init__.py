"""The launcher: any program, unchanged and unprivileged, with the emulator as its kernel.

The program runs under a seccomp filter (filter.py) that hands a few of its system calls to a supervisor (supervisor.py)
and lets all others pass at full speed. `socket(AF_NETLINK, ...)` is answered with one end of a pair of Unix sockets,
put at a high descriptor number; the filter sees descriptor numbers, so the calls that would tell such a socket from a
netlink one (getsockname, setsockopt, recvmsg ...) are handed over for high numbers only, and plain send and receive go
straight through the Unix socket. Namespaces, the files that programs read about interfaces, and the interface ioctls
are answered from the same machine.

Rules of this room:

- One thread, one loop, no `async`: a call is answered before the next is looked at, and before each call everything
  that was sent earlier has been processed. So a program sees the order that the kernel would have given it.
- The program's memory is touched only through memory.py, where every wild pointer is EFAULT.
- Nothing a program does may stop the supervisor: a call that fails for a reason of our own is logged and answered
  with an errno.
- The machine's own namespaces, mounts and files are never changed. A call that we play is never let through as well.
"""
