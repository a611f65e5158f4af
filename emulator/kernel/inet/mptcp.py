"""Endpoints and limits of Multipath TCP, a set for each namespace: struct pm_nl_pernet of net/mptcp/pm_kernel.c.

An endpoint is an address by which connections may be joined, or that is told to the other end. It has a number, from 1
to 255: the one that was asked for, or the next that is free. There are no connections, so nobody uses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EBUSY, EEXIST, EINVAL, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING, cast

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.mptcp_pm import MptcpPmAddrFlag
from nlemu.protocol.uapi.socket import AF_INET6

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.core.net import Net

KEY = "mptcp_pm"
MAX_ID = 255
"""MPTCP_PM_MAX_ADDR_ID"""
MAX_LIMIT = 64
"""MPTCP_PM_SUBFLOWS_MAX"""
MAPPED = bytes(10) + b"\xff\xff"
"""How an address of IPv4 begins that is written as one of IPv6."""
SIGNAL, BACKUP, FULLMESH = int(MptcpPmAddrFlag.SIGNAL), int(MptcpPmAddrFlag.BACKUP), int(MptcpPmAddrFlag.FULLMESH)
IMPLICIT = int(MptcpPmAddrFlag.IMPLICIT)
CHANGEABLE = BACKUP | FULLMESH


@dataclass(slots=True)
class Endpoint:
    """struct mptcp_pm_addr_entry. family: AF_UNSPEC for no address; id: 0 for none yet; flags: MptcpPmAddrFlag;
    ifindex: of the device, 0 for any."""

    family: int = 0
    address: bytes = b""
    id: int = 0
    port: int = 0
    flags: int = 0
    ifindex: int = 0

    @property
    def who(self) -> bytes:
        """What makes two addresses equal (mptcp_addresses_equal()): one of IPv4 may be written as one of IPv6."""
        mapped = self.family == AF_INET6 and self.address.startswith(MAPPED)
        return self.address[len(MAPPED) :] if mapped else self.address


class Endpoints:
    """Those of one namespace. add_addr_accepted, subflows: the limits."""

    __slots__ = ("_by_id", "_next", "add_addr_accepted", "subflows")

    def __init__(self) -> None:
        self._by_id: dict[int, Endpoint] = {}
        self._next = 1
        self.add_addr_accepted, self.subflows = 0, 2

    def find(self, number: int) -> Endpoint | None:
        """__lookup_addr_by_id()."""
        return self._by_id.get(number)

    def after(self, number: int) -> Endpoint | None:
        """The one with the lowest number above that."""
        return min((one for one in self._by_id.values() if one.id > number), key=lambda one: one.id, default=None)

    def __iter__(self) -> Iterator[Endpoint]:
        """By number, with room for change in between."""
        one = self.after(0)
        while one is not None:
            yield one
            one = self.after(one.id)

    def add(self, new: Endpoint) -> None:
        """mptcp_pm_nl_append_new_local_addr(): ERANGE, EBUSY, EEXIST, EINVAL."""
        if self._next == MAX_ID:
            self._next = 1
        if len(self._by_id) == MAX_ID:
            raise Refusal(ERANGE)
        if new.id in self._by_id:
            raise Refusal(EBUSY)
        if any(one.who == new.who for one in self._by_id.values()):
            raise Refusal(EEXIST)
        new.id = new.id or self._unused()
        self._by_id[new.id] = new
        self._next = max(self._next, new.id)

    def _unused(self) -> int:
        number: int
        for number in (*range(self._next, MAX_ID + 1), *range(1, self._next)):
            if number not in self._by_id:
                return number
        raise Refusal(EINVAL)

    def delete(self, number: int) -> None:
        """mptcp_pm_nl_del_addr_doit(): EINVAL, with a text. Number 0 is that of the first address of each connection,
        of which there are none."""
        if number and self._by_id.pop(number, None) is None:
            raise Refusal(EINVAL, "address not found")

    def flush(self) -> None:
        """mptcp_pm_nl_flush_addrs_doit()."""
        self._by_id.clear()
        self._next = 1

    def set_flags(self, said: Endpoint) -> None:
        """mptcp_pm_nl_set_flags(), of one that is named by its address or else by its number: EOPNOTSUPP, EINVAL, with
        texts."""
        if not said.family:
            if not said.id:
                raise Refusal(EOPNOTSUPP, "missing address ID")
            found = self.find(said.id)
        else:
            found = next((one for one in self._by_id.values() if one.who == said.who), None)
        if found is None:
            raise Refusal(EINVAL, "address not found")
        if said.flags & FULLMESH and found.flags & (SIGNAL | IMPLICIT):
            raise Refusal(EINVAL, "invalid addr flags")
        found.flags = found.flags & ~CHANGEABLE | said.flags & CHANGEABLE


def of(net: Net) -> Endpoints:
    """The endpoints of that namespace."""
    return cast("Endpoints", net.generic.setdefault(KEY, Endpoints()))
