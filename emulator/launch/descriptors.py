"""What the sender of a message has open, as handlers ask for it (emulator/netlink/descriptors.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.queues.xdp import XdpProgram
    from nlemu.emulator.launch.supervisor import Supervisor
    from nlemu.emulator.launch.trap.borrow import Borrowed
    from nlemu.emulator.launch.trap.held import HeldFiles


class SenderDescriptors:
    """The table of open files of a process (emulator/netlink/descriptors.py)."""

    __slots__ = ("_pid", "_supervisor")

    def __init__(self, supervisor: Supervisor, pid: int) -> None:
        self._supervisor, self._pid = supervisor, pid

    def get(self, number: int, /) -> object | None:
        """What the process has open under the number: a namespace, an XDP program, or the inode of anything else."""
        try:
            with self._supervisor.borrow(self._supervisor.tasks.process(self._pid), number) as borrowed:
                found = self._supervisor.namespaces.behind(borrowed)
                return found or _xdp_program(self._supervisor.held, borrowed) or borrowed.inode
        except (OSError, OverflowError):
            return None


def _xdp_program(held: HeldFiles, borrowed: Borrowed) -> XdpProgram | None:
    """What a descriptor that netlink was told is of."""
    from nlemu.emulator.launch.bpf.programs import program_behind

    return program_behind(held, borrowed)
