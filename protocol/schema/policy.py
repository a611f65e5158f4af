"""Policies: which attributes a request may hold.

A policy is a choice of attributes, by reference: limits stay with the attributes. It is an object with an identity, as
in the kernel, because CTRL_CMD_GETPOLICY numbers policies by identity and two equal ones get two numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlemu.protocol.release import Release
    from nlemu.protocol.schema.attributes import Attr, AttrSet

# enum netlink_validation (include/net/netlink.h). Plain integers: they are tested for every attribute of every message.
LIBERAL = 0
TRAILING = 1  # refuse leftover bytes
MAXTYPE = 2  # refuse attributes that are not known
UNSPEC = 4  # refuse attributes that the policy does not mention
STRICT_ATTRS = 8  # refuse lengths that are merely too long
NESTED = 16  # demand NLA_F_NESTED on nests, and nowhere else
DEPRECATED_STRICT = TRAILING | MAXTYPE
STRICT = TRAILING | MAXTYPE | UNSPEC | STRICT_ATTRS | NESTED


class Policy:
    """The attributes that a request, or a nest, may hold (an array of struct nla_policy).

    ``top`` is the highest number that is known at all: an attribute up to it that is not mentioned is NLA_UNSPEC,
    one above it is unknown; ``later`` says from which release on it is a higher one. From number ``strict_from`` on
    (0: nowhere) validation is strict whatever was asked for (strict_start_type).

    What differs between releases (``dated``) is asked of `on()`. A policy as it is declared is the newest one.
    """

    __slots__ = ("_told", "_top", "chosen_from", "dated", "later", "rules", "strict_from", "top")

    def __init__(
        self,
        *attrs: Attr[Any],
        top: int | None = None,
        strict_from: int = 0,
        chosen_from: type[AttrSet] | None = None,
        later: tuple[Release, int] | None = None,
    ) -> None:
        self.rules = {attr.number: attr for attr in attrs}
        self._top = top
        self.top = max(self.rules, default=0) if top is None else top
        self.strict_from = strict_from
        self.chosen_from = chosen_from
        self.later = later
        self.dated = later is not None or any(attr.since is not None or attr.kind.dated for attr in attrs)
        self._told: dict[Release, Policy] = {}
        if later is not None:
            self.top = later[1]

    def on(self, release: Release) -> Policy:
        """The policy that this one was on that release: itself where nothing differs. One object a release."""
        if not self.dated:
            return self
        found = self._told.get(release)
        if found is None:
            attrs = [
                attr.but(kind=attr.kind.on(release)) if attr.kind.dated else attr for attr in self.rules.values()
                if attr.since is None or release >= attr.since
            ]
            top = self._top if self.later is None or release < self.later[0] else self.later[1]
            found = Policy(*attrs, top=top, strict_from=self.strict_from, chosen_from=self.chosen_from)
            found.dated = False
            self._told[release] = found
        return found
