"""Wake-on-LAN (net/ethtool/wol.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.ethtool.bitset import put_bitset, update_bitset
from nlemu.emulator.handlers.ethtool.common import NO_ATTRIBUTES, Request, query, setting
from nlemu.emulator.kernel.ethtool import wake as model
from nlemu.protocol.families.ethtool.commands import WOL_GET, WOL_NTF, WOL_SET
from nlemu.protocol.families.ethtool.device import Wol
from nlemu.protocol.families.ethtool.strings import STRING_SETS
from nlemu.protocol.schema.attributes import Attr, Values
from nlemu.protocol.uapi.ethtool import StringSet, Wake

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

MODES = STRING_SETS[StringSet.WOL_MODES]


@query(WOL_GET, ntf=WOL_NTF)
def wol(dev: Device, request: Request) -> Values:
    """wol_fill_reply(): who is only told of a change is not told the password."""
    record = model.get(dev)
    values: dict[Attr[Any], Any] = {Wol.modes: put_bitset(record.options, record.supported, MODES, request.compact)}
    if record.supported & Wake.MAGICSECURE and request.attrs is not NO_ATTRIBUTES:
        values[Wol.sopass] = record.password
    return values


@setting(WOL_SET, WOL_NTF)
def set_wol(dev: Device, request: Request) -> bool:
    """ethnl_set_wol()."""
    return model.set_options(
        dev, lambda options: update_bitset(options, request, Wol.modes, MODES), request.attrs.get(Wol.sopass)
    )
