"""A message whose attributes stand behind a structure: nlmsg_parse_deprecated() of include/net/netlink.h."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.policy import LIBERAL
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.kinds import Structure
    from nlemu.protocol.schema.policy import Policy


def parse_message(call: Call, header: Structure | None, policy: Policy | None, level: int = LIBERAL) -> None:
    """Reads the structure that the request begins with, if any, and its attributes, into ``call.fixed`` and
    ``call.attrs``. policy: None where attributes are not looked at. Refusal EINVAL for a request that is cut short, and
    what the policy refuses."""
    message, size = call.message, 0 if header is None else header.size or 0
    end = len(message)
    if end < NLMSG_HDRLEN + size:
        raise Refusal(errno.EINVAL, "Invalid header length")
    start = min(NLMSG_HDRLEN + (size + 3 & ~3), end)
    call.fixed = None if header is None else header.decode(message, NLMSG_HDRLEN, NLMSG_HDRLEN + size)
    if policy is not None:
        policy = policy.on(call.machine.build.release)
    spans = {} if policy is None else validate(policy, message, start, end, level, call.extack)
    call.attrs = Attrs(message, spans, start, end)
