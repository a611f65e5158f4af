"""Steps performed on a machine in this process: what a trace says was done to a kernel, done to ours.

Sockets are endpoints by name. Where the kernel would find a descriptor in the sender's table of open files, the
endpoints find it in `descriptors`: a namespace gets a made-up number the first time a message names it.

A step either does all that it says, or raises and has done nothing: StepError when it makes no sense (a socket that is
not open), OSError when the kernel refuses it, with the errno that the system call would give.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nlemu.emulator.machine.endpoint import MIN_RCVBUF, RCVBUF, ROOT, Credentials, Endpoint
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.trace import Step
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.netlink.descriptors import Descriptors
    from nlemu.emulator.script.programs import Programs

READ_SIZE = 65536
"""How much room the recorder's receives had."""

RECORDED_RCVBUF = 8 << 20
"""And its sockets: SO_RCVBUF of 4 MiB, which the kernel doubles."""

PORTS_MAX = 16384
"""Of one netdevsim device; the kernel tries until its memory is used up."""

FIRST_NUMBER = 3
"""The lowest number of a descriptor: what comes after standard input, output and error."""


Got = dict[str, list[bytes | OSError]]
"""By socket, what it had to read, in order: datagrams, and errors with which a receive failed."""


@dataclass
class Answer:
    """What came of a step. error: with which the kernel refused it, if it did."""

    got: Got = field(default_factory=dict)
    error: OSError | None = None
    at_once: dict[str, int] = field(default_factory=dict)
    """How many of these there were when the step had been performed, before anything that is done later."""


def receive_buffer(step: Step, default: int) -> int:
    """What SO_RCVBUF makes of a step's `rcvbuf`: twice as much, and never too little (sk_setsockopt())."""
    asked = step.get("rcvbuf")
    return default if asked is None else max(2 * asked, MIN_RCVBUF)


