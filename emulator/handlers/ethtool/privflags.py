"""Private flags, which have the names that the driver gives them (net/ethtool/privflags.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.ethtool.bitset import put_bitset, update_bitset
from nlemu.emulator.handlers.ethtool.common import Request, query, setting
from nlemu.protocol.families.ethtool.commands import PRIVFLAGS_GET, PRIVFLAGS_NTF, PRIVFLAGS_SET
from nlemu.protocol.families.ethtool.device import Privflags
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Values
from nlemu.protocol.uapi.ethtool import StringSet

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def need(dev: Device, *methods: str) -> None:
    """EOPNOTSUPP: the driver lacks one of them."""
    if not all(dev.ops.has(method) for method in methods):
        raise Refusal(errno.EOPNOTSUPP)


@query(PRIVFLAGS_GET, ntf=PRIVFLAGS_NTF)
def privflags(dev: Device, request: Request) -> Values:
    """privflags_prepare_data(), privflags_fill_reply()."""
    need(dev, "get_priv_flags", "get_strings")
    names = dev.ops.get_strings(dev, StringSet.PRIV_FLAGS)
    return {Privflags.flags: put_bitset(dev.ops.get_priv_flags(dev), (1 << len(names)) - 1, names, request.compact)}


@setting(PRIVFLAGS_SET, PRIVFLAGS_NTF)
def set_privflags(dev: Device, request: Request) -> bool:
    """ethnl_set_privflags_validate(), ethnl_set_privflags()."""
    if Privflags.flags not in request.attrs:
        raise Refusal(errno.EINVAL)
    need(dev, "get_priv_flags", "set_priv_flags", "get_strings")
    names = dev.ops.get_strings(dev, StringSet.PRIV_FLAGS)
    flags, changed = update_bitset(dev.ops.get_priv_flags(dev), request, Privflags.flags, names)
    if changed:
        dev.ops.set_priv_flags(dev, flags)
    return changed
