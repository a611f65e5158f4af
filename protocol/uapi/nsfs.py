"""The files of namespaces (include/uapi/linux/nsfs.h, magic.h)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

NSFS_MAGIC: Final = 0x6E736673


class NsIoctl(IntEnum):
    """NS_GET_*: what can be asked of a namespace's file."""

    USERNS = 0xB701
    PARENT = 0xB702
    NSTYPE = 0xB703
    OWNER_UID = 0xB704
    MNTNS_ID = 0x8008B705
    ID = 0x8008B70D
