"""Mount namespaces, as far as they matter: which network namespace /sys tells of, and whose mounts somebody has.

On Linux what one process mounts all see that share its mount namespace: a shell's /sys is another one after the `mount`
that it ran. So processes share an object here as they share a namespace there, and whoever takes a namespace of its own
gets a copy of what there was (copy_mnt_ns()).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net


class Mounts:
    """A mount namespace. real: the real kernel made it too, for a program of ours; believed: it is only said to be
    there; neither: it is that of whoever began."""

    __slots__ = ("believed", "real", "sysfs")

    def __init__(self) -> None:
        self.real = False
        self.believed = False
        self.sysfs: tuple[Net, ...] = ()
        """The network namespaces in which /sys was mounted, one over the other: it tells of the last; none: of where
        the command began."""

    def copy(self, *, real: bool) -> Mounts:
        """For somebody who takes mounts of its own."""
        mounts = Mounts()
        mounts.sysfs = self.sysfs
        mounts.real, mounts.believed = real, not real
        return mounts
