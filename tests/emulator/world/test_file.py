"""Worlds as files: read, written, and refused with the line and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.world import file
from nlemu.emulator.world.anonymous import anonymous
from nlemu.emulator.world.begin import begin
from nlemu.emulator.world.export import export
from nlemu.emulator.world.perform import Performer
from nlemu.emulator.world.reduce import COUNTERS, reduced
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.world import World, WorldError
from tests.emulator.world.machines import NEW, content, populated, up

LEASED = """
kernel = "7.2.13"

[[link]]
name = "eth0"
nic = "mlx5_core"
rx-queues = 8
tx-queues = 8
up = true
ethtool = { channels = { combined-count = 4 }, rings = { rx = 512 }, features = { rx-gro = false } }
ipv4 = { rp-filter = 2 }

[[link]]
name = "lo"
up = true

[[settings]]
ipv4 = { all = { forwarding = 1 } }

[[namespace]]
name = "pod"

[[namespace.id]]
namespace = "init"
id = 7

[[namespace.link]]
name = "nk0"
kind = "netkit"
data = { pairing = "single", mode = "l3" }
rx-queues = 3
up = true

[[namespace.address]]
device = "nk0"
address = "192.0.2.2/24"

[[namespace.route]]
dst = "default"
gateway = "192.0.2.1"

[[namespace.lease]]
device = "nk0"
nic = "init/eth0"
queue = 3

