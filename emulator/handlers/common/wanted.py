"""Attributes without which a request means nothing, where the kernel says no more of it than EINVAL."""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING, Any

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Attr


def need(call: Call, *attrs: Attr[Any]) -> None:
    """EINVAL unless all of them are there."""
    if any(attr not in call.attrs for attr in attrs):
        raise Refusal(EINVAL)
