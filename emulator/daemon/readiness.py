"""How a service manager is told that the daemon can be reached, and that it ends: sd_notify(3), of which this is all.

The manager names a datagram socket in NOTIFY_SOCKET: a path, or an abstract name behind an "@". What is said there are
lines of NAME=VALUE. A daemon that nobody waits for has no such variable, and says nothing.
"""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger(__name__)

VARIABLE = "NOTIFY_SOCKET"
READY, STOPPING = "READY=1", "STOPPING=1"


def notify(*lines: str) -> bool:
    """Tells the manager; whether there is one. One that cannot be told is logged."""
    where = os.environ.get(VARIABLE)
    if not where or where[0] not in "/@":
        return False
    address = f"\0{where[1:]}" if where[0] == "@" else where
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect(address)
            sock.send("\n".join(lines).encode())
    except OSError as error:
        log.warning("%s: the service manager cannot be told: %s", where, error.strerror)
        return False
    return True
