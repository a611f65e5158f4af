"""A world made to be, on a machine that has nothing yet: namespaces, then links in the order of their indices, then
what is on them.

Links that are there before others (the loopback device) are changed only. A link of a kind that is not emulated gets a
dummy device in its place, where that is allowed, so that what refers to it can be; `Performer.missing` tells. What the
kernel adds by itself (an address of the link, routes of addresses) is there already when the world says it, and is
removed where an exact world does not.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.sysctl import S32_MAX, S32_MIN
from nlemu.emulator.kernel.devices.link_watch import carrier_off, carrier_on
from nlemu.emulator.kernel.nics.nic import is_nic
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.world.observe import FOREVER, features, identity, told, values_of
from nlemu.emulator.world.order import coming_up
from nlemu.emulator.world.sections import ETHTOOL, LINK_DEVICES, LINK_FLAGS, LINK_WORDS, SECTIONS, Section
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.settings import CONF, UNSET
from nlemu.emulator.world.world import Entry, Namespace, World, WorldError
from nlemu.protocol.encode.conversation import NlError, specification
from nlemu.protocol.encode.request import BadValue, fields_of
from nlemu.protocol.names.words import numbers
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.machine.machine import Machine

NEW = int(NLM_F.CREATE | NLM_F.EXCL)
PUT = int(NLM_F.CREATE | NLM_F.REPLACE)
SETTLED = 5.0
"""Seconds after which an address is no longer tentative."""
NETDEVSIM = re.compile(r"netdevsim(\d+)")
PORT = re.compile(r"p(\d+)")
ANY_NIC = "e1000e"
"""The profile of a physical device of which nothing is known but that it is there."""
STAND_IN = "dummy"

NO_ADDRESS = "00:00:00:00:00:00"
"""What is told where there is none."""
CHANGED = ("address", "broadcast", "mtu", "txqlen", "alias", "group")
"""Attributes of a link that are set when it is there, if they are not so by then."""
FLAGS = numbers(IFF)
TOLD_APART = frozenset({"type", "scope", "action", "protocol"})
"""Usual values of which zero is another one, so that they have to be said."""
HEADERS = frozenset(
    name
    for one in SECTIONS.values()
    if (fixed := specification(one.specification).operation(one.operation).fixed) is not None
    for name in fields_of(fixed)
)
"""Fields of the headers of all sections' messages."""


