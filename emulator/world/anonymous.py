"""A world that may be shown to others: names of devices and hardware addresses are other ones, and so is what is made
of them (link-local addresses, groups that follow from an address). IP addresses, which are what a network is about,
stay. """

from __future__ import annotations

import ipaddress
import re
from typing import Any

from nlemu.emulator.world.world import Entry, World

MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
GROUP = 1
"""The bit of the first byte of a hardware address that says it is one of a group."""


class Masks:
    """The masks so far: each name and address has one."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {"lo": "lo"}
        self.macs: dict[str, str] = {}
        self.tails: set[bytes] = set()
        """The last eight bytes of addresses that follow from a hardware address."""

    def name(self, name: str) -> str:
        """The mask of a device's name."""
        where, _, bare = name.rpartition("/")
        mask = self.names.setdefault(bare, f"dev{len(self.names)}")
        return f"{where}/{mask}" if where else mask

    def mac(self, text: str) -> str:
        """The mask of a hardware address; what is no address of one device stays."""
        data = bytes.fromhex(text.replace(":", ""))
        if data[0] & GROUP or not any(data):
            return text
        if text not in self.macs:
            self.tails.add(bytes([data[0] ^ 2]) + data[1:3] + b"\xff\xfe" + data[3:])
            self.macs[text] = (0x020000000000 + len(self.macs) + 1).to_bytes(6, "big").hex(":")
        return self.macs[text]


PROFILE = ("link", "nic")
"""Which NIC it is; elsewhere the word names a device."""
DEVICES = frozenset({"device", "in", "peer", "parent", "master", "nic", "physfn", "iifname", "oifname"})


def anonymous(world: World) -> World:
    """The same world under other names."""
    masks = Masks()
    for _, entry in world:
        if entry.section == "link":
            masks.name(str(entry.fields["name"]))
            if MAC.fullmatch(str(entry.fields.get("address", ""))):
                masks.mac(entry.fields["address"])
    result = World(kernel=world.kernel, families=dict(world.families), exact=world.exact, profiles=world.profiles)
    for namespace, entry in world:
        if not follows(entry, masks):
            fields = {
                word: value if (entry.section, word) == PROFILE else masked(word, value, masks)
                for word, value in entry.fields.items()
            }
            if entry.section == "link":
                fields["name"] = masks.name(str(entry.fields["name"]))
                fields.pop("altnames", None)
                fields.pop("alias", None)
            result.namespace(namespace.name).entries.append(Entry(entry.section, fields))
    return result


def masked(word: str, value: Any, masks: Masks) -> Any:
    """A value under its mask."""
    if word in DEVICES and isinstance(value, str):
        return masks.name(value)
    if word == "label" and isinstance(value, str):
        name, colon, rest = value.partition(":")
        return masks.name(name) + colon + rest
    if isinstance(value, str) and MAC.fullmatch(value):
        return masks.mac(value)
    return value


def follows(entry: Entry, masks: Masks) -> bool:
    """Whether an entry follows from a hardware address, and would tell it."""
    for word in ("address", "dst", "local"):
        try:
            address = ipaddress.ip_address(str(entry.fields.get(word, "")).partition("/")[0])
        except ValueError:
            continue
        packed = address.packed
        if len(packed) == 16 and (packed[8:] in masks.tails or packed.startswith(b"\xff\x02" + bytes(9) + b"\x01\xff")):
            return True
    return False
