"""Namespace ids: what one namespace calls another (net->netns_ids of net/core/net_namespace.c).

An id belongs to the namespace that uses it: two namespaces may know a third by different ids, or not at all. One is
given when somebody asks for it by name, and also when a message has to name another namespace: reading a link may
give an id, and announce it.
"""

from __future__ import annotations

from errno import EEXIST
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.core.net import Net


class NetnsIds:
    """The ids that one namespace has given, found both ways."""

    __slots__ = ("_by_id", "_by_net", "_low")

    def __init__(self) -> None:
        self._by_id: dict[int, Net] = {}
        self._by_net: dict[Net, int] = {}
        self._low = 0

    def id_of(self, peer: Net) -> int | None:
        """The id of that namespace, if it has one."""
        return self._by_net.get(peer)

    def by_id(self, nsid: int) -> Net | None:
        """The namespace of that id, if there is one."""
        return self._by_id.get(nsid)

    def assign(self, peer: Net, nsid: int = -1) -> int:
        """alloc_netid(): that id, or the lowest free one when it is negative. EEXIST when it is taken."""
        if nsid < 0:
            while self._low in self._by_id:
                self._low += 1
            nsid = self._low
        elif nsid in self._by_id:
            raise Refusal(EEXIST, "The specified nsid is already used", at="nsid")
        self._by_id[nsid] = peer
        self._by_net[peer] = nsid
        return nsid

    def drop(self, nsid: int) -> None:
        """The id is free again."""
        peer = self._by_id.pop(nsid)
        del self._by_net[peer]
        self._low = min(self._low, nsid)

    def clear(self) -> None:
        """The namespace that gave them is gone."""
        self._by_id.clear()
        self._by_net.clear()

    def __iter__(self) -> Iterator[tuple[int, Net]]:
        """All of them, lowest first."""
        return iter(sorted(self._by_id.items(), key=lambda entry: entry[0]))
