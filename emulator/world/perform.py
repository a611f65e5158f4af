"""A world made to be, on a machine that has nothing yet: namespaces, their ids and settings; links in the order of
their indices, none before what it stands on; what is on them; leases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlemu.emulator.world.contents import SETTLED, Contents
from nlemu.emulator.world.links import Links
from nlemu.emulator.world.order import coming_up
from nlemu.emulator.world.profile import profile_of
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.settings import CONF, UNSET
from nlemu.emulator.world.site import Site, check_setting
from nlemu.emulator.world.world import Entry, Namespace, World
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine


class Performer:
    """Makes a world on a machine. lenient: what cannot be made is listed in ``missing`` instead of refused."""

    def __init__(self, machine: Machine, world: World, *, lenient: bool = False) -> None:
        self.site = Site(machine, world, lenient=lenient)
        self.links, self.contents = Links(self.site), Contents(self.site)

    @property
    def missing(self) -> list[str]:
        """What could not be made, a line each."""
        return self.site.missing

    @property
    def stand_ins(self) -> set[tuple[str, str]]:
        """Names of devices that stand for others, with their namespaces."""
        return self.site.stand_ins

    def perform(self) -> None:
        """Makes everything. Raises WorldError."""
        site, links, world = self.site, self.links, self.site.world
        try:
            for entry in world.profiles:
                site.machine.nics.own[entry.fields["name"]] = profile_of(entry.fields)
            for namespace in world.namespaces.values():
                site.enter(namespace)
            for number, net in enumerate(site.nets.values(), 1):
                site.descriptors[number] = net
            for namespace in world.namespaces.values():
                for entry in namespace.of("settings"):
                    site.try_to(entry, self.set_defaults, namespace, entry)
                for entry in namespace.of("id"):
                    site.try_to(entry, self.give_id, namespace, entry)
            made: set[int] = set()
            for namespace, entry in site.links():
                if id(entry) not in made:
                    made |= site.try_to(entry, links.make, namespace, entry) or set()
            links.take_the_rest()
            for namespace, entry in site.links():
                site.try_to(entry, links.change, namespace, entry)
            for namespace, entry in coming_up(world):
                site.try_to(entry, links.set_flags, namespace, entry)
            for namespace, entry in site.links():  # a VLAN comes up with what it is on
                site.try_to(entry, links.stay_down, namespace, entry)
            site.machine.settle()
            site.machine.advance(SETTLED)
            for namespace in world.namespaces.values():
                self.contents.fill(namespace)
            for namespace, entry in world:
                if entry.section == "lease":
                    site.try_to(entry, self.lease, namespace, entry)
            for namespace, entry in site.links():
                links.finish(namespace, entry)
            site.machine.settle()
        finally:
            site.close()

    def set_defaults(self, namespace: Namespace, entry: Entry) -> None:
        """Settings for all devices of a namespace, and for those to come. Raises WorldError."""
        net = self.site.nets[namespace.name]
        for mine, family in CONF.items():
            for which, words in entry.fields.get(mine, {}).items():
                if which not in family.common or not isinstance(words, dict):
                    raise entry.error(f"{mine}.{which}", f"settings are of {' or '.join(family.common)}")
                conf_of, put = family.common[which]
                for word, value in words.items():
                    field = family.names.get(word)
                    if field is None:
                        raise entry.error(f"{mine}.{which}.{word}", "there is no such setting")
                    check_setting(entry, f"{mine}.{which}.{word}", value)
                    if conf_of(net)[field] != value and word not in UNSET:
                        put(net, field, value)

    def give_id(self, namespace: Namespace, entry: Entry) -> None:
        """The id by which a namespace knows another. Raises WorldError, NlError."""
        other = self.site.nets.get(str(entry.fields.get("namespace")))
        if other is None:
            raise entry.error("namespace", f"there is no namespace {entry.fields.get('namespace')!r}")
        values = {"fd": self.site.descriptor(other), "nsid": entry.fields.get("id", -1)}
        self.site.sessions[namespace.name].ask("rt-nsid", "newnsid", values)

    def lease(self, namespace: Namespace, entry: Entry) -> None:
        """A queue leased from a NIC. Raises WorldError, NlError."""
        where, _, _ = str(entry.fields.get("nic", "")).rpartition("/")
        net = self.site.nets[namespace.name]
        lease: dict[str, Any] = {
            "ifindex": self.site.index(namespace, entry, "nic"),
            "queue": {"id": entry.fields.get("queue", 0), "type": "rx"},
        }
        if where and where != namespace.name:
            lease["netns-id"] = net.id_alloc(self.site.nets[where])
        session = Session(self.site.machine, net, NetlinkProtocol.GENERIC)
        values = {"ifindex": self.site.index(namespace, entry, "device"), "type": "rx", "lease": lease}
        try:
            session.ask("netdev", "queue-create", values)
        finally:
            session.close()
