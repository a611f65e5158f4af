"""In which order the links of a world come up.

It shows: each gets a route to all groups of IPv6 when it does, and these are told in the order in which they came. So a
world that was observed tells the order by its routes; one that people wrote by the order in which it names the links.
"""

from __future__ import annotations

from nlemu.emulator.world.world import Entry, Namespace, World

ALL_GROUPS = "ff00::/8"


def coming_up(world: World) -> list[tuple[Namespace, Entry]]:
    """The links of a world in that order."""
    links = [(namespace, entry) for namespace, entry in world if entry.section == "link"]
    return sorted(links, key=lambda one: came_up(*one))


def came_up(namespace: Namespace, entry: Entry) -> int:
    """The place of a link among those that came up, as far as routes tell. The first of a pair to be up has no carrier,
    and gets its route after the other."""
    order = [route.fields.get("device") for route in namespace.of("route") if route.fields.get("dst") == ALL_GROUPS]
    name = str(entry.fields.get("peer", entry.fields.get("name"))).rpartition("/")[2]
    return order.index(name) if name in order else len(order)
