"""The extended ack in the making (struct netlink_ext_ack).

One lives as long as one request is processed. Whoever refuses raises a Refusal, which is merged in at the end; a
warning that does not end the request writes its text here directly. The fields outlive each other as they do in
the kernel: a later text replaces an earlier one but not the offset that came with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.protocol.schema.attributes import Attr


class Extack:
    """Text, cookie, offset of the bad attribute, its policy, number of the missing attribute, offset of its nest."""

    __slots__ = ("cookie", "missing", "nest", "offset", "policy", "text")

    def __init__(self) -> None:
        self.text: str | None = None
        self.cookie: bytes | None = None
        self.offset: int | None = None
        self.policy: Attr[Any] | None = None
        self.missing: int | None = None
        self.nest: int | None = None

    def copy(self) -> Extack:
        """The same, to be written to for itself."""
        other = Extack()
        for field in self.__slots__:
            setattr(other, field, getattr(self, field))
        return other

    def merge(self, refusal: Refusal) -> None:
        """Takes over what a refusal says; what it does not say stays as it was."""
        if refusal.text is not None:
            self.text = refusal.text
        if isinstance(refusal.at, int):
            self.offset = refusal.at
            self.policy = refusal.policy  # NL_SET_BAD_ATTR() clears the policy where it names none
        if refusal.missing is not None:
            self.missing, self.nest = refusal.missing, refusal.nest