class Steps:
    """A machine, and the sockets that steps have opened on it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.sockets: dict[str, Endpoint] = {}
        self.nets: dict[str, Net] = {net.name: net for net in machine.nets.values()}
        """Namespaces that can be named. One that has lost its name lives on while a socket is open in it."""
        self.descriptors: dict[int, object] = {}
        self._verbs: dict[str, Callable[[Step], None]] = {
            "open": self._open, "opt": self._opt, "close": self._close, "send": self._send, "netns": self._netns,
            "netns_del": self._netns_del, "nsim_new": self._nsim_new, "nsim_del": self._nsim_del,
            "nsim_vfs": self._nsim_vfs, "nsim_write": self._nsim_write,
            "firmware": self._firmware, "sleep": self._sleep,
        }

    @cached_property
    def programs(self) -> Programs:
        """The programs that steps have begun."""
        from nlemu.emulator.script.programs import Programs

        return Programs(self)

    def performers(self, verb: str) -> Mapping[str, Callable[[Step], None]]:
        """What performs each verb that is known so far, that one among them. Who performs it is imported with the first
        such step: most daemons are told none."""
        if verb not in self._verbs:
            self._verbs.update(self._beside(verb))
        return self._verbs

    def _beside(self, verb: str) -> Mapping[str, Callable[[Step], None]]:
        match verb:
            case "nic_new" | "nic_del":
                from nlemu.emulator.script.nics import NicSteps

                return NicSteps(self).verbs
            case "traffic" | "stats" | "queue_stats" | "napi" | "page_pool":
                from nlemu.emulator.script.counters import CounterSteps

                return CounterSteps(self).verbs
            case "fault" | "interrupt" | "notice" | "lose" | "heal":
                from nlemu.emulator.script.faults import FaultSteps

                return FaultSteps(self).verbs
        return self.programs.verbs

    def perform(self, step: Step) -> Answer:
        """Does a step and reads what every socket has to say then. Raises StepError."""
        answer = Answer()
        try:
            self.do(step)
        except OSError as error:
            answer.error = error
        self._drain(answer.got)
        answer.at_once = {name: len(received) for name, received in answer.got.items()}
        self.machine.settle()
        self._drain(answer.got)
        return answer

    def wait(self, seconds: float, answer: Answer) -> None:
        """Lets time pass, and adds what every socket has to say then to the answer to the last step."""
        self.machine.advance(seconds)
        self._drain(answer.got)

    def rest(self) -> Answer:
        """What every socket has to say without a step."""
        answer = Answer()
        self._drain(answer.got)
        return answer

    def do(self, step: Step) -> None:
        """Does a step. Raises StepError and OSError."""
        perform = self.performers(step.verb)[step.verb]
        try:
            perform(step)
        except Refusal as refusal:
            raise OSError(refusal.errno, refusal.text or os.strerror(refusal.errno)) from refusal

    def _drain(self, got: Got) -> None:
        for name, endpoint in self.sockets.items():
            while endpoint.pending():
                received: bytes | OSError | None
                try:
                    received = endpoint.receive(READ_SIZE)
                except OSError as error:
                    received = error
                if received is not None:
                    got.setdefault(name, []).append(received)

    def open(
        self,
        name: str,
        *,
        netns: str = "init",
        proto: int = NetlinkProtocol.GENERIC,
        port: int = 0,
        opts: Sequence[Sequence[int]] = (),
        groups: int = 0,
        uid: int = 0,
        pid: int = 0,
        rcvbuf: int = RCVBUF,
        descriptors: Descriptors | None = None,
        bound: bool = True,
    ) -> Endpoint:
        """Opens, binds and configures a socket. pid: whose it is, for a port id that is not given."""
        if name in self.sockets:
            raise StepError(f"open: there is a socket {name!r} already")
        net = self.net("open", netns)
        credentials = ROOT if uid == 0 else Credentials.of(uid)
        options = [(option, value) for option, value in opts]
        endpoint = Endpoint(
            self.machine, net, proto, portid=port, pid=pid, options=options, groups=groups, credentials=credentials,
            rcvbuf=rcvbuf, bound=bound,
        )
        endpoint.descriptors = self.descriptors if descriptors is None else descriptors
        self.sockets[name] = endpoint
        return endpoint

    def socket(self, verb: str, name: str) -> Endpoint:
        """The open socket of that name; StepError when there is none."""
        endpoint = self.sockets.get(name)
        if endpoint is None:
            raise StepError(f"{verb}: there is no socket {name!r}")
        return endpoint

    def net(self, verb: str, name: str) -> Net:
        """The namespace of that name; StepError when there is none."""
        net = self.nets.get(name) or self.machine.nets.get(name)
        if net is None:
            raise StepError(f"{verb}: there is no namespace {name!r}")
        return net

    def number(self, thing: object) -> int:
        """The descriptor under which the senders have that object open."""
        for number, known in self.descriptors.items():
            if known is thing:
                return number
        number = FIRST_NUMBER
        while number in self.descriptors:
            number += 1
        self.descriptors[number] = thing
        return number

    def forget(self, thing: object) -> None:
        """The senders close whatever descriptor they have of that object."""
        for number in [number for number, known in self.descriptors.items() if known is thing]:
            del self.descriptors[number]

    # The verbs

    def _open(self, step: Step) -> None:
        self.open(
            step.subject, netns=step.get("netns", "init"), proto=step["proto"], port=step.get("port", 0),
            opts=step.get("opts", ()), uid=step.get("uid", 0),
            rcvbuf=receive_buffer(step, RECORDED_RCVBUF),
        )

    def _opt(self, step: Step) -> None:
        self.socket("opt", step.subject).setsockopt(step["name"], step["value"])

    def _close(self, step: Step) -> None:
        self.socket("close", step.subject).close()
        del self.sockets[step.subject]

    def _send(self, step: Step) -> None:
        endpoint = self.socket("send", step.subject)
        data = bytearray.fromhex(step["hex"])
        for offset, name in step.get("patch_dmabuf", ()):
            data[offset : offset + 4] = self.number(self.programs.dmabuf("send", name)).to_bytes(4, "little")
        for offset, name in step.get("patch_fd", ()):
            data[offset : offset + 4] = self.number(self.net("send", name)).to_bytes(4, "little")
        endpoint.send(bytes(data))

    def _netns(self, step: Step) -> None:
        name = step.subject
        if name in self.nets:
            raise StepError(f"netns: there is a namespace {name!r} already")
        if name in self.machine.nets:
            raise StepError(f"netns: the last namespace {name!r} is still in use")
        self.nets[name] = self.machine.new_net(name)

    def _netns_del(self, step: Step) -> None:
        net = self.net("netns_del", step.subject)
        if net is self.machine.init_net:
            raise StepError("netns_del: the first namespace stays as long as the machine")
        self.forget(net)
        del self.nets[net.name]
        self.machine.delete_net(net.name)

    def _nsim_new(self, step: Step) -> None:
        number, ports, queues = step.subject
        if ports > PORTS_MAX:
            raise OSError(errno.ENOMEM, f"a netdevsim with {ports} ports")
        self.machine.netdevsim_bus.new_device(number, ports, queues)

    def _nsim_del(self, step: Step) -> None:
        self.machine.netdevsim_bus.del_device(step.subject)

    def _nsim_vfs(self, step: Step) -> None:
        number, count = step.subject
        self.machine.netdevsim_bus.set_vfs(number, count)

    def _nsim_write(self, step: Step) -> None:
        from nlemu.emulator.kernel.nics.netdevsim.debugfs import write

        number, path, text = step.subject
        device = self.machine.netdevsim_bus.devices.get(number)
        if device is None:
            raise OSError(errno.ENOENT, f"there is no netdevsim device {number}")
        write(device, path, text)

    def _firmware(self, step: Step) -> None:
        self.machine.firmware.add(step.subject)

    def _sleep(self, step: Step) -> None:
        self.machine.advance(step["sleep"])
