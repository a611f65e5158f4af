"""Settings that are only kept, but of which handlers of their own say what they may be: net/ipv4/sysctl_net_ipv4.c.

Numbers are looked at by CHECKED once each is within its limits (sysctl_limits.py), and may be kept as others; words
by READ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from errno import ENOENT

from nlemu.protocol.refusal import Refusal

PORTS = 1 << 16
NO_GROUP = 0xFFFFFFFF
ALGORITHMS = ("reno", "cubic")
"""Of congestion control, in the order of the kernel's list."""
SPACE = " \t\n"

Others = Callable[[str], Sequence[int]]
"""The numbers of another setting of the namespace, by its name."""


def port_range(values: list[int], others: Others) -> list[int]:
    """ipv4_local_port_range(): from one port to another, above those that are privileged. ValueError."""
    if values[1] < values[0] or values[0] < others("ipv4/ip_unprivileged_port_start")[0]:
        raise ValueError(values)
    return values


def privileged(values: list[int], others: Others) -> list[int]:
    """ipv4_privileged_ports(): not above the first port that programs are given. ValueError."""
    if others("ipv4/ip_local_port_range")[0] < values[0]:
        raise ValueError(values)
    return values


def group_range(values: list[int], others: Others) -> list[int]:
    """ipv4_ping_group_range(): nobody, where the last is before the first. ValueError."""
    if NO_GROUP in values:
        raise ValueError(values)
    return [1, 0] if values[1] < values[0] else values


def ports(text: str) -> str:
    """proc_do_large_bitmap(): ports and ranges of them, told as few ranges as there are. ValueError."""
    chosen: set[int] = set()
    for part in filter(None, text.strip(SPACE).split(",")):
        first, _, last = part.partition("-")
        begin, end = int(first), int(last or first)
        if not 0 <= begin <= end < PORTS:
            raise ValueError(text)
        chosen.update(range(begin, end + 1))
    edges = sorted(port for port in chosen if port - 1 not in chosen), sorted(p for p in chosen if p + 1 not in chosen)
    return ",".join(f"{one}" if one == two else f"{one}-{two}" for one, two in zip(*edges, strict=True))


def algorithm(text: str) -> str:
    """proc_tcp_congestion_control(): ENOENT."""
    name = text.split("\n")[0]
    if name not in ALGORITHMS:
        raise Refusal(ENOENT)
    return name


def algorithms(text: str) -> str:
    """proc_allowed_congestion_control(): ENOENT; in the order of the list."""
    names = text.split()
    for name in names:
        if name not in ALGORITHMS:
            raise Refusal(ENOENT)
    return " ".join(name for name in ALGORITHMS if name in names)


CHECKED: dict[str, Callable[[list[int], Others], list[int]]] = {
    "ipv4/ip_local_port_range": port_range, "ipv4/ip_unprivileged_port_start": privileged,
    "ipv4/ping_group_range": group_range,
}
READ: dict[str, Callable[[str], str]] = {
    "ipv4/ip_local_reserved_ports": ports, "ipv4/tcp_congestion_control": algorithm,
    "ipv4/tcp_allowed_congestion_control": algorithms,
}
