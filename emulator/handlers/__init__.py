"""The handlers, one file a family: a function a command, a fill a message."""

from emulator.handlers import netdev, nlctrl
from emulator.handlers.registry import doits, dumpits

__all__ = ["doits", "dumpits", "netdev", "nlctrl"]