[[namespace.link]]
name = "veth0"
kind = "veth"
peer = "init/veth1"
"""


def uncounted(world: World) -> list[tuple[str, str, object]]:
    return [
        (name, section, {word: value for word, value in fields.items() if word not in COUNTERS})
        for name, section, fields in content(world)
    ]


def test_what_was_written_is_read() -> None:
    world = export(populated())
    assert content(file.parse(file.write(world))) == content(world)


def test_a_world_in_few_words_is_the_same_world() -> None:
    machine = populated()
    text = file.write(reduced(export(machine)))
    assert len(text.splitlines()) < 120
    copy = Machine(seed=9)
    Performer(copy, file.parse(text)).perform()
    assert uncounted(export(copy)) == uncounted(export(machine))


def test_leases_namespaces_ids_and_settings() -> None:
    machine = begin(file.parse(LEASED))
    world = export(machine)
    pod = world.namespaces["pod"]
    assert [entry.fields for entry in pod.of("lease")] == [
        {"device": "nk0", "nic": "init/eth0", "queue": 3, "id": 1},
    ]
    assert {"namespace": "init", "id": 7} in [entry.fields for entry in pod.of("id")]
    veth = pod.link("veth0")
    assert veth is not None and veth.fields["peer"] == "init/veth1"
    nic = world.namespace().link("eth0")
    assert nic is not None
    assert nic.fields["ethtool"]["channels"] == {"combined-count": 4}
    assert nic.fields["ethtool"]["rings"]["rx"] == 512
    assert nic.fields["ethtool"]["features"]["rx-gro"] is False
    assert nic.fields["ipv4"]["rp-filter"] == 2
    (settings,) = world.namespace().of("settings")
    assert settings.fields["ipv4"]["default"]["forwarding"] == 1
    again = begin(file.parse(file.write(reduced(world))))
    assert uncounted(export(again)) == uncounted(world)


@pytest.mark.parametrize(
    "text, error",
    [
        ("x = 1", "w:1: x: there is no such section; there are link, address, route, rule, neighbour, id, lease, "),
        ("[[link]]\nname = 1", "w:2: link.name: a text belongs here, and not 1"),
        ('[[link]]\nname = "a"\n\nfoo = 2', "w:4: link.foo: there is no such key; there are name, index"),
        ('[[link]]\nname = "a"\n[link.ipv4]\nwarp = 2', None),
        ('[link]\nname = "a"', "w:1: link: begins with [[link]], once for each"),
        ('\n[[namespace]]\n[[namespace.link]]\nname = "a"', "w:2: namespace.name: is missing, or no name"),
        ('[[namespace]]\nname = "p"\n[[namespace]]\nname = "p"', "w:4: namespace.name: there is a namespace 'p'"),
        ('[[namespace]]\nname = "p"\n\n[[namespace.address]]\naddress = 5', "w:5: address.address: a text belongs"),
        ("kernel = 3", "w:1: kernel: a text belongs here, and not 3"),
        ("[[a", "w: Expected ']]'"),
        ('[[route]]\n"warp" = "x"', "w:2: route.warp: there is no such key; there are device, in, dst, src"),
        ("[[lease]]\nqueue = true", "w:2: lease.queue: a number belongs here, and not true"),
    ],
)
def test_a_slip_is_told_with_line_and_key(text: str, error: str | None) -> None:
    if error is None:  # a table that is written out is one as well
        (entry,) = file.parse(text, "w").namespace().of("link")
        assert entry.fields["ipv4"] == {"warp": 2}
        return
    with pytest.raises(WorldError) as found:
        file.parse(text, "w")
    assert str(found.value).startswith(error)


@pytest.mark.parametrize(
    "change, error",
    [
        (("queue = 3", "queue = 30"), "w:42: lease: "),
        (('nic = "init/eth0"', 'nic = "init/eth9"'), "w:44: lease.nic: there is no device 'init/eth9' in init"),
        (('peer = "init/veth1"', 'peer = "moon/veth1"'), "w:50: link.peer: there is no namespace 'moon'"),
        (("combined-count = 4", "combined-count = 400"), "w:4: link.eth0: "),
        (("rings =", "wings ="), "w:10: link.ethtool.wings: there is channels, rings"),
        (("rp-filter = 2", "rp-filter = 2147483648"), "w:11: link.ipv4.rp-filter: a number from -2147483648"),
        (("all = {", "most = {"), "w:18: settings.ipv4.most: settings are of all or default"),
        (('"192.0.2.2/24"', '"192.0.2.256/24"'), "w:36: address.address of 192.0.2.256/24: takes an address"),
    ],
)
def test_what_cannot_be_made_is_told_with_its_line(change: tuple[str, str], error: str) -> None:
    text = LEASED.replace(*change, 1)
    assert text != LEASED
    with pytest.raises(WorldError) as found:
        begin(file.parse(text, "w"))
    assert str(found.value).startswith(error)


def test_no_name_and_no_address_is_left() -> None:
    """But IP addresses, which are what a network is about; and lo is called so everywhere."""
    world = anonymous(export(populated()))
    text = file.write(world)
    for secret in ("nk0", "nk1", "d0", "eth1", "other"):
        assert f'"{secret}"' not in text and f"{secret}." not in text
    for entry in export(populated()).namespace().of("link"):
        mac = str(entry.fields["address"])
        if entry.fields["name"] != "lo":
            assert mac not in text
            tail = mac.split(":")
            assert f"{tail[4]}{tail[5]}/" not in text
    again = begin(file.parse(file.write(reduced(world))))
    links = [entry.fields for entry in export(again).namespace().of("link")]
    assert [link["name"] for link in links if link.get("kind") == "netkit"] == ["dev3", "dev4"]


def test_a_world_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_text(LEASED)
    assert begin(path).nets["pod"].by_name("nk0") is not None
    with pytest.raises(OSError, match="No such file"):
        begin(tmp_path / "nothing.toml")
    path.write_bytes(b"\xff")
    with pytest.raises(WorldError, match=r"world.toml: not UTF-8 \(byte 0\)"):
        begin(path)


def test_a_lower_device_in_another_namespace() -> None:
    """A VLAN that went to a pod while its parent stayed: the world says where it is."""
    machine = Machine()
    pod = machine.new_net("pod")
    session = Session(machine, machine.init_net)
    session.ask("rt-link", "newlink", {"ifname": "d0", "ifi-index": 5, "linkinfo": {"kind": "dummy"}}, NEW)
    up(session, "d0")
    session.endpoint.descriptors = {3: pod}
    vlan = {"ifname": "v", "link": 5, "net-ns-fd": 3, "linkinfo": {"kind": "vlan", "data": {"id": 9}}}
    session.ask("rt-link", "newlink", vlan, NEW)
    session.close()
    world = export(machine)
    link = world.namespaces["pod"].link("v")
    assert link is not None and link.fields["parent"] == "init/d0"
    assert uncounted(export(begin(file.parse(file.write(reduced(world)))))) == uncounted(world)


def test_a_bridge_and_its_port() -> None:
    """What the bridge keeps of the port as well; timers and ids are told and not asked for."""
    machine = Machine()
    session = Session(machine, machine.init_net)
    bridge = {"kind": "bridge", "data": {"vlan-filtering": 1}}
    session.ask("rt-link", "newlink", {"ifname": "br0", "linkinfo": bridge}, NEW)
    session.ask("rt-link", "newlink", {"ifname": "d0", "linkinfo": {"kind": "dummy"}}, NEW)
    session.ask("rt-link", "newlink", {"ifname": "d0", "master": 2})
    port = {"slave-kind": "bridge", "slave-data": {"cost": 77}}
    session.ask("rt-link", "newlink", {"ifname": "d0", "linkinfo": port})
    up(session, "d0", "br0")
    session.close()
    machine.advance(40)
    world = export(machine)
    text = file.write(reduced(world))
    assert "slave = { cost = 77 }" in text and "hello-timer" not in text
    assert uncounted(export(begin(file.parse(text)))) == uncounted(world)


def test_links_on_a_link_and_a_domain() -> None:
    """macvlans with the senders that they listen to, ipvlans, and a VRF with a slave whose routes are there."""
    machine = Machine()
    session = Session(machine, machine.init_net)

    def new(name: str, kind: str, data: dict[str, object] | None = None, **more: object) -> None:
        info = {"kind": kind} | ({"data": data} if data else {})
        session.ask("rt-link", "newlink", {"ifname": name, "linkinfo": info, **more}, NEW)

    new("d0", "dummy")
    new("d1", "dummy")
    sender: dict[str, object] = {"mode": ["source"], "macaddr-mode": "add", "macaddr": "02:00:00:00:00:10"}
    new("m0", "macvlan", sender, link=2)
    new("t0", "macvtap", {"mode": ["bridge"], "bc-queue-len": 77}, link=2)
    new("i0", "ipvlan", {"mode": "l2"}, link=3)
    new("red", "vrf", {"table": 10})
    session.ask("rt-link", "newlink", {"ifname": "i0", "master": 7})
    up(session, "d0", "d1", "m0", "i0", "red")
    session.close()
    machine.advance(40)
    world = export(machine)
    text = file.write(reduced(world))
    again = uncounted(export(begin(file.parse(text))))
    assert [one for one in again if one[1] != "neighbour"] == [
        one for one in uncounted(world) if one[1] != "neighbour"
    ]
