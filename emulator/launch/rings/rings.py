"""Every ring of the programs, by its file.

That somebody has closed such a file, inotify tells, of their directory; whether it was the last one, the ring's lock.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nlemu.emulator.launch.namespaces.nsfs import watch_closings

if TYPE_CHECKING:
    from nlemu.emulator.launch.rings.ring import Ring, Shape
    from nlemu.emulator.launch.supervisor import Supervisor
    from nlemu.emulator.launch.trap.borrow import Borrowed


class Rings:
    """All of them. place: the directory for their files, which is made with the first."""

    def __init__(self, supervisor: Supervisor, place: str) -> None:
        self.supervisor = supervisor
        self.place = place
        self.by_file: dict[tuple[int, int], Ring] = {}
        self._made = 0
        self._closings: int | None = None

    def make(self, shape: Shape, issuer: int) -> Ring:
        """A new one, of that thread."""
        from nlemu.emulator.launch.rings.ring import Ring

        if not self._made:
            os.mkdir(self.place, 0o755)
            self._closings = watch_closings(self.place)
            if self._closings is not None:
                self.supervisor.watch_outside(self._closings, self.heard)
        self._made += 1
        ring = Ring(os.path.join(self.place, str(self._made)), shape, issuer)
        self.by_file[ring.identity] = ring
        return ring

    def behind(self, borrowed: Borrowed) -> Ring | None:
        """What a descriptor is of, if it is one of these."""
        self.sweep()
        return self.by_file.get((borrowed.device, borrowed.inode))

    def heard(self, _event: int = 0) -> None:
        """Somebody has closed one."""
        assert self._closings is not None
        os.read(self._closings, 65536)
        self.sweep()

    def sweep(self) -> None:
        """Those are gone that no program has any more, and their queues go on without them."""
        gone = [ring for ring in self.by_file.values() if ring.closed]
        for ring in gone:
            self.drop(ring)
        if gone:
            self.supervisor.settle()

    def drop(self, ring: Ring) -> None:
        """It is gone."""
        del self.by_file[ring.identity]
        ring.close()

    def close(self) -> None:
        """The end."""
        for ring in list(self.by_file.values()):
            self.drop(ring)
        if self._closings is not None:
            os.close(self._closings)
