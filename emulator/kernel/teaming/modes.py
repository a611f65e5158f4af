"""Modes of teams: through which ports frames go (drivers/net/team/team_mode_*.c).

A frame is only a length here, so what a program makes of one (bpf_hash_func) is not known: with load balancing the hash
of each is 0, as without such a program.
"""

from __future__ import annotations

from errno import EINVAL, ENODEV, ENOENT
from typing import TYPE_CHECKING, ClassVar

from nlemu.emulator.kernel.bonding.bond import Delayed
from nlemu.emulator.kernel.devices import qdisc, rx_handler
from nlemu.emulator.kernel.devices.address import set_mac
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.teaming.options import Option
    from nlemu.emulator.kernel.teaming.team import Port, Team

Sent = tuple[bool, "Device | None"]
"""Whether a frame went out, and where it arrived."""
HASHES = 256
"""LB_TX_HASHTABLE_SIZE"""
TENTH = 100
"""Of a second, in milliseconds."""
INSTRUCTION = 8
"""sizeof(struct sock_filter)"""
RETURNS = (0x06, 0x16)
"""BPF_RET | BPF_K, BPF_RET | BPF_A: how a program ends."""
LONGEST = 4096
"""BPF_MAXINSNS"""
METHODS = ("hash", "hash_to_port_mapping")
NOTHING: Sent = (False, None)


class Mode:
    """struct team_mode, and struct team_mode_ops, of one team."""

    kind = ""
    options: ClassVar[tuple[Option, ...]] = ()
    same_address = False
    """Ports have the team's address (team_modeop_port_enter())."""

    def __init__(self, team: Team) -> None:
        self.team = team

    def end(self) -> None:
        """exit"""

    def enter(self, port: Port) -> None:
        """port_enter: may refuse."""
        if self.same_address:
            set_mac(port.dev, self.team.dev.address)

    def leave(self, port: Port) -> None:
        """port_leave"""

    def tx_disabled(self, port: Port) -> None:
        """port_tx_disabled"""

    def takes(self, port: Port) -> bool:
        """receive: whether frames that come to the port are the team's."""
        return True

    def transmit(self, size: int) -> Sent:
        """transmit: a frame of that many bytes."""
        return NOTHING


def send(port: Port | None, size: int) -> Sent:
    """team_dev_queue_xmit()"""
    if port is None:
        return NOTHING
    done, arrived = qdisc.transmit(port.dev, size)
    return done == Xmit.SUCCESS, arrived


class RoundRobin(Mode):
    """rr_mode"""

    kind = "roundrobin"
    same_address = True

    def __init__(self, team: Team) -> None:
        super().__init__(team)
        self.sent = 0

    def transmit(self, size: int) -> Sent:
        senders, ports = self.team.senders, list(self.team.ports)
        number, self.sent = self.sent, self.sent + 1
        if not senders:
            return NOTHING
        at = ports.index(senders[number % len(senders)])
        return send(next((port for port in ports[at:] + ports[:at] if port.txable), None), size)


class Broadcast(Mode):
    """bc_mode"""

    kind = "broadcast"
    same_address = True

    def transmit(self, size: int) -> Sent:
        all_sent = [send(port, size) for port in self.team.ports if port.txable]
        arrived = [dev for _, dev in all_sent if dev is not None]
        return any(done for done, _ in all_sent), rx_handler.receive_all(self.team.dev, arrived, size)


class ActiveBackup(Mode):
    """ab_mode"""

    kind = "activebackup"

    def __init__(self, team: Team) -> None:
        super().__init__(team)
        self.active: Port | None = None

    def leave(self, port: Port) -> None:
        if self.active is port:
            self.active = None
            for one in self.team.instances:
                if one.option in self.options:
                    one.changed = True

    def takes(self, port: Port) -> bool:
        return self.active is port

    def transmit(self, size: int) -> Sent:
        return send(self.active, size)

    def set_active(self, ifindex: int) -> None:
        """ab_active_port_set(): ENOENT."""
        found = next((port for port in self.team.ports if port.dev.ifindex == ifindex), None)
        if found is None:
            raise Refusal(ENOENT)
        self.active = found


class LoadBalance(Mode):
    """lb_mode. sent, told: bytes of each hash, by now and when they were looked at; interval: between looks, in tenths
    of a second."""

    kind = "loadbalance"

    def __init__(self, team: Team) -> None:
        super().__init__(team)
        self.program = b""
        self.method = METHODS[0]
        self.mapping: dict[int, Port] = {}
        self.sent: dict[int, int] = {}
        self.told: dict[int, int] = {}
        self.interval = 0
        self.work = Delayed(team.dev.kernel, self._look)

    def end(self) -> None:
        self.work.cancel()

    def transmit(self, size: int) -> Sent:
        value, senders = 0, self.team.senders
        port = self.mapping.get(value) if self.method == METHODS[1] else None
        if port is None and senders:
            port = senders[value % len(senders)]
        done, arrived = send(port, size)
        if done and port is not None:
            port.sent += size
            self.sent[value] = self.sent.get(value, 0) + size
        return done, arrived

    def tx_disabled(self, port: Port) -> None:
        """lb_tx_hash_to_port_mapping_null_port()"""
        gone = [value for value, one in self.mapping.items() if one is port]
        for value in gone:
            del self.mapping[value]
            self._mark("lb_tx_hash_to_port_mapping", value, None)
        if gone:
            self.team.tell_changed()

    def _mark(self, name: str, index: int, port: Port | None) -> None:
        for one in self.team.instances:
            if one.option.name == name and one.index == index and one.port is port:
                one.changed = True

    def _look(self) -> None:
        """lb_stats_refresh()"""
        changed = False
        for value, sent in self.sent.items():
            if self.told.get(value, 0) != sent:
                self.told[value], changed = sent, True
                self._mark("lb_hash_stats", value, None)
        for port in self.team.ports:
            if port.told_sent != port.sent:
                port.told_sent, changed = port.sent, True
                self._mark("lb_port_stats", 0, port)
        if changed:
            self.team.tell_changed()
        self.work.queue(self.interval * TENTH)

    def set_program(self, program: bytes) -> None:
        """lb_bpf_func_set(): EINVAL."""
        wrong = len(program) % INSTRUCTION or len(program) // INSTRUCTION > LONGEST
        if wrong or (program and int.from_bytes(program[-INSTRUCTION : -INSTRUCTION + 2], "little") not in RETURNS):
            raise Refusal(EINVAL)
        self.program = program

    def set_method(self, method: str) -> None:
        """lb_tx_method_set(): EINVAL."""
        if method not in METHODS:
            raise Refusal(EINVAL)
        self.method = method

    def set_mapping(self, value: int, ifindex: int) -> None:
        """lb_tx_hash_to_port_mapping_set(): ENODEV."""
        found = next((port for port in self.team.ports if port.dev.ifindex == ifindex and port.tx_enabled), None)
        if found is None:
            raise Refusal(ENODEV)
        self.mapping[value] = found

    def set_interval(self, interval: int) -> None:
        """lb_stats_refresh_interval_set()"""
        if interval == self.interval:
            return
        self.interval = interval
        if interval:
            self.work.queue(0)
        else:
            self.work.cancel()


MODES: dict[str, Callable[[Team], Mode]] = {
    mode.kind: mode for mode in (Broadcast, RoundRobin, ActiveBackup, LoadBalance)
}
"""By name. random is one that distributions leave out."""
