"""Membership of a device in a multicast group, of either family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import rx_mode

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.neighbour import Records


class Changes:
    """Changes of a device's groups that are still to be reported, each several times. joined: how often of each group
    (crcount, mca_crcount); left: the same of groups that it left (mc_tomb), the newest last: one that it left twice
    stands there twice."""

    __slots__ = ("joined", "left")

    def __init__(self) -> None:
        self.joined: dict[int, int] = {}
        self.left: list[tuple[int, int]] = []

    def take(self, members: Groups) -> Records:
        """igmpv3_send_cr(), mld_send_cr(): what the next report says, after which it is to be said once less."""
        said = (
            *((group, False) for group, _ in reversed(self.left)),
            *((group, True) for group in reversed(members) if group in self.joined),
        )
        self.left = [(group, count - 1) for group, count in self.left if count > 1]
        self.joined = {group: count - 1 for group, count in self.joined.items() if count > 1}
        return said


@dataclass(slots=True)
class Membership:
    """Of a device in a group. users: how many joined it; cstamp: when the first did, in nanoseconds since boot;
    loaded: the device lets its frames in."""

    users: int
    cstamp: int
    loaded: bool = False

    def load(self, dev: Device, address: bytes) -> None:
        """The device lets frames to that address in (dev_mc_add())."""
        if not self.loaded:
            self.loaded = True
            rx_mode.add_group(dev, address)

    def unload(self, dev: Device, address: bytes) -> None:
        """No longer (dev_mc_del())."""
        if self.loaded:
            self.loaded = False
            rx_mode.delete_group(dev, address)


class Groups(dict[int, Membership]):
    """The groups of a device, the oldest first. The kernel's list has the newest first, and dumps count from there."""

    __slots__ = ("_order",)

    def __init__(self) -> None:
        super().__init__()
        self._order: list[int] = []

    def __setitem__(self, group: int, membership: Membership) -> None:
        if group not in self:
            self._order.append(group)
        super().__setitem__(group, membership)

    def __delitem__(self, group: int) -> None:
        super().__delitem__(group)
        self._order.remove(group)

    def clear(self) -> None:
        super().clear()
        self._order.clear()

    def newest(self, at: int) -> tuple[int, Membership] | None:
        """The group at that place of the kernel's list, counted from 0; None behind its end."""
        if at >= len(self._order):
            return None
        group = self._order[-1 - at]
        return group, self[group]
