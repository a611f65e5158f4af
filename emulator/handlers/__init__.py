"""The handlers, one file a family: a function a command, a fill a message."""

from emulator.handlers import (
    ethtool_absent,
    ethtool_clocks,
    ethtool_features,
    ethtool_link,
    ethtool_pause,
    ethtool_queues,
    ethtool_stats,
    ethtool_strset,
    link_del,
    link_get,
    link_new,
    link_prop,
    link_set,
    netdev,
    nlctrl,
    nsid,
)
from emulator.handlers.registry import doits, dumpits

__all__ = [
    "doits",
    "dumpits",
    "ethtool_absent",
    "ethtool_clocks",
    "ethtool_features",
    "ethtool_link",
    "ethtool_pause",
    "ethtool_queues",
    "ethtool_stats",
    "ethtool_strset",
    "link_del",
    "link_get",
    "link_new",
    "link_prop",
    "link_set",
    "netdev",
    "nlctrl",
    "nsid",
]
