"""A row: what there is to say of a kind of link, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nlemu.protocol.families.route.kinds import KINDS
from nlemu.protocol.schema.link_kind import LinkKind
from tests.conformance.kinds.values import Make


@dataclass(frozen=True)
class Row:
    """A kind of link.

    kind: its name. given: by name of the attribute, values that may do. needs: the attributes without which none is
    made. odd: whether other attributes and random values may be said as well. stands: IFLA_LINK names a device, which
    may be one of `on`. ethernet: it has a hardware address, which is given, since the lowest of several decides.
    port, a master's: what is said of its slaves. slaves: the kinds that it takes. likely: how often it is chosen.
    """

    kind: str
    given: Mapping[str, Make] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    odd: bool = True
    stands: bool = False
    on: tuple[str, ...] = ()
    ethernet: bool = True
    port: Mapping[str, Make] = field(default_factory=dict)
    master: bool = False
    likely: float = 1.0

    @property
    def declared(self) -> LinkKind | None:
        """What the declaration says of it; None of a kind without attributes."""
        return KINDS.get(self.kind)
