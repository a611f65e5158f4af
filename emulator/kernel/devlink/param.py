"""Parameters of a driver (net/devlink/param.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.protocol.uapi.devlink import DevlinkParamCmode, DevlinkVarAttrType


@dataclass(frozen=True)
class Param:
    """struct devlink_param, and its value at first, which is the default. ``generic``: devlink has a name for it."""

    name: str
    type: DevlinkVarAttrType
    mode: DevlinkParamCmode
    value: int
    generic: bool = False
