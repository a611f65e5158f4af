"""What a daemon counts, in the text format of Prometheus: gauges of what there is, counters of what was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from nlemu.emulator.script.counts import refusals, requests
from nlemu.emulator.script.faults import kind

if TYPE_CHECKING:
    from nlemu.emulator.daemon.server import Server

KIND = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


def metrics(server: Server) -> str:
    """All of them."""
    return "".join(f"{line}\n" for line in lines(server))


def lines(server: Server) -> Iterator[str]:
    """Line by line."""
    machine = server.machine
    yield from gauge("info", "Which Linux it is.", [({"kernel": machine.build.name}, 1)])
    yield from gauge("namespaces", "Namespaces with a name.", [({}, len(machine.nets))])
    yield from gauge(
        "devices", "Devices, by namespace.", [({"netns": name}, len(list(net))) for name, net in machine.nets.items()]
    )
    sockets: dict[tuple[str, str], int] = {}
    dropped = 0
    for endpoint in machine.ports:
        key = endpoint.net.name, endpoint.spec.name
        sockets[key] = sockets.get(key, 0) + 1
        dropped += endpoint.drops
    yield from gauge(
        "sockets", "Open netlink sockets, by namespace and protocol.",
        [({"netns": netns, "protocol": protocol}, count) for (netns, protocol), count in sockets.items()],
    )
    yield from gauge(
        "sockets_dropped_datagrams", "Datagrams that the sockets that are open now have lost.", [({}, dropped)]
    )
    yield from counter(
        "requests", "Requests, by operation.",
        [({"operation": name}, count) for name, count in requests(machine).items()],
    )
    yield from counter(
        "refusals", "Requests that were refused, by operation and errno.",
        [({"operation": name, "errno": errno}, count) for (name, errno), count in refusals(machine).items()],
    )
    yield from counter(
        "faults_struck", "How often faults have struck, by name and kind.",
        [
            ({"name": fault.name, "kind": kind(fault)}, fault.aim.struck)
            for fault in (*machine.faults.listed, *machine.notices.listed)
        ],
    )
    yield from counter(
        "not_emulated", "What was asked for that such a kernel would have done and nlemu does not.",
        [({"what": what}, count) for what, count in machine.not_emulated.items()],
    )
    yield from counter("bugs", "Bugs of nlemu that were met; its log has them.", [({}, machine.bugs)])


def gauge(name: str, about: str, samples: Iterable[tuple[Labels, int]]) -> Iterator[str]:
    """A number that goes up and down."""
    yield from family(f"nlemu_{name}", "gauge", about, samples)


def counter(name: str, about: str, samples: Iterable[tuple[Labels, int]]) -> Iterator[str]:
    """A number that only grows, until the machine is another one."""
    yield from family(f"nlemu_{name}_total", "counter", about, samples)


def family(name: str, kind: str, about: str, samples: Iterable[tuple[Labels, int]]) -> Iterator[str]:
    """What one is about, and its samples."""
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        inside = ",".join(f'{label}="{quoted(text)}"' for label, text in labels.items())
        yield f"{name}{{{inside}}} {value}" if inside else f"{name} {value}"


def quoted(text: str) -> str:
    """A label's value."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
