"""The families of messages that are a protocol each, and no family of generic netlink.

rtnetlink is one family, to which each file of this folder adds its messages; whoever takes it from here has all.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import walk_packages

from nlemu.protocol import families
from nlemu.protocol.schema.family import Family


@cache
def messages() -> Mapping[str, Family]:
    """They, by name; imports every declaration there is."""
    for module in walk_packages(families.__path__, f"{families.__name__}."):
        import_module(module.name)
    from nlemu.protocol.families.netfilter import netfilter
    from nlemu.protocol.families.route.family import route
    from nlemu.protocol.families.sock_diag import sock_diag
    from nlemu.protocol.families.xfrm import xfrm

    return {family.name: family for family in (route, sock_diag, xfrm, netfilter)}
