"""The links of a world: made, then set, then brought up, and at last given the past that they have had.

A link comes to be by a request, with its peer; or it is plugged in, as a NIC of a profile or a port of netdevsim. One
that is there before others, as the loopback device, is changed only. Where that is allowed, a dummy stands for a link
of a kind that is not emulated, so that what refers to it can be.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.flags import set_promiscuity
from nlemu.emulator.kernel.devices.link_watch import carrier_off, carrier_on
from nlemu.emulator.kernel.nics import pci, representor, sriov
from nlemu.emulator.kernel.nics.eswitch import LEGACY, SWITCHDEV
from nlemu.emulator.kernel.nics.function import NO_NODE
from nlemu.emulator.kernel.nics.nic import is_nic
from nlemu.emulator.kernel.nics.ports import function_of
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.world.observe import features
from nlemu.emulator.world.sections import ETHTOOL, LINK_FLAGS, LINK_WORDS
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.settings import CONF, UNSET
from nlemu.emulator.world.site import Site, check_setting, name_of
from nlemu.emulator.world.world import Entry, Namespace
from nlemu.protocol.encode.conversation import NlError
from nlemu.protocol.encode.request import BadValue
from nlemu.protocol.names.words import numbers
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

NEW = int(NLM_F.CREATE | NLM_F.EXCL)
FUNCTION = re.compile(r"pf0vf(\d+)")
"""The name of the port of a virtual function of a netdevsim device."""
NETDEVSIM = re.compile(r"netdevsim(\d+)")
PORT = re.compile(r"p(\d+)")
ANY_NIC = "e1000e"
"""The profile of a physical device of which nothing is known but that it is there."""
STAND_IN = "dummy"
NO_ADDRESS = "00:00:00:00:00:00"
"""What is told where there is none."""
CHANGED = ("address", "broadcast", "mtu", "txqlen", "alias", "group")
"""Attributes of a link that are set when it is there, if they are not so by then."""
MODES = {"legacy": LEGACY, "switchdev": SWITCHDEV}
"""Of the switch of a card, by the words of the specification."""
FIRST_BUS, BUSES = 1, 256
FLAGS = numbers(IFF)
PAUSES = frozenset(("autoneg", "rx", "tx"))


class Links:
    """Makes links at a site."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def make(self, namespace: Namespace, entry: Entry) -> set[int]:
        """Makes a link, and its peer with it if it has one; which entries (id()) are done so. Raises NlError."""
        fields, session = entry.fields, self.site.sessions[namespace.name]
        if "name" not in fields:
            raise entry.error("name", "is missing")
        kind = fields.get("kind")
        if kind == "loopback" or self.site.device(namespace, fields["name"]) is not None:
            return {id(entry)}
        if "physfn" in fields:
            self.virtual(namespace, entry)
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
            home = self.site.world.namespaces.get(where) if where else namespace
            if home is None:
                raise entry.error("peer", f"there is no namespace {where!r}")
            peer = home.link(name)
            other: dict[str, Any] = {"ifname": name} if peer is None else self.link_values(home, peer)
            if home is not namespace:
                other["net-ns-fd"] = self.site.descriptor(self.site.nets[where])
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
            if not (unknown and self.site.lenient):
                raise
            self.site.missing.append(f"{name_of(entry)}: links of kind {kind} are not emulated; a dummy stands for it")
            self.site.stand_ins.add((namespace.name, fields["name"]))
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
            values["link"] = self.site.index(namespace, entry, "parent")
            where, _, _ = str(fields["parent"]).rpartition("/")
            if where and where != namespace.name:
                values["link-netnsid"] = self.site.nets[namespace.name].id_alloc(self.site.nets[where])
        return values

    def plug(self, namespace: Namespace, entry: Entry) -> None:
        """A physical device: a port of a netdevsim device, or a NIC of a profile."""
        fields, net = entry.fields, self.site.nets[namespace.name]
        address = mac(fields.get("address"))
        bus, at = fields.get("bus"), str(fields.get("at", ""))
        queues = max(fields.get("rx-queues", 0), fields.get("tx-queues", 0))
        if bus == "netdevsim" and (device := NETDEVSIM.fullmatch(at)):
            self.port(net, int(device[1]), entry, queues)
            return
        wanted = fields.get("nic", ANY_NIC)
        nics = self.site.machine.nics
        profile = nics.profile(wanted)
        if profile is None:
            raise entry.error("nic", f"there is no {wanted!r}, but {', '.join([*nics.own, *PROFILES])}")
        if "nic" not in fields:
            self.site.missing.append(f"{name_of(entry)}: which NIC it is is not told; {wanted} stands for it")
        if bus:
            profile = replace(profile, bus=bus)
        if queues:
            profile = replace(profile, queues=queues, max_queues=queues)
        at = at or self.free_address(fields.get("index", FIRST_BUS))
        if "index" in fields:
            net.begin_at(fields["index"])
        nics.plug(
            at, profile, net, name=fields["name"], queues=queues, mac=address,
            numa_node=fields.get("numa-node", NO_NODE), total_vfs=fields.get("total-vfs"),
        )
        self.functions(entry, at)

    def functions(self, entry: Entry, at: str) -> None:
        """The virtual functions of a NIC, which no driver has as long as nobody says what they are called, and the mode
        of its switch, in which nobody is represented so far."""
        nics, count = self.site.machine.nics, entry.fields.get("vfs", 0)
        function = nics.functions[at]
        card, mode = function.sriov, entry.fields.get("eswitch", "legacy")
        if not 0 <= count <= (0 if card is None else card.total):
            raise entry.error("vfs", f"such a NIC has at most {0 if card is None else card.total}")
        if card is not None and count:
            card.autoprobe = False
            sriov.enable(nics, function, count)
            card.autoprobe = True
        if mode not in MODES:
            raise entry.error("eswitch", f"{' or '.join(MODES)}, and not {mode!r}")
        if function.eswitch is not None:
            function.eswitch.mode = MODES[mode]
        elif "eswitch" in entry.fields:
            raise entry.error("eswitch", "such a NIC has no switch")

    def virtual(self, namespace: Namespace, entry: Entry) -> None:
        """A virtual function, which its driver takes now. Raises WorldError."""
        fields, net, nics = entry.fields, self.site.nets[namespace.name], self.site.machine.nics
        where, _, name = str(fields["physfn"]).rpartition("/")
        home = self.site.nets.get(where) if where else net
        card = None if home is None else home.by_name(name)
        if card is None or not is_nic(card):
            raise entry.error("physfn", f"there is no NIC {fields['physfn']!r}")
        function, word = function_of(card), "representor" if "representor" in fields else "vf"
        said, number = function.sriov, fields.get(word, 0)
        if said is None or not 0 <= number < len(said.vfs):
            raise entry.error(word, f"{fields['physfn']} has no virtual function {number}")
        if "index" in fields:
            net.begin_at(fields["index"])
        if word == "vf":
            nics.probe(said.vfs[number], net, fields["name"])
            return
        switch = function.eswitch
        if switch is None or switch.mode != SWITCHDEV:
            raise entry.error(word, f"the switch of {fields['physfn']} is not in the mode switchdev")
        switch.representors[number] = representor.make(nics, function, number, net, fields["name"])

    def take_the_rest(self) -> None:
        """Drivers take the virtual functions of which nothing was said, and what is not named is represented."""
        nics = self.site.machine.nics
        for function in [one for one in nics.functions.values() if one.physfn is not None and one.dev is None]:
            nics.probe(function)
        for function in nics.functions.values():
            if function.eswitch is not None and function.sriov is not None and function.eswitch.mode == SWITCHDEV:
                function.eswitch.represent(len(function.sriov.vfs))

    def free_address(self, bus: int) -> str:
        """Where a NIC is plugged of which that is not said: on the first bus without one, from that on."""
        nics = self.site.machine.nics
        for number in (*range(bus, BUSES), *range(min(bus, BUSES))):
            address = pci.spelled(0, number, 0, 0)
            if nics.at(address) is None:
                return address
        return f"nic{bus}"

    def port(self, net: Net, number: int, entry: Entry, queues: int) -> None:
        """A port of a netdevsim device, which is made if need be."""
        bus = self.site.machine.netdevsim_bus
        port = PORT.fullmatch(str(entry.fields.get("port", "")))
        if number not in bus.devices:
            bus.new_device(number, 0, max(queues, 1), net)
        if "index" in entry.fields:
            net.begin_at(entry.fields["index"])
        function = FUNCTION.fullmatch(str(entry.fields.get("port", "")))
        if function:
            dev = bus.devices[number].add_function(int(function[1]))
        else:
            dev = bus.new_port(number, int(port[1]) - 1 if port else len(bus.devices[number].ports))
        if dev.name != entry.fields["name"]:
            rename = {"ifi-index": dev.ifindex, "ifname": entry.fields["name"]}
            self.site.sessions[net.name].ask("rt-link", "newlink", rename)

    def change(self, namespace: Namespace, entry: Entry) -> None:
        """What is set of a link that is there: settings, other names, its master, and up."""
        fields, session = entry.fields, self.site.sessions[namespace.name]
        dev = self.site.device(namespace, fields["name"])
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
            values["master"] = self.site.index(namespace, entry, "master")
        names = [name for name in fields.get("altnames", []) if name not in dev.altnames]
        if names:
            session.ask("rt-link", "newlinkprop", {"ifi-index": dev.ifindex, "prop-list": {"alt-ifname": names}}, NEW)
        if len(values) > 1:
            session.ask("rt-link", "newlink", values)
        if fields.get("slave"):
            info = {"slave-kind": fields.get("slave-kind", ""), "slave-data": fields["slave"]}
            session.ask("rt-link", "newlink", {"ifi-index": dev.ifindex, "linkinfo": info})
        if "carrier" in fields and is_nic(dev):
            (carrier_on if fields["carrier"] else carrier_off)(dev)
        self.set_conf(dev, entry)
        self.set_ethtool(dev, entry)

    def set_ethtool(self, dev: Device, entry: Entry) -> None:
        """What ethtool sets of a device, as far as it is otherwise. Raises WorldError, NlError."""
        wanted = entry.fields.get("ethtool", {})
        if not wanted:
            return
        session = Session(self.site.machine, dev.net, NetlinkProtocol.GENERIC)
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
                if what == "pause" and is_nic(dev) and changed.keys() <= PAUSES:  # what was negotiated is not asked for
                    dev.priv.pause = replace(dev.priv.pause, **{word: bool(value) for word, value in values.items()})
                elif changed:
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
        fields, session = entry.fields, self.site.sessions[namespace.name]
        dev = self.site.device(namespace, fields["name"])
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
        dev = self.site.device(namespace, entry.fields["name"])
        if dev is not None and dev.flags & IFF.UP and not entry.fields.get("up"):
            down = {"ifi-index": dev.ifindex, "ifi-flags": [], "ifi-change": int(IFF.UP)}
            self.site.sessions[namespace.name].ask("rt-link", "newlink", down)

    def finish(self, namespace: Namespace, entry: Entry) -> None:
        """What only the past explains: how often the carrier came and went, and counters."""
        dev = self.site.device(namespace, entry.fields["name"])
        if dev is None:
            return
        more = entry.fields.get("promiscuity", 0) - dev.promiscuity
        if more > 0:  # sockets of programs that listen there
            set_promiscuity(dev, more, notify=False)
        dev.carrier_up_count = entry.fields.get("carrier-up-count", dev.carrier_up_count)
        dev.carrier_down_count = entry.fields.get("carrier-down-count", dev.carrier_down_count)
        for word, count in entry.fields.get("stats64", {}).items():
            name = word.replace("-", "_")
            if hasattr(dev.stats, name):
                setattr(dev.stats, name, count)
        dev.changed()


def bits(flags: Iterable[str]) -> int:
    """Flags of a link as a number."""
    total = 0
    for flag in flags:
        total |= FLAGS[flag]
    return total


def mac(text: object) -> bytes | None:
    """A hardware address of six bytes."""
    parts = str(text).split(":")
    return bytes.fromhex("".join(parts)) if len(parts) == 6 else None
