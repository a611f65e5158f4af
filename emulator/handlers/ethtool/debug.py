"""Message levels: which classes of messages a driver logs (net/ethtool/debug.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.ethtool.bitset import put_bitset, update_bitset
from nlemu.emulator.handlers.ethtool.common import Request, query, setting
from nlemu.protocol.families.ethtool.commands import DEBUG_GET, DEBUG_NTF, DEBUG_SET
from nlemu.protocol.families.ethtool.device import Debug
from nlemu.protocol.families.ethtool.strings import MSG_CLASSES
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Values

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


@query(DEBUG_GET, ntf=DEBUG_NTF)
def debug(dev: Device, request: Request) -> Values:
    """debug_prepare_data(), debug_fill_reply()."""
    level = dev.ops.get_msglevel(dev)
    return {Debug.msgmask: put_bitset(level, None, MSG_CLASSES, request.compact)}


@setting(DEBUG_SET, DEBUG_NTF)
def set_debug(dev: Device, request: Request) -> bool:
    """ethnl_set_debug()."""
    if not (dev.ops.has("get_msglevel") and dev.ops.has("set_msglevel")):
        raise Refusal(errno.EOPNOTSUPP)
    level, changed = update_bitset(dev.ops.get_msglevel(dev), request, Debug.msgmask, MSG_CLASSES)
    if changed:
        dev.ops.set_msglevel(dev, level)
    return changed
