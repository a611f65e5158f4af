"""Membership of a device in a multicast group, of either family."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Membership:
    """Of a device in a group. users: how many joined it; cstamp: when the first did, in nanoseconds since boot."""

    users: int
    cstamp: int
