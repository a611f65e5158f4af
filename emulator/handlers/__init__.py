"""The handlers: a function a command, a fill a message; a folder a family, a file a group of commands.

Each file registers its functions with emulator/netlink/registry.py as it is imported. All that there are are imported
here, so a new file needs to be named nowhere.
"""

from importlib import import_module
from pkgutil import walk_packages

from nlemu.emulator.netlink.registry import doits, doits_of, dumpits, dumpits_of

for module in walk_packages(__path__, f"{__name__}."):
    import_module(module.name)

__all__ = ["doits", "doits_of", "dumpits", "dumpits_of"]
