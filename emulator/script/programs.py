"""Programs that use a queue, played by steps: AF_XDP sockets, XDP programs, io_urings that receive, dmabufs, and those
behind tun devices.

Each is called by the name that its step gives it, one space of names for all of them, and lives until `end` says that
it ended, as a process would. What is bound through a device that goes away is bound no more, but the program stays,
and its name with it.

A `uid` other than 0 is a program without capabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.kernel import tun_file
from nlemu.emulator.kernel.queues import zcrx
from nlemu.emulator.kernel.queues.devmem import PAGE_SIZE, Dmabuf
from nlemu.emulator.kernel.queues.xdp import XdpLink, XdpProgram
from nlemu.emulator.kernel.queues.xsk import Rings, Umem, XdpSocket
from nlemu.emulator.kernel.tun_file import TunFile
from nlemu.emulator.script.errors import StepError
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_xdp import XDP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.script.steps import Steps
    from nlemu.emulator.script.trace import Step

ENTRIES = 2048
"""How many entries the rings of an AF_XDP socket have; as many as libraries make."""
Program = XdpSocket | XdpLink | zcrx.Registration | Dmabuf | tun_file.TunFile

TUN_SETTINGS: dict[str, Callable[[Device, int], object]] = {
    "persist": lambda dev, value: tun_file.set_persist(dev, bool(value)),
    "owner": tun_file.set_owner,
    "group": tun_file.set_group,
    "link": tun_file.set_link_type,
    "offload": tun_file.set_offload,
    "sndbuf": tun_file.set_sndbuf,
    "carrier": lambda dev, value: dev.ops.change_carrier(dev, bool(value)),
}
"""What a `tun_set` step sets of the device; "queue" is the file's own."""


class Programs:
    """The programs of a machine, by name."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.running: dict[str, Program] = {}
        self.verbs: dict[str, Callable[[Step], None]] = {
            "xsk": self._xsk, "xdp": self._xdp, "zcrx": self._zcrx, "dmabuf": self._dmabuf,
            "tun": self._tun, "tun_set": self._tun_set, "end": self._end,
        }

    def dmabuf(self, verb: str, name: str) -> Dmabuf:
        """The dmabuf of that name; StepError when there is none."""
        found = self.running.get(name)
        if not isinstance(found, Dmabuf):
            raise StepError(f"{verb}: there is no dmabuf {name!r}")
        return found

    def end(self, name: str) -> None:
        """The program of that name ends, and lets go of what it used; StepError when there is none."""
        found = self.running.pop(name, None)
        if found is None:
            raise StepError(f"end: there is no program {name!r}")
        if isinstance(found, Dmabuf):
            self.steps.forget(found)
        else:
            found.close()

    def _free(self, step: Step) -> str:
        name: str = step.subject
        if name in self.running:
            raise StepError(f"{step.verb}: there is a program {name!r} already")
        return name

    def _xsk(self, step: Step) -> None:
        name, flags = self._free(step), step.get("flags", 0)
        shared = step.get("shared")
        other = None
        if shared is not None:
            found = self.running.get(shared)
            if not isinstance(found, XdpSocket):
                raise StepError(f"xsk: there is no AF_XDP socket {shared!r}")
            other, flags = found, flags | XDP.SHARED_UMEM
        rings = Rings(ENTRIES, ENTRIES, ENTRIES, ENTRIES)
        sock = XdpSocket(self.steps.net("xsk", step.get("netns", "init")), rings, capable=not step.get("uid", 0))
        try:
            if other is None:
                sock.set_umem(Umem(step.get("chunk_size", PAGE_SIZE), step.get("headroom", 0)))
                sock.bind(step["ifindex"], step["queue"], flags)
            else:
                sharing = other
                if sharing.dev is sock.net.device(step["ifindex"]) and sharing.queue == step["queue"]:
                    sock.rings = Rings(ENTRIES, ENTRIES)  # those of chunks are the other's
                sock.bind(step["ifindex"], step["queue"], flags, lambda: sharing)
        except Refusal:
            sock.close()
            raise
        self.running[name] = sock

    def _xdp(self, step: Step) -> None:
        name, net = self._free(step), self.steps.net("xdp", step.get("netns", "init"))
        program = XdpProgram(net.kernel.xdp.load(), step.get("frags", False))
        self.running[name] = XdpLink(net, step["ifindex"], program, step.get("flags", 0))

    def _zcrx(self, step: Step) -> None:
        name = self._free(step)
        contiguous = step.get("contiguous", PAGE_SIZE)
        self.running[name] = zcrx.register(
            self.steps.net("zcrx", step.get("netns", "init")), step["ifindex"], step["queue"],
            step.get("rx_buf_len", 0), contiguous=lambda: contiguous, capable=not step.get("uid", 0),
        )

    def _dmabuf(self, step: Step) -> None:
        self.running[self._free(step)] = Dmabuf(step.get("pages", 16) * PAGE_SIZE)

    def _tun(self, step: Step) -> None:
        name, uid = self._free(step), step.get("uid", 0)
        file = TunFile(self.steps.net("tun", step.get("netns", "init")))
        caller = tun_file.Caller(uid, frozenset({0}), lambda net: not uid, not uid)
        try:
            if "ifindex" in step.fields:
                file.set_ifindex(step["ifindex"])
            file.set_iff(step.get("ifname", ""), step["flags"], caller)
        except Refusal:
            file.close()
            raise
        self.running[name] = file

    def _tun_set(self, step: Step) -> None:
        file = self.running.get(step.subject)
        if not isinstance(file, TunFile):
            raise StepError(f"tun_set: there is no open tun {step.subject!r}")
        if step["what"] == "queue":
            file.set_queue(step["value"])
        else:
            TUN_SETTINGS[step["what"]](file.device(), step["value"])

    def _end(self, step: Step) -> None:
        self.end(step.subject)