class Performer:
    """Makes a world on a machine. lenient: what cannot be made is listed in ``missing`` instead of refused."""

    def __init__(self, machine: Machine, world: World, *, lenient: bool = False) -> None:
        self.machine, self.world, self.lenient = machine, world, lenient
        self.missing: list[str] = []
        self.stand_ins: set[tuple[str, str]] = set()
        """Names of devices that stand for others, with their namespaces."""
        self.nets: dict[str, Net] = {}
        self.descriptors: dict[int, object] = {}
        """What stands for a namespace in messages."""
        self.sessions: dict[str, Session] = {}

    def perform(self) -> None:
        """Makes everything. Raises WorldError."""
        try:
            for namespace in self.world.namespaces.values():
                self.enter(namespace)
            for number, net in enumerate(self.nets.values(), 1):
                self.descriptors[number] = net
            for namespace in self.world.namespaces.values():
                for entry in namespace.of("settings"):
                    self.try_to(entry, self.set_defaults, namespace, entry)
                for entry in namespace.of("id"):
                    self.try_to(entry, self.give_id, namespace, entry)
            made: set[int] = set()
            for namespace, entry in self.links():
                if id(entry) not in made:
                    made |= self.try_to(entry, self.make, namespace, entry) or set()
            for namespace, entry in self.links():
                self.try_to(entry, self.change, namespace, entry)
            for namespace, entry in coming_up(self.world):
                self.try_to(entry, self.set_flags, namespace, entry)
            for namespace, entry in self.links():  # a VLAN comes up with what it is on
                self.try_to(entry, self.stay_down, namespace, entry)
            self.machine.settle()
            self.machine.advance(SETTLED)
            for namespace in self.world.namespaces.values():
                self.fill(namespace)
            for namespace, entry in self.world:
                if entry.section == "lease":
                    self.try_to(entry, self.lease, namespace, entry)
            for namespace, entry in self.links():
                self.finish(namespace, entry)
            self.machine.settle()
        finally:
            for session in self.sessions.values():
                session.close()

    def try_to(self, entry: Entry, verb: Any, *arguments: Any) -> Any:
        """Does something for an entry; what is refused is told with its place, or listed."""
        try:
            return verb(*arguments)
        except (NlError, Refusal, BadValue, WorldError) as error:
            wrong = error if isinstance(error, WorldError) else blame(entry, error)
            if not self.lenient:
                raise wrong from None
            self.missing.append(str(wrong))
            return None

    def enter(self, namespace: Namespace) -> None:
        """Makes a namespace, and a socket in it."""
        net = self.machine.nets.get(namespace.name)
        self.nets[namespace.name] = self.machine.new_net(namespace.name) if net is None else net
        self.sessions[namespace.name] = session = Session(self.machine, self.nets[namespace.name])
        session.endpoint.descriptors = self.descriptors

    def descriptor(self, net: Net) -> int:
        """The number that stands for a namespace."""
        return next(number for number, one in self.descriptors.items() if one is net)

    def set_defaults(self, namespace: Namespace, entry: Entry) -> None:
        """Settings for all devices of a namespace, and for those to come. Raises WorldError."""
        net = self.nets[namespace.name]
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
        other = self.nets.get(str(entry.fields.get("namespace")))
        if other is None:
            raise entry.error("namespace", f"there is no namespace {entry.fields.get('namespace')!r}")
        values = {"fd": self.descriptor(other), "nsid": entry.fields.get("id", -1)}
        self.sessions[namespace.name].ask("rt-nsid", "newnsid", values)

    def lease(self, namespace: Namespace, entry: Entry) -> None:
        """A queue leased from a NIC. Raises WorldError, NlError."""
        where, _, _ = str(entry.fields.get("nic", "")).rpartition("/")
        net = self.nets[namespace.name]
        lease: dict[str, Any] = {
            "ifindex": self.index(namespace, entry, "nic"),
            "queue": {"id": entry.fields.get("queue", 0), "type": "rx"},
        }
        if where and where != namespace.name:
            lease["netns-id"] = net.id_alloc(self.nets[where])
        session = Session(self.machine, net, NetlinkProtocol.GENERIC)
        values = {"ifindex": self.index(namespace, entry, "device"), "type": "rx", "lease": lease}
        try:
            session.ask("netdev", "queue-create", values)
        finally:
            session.close()

    def links(self) -> Iterator[tuple[Namespace, Entry]]:
        """Links with their namespaces, in the order of their indices, but none before what it stands on; those without
        an index come last, as they were said."""
        links = [(namespace, entry) for namespace, entry in self.world if entry.section == "link"]
        links.sort(key=lambda one: one[1].fields.get("index", 1 << 31))
        known = {(namespace.name, entry.fields.get("name")): (namespace, entry) for namespace, entry in links}
        done: set[int] = set()

        def walk(namespace: Namespace, entry: Entry) -> Iterator[tuple[Namespace, Entry]]:
            if id(entry) in done:
                return
            done.add(id(entry))
            for word in LINK_DEVICES:
                where, _, name = str(entry.fields.get(word, "")).rpartition("/")
                below = known.get((where or namespace.name, name))
                if below is not None:
                    yield from walk(*below)
            yield namespace, entry

        for namespace, entry in links:
            yield from walk(namespace, entry)

    # -- links

    def make(self, namespace: Namespace, entry: Entry) -> set[int]:
        """Makes a link, and its peer with it if it has one; which entries (id()) are done so. Raises NlError."""
        fields, session = entry.fields, self.sessions[namespace.name]
        if "name" not in fields:
            raise entry.error("name", "is missing")
        kind = fields.get("kind")
        if kind == "loopback" or self.device(namespace, fields["name"]) is not None:
            return {id(entry)}
        if kind is None or "nic" in fields:
            self.plug(namespace, entry)
            return {id(entry)}
        values = self.link_values(namespace, entry)
        done = {id(entry)}
        info: dict[str, Any] = {"kind": kind}
        data: dict[str, Any] = dict(fields.get("data", {}))
        if "peer" in fields:
            where, _, name = str(fields["peer"]).rpartition("/")
            home = self.world.namespaces.get(where) if where else namespace
            if home is None:
                raise entry.error("peer", f"there is no namespace {where!r}")
            peer = home.link(name)
            other: dict[str, Any] = {"ifname": name} if peer is None else self.link_values(home, peer)
            if home is not namespace:
                other["net-ns-fd"] = self.descriptor(self.nets[where])
            data["peer" if kind == "veth" else "peer-info"] = other
            if peer is not None:
                done.add(id(peer))
        if data:
            info["data"] = data
        try:
            session.ask("rt-link", "newlink", {**values, "linkinfo": info}, NEW)
        except (NlError, BadValue) as error:
            unknown = isinstance(error, BadValue) or (
                error.errno == errno.EOPNOTSUPP and "Unknown device type" in str(error)
            )
            if not (unknown and self.lenient):
                raise
            self.missing.append(f"{name_of(entry)}: links of kind {kind} are not emulated; a dummy stands for it")
            self.stand_ins.add((namespace.name, fields["name"]))
            plain = {
                word: value for word, value in values.items()
                if word != "link" and (word not in ("address", "broadcast") or mac(value) is not None)
            }
            session.ask("rt-link", "newlink", {**plain, "linkinfo": {"kind": STAND_IN}}, NEW)
        return done

    def link_values(self, namespace: Namespace, entry: Entry) -> dict[str, Any]:
        """The attributes with which a link is made."""
        fields = entry.fields
        values: dict[str, Any] = {"ifname": fields["name"]}
        if "index" in fields:
            values["ifi-index"] = fields["index"]
        for mine, word in LINK_WORDS.items():
            if mine in fields and mine != "group" and fields[mine] != NO_ADDRESS:
                values[word] = fields[mine]
        if "parent" in fields:
            values["link"] = self.index(namespace, entry, "parent")
            where, _, _ = str(fields["parent"]).rpartition("/")
            if where and where != namespace.name:
                values["link-netnsid"] = self.nets[namespace.name].id_alloc(self.nets[where])
        return values

    def plug(self, namespace: Namespace, entry: Entry) -> None:
        """A physical device: a port of a netdevsim device, or a NIC of a profile."""
        fields, net = entry.fields, self.nets[namespace.name]
        address = mac(fields.get("address"))
        bus, at = fields.get("bus"), str(fields.get("at", ""))
        queues = max(fields.get("rx-queues", 0), fields.get("tx-queues", 0))
        if bus == "netdevsim" and (device := NETDEVSIM.fullmatch(at)):
            self.port(net, int(device[1]), entry, queues)
            return
        wanted = fields.get("nic", ANY_NIC)
        profile = PROFILES.get(wanted)
        if profile is None:
            raise entry.error("nic", f"there is no {wanted!r}, but {', '.join(PROFILES)}")
        if "nic" not in fields:
            self.missing.append(f"{name_of(entry)}: which NIC it is is not told; {wanted} stands for it")
        if bus:
            profile = replace(profile, bus=bus)
        if queues:
            profile = replace(profile, queues=queues, max_queues=queues)
        at = at or f"0000:{fields.get('index', 0):02x}:00.0"
        if "index" in fields:
            net.begin_at(fields["index"])
        self.machine.nics.plug(at, profile, net, name=fields["name"], queues=queues, mac=address)

    def port(self, net: Net, number: int, entry: Entry, queues: int) -> None:
        """A port of a netdevsim device, which is made if need be."""
        bus = self.machine.netdevsim_bus
        port = PORT.fullmatch(str(entry.fields.get("port", "")))
        if number not in bus.devices:
            bus.new_device(number, 0, max(queues, 1), net)
        if "index" in entry.fields:
            net.begin_at(entry.fields["index"])
        dev = bus.new_port(number, int(port[1]) - 1 if port else len(bus.devices[number].ports))
        if dev.name != entry.fields["name"]:
            rename = {"ifi-index": dev.ifindex, "ifname": entry.fields["name"]}
            self.sessions[net.name].ask("rt-link", "newlink", rename)

    def change(self, namespace: Namespace, entry: Entry) -> None:
        """What is set of a link that is there: settings, other names, its master, and up."""
        fields, session = entry.fields, self.sessions[namespace.name]
        dev = self.device(namespace, fields["name"])
        if dev is None:
            return
        values: dict[str, Any] = {"ifi-index": dev.ifindex}
        (message,) = session.ask("rt-link", "getlink", {"ifi-index": dev.ifindex})
        for mine in CHANGED:
            if mine in ("address", "broadcast") and mac(fields.get(mine)) is None:
                continue
            if mine in fields and fields[mine] not in (NO_ADDRESS, message.get(LINK_WORDS[mine])):
                values[LINK_WORDS[mine]] = fields[mine]
        if "addr-gen-mode" in fields:
            values["af-spec"] = {"inet6": {"addr-gen-mode": fields["addr-gen-mode"]}}
        if "master" in fields:
            values["master"] = self.index(namespace, entry, "master")
        names = [name for name in fields.get("altnames", []) if name not in dev.altnames]
        if names:
            session.ask("rt-link", "newlinkprop", {"ifi-index": dev.ifindex, "prop-list": {"alt-ifname": names}}, NEW)
        if len(values) > 1:
            session.ask("rt-link", "newlink", values)
        if "carrier" in fields and is_nic(dev):
            (carrier_on if fields["carrier"] else carrier_off)(dev)
        self.set_conf(dev, entry)
        self.set_ethtool(dev, entry)

    def set_ethtool(self, dev: Device, entry: Entry) -> None:
        """What ethtool sets of a device, as far as it is otherwise. Raises WorldError, NlError."""
        wanted = entry.fields.get("ethtool", {})
        if not wanted:
            return
        session = Session(self.machine, dev.net, NetlinkProtocol.GENERIC)
        header = {"header": {"dev-index": dev.ifindex}}
        try:
            for what, words in wanted.items():
                if what not in ETHTOOL:
                    raise entry.error(f"ethtool.{what}", f"there is {', '.join(ETHTOOL)}")
                (there,) = session.ask("ethtool", f"{what}-get", header)
                if what == "features":
                    known = features(there)
                    changed = {name: on for name, on in words.items() if known.get(name) != on}
                    bits = [{"name": name, **({"value": True} if on else {})} for name, on in changed.items()]
                    values: dict[str, Any] = {"wanted": {"bits": {"bit": bits}}}
                else:
                    changed = values = {word: value for word, value in words.items() if there.get(word) != value}
                if changed:
                    session.ask("ethtool", f"{what}-set", {**header, **values})
        finally:
            session.close()

    def set_conf(self, dev: Device, entry: Entry) -> None:
        """The settings of IPv4 and IPv6 on a device, as far as they are otherwise. Raises WorldError."""
        for mine, family in CONF.items():
            for word, value in entry.fields.get(mine, {}).items():
                field = family.names.get(word)
                if field is None:
                    raise entry.error(f"{mine}.{word}", "there is no such setting")
                conf = family.of(dev)
                check_setting(entry, f"{mine}.{word}", value)
                if conf is not None and conf[field] != value and word not in UNSET:
                    family.set(dev, field, value)

    def set_flags(self, namespace: Namespace, entry: Entry) -> None:
        """Whether a link is up, and the other flags."""
        fields, session = entry.fields, self.sessions[namespace.name]
        dev = self.device(namespace, fields["name"])
        if dev is None:
            return
        flags = [flag for flag in fields.get("flags", ()) if flag in LINK_FLAGS]
        if "up" in fields or flags:
            wanted = [*flags, *(["up"] if fields.get("up") else [])]
            mask = ["up", *(LINK_FLAGS if "flags" in fields else ())]
            up = {"ifi-index": dev.ifindex, "ifi-flags": wanted, "ifi-change": bits(mask)}
            session.ask("rt-link", "newlink", up)

    def stay_down(self, namespace: Namespace, entry: Entry) -> None:
        """A link that is not said to be up is not."""
        dev = self.device(namespace, entry.fields["name"])
        if dev is not None and dev.flags & IFF.UP and not entry.fields.get("up"):
            down = {"ifi-index": dev.ifindex, "ifi-flags": [], "ifi-change": int(IFF.UP)}
            self.sessions[namespace.name].ask("rt-link", "newlink", down)

    def finish(self, namespace: Namespace, entry: Entry) -> None:
        """What only the past explains: how often the carrier came and went, and counters."""
        dev = self.device(namespace, entry.fields["name"])
        if dev is None:
            return
        dev.carrier_up_count = entry.fields.get("carrier-up-count", dev.carrier_up_count)
        dev.carrier_down_count = entry.fields.get("carrier-down-count", dev.carrier_down_count)
        for word, count in entry.fields.get("stats64", {}).items():
            name = word.replace("-", "_")
            if hasattr(dev.stats, name):
                setattr(dev.stats, name, count)
        dev.changed()

    # -- what is on links

    def fill(self, namespace: Namespace) -> None:
        """Addresses, routes, rules, neighbours."""
        session = self.sessions[namespace.name]
        for name, section in SECTIONS.items():
            entries = list(namespace.of(name))
            there = {identity(name, fields): values for fields, values in self.there(namespace, section)}
            missing = [entry for entry in entries if there.pop(identity(name, entry.fields), None) is None]
            self.put_all(namespace, section, missing)
            if section is SECTIONS["address"]:
                self.machine.advance(SETTLED)
                self.put_all(namespace, section, [entry for entry in missing if lives(entry)])
            if name in self.world.exact:
                for values in there.values():
                    self.remove(session, section, values)

    def put_all(self, namespace: Namespace, section: Section, entries: list[Entry]) -> None:
        """Makes entries of a section, in whatever order they can be made: a route by a gateway wants the one to it."""
        refused: list[Entry] = []
        for entry in entries:
            try:
                self.put(namespace, section, entry)
            except NlError:
                refused.append(entry)
            except (BadValue, WorldError):
                self.try_to(entry, self.put, namespace, section, entry)
        if len(refused) == len(entries):
            for entry in refused:
                self.try_to(entry, self.put, namespace, section, entry)
        else:
            self.put_all(namespace, section, refused)

    def there(self, namespace: Namespace, section: Section) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """What a namespace has of a section: as an entry would have it, and as the message."""
        net = self.nets[namespace.name]
        names = {dev.ifindex: dev.name for dev in net}
        for message in self.sessions[namespace.name].dump(section.specification, section.get):
            values = values_of(message)
            fields = told(section, values, names)
            if fields is not None:
                yield fields, values

    def put(self, namespace: Namespace, section: Section, entry: Entry) -> None:
        """Makes an entry of a section by its message. Raises NlError, WorldError."""
        values = self.values(namespace, section, entry)
        flags = int(NLM_F.CREATE | NLM_F.APPEND) if section is SECTIONS["route"] else PUT
        if section is SECTIONS["rule"]:
            flags = NEW
        try:
            self.sessions[namespace.name].ask(section.specification, section.operation, values, flags)
        except NlError as error:
            if error.errno != errno.EEXIST:
                raise

    def values(self, namespace: Namespace, section: Section, entry: Entry) -> dict[str, Any]:
        """The words of the message that makes an entry. Raises WorldError."""
        values: dict[str, Any] = {}
        fields = dict(entry.fields)
        if section is SECTIONS["address"]:
            prepare_address(fields)
        family = fields.pop("family", None) or family_of(fields)
        values[f"{section.prefix}family"] = family
        for word, value in fields.items():
            if word in section.devices:
                values[section.devices[word]] = self.index(namespace, entry, word)
            elif word in section.networks:
                network, _, length = str(value).partition("/")
                if network == "default":
                    values[section.networks[word]] = 0
                    continue
                values[word] = network
                values[section.networks[word]] = int(length or (128 if ":" in network else 32))
            else:
                values[self.word(section, word)] = value
        for mine, value in section.usual.items():
            if f"{section.prefix}{mine}" in HEADERS and mine in TOLD_APART:
                values.setdefault(f"{section.prefix}{mine}", value)
        return values

    def word(self, section: Section, mine: str) -> str:
        """The word of the specification for one of an entry: that of an attribute, or of a field of the header."""
        attributes = specification(section.specification).operation(section.operation).set.spec.by_name
        return mine if mine in attributes else f"{section.prefix}{mine}"

    def remove(self, session: Session, section: Section, values: Mapping[str, Any]) -> None:
        """Takes away what an exact world does not have."""
        wanted = {word: value for word, value in values.items() if word not in section.untold}
        # The kernel may have taken it away with something else, or not let it go.
        with suppress(NlError, BadValue):
            session.ask(section.specification, section.operation.replace("new", "del"), wanted)

    # -- finding

    def device(self, namespace: Namespace, name: object) -> Device | None:
        """The device of that name."""
        return self.nets[namespace.name].by_name(str(name))

    def index(self, namespace: Namespace, entry: Entry, word: str) -> int:
        """The index of a device that an entry names: in its namespace, or as NAMESPACE/DEVICE. Raises WorldError."""
        value = entry.fields[word]
        if isinstance(value, int):
            return value
        where, _, name = str(value).rpartition("/")
        net = self.nets.get(where) if where else self.nets[namespace.name]
        dev = None if net is None else net.by_name(name)
        if dev is None:
            raise entry.error(word, f"there is no device {value!r} in {where or namespace.name}")
        return dev.ifindex


