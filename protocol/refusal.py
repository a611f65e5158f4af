"""Refusal: the one exception for "the kernel would say no".

It is raised where the reason is discovered (the validator, a handler, the model) and becomes bytes in one
place only (protocol/wire/acks.py). It carries what the kernel's extended ack carries, as meaning: an errno, perhaps a
text, and whom to blame.

Whoever knows the message blames by offset. The model does not know messages, so it blames by the name of an
argument (``at="queue"``), and the handler that turned attributes into arguments turns the name back into an
offset. A name that no handler translates is left out of the reply, as a missing NL_SET_BAD_ATTR() would be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlemu.protocol.uapi.netlink import NETLINK_MAX_FMTMSG_LEN

if TYPE_CHECKING:
    from nlemu.protocol.schema.attributes import Attr


class Refusal(Exception):
    """A request is refused.

    Takes the positive ``errno``; the extack ``text`` (none where the kernel gives none); ``at``, the attribute to
    blame: its offset from the start of the message, or the name of an argument; ``policy``, the attribute whose
    limits are told (NLMSGERR_ATTR_POLICY); ``missing``, the number of an attribute that should have been there,
    and ``nest``, the offset of the nest that lacks it (struct netlink_ext_ack).
    """

    def __init__(
        self,
        errno: int,
        text: str | None = None,
        *,
        at: int | str | None = None,
        policy: Attr[Any] | None = None,
        missing: int | None = None,
        nest: int | None = None,
    ) -> None:
        super().__init__(errno, text)
        self.errno = errno
        self.text = text
        self.at = at
        self.policy = policy
        self.missing = missing
        self.nest = nest


def formatted(text: str) -> str:
    """A text that the kernel puts together as it refuses (NL_SET_ERR_MSG_FMT()): it ends where its buffer does. Texts
    that are written in its source have no such end."""
    return text.encode("utf-8", "surrogateescape")[: NETLINK_MAX_FMTMSG_LEN - 1].decode("utf-8", "surrogateescape")
