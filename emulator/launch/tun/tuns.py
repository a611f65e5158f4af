"""Every open /dev/net/tun of the programs. What one is (device.py) is imported with the first: few open any."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from nlemu.emulator.launch.trap.credentials import CAP_NET_ADMIN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.tun_file import Caller
    from nlemu.emulator.launch.supervisor import Supervisor
    from nlemu.emulator.launch.trap.borrow import Borrowed
    from nlemu.emulator.launch.tun.device import OpenTun


class Tuns:
    """All of them, by the inodes of the programs' ends."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.by_inode: dict[int, OpenTun] = {}

    def open(self, net: Net) -> int:
        """tun_chr_open(): a descriptor, to be given to a program and closed."""
        from nlemu.emulator.launch.tun.device import OpenTun

        tun = OpenTun(self, net)
        self.by_inode[tun.inode] = tun
        self.supervisor.watch(tun.ours.fileno(), tun.on_event, select.EPOLLIN | select.EPOLLRDHUP)
        self.supervisor.keep(tun.theirs.fileno())
        return tun.theirs.detach()

    def behind(self, borrowed: Borrowed) -> OpenTun | None:
        """What a descriptor is of, if it is one of these."""
        return self.by_inode.get(borrowed.inode)

    def closed(self, tun: OpenTun) -> None:
        """The last descriptor is gone."""
        self.supervisor.unwatch(tun.ours.fileno())
        tun.ours.close()
        del self.by_inode[tun.inode]
        tun.file.close()
        self.supervisor.settle()

    def caller(self, tid: int) -> Caller:
        """Who a thread is to the model."""
        from nlemu.emulator.kernel.tun_file import Caller

        supervisor, cred = self.supervisor, self.supervisor.tasks.cred(tid)
        return Caller(
            cred.uids[1], frozenset({cred.gids[1], *cred.groups}),
            lambda net: supervisor.capable(tid, CAP_NET_ADMIN, net), supervisor.capable(tid),
        )

    def close(self) -> None:
        """The end."""
        for tun in list(self.by_inode.values()):
            self.closed(tun)