def name_of(entry: Entry) -> str:
    """What an entry is called in a message to people."""
    known = (entry.fields.get(word) for word in ("name", "address", "dst", "priority"))
    return next((str(one) for one in known if one is not None), "")


BLAMED = re.compile(r"[\w-]+: ([\w-]+)")
"""Of an error about a value that cannot be written: the operation, the attribute."""


def blame(entry: Entry, error: Exception) -> WorldError:
    """What was refused, with the key that is to blame where that is known, or else what the entry is called."""
    word = None
    if isinstance(error, BadValue) and (found := BLAMED.match(str(error))):
        word = found[1]
    elif isinstance(error, NlError):
        word = str(error.extack.get("bad-attr", "")).lstrip(".").partition(".")[0].partition("(")[0]
    keys = {attribute: key for key, attribute in LINK_WORDS.items()} if entry.section == "link" else {}
    if word and (key := keys.get(word, word)) in entry.fields:
        return entry.error(key, BLAMED.sub("", text_of(error), count=1).removeprefix(": "), name_of(entry))
    return entry.error(name_of(entry), text_of(error))


def text_of(error: Exception) -> str:
    """What was refused, for people."""
    if isinstance(error, Refusal):
        return error.text or os.strerror(error.errno)
    if isinstance(error, NlError):
        said = str(error.extack.get("msg") or os.strerror(error.errno))
        return f"{said} ({error.extack['bad-attr']})" if "bad-attr" in error.extack else said
    return str(error)


