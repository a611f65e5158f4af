"""Who watches a machine: hears its requests, its notifications and its refusals, and remembers what there was.

What is kept are sets and counts, and a request that was read before is not read again; so a suite of any length needs
no more than what it can name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nlemu.emulator.coverage.seen import Met, Seen
from nlemu.emulator.kernel.core.events import NetdevEvent, Stage
from nlemu.emulator.script.explanation import kernel_functions, shown, steps
from nlemu.emulator.script.history import operation_name
from nlemu.protocol.decode.message import at_offset, read
from nlemu.protocol.decode.printer import errno_name, missing_name, path_text
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import ROUTE, Families, by_number
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_MIN_TYPE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Info
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.machine.tap import Heard
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.decode.tree import Node
    from nlemu.protocol.refusal import Refusal

DUMP = int(NLM_F.DUMP)
REQUEST = int(NLM_F.REQUEST)
HEADER = 16
ELSEWHERE = -1
"""The protocol family of what is not rtnetlink's."""
READ = 10_000
"""Requests that are known by their bytes."""

DECLARED = ("protocol/", "emulator/netlink/request.py", "emulator/netlink/parse.py")
"""Where what declarations refuse is refused."""
NETLINK = "emulator/machine/"
FAULTS = "emulator/machine/faults/"
OURS = "nlemu: "
"""How texts begin that no kernel says."""
RANGES = frozenset({"integer out of range", "binary attribute size out of range", "reserved bit set"})
UNKNOWN = frozenset({
    "Unknown attribute type", "Unsupported attribute", "bytes leftover after parsing attributes",
})


class Watch:
    """Watches machines, one after the other or at once, into one `Seen`."""

    def __init__(self) -> None:
        self.seen = Seen()
        self._known: dict[tuple[int, bytes], str] = {}
        self._families: Families = {}

    def begin(self, machine: Machine) -> Machine:
        """From now on sockets that are opened on that machine are watched; the machine itself."""
        self._families = by_number({family.name: number for family, number in machine.families.numbers.items()})
        self._known.clear()  # its families may have other numbers
        machine.watched = self.seen
        machine.listen(self._hear)
        before = machine.refused

        def refused(call: Call, refusal: Refusal) -> None:
            if before is not None:
                before(call, refusal)
            self._refused(call, refusal)

        machine.refused = refused
        for net in machine.nets.values():
            for dev in net:
                self._device(dev)
        machine.register_notifier(Stage.LATE, self._registered, (NetdevEvent.REGISTER,))
        return machine

    def _registered(self, event: NetdevEvent, dev: Device, info: Info) -> None:
        self._device(dev)

    def _device(self, dev: Device) -> None:
        for one in (dev.ops, dev.kind):
            if one is not None:
                self.seen.devices.add(f"{type(one).__module__}:{type(one).__qualname__}")

    # What goes over sockets

    def _hear(self, heard: Heard) -> None:
        protocol = heard.endpoint.protocol
        if heard.to_kernel:
            for header, data in split(heard.data):
                if header.flags & REQUEST and header.type >= NLMSG_MIN_TYPE:
                    self._asked(protocol, header.type, header.flags, data)
        elif heard.group:
            for _, data in split(heard.data):
                self.seen.notices[operation_name(read(data, protocol, self._families))] += 1

    def _asked(self, protocol: int, kind: int, flags: int, data: bytes) -> None:
        name = self._name(protocol, kind, data)
        family = ELSEWHERE
        dump = flags & DUMP == DUMP
        if protocol == ROUTE:
            family = data[HEADER] if len(data) > HEADER else 0
            dump = kind & 3 == GET and bool(flags & DUMP)
        self.seen.asked[name, dump, family] += 1

    def _name(self, protocol: int, kind: int, data: bytes) -> str:
        """What a request is called. One that is new is read, for its attributes."""
        key = protocol, kind.to_bytes(2, "little") + data[HEADER:]
        name = self._known.get(key)
        if name is None:
            message = read(data, protocol, self._families)
            name = operation_name(message)
            self.seen.attributes.setdefault(name, set()).update(self._paths(message.attributes, ""))
            if len(self._known) >= READ:
                self._known.clear()
            self._known[key] = name
        return name

    def _paths(self, nodes: Sequence[Node], prefix: str) -> Iterator[str]:
        """The attributes of a request, by their names from the outside in."""
        for node in nodes:
            if node.attr is None or not node.name:
                continue
            path = f"{prefix}{node.name}"
            yield path
            if node.form == "nest" and node.value is not None:
                path = f"{path}({node.value})"
            elif path.endswith("linkinfo.kind"):
                self.seen.kinds.add(str(node.value))
            members = node.children
            if node.form == "array":
                members = [child for member in members for child in member.children]
            yield from self._paths(members, f"{path}.")

    # What is refused

    def _refused(self, call: Call, refusal: Refusal) -> None:
        way = tuple(steps(refusal.__traceback__))
        code, line = way[-1]
        place = f"{shown(code.co_filename)}:{line}"
        protocol = call.endpoint.protocol
        name = self._name(protocol, call.type, call.message)
        what, about = self._what(place, refusal), None
        if what not in ("kernel", "fault", "absent"):
            message = read(call.message, protocol, self._families)
            if refusal.missing is not None:
                about = plain(missing_name(message, refusal.missing, refusal.nest))
            elif isinstance(refusal.at, int):
                path = at_offset(message, refusal.at)
                about = None if path is None else plain(path_text(path))
        dump = call.flags & DUMP == DUMP if protocol != ROUTE else call.type & 3 == GET and bool(call.flags & DUMP)
        functions = tuple(dict.fromkeys(kernel_functions(way)))
        self.seen.refused[Met(
            name, dump, what, str(errno_name(refusal.errno)), refusal.text, about, functions, place
        )] += 1

    @staticmethod
    def _what(place: str, refusal: Refusal) -> str:
        if place.startswith(FAULTS):
            return "fault"
        if refusal.text is not None and refusal.text.startswith(OURS):
            return "absent"
        if place.startswith(NETLINK):
            return "privilege" if errno_name(refusal.errno) == "EPERM" else "netlink"
        if not place.startswith(DECLARED):
            return "kernel"
        if refusal.missing is not None:
            return "required"
        if refusal.text in RANGES:
            return "range"
        if refusal.text in UNKNOWN:
            return "unknown"  # bytes that make no attribute are none that is known
        return "header" if place.startswith("emulator/") else "type"


def plain(path: str | None) -> str | None:
    """A path of attributes as reports have it: members of an array are not told apart."""
    return None if path is None else INDEX.sub("", path).removeprefix(".")


INDEX = re.compile(r"\[\d+\]")
GET = 2
"""enum rtnl_kinds: the place of what asks in each block of four message types."""
