"""The state of a machine (emulator/daemon/state.py) as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nlemu.emulator.cli.table import Paint, table


def state_lines(told: Mapping[str, Any]) -> list[str]:
    """The whole state, table by table; then what was asked for that is not emulated."""
    paint = Paint()
    sections = {
        "namespaces": namespace_table(told["namespaces"]),
        "devices": device_table(told["namespaces"]),
        "leases": lease_table(told["namespaces"]),
        "sockets": table(
            ("NETNS", "PROTOCOL", "PORT", "UID", "GROUPS", "NAME", "OVERRUNS"),
            [
                (one["netns"], one["protocol"], one["port"], one["uid"], joined(one.get("groups")), one.get("name"),
                 one.get("overruns"))
                for one in told["sockets"]
            ],
        ),
    }
    lines: list[str] = []
    for title, rows in sections.items():
        if rows:
            lines += ["", paint.bold(title), *rows]
    if told["not emulated"]:
        lines += ["", *(f"not emulated: {what}" for what in told["not emulated"])]
    return lines[1:]


def namespace_table(namespaces: Mapping[str, Any]) -> list[str]:
    """The namespaces of a state, as the lines of a table."""
    rows = []
    for name, one in namespaces.items():
        ids = ", ".join(f"{peer} {number}" for peer, number in one["ids"].items())
        rows.append((name, len(one["devices"]), one["inode"], ids))
    return table(("NETNS", "DEVICES", "INODE", "IDS OF OTHERS"), rows)


def device_table(namespaces: Mapping[str, Any]) -> list[str]:
    """The devices of all namespaces of a state, as the lines of a table."""
    rows = []
    for netns, one in namespaces.items():
        for dev in one["devices"]:
            peer = dev.get("peer")
            rows.append((
                netns, dev["ifindex"], dev["name"], dev.get("kind") or dev.get("driver"), dev["operstate"].lower(),
                joined(flag.lower() for flag in dev["flags"]), dev["mtu"], dev.get("address"),
                f"{dev['rx_queues']}/{dev['tx_queues']}", None if peer is None else f"{peer['netns']}/{peer['name']}",
            ))
    return table(
        ("NETNS", "INDEX", "NAME", "KIND", "STATE", "FLAGS", "MTU", "ADDRESS", "RX/TX", "PEER"), rows
    )


def lease_table(namespaces: Mapping[str, Any]) -> list[str]:
    """Each lease once, told from the device that lends."""
    rows = []
    for netns, one in namespaces.items():
        for dev in one["devices"]:
            for lease in dev.get("leases", ()):
                if "to" in lease:
                    to = lease["to"]
                    rows.append(
                        (f"{netns}/{dev['name']}", lease["queue"], f"{to['netns']}/{to['name']}", to["queue"])
                    )
    return table(("LENDER", "QUEUE", "LESSEE", "AS QUEUE"), rows)


def joined(values: Any) -> str:
    """The values in one cell of a table, with blanks between them."""
    return " ".join(map(str, values or ()))