def bits(flags: Iterable[str]) -> int:
    """Flags of a link as a number."""
    total = 0
    for flag in flags:
        total |= FLAGS[flag]
    return total


def check_setting(entry: Entry, key: str, value: object) -> None:
    """Refuses what is no value of a setting. Raises WorldError."""
    if not isinstance(value, int) or not S32_MIN <= value <= S32_MAX:
        raise entry.error(key, f"a number from {S32_MIN} to {S32_MAX} belongs here, and not {value!r}")


def lives(entry: Entry) -> bool:
    """Whether an address has its time, which is told once more when it is no longer tentative."""
    return "valid" in entry.fields or "preferred" in entry.fields


def mac(text: object) -> bytes | None:
    """A hardware address of six bytes."""
    parts = str(text).split(":")
    return bytes.fromhex("".join(parts)) if len(parts) == 6 else None


def family_of(fields: Mapping[str, Any]) -> str:
    """The protocol family of an entry that does not say it, by its addresses."""
    texts = (fields.get(word) for word in ("address", "local", "dst", "gateway", "src", "prefsrc"))
    return "inet6" if any(":" in str(text) for text in texts if text is not None) else "inet"


def prepare_address(fields: dict[str, Any]) -> None:
    """An address as its message has it: how long it is valid in a structure, and of IPv4 the address twice."""
    times = {word: fields.pop(mine, FOREVER) for mine, word in (("valid", "ifa-valid"), ("preferred", "ifa-prefered"))}
    if set(times.values()) != {FOREVER}:
        fields["cacheinfo"] = times
    address = str(fields.get("address", "")).partition("/")[0]
    if ":" not in address:
        fields.setdefault("local", address)
