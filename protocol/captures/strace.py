"""strace: what a program did with its netlink sockets, call by call.

    strace -f -xx -s 100000 -v -e trace=%network,%desc -o FILE COMMAND

Sockets are told apart by process and descriptor; what was asked of them (protocol, options, groups, port) becomes
acts, what was sent and received datagrams. A call in two parts ("unfinished", "resumed") counts where it is resumed.
Other calls than those of netlink sockets are passed over. What strace wrote does not always suffice to tell the bytes:
that is an Unread, which says why, and reading goes on (protocol/captures/strace_messages.py).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nlemu.protocol.captures.events import Act, Datagram, Event, Unread, Way
from nlemu.protocol.captures.source import LONGEST, Source
from nlemu.protocol.captures.strace_messages import Names, encode, number
from nlemu.protocol.captures.strace_values import CUT, Symbols, Text
from nlemu.protocol.captures.strace_values import read as read_arguments
from nlemu.protocol.uapi.netlink import NetlinkProtocol

LINE = re.compile(
    r"(?:\[pid\s{1,10})?(?P<pid>\d{1,10})?\]?\s*"
    r"(?:(?P<time>\d{1,20}(?:\.\d{1,12})?|\d\d:\d\d:\d\d(?:\.\d{1,12})?)\s+(?:\(\+\s*[\d.]{1,40}\)\s+)?)?"
    r"(?:(?P<call>[a-z_0-9]+)\(|<\.\.\. (?P<resumed>[a-z_0-9]+) resumed>\s*,?\s*|(?P<mark>\+\+\+|---))"
)
RESULT = re.compile(r"\)\s*=\s*(-?\d{1,20}|0x[0-9a-f]{1,16}|\?)(?:<[^<>)]*>)?\s*(E[A-Z0-9]+)?")
FIRST = re.compile(r"(?:\d{1,10}\s+)?(?:[\d:.]{1,30}\s+)?execve\(\"")
"""How a trace of a program begins."""
UNFINISHED = "<unfinished ...>"
RECEIVING = ("recvmsg", "recvfrom", "recv", "read", "recvmmsg", "readv")
SENDING = ("sendmsg", "sendto", "send", "write", "sendmmsg", "writev")
SOL_NETLINK = 270
ZEROS = bytes(16)
"""What strace takes for the header of a further message is what is left of a buffer."""
NANOSECONDS = 1_000_000_000
FAULTS = (ValueError, IndexError, KeyError, AttributeError, TypeError, OverflowError, RecursionError, struct.error)
"""What a line that is not as strace writes it may raise."""


def looks_so(head: bytes) -> bool:
    """Whether a file that begins so is one of strace."""
    lines = head.decode(errors="replace").splitlines()
    if len(lines) == 1 and FIRST.match(lines[0]):  # with -v it writes the whole environment
        return True
    return any(
        (found := LINE.match(line)) and (found["mark"] or found["resumed"] or RESULT.search(line) or UNFINISHED in line)
        for line in lines[:20]
    )


@dataclass
class Socket:
    """A netlink socket: its name in the capture, and its protocol."""

    name: str
    protocol: int


@dataclass
class Process:
    """The sockets of a process by descriptor, and a call of it that is not finished."""

    sockets: dict[int, Socket] = field(default_factory=dict)
    begun: str = ""


def read(source: Source) -> Iterator[Event]:
    """The events of a file. Raises CaptureError."""
    return Reader().events(source)


class Reader:
    """A trace that is being read."""

    def __init__(self) -> None:
        self.processes: dict[int, Process] = {}
        self.names = Names()
        self.opened = 0

    def events(self, source: Source) -> Iterator[Event]:
        """All there are."""
        for count, line in source.lines():
            found = LINE.match(line)
            if found is None or found["mark"]:
                continue
            place, pid, time = f"line {count}", int(found["pid"] or 0), seconds(found["time"])
            process = self.process(pid)
            if line.rstrip().endswith(UNFINISHED):
                process.begun = line[found.start("call") :].rsplit(UNFINISHED, 1)[0]
                continue
            text = process.begun + line[found.end() :] if found["resumed"] else line[found.start("call") :]
            name = text.partition("(")[0]
            if name not in CALLS:
                continue
            result = last(RESULT, text)
            if result is None:
                continue
            try:
                arguments, _ = read_arguments(text[: result.end()], len(name) + 1)
                yield from CALLS[name](self, Call(name, arguments, result, place, process, time))
            except FAULTS as error:
                if name in SENDING + RECEIVING and f"{name}(" in text and "nlmsg_len" in text:
                    yield Unread(f"{name}(): {error}", place, time)

    def process(self, pid: int) -> Process:
        """The process of that id. One that nobody saw begin has the sockets of the one before, as a thread does."""
        if pid not in self.processes:
            known = next(reversed(self.processes.values()), None)
            self.processes[pid] = Process({} if known is None else known.sockets)
        return self.processes[pid]

    # -- what calls mean

    def socket(self, call: Call) -> Iterator[Event]:
        """socket(AF_NETLINK, type, protocol)."""
        if call.failed or call.word(0) not in ("AF_NETLINK", "PF_NETLINK", "16"):
            return
        protocol = protocol_number(call.arguments[2])
        self.opened += 1
        one = call.process.sockets[call.result] = Socket(f"s{self.opened}", protocol)
        yield Act("open", one.name, call.place, {"proto": protocol}, call.time)

    def close(self, call: Call) -> Iterator[Event]:
        """close()."""
        one = call.process.sockets.pop(call.descriptor, None)
        left = (other for process in self.processes.values() for other in process.sockets.values())
        if one is not None and all(other is not one for other in left):
            yield Act("close", one.name, call.place, {}, call.time)

    def duplicate(self, call: Call) -> Iterator[Event]:
        """dup(), dup2(), dup3(), fcntl(F_DUPFD)."""
        one = call.process.sockets.get(call.descriptor)
        if one is not None and not call.failed and (call.name != "fcntl" or "DUPFD" in call.word(1)):
            call.process.sockets[call.result] = one
        yield from ()

    def fork(self, call: Call) -> Iterator[Event]:
        """fork(), vfork(), clone(), clone3(): a child has the descriptors, a thread shares them."""
        if not call.failed and call.result > 0:
            shared = any("CLONE_FILES" in part for one in call.arguments for part in words_in(one))
            sockets = call.process.sockets
            self.processes[call.result] = Process(sockets if shared else dict(sockets))
        yield from ()

    def bind(self, call: Call) -> Iterator[Event]:
        """bind() and getsockname(): the port id, and groups of the old kind."""
        one = call.process.sockets.get(call.descriptor)
        address = call.arguments[1]
        if one is None or call.failed or not isinstance(address, dict):
            return
        port = number(address.get("nl_pid", Symbols(("0",)))) & 0xFFFFFFFF
        if port:
            yield Act("port", one.name, call.place, {"port": port}, call.time)
        groups = int(address["nl_groups"].text, 16) if call.name == "bind" and "nl_groups" in address else 0
        for bit in range(32):
            if groups >> bit & 1:
                yield Act("opt", one.name, call.place, {"name": 1, "value": bit + 1}, call.time)

    def option(self, call: Call) -> Iterator[Event]:
        """setsockopt(SOL_NETLINK)."""
        one = call.process.sockets.get(call.descriptor)
        if one is None or call.failed or call.word(1) not in ("SOL_NETLINK", str(SOL_NETLINK)):
            return
        name, value = call.arguments[2], call.arguments[3]
        value = value[0] if isinstance(value, list) else value
        yield Act("opt", one.name, call.place, {"name": option_number(name), "value": number(value)}, call.time)

    def transfer(self, call: Call) -> Iterator[Event]:
        """Sends and receives of every kind."""
        one = call.process.sockets.get(call.descriptor)
        if one is None or call.failed or any("MSG_PEEK" in word for word in words_in(call.arguments[-1:])):
            return
        way = Way.TO_KERNEL if call.name in SENDING else Way.TO_USER
        for value, length in buffers(call):
            if value is CUT or length == 0:
                continue
            try:
                data = encode(value, one.protocol, self.names)
            except FAULTS as error:
                yield Unread(f"{call.name}() of {length} bytes: {error}", call.place, call.time, one.name, way)
                continue
            for reason in self.names.guesses:
                yield Unread(reason, call.place, call.time)
            self.names.guesses.clear()
            learn(data, one.protocol, self.names)
            if way is Way.TO_KERNEL and data.endswith(ZEROS):
                data = data.ljust(min(length, LONGEST), b"\0")
            yield Datagram(data[:length], one.protocol, call.place, call.time, way, one.name, length)


@dataclass
class Call:
    """A call that has returned."""

    name: str
    arguments: list[Any]
    found: re.Match[str]
    place: str
    process: Process
    time: int | None

    @property
    def result(self) -> int:
        """What it returned."""
        return -1 if self.found[1] == "?" else int(self.found[1], 0)

    @property
    def failed(self) -> bool:
        """Whether it returned an error, or did not return."""
        return self.result < 0

    @property
    def descriptor(self) -> int:
        """Its first argument."""
        return int(self.word(0).split("<")[0], 0)

    def word(self, index: int) -> str:
        """An argument as it was written, if it is names or numbers."""
        value = self.arguments[index]
        return value.text if isinstance(value, Symbols) else ""


CALLS = {
    "socket": Reader.socket, "close": Reader.close, "dup": Reader.duplicate, "dup2": Reader.duplicate,
    "dup3": Reader.duplicate, "fcntl": Reader.duplicate, "fork": Reader.fork, "vfork": Reader.fork,
    "clone": Reader.fork, "clone3": Reader.fork, "bind": Reader.bind, "getsockname": Reader.bind,
    "setsockopt": Reader.option, **dict.fromkeys(RECEIVING + SENDING, Reader.transfer),
}
"""What is read of each call."""


def buffers(call: Call) -> Iterator[tuple[Any, int]]:
    """What a call sent or received: the value in each buffer, and its length in bytes."""
    if call.name in ("sendmmsg", "recvmmsg"):
        for one in call.arguments[1]:
            yield from vector(one["msg_hdr"]["msg_iov"], number(one["msg_len"]))
    elif call.name in ("sendmsg", "recvmsg"):
        yield from vector(call.arguments[1]["msg_iov"], call.result)
    elif call.name in ("readv", "writev"):
        yield from vector(call.arguments[1], call.result)
    else:
        yield call.arguments[1], call.result


def vector(value: Any, length: int) -> Iterator[tuple[Any, int]]:
    """What is in an iovec: a message stands in the first part of it, or its beginning, with the bytes of attributes in
    the others."""
    parts = [part.get("iov_base") for part in value]
    parts = [part for part in parts if not (isinstance(part, Symbols) and part.text == "NULL")]
    if len(parts) == 1:
        yield parts[0], length
    elif parts and isinstance(parts[0], list) and all(isinstance(part, Text) and not part.cut for part in parts[1:]):
        yield [*parts[0], Text(b"".join(part.data for part in parts[1:]))], length
    elif parts:
        raise ValueError(f"a message in {len(parts)} buffers, which strace does not take apart")


def words_in(value: Any) -> Iterator[str]:
    """All names that stand in a value."""
    if isinstance(value, Symbols):
        yield from value.parts
    elif isinstance(value, list):
        for one in value:
            yield from words_in(one)
    elif isinstance(value, dict):
        yield from words_in(list(value.values()))


def protocol_number(value: Any) -> int:
    """NETLINK_ROUTE, or a number."""
    text = value.text.removeprefix("NETLINK_")
    known = NetlinkProtocol.__members__.get(text)
    return number(value) if known is None else int(known)


def option_number(value: Any) -> int:
    """NETLINK_EXT_ACK and its like, or a number."""
    from nlemu.protocol.uapi.netlink import NetlinkOpt

    known = NetlinkOpt.__members__.get(value.text.removeprefix("NETLINK_"))
    return number(value) if known is None else int(known)


def learn(data: bytes, protocol: int, names: Names) -> None:
    """The numbers of generic netlink families, from nlctrl's answers."""
    from nlemu.protocol.captures.families import told

    if protocol == NetlinkProtocol.GENERIC:
        names.families.update(told(data))


def seconds(text: str | None) -> int | None:
    """A time in nanoseconds: seconds since 1970, or since midnight."""
    if text is None:
        return None
    if ":" in text:
        hours, minutes, rest = text.split(":")
        return int((int(hours) * 3600 + int(minutes) * 60) * NANOSECONDS + float(rest) * NANOSECONDS)
    whole, _, fraction = text.partition(".")
    return int(whole) * NANOSECONDS + int((fraction + "000000000")[:9])


def last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last place where a pattern is found."""
    return next(iter(list(pattern.finditer(text))[-1:]), None)
