"""Faults on demand: what a kernel does when memory is short, a race is lost or a reader is slow, when a test wants it.

A fault waits for an operation and strikes a number of times. It strikes where the kernel would fail: after the request
was let in, before anything is changed, so a refusal leaves no trace in the state. Three kinds:

- *refuse*: the request fails with an errno, and a text if one is given;
- *interrupt*: a dump says that it may be inconsistent (NLM_F_DUMP_INTR), as when devices came and went in between;
- *lose*: so many datagrams for one socket are lost, and its next receive says ENOBUFS (`Endpoint.lose()`).

What programs ask by ioctl under `nlemu run` can be refused too. An ioctl is called by the kernel's constant, which for
SIOCETHTOOL is the command's: ETHTOOL_SRXCLSRLINS, SIOCSIFMTU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import EthtoolIoctl
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.family import Operation

IOCTLS: dict[str, EthtoolIoctl | Sioc] = {
    **{f"SIOC{one.name}": one for one in Sioc if one is not Sioc.ETHTOOL},
    **{f"ETHTOOL_{one.name}": one for one in EthtoolIoctl},
}
"""Those that can be refused, by the names of the kernel's constants."""
COMMANDS: dict[int, EthtoolIoctl | Sioc] = {int(one): one for one in IOCTLS.values()}


@dataclass
class Fault:
    """One that waits for an operation, or for an ioctl. ``errno`` 0 interrupts a dump; ``netns`` None strikes in every
    namespace.

    It strikes ``count`` times, or with 0 until it is cleared.
    """

    operation: Operation | EthtoolIoctl | Sioc
    errno: int
    text: str | None = None
    netns: str | None = None
    count: int = 1


class Faults:
    """Those of one machine, the oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._waiting)

    def add(self, fault: Fault) -> None:
        """Has a fault happen."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """No fault waits any more."""
        self._waiting.clear()

    def _strike(self, operation: Operation | EthtoolIoctl | Sioc, net: Net, interrupts: bool = False) -> Fault | None:
        for fault in self._waiting:
            if fault.operation is not operation or bool(fault.errno) is interrupts:
                continue
            if fault.netns is None or fault.netns == net.name:
                fault.count -= 1
                if not fault.count:
                    self._waiting.remove(fault)
                return fault
        return None

    def refuse(self, call: Call) -> None:
        """Before a handler is called: raises the Refusal that waits for it."""
        fault = self._strike(call.op, call.net)
        if fault is not None:
            raise Refusal(fault.errno, fault.text)

    def refuse_ioctl(self, number: int, net: Net) -> None:
        """Before an ioctl of that number (of a command of SIOCETHTOOL, the command's) is answered: raises the Refusal
        that waits for it."""
        command = COMMANDS.get(number)
        fault = None if command is None else self._strike(command, net)
        if fault is not None:
            raise Refusal(fault.errno, fault.text)

    def interrupt(self, dump: Dump) -> None:
        """When a dump begins: marks it, if a fault waits for it."""
        if self._strike(dump.call.op, dump.call.net, interrupts=True) is not None:
            dump.interrupted = True
