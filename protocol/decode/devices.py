"""Which devices a message is about, by index and by name, and the names that indices have.

An attribute or a field is about a device if it is called so: the names are those of the specifications, in every
family.
"""

from __future__ import annotations

from collections.abc import Iterator

from nlemu.protocol.decode.message import Message
from nlemu.protocol.decode.tree import Node
from nlemu.protocol.names.known import ROUTE
from nlemu.protocol.uapi.rtnetlink import RTM

INDICES = frozenset({"ifi-index", "ifa-index", "ndm-ifindex", "ifindex", "dev-index", "oif", "iif", "link", "master"})
NAMES = frozenset({"ifname", "dev-name", "alt-ifname", "iifname", "oifname"})


def named(message: Message) -> tuple[set[int], set[str]]:
    """The indices and the names that stand in a message."""
    indices: set[int] = set()
    names: set[str] = set()
    for node in nodes(message):
        if node.name in INDICES and isinstance(node.value, int):
            indices.add(node.value)
        elif node.name in NAMES and isinstance(node.value, str):
            names.add(node.value)
    return indices, names


def nodes(message: Message) -> Iterator[Node]:
    """All nodes of a message: of its structure, and of its attributes."""
    left = [*message.attributes, *([] if message.fixed is None else [message.fixed])]
    while left:
        node = left.pop()
        yield node
        left += node.children


class Devices:
    """The names of devices by index, as messages tell them."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}

    def learn(self, message: Message) -> None:
        """The name of the device that a link message is about."""
        if message.protocol != ROUTE or message.header.type != RTM.NEWLINK or message.fixed is None:
            return
        index = message.fixed.child("ifi-index")
        name = next((node.value for node in message.attributes if node.name == "ifname"), None)
        if index is not None and index.value and isinstance(name, str):
            self.names[index.value] = name

    def match(self, found: tuple[set[int], set[str]], wanted: str) -> bool:
        """Whether what a message names is the device of that name, or of that index in digits."""
        indices, names = found
        if wanted.isdigit():
            return int(wanted) in indices
        return wanted in names or any(self.names.get(index) == wanted for index in indices)
