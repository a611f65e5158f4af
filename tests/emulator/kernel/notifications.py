"""What the model says of links and namespace ids, and what the recorded kernel said, in one form to compare.

Of a notification it keeps what the model is responsible for: which, in which namespace, in which order, and the values
that are state. The encoding is the handlers' business and tested with them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

from fixtures import TRACES
from nlemu.emulator.kernel.core.events import NullAnnouncer, Origin
from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.flags import get_flags

Item = dict[str, Any]

NEWLINK, DELLINK, NEWNSID, DELNSID = 16, 17, 88, 89
NAMES = {NEWLINK: "new", DELLINK: "del", NEWNSID: "nsid", DELNSID: "nsid gone"}
NUMBERS = {
    4: "mtu", 5: "link", 13: "txqlen", 16: "operstate", 17: "link_mode", 27: "group", 30: "promiscuity",
    31: "num_tx_queues", 32: "num_rx_queues", 33: "carrier", 35: "changes", 37: "link_nsid", 40: "gso_max_segs",
    41: "gso_max_size", 44: "event", 45: "new_nsid", 47: "ups", 48: "downs", 49: "new_ifindex", 50: "min_mtu",
    51: "max_mtu", 58: "gro_max_size", 59: "tso_max_size", 60: "tso_max_segs", 61: "allmulti",
    63: "gso_ipv4_max_size", 64: "gro_ipv4_max_size", 68: "headroom", 69: "tailroom",
}
TEXTS = {3: "name", 6: "qdisc", 20: "alias"}


def of_device(dev: Device) -> Item:
    """What a message would show of the device, as it is now."""
    running = dev.running
    item: Item = {
        "ifindex": dev.ifindex, "flags": get_flags(dev), "name": dev.name, "mtu": dev.mtu, "txqlen": dev.txqlen,
        "operstate": int(dev.operstate) if running else 2, "link_mode": dev.link_mode, "group": dev.group,
        "promiscuity": dev.promiscuity, "allmulti": dev.allmulti, "num_tx_queues": dev.num_tx_queues,
        "num_rx_queues": dev.num_rx_queues, "carrier": int(dev.carrier),
        "changes": dev.carrier_up_count + dev.carrier_down_count, "ups": dev.carrier_up_count,
        "downs": dev.carrier_down_count, "gso_max_segs": dev.gso_max_segs, "gso_max_size": dev.gso_max_size,
        "gro_max_size": dev.gro_max_size, "tso_max_size": dev.tso_max_size, "tso_max_segs": dev.tso_max_segs,
        "gso_ipv4_max_size": dev.gso_ipv4_max_size, "gro_ipv4_max_size": dev.gro_ipv4_max_size,
        "min_mtu": dev.min_mtu, "max_mtu": dev.max_mtu, "headroom": dev.needed_headroom,
        "tailroom": dev.needed_tailroom, "qdisc": dev.qdisc,
    }
    if dev.ifalias:
        item["alias"] = dev.ifalias
    link_net = None if dev.kind is None else dev.kind.get_link_net(dev)
    if link_net is not None and link_net is not dev.net:
        item["link_nsid"] = dev.net.id_of(link_net)
        item["link"] = dev.iflink
    elif dev.iflink != dev.ifindex:
        item["link"] = dev.iflink
    return item


class Notifications(NullAnnouncer):
    """`taken(net)`: what was announced in that namespace since the last call."""

    def __init__(self) -> None:
        self._kept: dict[Net, list[Item]] = {}
        self.origins: list[Origin | None] = []

    def _keep(self, net: Net, item: Item) -> None:
        self._kept.setdefault(net, []).append(item)

    def link_new(self, dev: Device, change: int, *, event: int = 0, new_nsid: int | None = None,
                 new_ifindex: int = 0, origin: Origin | None = None) -> None:
        item = {"what": "new", "change": change, **of_device(dev)}
        if event:
            item["event"] = event
        self.origins.append(origin)
        self._keep(dev.net, item)

    def link_going(self, dev: Device, change: int, *, event: int = 0, new_nsid: int | None = None,
                   new_ifindex: int = 0, origin: Origin | None = None) -> Callable[[], None]:
        item = {"what": "del", "change": change, **of_device(dev)}
        if new_nsid is not None:
            item["new_nsid"] = new_nsid
        if new_ifindex:
            item["new_ifindex"] = new_ifindex
        self.origins.append(origin)
        net = dev.net
        return lambda: self._keep(net, item)

    def nsid_new(self, net: Net, nsid: int, *, origin: Origin | None = None) -> None:
        self._keep(net, {"what": "nsid", "nsid": nsid})

    def nsid_del(self, net: Net, nsid: int, *, origin: Origin | None = None) -> None:
        self._keep(net, {"what": "nsid gone", "nsid": nsid})

    def taken(self, net: Net) -> list[Item]:
        return self._kept.pop(net, [])


def _decode(data: bytes) -> Item | None:
    length, kind = struct.unpack_from("<IH", data)
    if kind not in NAMES:
        return None
    item: Item = {"what": NAMES[kind]}
    at = 20
    if kind in (NEWLINK, DELLINK):
        item["ifindex"], item["flags"], item["change"] = struct.unpack_from("<III", data, 20)
        at = 32
    while at + 4 <= length:
        size, number = struct.unpack_from("<HH", data, at)
        payload = data[at + 4 : at + size]
        if kind in (NEWNSID, DELNSID):
            item["nsid"] = int.from_bytes(payload, "little")
        elif number in NUMBERS:
            item[NUMBERS[number]] = int.from_bytes(payload, "little")
        elif number in TEXTS:
            item[TEXTS[number]] = payload.rstrip(b"\0").decode()
        at += (size + 3) & ~3
    return item


def recorded(trace: str, sock: str) -> dict[int, list[Item]]:
    """What that socket of the trace heard of links and ids, by the number of the step (its line, the header is 0)."""
    said: dict[int, list[Item]] = {}
    lines = (TRACES / f"{trace}.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[1:], 1):
        datagrams = json.loads(line).get("got", {}).get(sock, [])
        # Bytes that differ from boot to boot are random addresses, which are not compared.
        items = [_decode(bytes.fromhex(hexed.replace("..", "00"))) for hexed in datagrams]
        said[number] = [item for item in items if item is not None]
    return said
