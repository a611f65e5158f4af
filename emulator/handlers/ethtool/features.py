"""Features: what a device offloads, could, and is asked to (net/ethtool/features.c).

A request says what is wanted; what comes of it may be less, because features hang on each other, or more. The reply
tells the difference both ways: what was wanted and is not so, and what became different. It goes out before anybody is
told of the change.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.ethtool.bitset import parse_bitset, put_bitset
from nlemu.emulator.handlers.ethtool.common import (
    COMPACT_BITSETS,
    OMIT_REPLY,
    Request,
    named_header,
    parse_header,
    query,
)
from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices.features import NEVER_CHANGE, recompute
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.registry import doit
from nlemu.protocol.families.ethtool.commands import FEATURES_GET, FEATURES_NTF, FEATURES_SET
from nlemu.protocol.families.ethtool.device import Features
from nlemu.protocol.families.ethtool.strings import FEATURES
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Values

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


ALL = (1 << len(FEATURES)) - 1


@query(FEATURES_GET, ntf=FEATURES_NTF)
def features(dev: Device, request: Request) -> Values:
    """features_fill_reply()."""
    compact = request.compact
    return {
        Features.hw: put_bitset(dev.hw_features, ALL, FEATURES, compact),
        Features.wanted: put_bitset(dev.wanted_features, None, FEATURES, compact),
        Features.active: put_bitset(dev.features, None, FEATURES, compact),
        Features.nochange: put_bitset(NEVER_CHANGE, None, FEATURES, compact),
    }


@doit(FEATURES_SET)
def set_features(call: Call) -> None:
    """ethnl_set_features()."""
    if Features.wanted not in call.attrs:
        raise Refusal(errno.EINVAL)
    request = parse_header(call, demanded=True)
    dev = request.dev
    assert dev is not None
    old_active, old_wanted = dev.features, dev.wanted_features
    value, mask = parse_bitset(request, Features.wanted, FEATURES)
    if mask & NEVER_CHANGE:
        raise Refusal(errno.EINVAL, "attempt to change non-ethtool features")
    wanted = old_wanted & ~mask | value & mask
    if wanted != old_wanted:
        dev.wanted_features = dev.wanted_features & ~dev.hw_features | wanted & dev.hw_features
        dev.changed()
        recompute(dev)
    if not request.flags & OMIT_REPLY:
        compact = bool(request.flags & COMPACT_BITSETS)
        missed, changed = (wanted ^ dev.features) & mask, old_active ^ dev.features
        reply = named_header(FEATURES_SET, dev) | {
            Features.wanted: put_bitset(wanted & missed, missed, FEATURES, compact),
            Features.active: put_bitset(dev.features & changed, changed, FEATURES, compact),
        }
        call.endpoint.deliver(call.encode(reply))
    if dev.features != old_active:
        dev.kernel.notify(NetdevEvent.FEAT_CHANGE, dev)
