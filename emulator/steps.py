"""Steps performed on a machine in this process: what a trace says was done to a kernel, done to ours.

Sockets are endpoints by name. Where the kernel would find a descriptor in the sender's table of open files, the
endpoints find it in `descriptors`: a namespace gets a made-up number the first time a message names it.

A step either does all that it says, or raises and has done nothing: StepError when it makes no sense (a socket that is
not open), OSError when the kernel refuses it, with the errno that the system call would give.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.endpoint import RCVBUF, ROOT, Credentials, Endpoint
from emulator.kernel import netdevsim
from emulator.verbs import NotYet, StepError, check
from protocol.refusal import Refusal
from protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from emulator.descriptors import Descriptors
    from emulator.kernel.net import Net
    from emulator.machine import Machine

READ_SIZE = 65536
"""How much room the recorder's receives had."""

RECORDED_RCVBUF = 8 << 20
"""And its sockets: SO_RCVBUF of 4 MiB, which the kernel doubles."""

FIRST_NUMBER = 3
"""The lowest number of a descriptor: what comes after standard input, output and error."""


@dataclass
class Answer:
    """What came of a step.

    got: by socket, the datagrams it had to read, in order; a str is the errno of a receive that failed ("!ENOBUFS").
    error: the name of the errno with which the step was refused, and reason in words.
    """

    got: dict[str, list[bytes | str]] = field(default_factory=dict)
    error: str | None = None
    reason: str | None = None


class Steps:
    """A machine, and the sockets that steps have opened on it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.sockets: dict[str, Endpoint] = {}
        self.descriptors: dict[int, object] = {}
        self._verbs = {
            "open": self._open, "opt": self._opt, "close": self._close, "send": self._send, "netns": self._netns,
            "netns_del": self._netns_del, "nsim_new": self._nsim_new, "nsim_del": self._nsim_del, "sleep": self._sleep,
        }  # fmt: skip

    def perform(self, step: object) -> Answer:
        """Does a step and reads what every socket has to say then. Raises StepError."""
        answer = Answer()
        try:
            self.do(*check(step))
        except OSError as error:
            answer.error = errno_name(error.errno or 0)
            answer.reason = error.strerror
        self.drain(answer.got)
        self.machine.settle()
        self.drain(answer.got)
        return answer

    def do(self, verb: str, step: Mapping[str, Any]) -> None:
        """Does a step that has been checked. Raises StepError and OSError."""
        perform = self._verbs.get(verb)
        if perform is None:
            raise NotYet(f"{verb}: not yet")
        try:
            perform(step)
        except Refusal as refusal:
            raise OSError(refusal.errno, refusal.text or errno_name(refusal.errno)) from refusal

    def drain(self, got: dict[str, list[bytes | str]]) -> None:
        """Receives until nothing is left, and adds it to what was got before."""
        for name, endpoint in self.sockets.items():
            while endpoint.pending():
                try:
                    datagram: bytes | str | None = endpoint.receive(READ_SIZE)
                except OSError as error:
                    datagram = "!" + errno_name(error.errno or 0)
                if datagram is None:
                    break
                got.setdefault(name, []).append(datagram)

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
    ) -> Endpoint:
        """Opens, binds and configures a socket. pid: whose it is, for a port id that is not given."""
        if name in self.sockets:
            raise StepError(f"open: there is a socket {name!r} already")
        net = self.net("open", netns)
        credentials = ROOT if uid == 0 else Credentials.of(uid)
        options = [(option, value) for option, value in opts]
        endpoint = Endpoint(
            self.machine, net, proto, portid=port, pid=pid, options=options, groups=groups, credentials=credentials,
            rcvbuf=rcvbuf,
        )  # fmt: skip
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
        net = self.machine.nets.get(name)
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

    # The verbs

    def _open(self, step: Mapping[str, Any]) -> None:
        rest = {name: value for name, value in step.items() if name != "open"}
        self.open(step["open"], **rest, rcvbuf=RECORDED_RCVBUF)

    def _opt(self, step: Mapping[str, Any]) -> None:
        self.socket("opt", step["opt"]).setsockopt(step["name"], step["value"])

    def _close(self, step: Mapping[str, Any]) -> None:
        self.socket("close", step["close"]).close()
        del self.sockets[step["close"]]

    def _send(self, step: Mapping[str, Any]) -> None:
        endpoint = self.socket("send", step["send"])
        data = bytearray.fromhex(step["hex"])
        if step.get("patch_dmabuf"):
            raise NotYet("send: dmabufs are not known yet")
        for offset, name in step.get("patch_fd", ()):
            if offset + 4 > len(data):
                raise StepError(f"send: patch_fd wants four bytes at {offset}, and the datagram has {len(data)}")
            data[offset : offset + 4] = self.number(self.net("send", name)).to_bytes(4, "little")
        endpoint.send(bytes(data))

    def _netns(self, step: Mapping[str, Any]) -> None:
        if step["netns"] in self.machine.nets:
            raise StepError(f"netns: there is a namespace {step['netns']!r} already")
        self.machine.new_net(step["netns"])

    def _netns_del(self, step: Mapping[str, Any]) -> None:
        net = self.net("netns_del", step["netns_del"])
        if net is self.machine.init_net:
            raise StepError("netns_del: the first namespace stays as long as the machine")
        for number in [number for number, thing in self.descriptors.items() if thing is net]:
            del self.descriptors[number]
        self.machine.delete_net(net.name)

    def _nsim_new(self, step: Mapping[str, Any]) -> None:
        number, ports, queues = [*step["nsim_new"], 1, 1][:3]
        netdevsim.new_device(self.machine, number, ports, queues)

    def _nsim_del(self, step: Mapping[str, Any]) -> None:
        netdevsim.del_device(self.machine, step["nsim_del"])

    def _sleep(self, step: Mapping[str, Any]) -> None:
        self.machine.advance(step["sleep"])


def errno_name(number: int) -> str:
    """The name of an errno, as traces write it. EOPNOTSUPP is called ENOTSUP there, which is the same number."""
    return errno.errorcode.get(number, str(number))
