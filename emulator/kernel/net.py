"""A network namespace: struct net, as far as devices and their names go.

Devices are found by index, by name and by alternative name. A dump walks them in the order of their indexes and may
be continued long after it began, so the walk is by index ("the next one after 7"), never by position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.kernel.device import Device
    from emulator.kernel.events import Origin
    from emulator.kernel.kernel import Kernel


class Net:
    """One namespace."""

    name: str
    """Ours, not the kernel's: "init", or what the namespace was called when it was made."""
    kernel: Kernel
    cookie: int
    """net->net_cookie."""
    inum: int
    """The inode number in nsfs."""
    dying: bool
    """The last reference is gone: it is found no more (check_net(), maybe_get_net())."""
    dev_base_seq: int
    """Changes with every device that comes, goes or is renamed; for NLM_F_DUMP_INTR. Never 0."""
    loopback: Device
    ip4: Any
    ip6: Any

    def device(self, ifindex: int) -> Device | None:
        """__dev_get_by_index()."""

    def by_name(self, name: str) -> Device | None:
        """__dev_get_by_name(): by name or alternative name."""

    def after(self, ifindex: int) -> Device | None:
        """The device with the lowest index above that; for dumps (for_each_netdev_dump())."""

    def __iter__(self) -> Iterator[Device]:
        """for_each_netdev(): in the order of indexes... of the list; may be changed while it runs."""
        raise NotImplementedError

    def id_of(self, peer: Net) -> int | None:
        """peernet2id(): the id by which this namespace knows peer."""

    def id_alloc(self, peer: Net, origin: Origin | None = None) -> int | None:
        """peernet2id_alloc(): the id of peer; one is given and announced if it has none. None: either is going away."""

    def by_id(self, nsid: int) -> Net | None:
        """get_net_ns_by_id()."""

    def set_id(self, peer: Net, nsid: int, origin: Origin | None = None) -> None:
        """rtnl_net_newid(): -1 chooses one. EEXIST with the kernel's texts."""
