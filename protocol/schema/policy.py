"""Policies: which attributes a request may hold.

A policy is a choice of attributes, by reference: limits stay with the attributes. It is an object with an identity, as
in the kernel, because CTRL_CMD_GETPOLICY numbers policies by identity and two equal ones get two numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

    ``top`` is the highest number that is known at all: an attribute up to it that is not mentioned is NLA_UNSPEC, one
    above it is unknown. From number ``strict_from`` on (0: nowhere) validation is strict whatever was asked for
    (strict_start_type).
    """

    __slots__ = ("chosen_from", "rules", "strict_from", "top")

    def __init__(
        self,
        *attrs: Attr[Any],
        top: int | None = None,
        strict_from: int = 0,
        chosen_from: type[AttrSet] | None = None,
    ) -> None:
        self.rules = {attr.number: attr for attr in attrs}
        self.top = max(self.rules, default=0) if top is None else top
        self.strict_from = strict_from
        self.chosen_from = chosen_from
