"""Faults that strike requests, and dumps under way."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from nlemu.emulator.machine.faults.aim import COMMANDS
from nlemu.emulator.machine.faults.fault import Fault, HangUp
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.netlink.call import Call, Fill, Messages
    from nlemu.emulator.netlink.dump import Dump

log = logging.getLogger(__name__)


class Faults:
    """Those of one machine, the oldest first. One that has struck as often as it was to stays listed; it does nothing
    any more."""

    def __init__(self) -> None:
        self.listed: list[Fault] = []
        self._waiting: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, fault: Fault) -> None:
        """Has a fault happen."""
        self.listed.append(fault)
        self._waiting.append(fault)

    def clear(self) -> None:
        """No fault waits any more, and none is listed."""
        self.listed.clear()
        self._waiting.clear()

    def remove(self, name: str) -> bool:
        """One is taken away, by its name. False: there is none."""
        before = len(self.listed)
        self.listed = [fault for fault in self.listed if fault.name != name]
        self._waiting = [fault for fault in self._waiting if fault.name != name]
        return len(self.listed) < before

    def spent(self, fault: Fault) -> None:
        """It has struck; perhaps for the last time."""
        if fault.aim.left == 0:
            self._waiting.remove(fault)

    def missed(self, fault: Fault) -> None:
        """It did not strike after all: the dump ended too early for it. It waits on."""
        fault.aim.struck -= 1
        self._waiting = [one for one in self.listed if one is fault or any(one is other for other in self._waiting)]

    def _strike(self, call: Call, dumps: bool) -> Fault | None:
        endpoint = call.endpoint
        if endpoint.private:
            return None
        for fault in self._waiting:
            if fault.in_dumps is dumps and fault.aim.hits(
                call.op, call.net.name, call.portid, endpoint.protocol, call.message
            ):
                self.spent(fault)
                return fault
        return None

    def refuse(self, call: Call) -> None:
        """Before a handler is called. Raises the Refusal that waits for it."""
        fault = self._strike(call, dumps=False)
        if fault is not None:
            perform(fault, call)

    def refuse_ioctl(self, number: int, net: Net) -> None:
        """Before an ioctl of that number (of a command of SIOCETHTOOL, the command's) is answered. Raises the Refusal
        that waits for it."""
        command = COMMANDS.get(number)
        for fault in self._waiting:
            if fault.aim.hits(command, net.name, 0, 0, b""):
                self.spent(fault)
                perform(fault, None)
                return

    def follow(self, dump: Dump) -> None:
        """When a dump begins: what waits for it happens while it is under way."""
        fault = self._strike(dump.call, dumps=True)
        if fault is None:
            return
        if fault.interrupt and not fault.after:
            dump.interrupted = True
        else:
            dump.messages = disturbed(dump, fault, self.missed)


def perform(fault: Fault, call: Call | None) -> None:
    """What a fault does to a request. Refusal."""
    if fault.then is not None:
        fault.failed = fault.then()
        if fault.failed is not None:
            log.warning("what was to happen with the fault %s did not: %s", fault.name, fault.failed)
    if call is not None and (fault.hang_up is not None or fault.restart):
        leave(fault, call.endpoint)
    if fault.errno:
        raise Refusal(fault.errno, fault.text, at=blamed(fault, call))


def leave(fault: Fault, endpoint: Endpoint) -> None:
    """The socket is closed from our side, or all are, and the machine is another. Refusal, of which nobody is told,
    where the request is not performed."""
    restart = endpoint.machine.restart
    if fault.restart and restart is not None:
        endpoint.mute()
        restart(fault)
    else:
        endpoint.hang_up()
    if fault.restart or fault.hang_up is HangUp.ASKED:
        raise Refusal(errno.ECONNRESET)


def blamed(fault: Fault, call: Call | None) -> int | None:
    """Where the attribute stands that a fault blames; None where the request has none of that name."""
    if fault.at is None or call is None:
        return None
    for number in call.attrs.spans:
        attr = call.op.set.spec.by_number.get(number)
        if attr is not None and attr.name == fault.at:
            return call.attrs.offset(attr)
    return None


def disturbed(dump: Dump, fault: Fault, missed: Callable[[Fault], None]) -> Messages:
    """The messages of a dump, with a fault among them: it strikes between two datagrams, the first of which ends where
    it is to. missed: what is done where there are too few of them."""

    def end() -> None:
        dump.full = True

    def messages(original: Iterator[Fill]) -> Messages:
        number = -1
        for number, fill in enumerate(original):
            if number == fault.after and number and not fault.split:
                yield end
                strike()
            if fault.split and number and not number % fault.split:
                yield end
            yield fill
        if not fault.split and number + 1 <= fault.after:
            if number + 1 < fault.after:
                missed(fault)
                return
            yield end
            strike()

    def strike() -> None:
        if fault.interrupt:
            dump.interrupted = True
        perform(fault, dump.call)

    return messages(dump.messages)
