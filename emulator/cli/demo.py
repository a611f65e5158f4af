"""``nlemu demo``: the story of the feature, told by a daemon of its own through its real sockets.

A NIC with sixteen queues lends one of them to a netkit device in a namespace; the namespace's own program would then
receive from the NIC without anything in between. Each step is one line in plain words, then what was asked and what
was answered, taken apart by the declarations.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlemu.emulator.cli import OK

if TYPE_CHECKING:
    from nlemu.emulator.client.client import Client
    from nlemu.emulator.client.control import Control
    from nlemu.protocol.decode.message import Message

DESCRIPTION = """The story of the feature, in a second: a daemon of its own, a NIC of 16 queues, a netkit device in a
namespace, a queue leased to it. Every request and every answer is shown, decoded. It needs nothing and leaves
nothing behind."""
EPILOG = ""

WIDTH = 100
INDENT = 4
QUEUES, LEASED = 16, 15
DESCRIPTOR = 100


def arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(options: argparse.Namespace) -> int:
    """Tells the story on a daemon of its own; the exit code."""
    from nlemu.emulator.client.control import Control
    from nlemu.emulator.daemon.background import daemon

    with daemon() as directory, Control(directory) as control:
        Story(directory, control).tell()
    return OK


@contextmanager
def descriptor(namespace: Path) -> Iterator[int]:
    """A descriptor of a namespace: one of its directory. Always the same number, so that the story is."""
    first = os.open(namespace, os.O_RDONLY | os.O_DIRECTORY)
    second = fcntl.fcntl(first, fcntl.F_DUPFD_CLOEXEC, DESCRIPTOR)
    os.close(first)
    try:
        yield second
    finally:
        os.close(second)


class Story:
    """The steps, one after the other, on a running daemon."""

    def __init__(self, directory: Path, control: Control) -> None:
        from nlemu.emulator.cli.table import Paint

        self.directory, self.control = directory, control
        self.paint = Paint()
        self.step = 0
        unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
        self.there, self.back = ("→", "←") if unicode else (">", "<")

    def tell(self) -> None:
        """Performs all steps, and prints each with what is asked and answered."""
        from nlemu.emulator.client.client import Client

        control = self.control
        print(self.paint.bold("A NIC's receive queue, leased into a namespace"))
        print("Each answer below is computed by the emulator, and is what Linux 7.2 answers, byte for byte.")

        self.say(f"A NIC with {QUEUES} queues is plugged into the host.")
        control.do(nsim_new=[1, 1, QUEUES])
        self.command(f"ctl nsim new 1 --queues {QUEUES}")
        host_links = Client.open(control, "rt-link")
        host = Client.open(control, "netdev")
        nic = self.find(host_links, "eth0")

        self.say("The host brings it up.")
        self.ask("host", host_links, "setlink", {"ifi-index": nic, "ifi-flags": ["up"], "ifi-change": 1})

        self.say("A container gets a network namespace of its own.")
        control.do(netns="pod")
        self.command("ctl netns add pod")
        pod_links = Client.open(control, "rt-link", netns="pod")
        pod_ids = Client.open(control, "rt-nsid", netns="pod")
        pod = Client.open(control, "netdev", netns="pod")

        self.say("In it, a single netkit device is made: no peer, room for one queue besides its own.")
        link = {
            "ifi-flags": ["up"],
            "ifi-change": 1,
            "ifname": "nk0",
            "num-rx-queues": 2,
            "linkinfo": {"kind": "netkit", "data": {"pairing": "single"}},
        }
        self.ask("pod", pod_links, "newlink", link, flags=("create", "excl"))
        lessee = self.find(pod_links, "nk0")

        self.say("The pod gives the host's namespace a number, so that it can speak of its devices.")
        with descriptor(self.directory / "init") as namespace:
            self.ask("pod", pod_ids, "newnsid", {"fd": namespace, "nsid": 0})

        self.say(f"Queue {LEASED} of the NIC is leased to the netkit device: it becomes its queue 1.")
        lease = {
            "ifindex": lessee,
            "type": "rx",
            "lease": {"ifindex": nic, "queue": {"id": LEASED, "type": "rx"}, "netns-id": 0},
        }
        self.ask("pod", pod, "queue-create", lease)

        self.say("Seen from the host: the NIC's queue says to whom it is lent.")
        self.ask("host", host, "queue-get", {"ifindex": nic, "type": "rx", "id": LEASED})

        self.say("Seen from the pod: the netkit device has the queue as if it were its own.")
        self.ask("pod", pod, "queue-get", {"ifindex": lessee}, dump=True)

        self.say("A queue is lent once. A second lease is refused, and the kernel says why.")
        self.ask("pod", pod, "queue-create", lease)

        self.say(
            "The NIC is pulled out. The device that lived on its queue goes too; every listener hears of it."
        )
        host.subscribe(control, "mgmt")
        pod.subscribe(control, "mgmt")
        host_links.subscribe(control, "rtnlgrp-link")
        pod_links.subscribe(control, "rtnlgrp-link")
        control.do(nsim_del=1)
        self.command("ctl nsim del 1")
        for name, client in (("pod", pod), ("pod", pod_links), ("host", host), ("host", host_links)):
            self.listen(name, client)
        for client in (host, host_links, pod, pod_links, pod_ids):
            client.close()
        print()
        print("That was it. Start a daemon to go on: " + self.paint.bold("nlemu serve --dir DIR"))

    def find(self, client: Client, name: str) -> int:
        """The index of a device; asked without being told."""
        (link,) = client.do("getlink", {"ifname": name})
        return int(link["ifi-index"])

    # -- what is printed ------------------------------------------------------------------------

    def say(self, words: str) -> None:
        """Begins a step: its number, and what happens."""
        self.step += 1
        print()
        print(self.paint.bold(f"{self.step:2}  {words}"))

    def command(self, words: str) -> None:
        """Shows the command that does it."""
        print(" " * INDENT + self.paint.dim("nlemu " + words))

    def ask(
        self, who: str, client: Client, name: str, values: Mapping[str, Any], *, flags: tuple[str, ...] = (),
        dump: bool = False,
    ) -> None:
        """A request, shown; every datagram that answers it, shown."""
        from nlemu.protocol.decode.message import read
        from nlemu.protocol.frame import split
        from nlemu.protocol.uapi.netlink import NLM_F

        families = client.conversation.families
        protocol = client.specification.protocol
        bits = 0
        for flag in flags:
            bits |= NLM_F[flag.upper()]
        request = client.conversation.ask(name, values, flags=bits, dump=dump)
        self.show(who, self.there, read(request.data, protocol, families))
        client.sock.send(request.data)
        while not request.done:
            datagram = client.receive()
            client.conversation.hear(datagram)
            for _, one in split(datagram):
                self.show(who, self.back, read(one, protocol, families, request.data))

    def listen(self, who: str, client: Client) -> None:
        """Shows the notifications that a client has received."""
        from nlemu.protocol.decode.message import read
        from nlemu.protocol.frame import split

        client.sock.setblocking(False)
        while True:
            try:
                datagram = client.receive()
            except BlockingIOError:
                return
            for _, one in split(datagram):
                self.show(
                    who, self.back, read(one, client.specification.protocol, client.conversation.families)
                )

    def show(self, who: str, arrow: str, message: Message) -> None:
        """One message: who, which way, what; and what it holds, behind that or below."""
        from nlemu.protocol.decode.printer import filled

        paint = self.paint
        what, values, more = told(message)
        colour = paint.red if message.errno else paint.green if message.errno == 0 else paint.cyan
        start = " " * INDENT + f"{who:4} {arrow} "
        room = WIDTH - len(start) - len(what) - 2 - len(more)
        lines = filled(values, room)
        if len(lines) > 1 or any(len(line) > room for line in lines):
            lines = ["", *filled(values, WIDTH - len(start) - INDENT)]
        if more and lines:
            lines[-1] += more
        first, *below = lines or [""]
        print(f"{start}{colour(what)}{f'  {first}' if first else ''}")
        for line in below:
            print(" " * (len(start) + INDENT) + line)


SHOWN_OF_A_LINK = ("ifi-index", "ifi-flags", "ifname", "operstate")
"""What is shown of a link that tells everything of itself: it has some forty attributes."""
MANY = 20


def told(message: Message) -> tuple[str, dict[str, Any], str]:
    """A message in a few words; what it holds; and how much of that is left out."""
    from nlemu.protocol.decode.printer import PLAIN, errno_name, extack, strerror, title

    if message.errno:
        return f"error {errno_name(message.errno)}, {strerror(message.errno)}", extack(message), ""
    values: dict[str, Any] = {}
    if message.fixed is not None:
        values = {child.name: PLAIN.value(child) for child in message.fixed.children if child.value}
    values |= PLAIN.members(message.attributes)
    what, more = message.name or title(message), ""
    if len(values) > MANY:
        kept = {name: values[name] for name in SHOWN_OF_A_LINK if name in values}
        values, more = kept, f" and {len(values) - len(kept)} more"
    return what, values, more
