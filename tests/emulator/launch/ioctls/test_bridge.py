"""Bridges by `brctl`, and bonds by the ioctls of `ifenslave`, as on Linux 7.2.13."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable

import pytest

from nlemu.emulator.kernel.bonding.bond import Bond
from nlemu.emulator.kernel.bridge.bridge import Bridge, port_of
from nlemu.emulator.kernel.devices import flags, links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.links.bond import KIND as BOND
from nlemu.emulator.kernel.links.bridge import KIND as BRIDGE
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.launch.ioctls.bridge import BRIDGE_INFO, PORT_INFO
from nlemu.emulator.launch.ioctls.caller import IFREQ, Caller, name_of
from nlemu.emulator.launch.ioctls.calls import answer
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import Brctl
from nlemu.protocol.uapi.socket import AF_INET
from nlemu.protocol.uapi.sockios import Sioc
from tests.emulator.launch import nobody

ARGS, VALUE, ROOM = 64, 128, 16384
MAC = b"\2\0\0\0\0\1"


class Memory:
    """A request at 0, four numbers at ARGS, and from VALUE on what they point to."""

    def __init__(self) -> None:
        self.data = bytearray(ROOM)

    def read(self, address: int, length: int) -> bytes:
        return bytes(self.data[address : address + length])

    def write(self, address: int, data: bytes) -> None:
        self.data[address : address + len(data)] = data


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def br(machine: Machine) -> Bridge:
    made: Bridge = links.new_link(machine.init_net, BRIDGE, LinkParams(name="br0", address=b"\2\0\0\0\0\xb0")).priv
    return made


@pytest.fixture
def port(machine: Machine, br: Bridge) -> Device:
    dev = links.new_link(machine.init_net, DUMMY, LinkParams(name="d0", address=MAC, master=br.dev.ifindex))
    assert br.ports
    return dev


def ask(machine: Machine, command: int, request: bytes, memory: Memory | None = None, *, admin: bool = True) -> int:
    memory = memory or Memory()
    memory.write(0, request.ljust(IFREQ, b"\0"))
    return answer(Caller(machine.init_net, memory, AF_INET, lambda net: admin), command, 0)


def brctl(br: Bridge, machine: Machine, *args: int, admin: bool = True) -> tuple[int, Memory]:
    """A private command of the bridge."""
    memory = Memory()
    memory.write(ARGS, struct.pack("=4Q", *args, *[0] * (4 - len(args))))
    request = name_of(br.dev.name) + struct.pack("=Q", ARGS)
    return ask(machine, Sioc.DEVPRIVATE, request, memory, admin=admin), memory


def refused(number: int, do: Callable[[], object]) -> None:
    with pytest.raises((OSError, Refusal)) as caught:
        do()
    assert isinstance(caught.value, OSError | Refusal) and caught.value.errno == number


def test_bridges_are_made_and_deleted(machine: Machine) -> None:
    net = machine.init_net
    assert ask(machine, Sioc.BRADDBR, name_of("br0")) == 0
    dev = net.by_name("br0")
    assert dev is not None and dev.kind is BRIDGE
    refused(errno.EEXIST, lambda: ask(machine, Sioc.BRADDBR, name_of("br0")))
    refused(errno.EPERM, lambda: ask(machine, Sioc.BRDELBR, name_of("lo")))
    refused(errno.ENXIO, lambda: ask(machine, Sioc.BRDELBR, name_of("nobody")))
    refused(errno.EPERM, lambda: ask(machine, Sioc.BRADDBR, name_of("br1"), admin=False))
    flags.open_device(dev)
    refused(errno.EBUSY, lambda: ask(machine, Sioc.BRDELBR, name_of("br0")))
    flags.close_device(dev)
    assert ask(machine, Sioc.BRDELBR, name_of("br0")) == 0 and net.by_name("br0") is None


def test_ports_come_and_go(machine: Machine, br: Bridge) -> None:
    dev = links.new_link(machine.init_net, DUMMY, LinkParams(name="d0"))
    request = name_of("br0") + struct.pack("=i", dev.ifindex)
    assert ask(machine, Sioc.BRADDIF, request) == 0 and port_of(dev) is not None
    refused(errno.EBUSY, lambda: ask(machine, Sioc.BRADDIF, request))
    assert ask(machine, Sioc.BRDELIF, request) == 0 and port_of(dev) is None
    refused(errno.EINVAL, lambda: ask(machine, Sioc.BRDELIF, request))
    refused(errno.EINVAL, lambda: ask(machine, Sioc.BRADDIF, name_of("br0") + struct.pack("=i", 77)))
    refused(errno.EOPNOTSUPP, lambda: ask(machine, Sioc.BRADDIF, name_of("d0")))
    assert brctl(br, machine, Brctl.ADD_IF, dev.ifindex)[0] == 0 and dev.master is br.dev
    assert brctl(br, machine, Brctl.DEL_IF, dev.ifindex)[0] == 0


def test_what_was_before(machine: Machine, br: Bridge) -> None:
    """Commands that need no device."""
    def old(*args: int) -> tuple[int, Memory]:
        memory = Memory()
        return ask(machine, Sioc.GIFBR, struct.pack("=3Q", *args), memory), memory

    assert old(Brctl.GET_VERSION, 0, 0)[0] == 1
    count, memory = old(Brctl.GET_BRIDGES, VALUE, 10)
    assert (count, memory.read(VALUE, 4)) == (1, struct.pack("=i", br.dev.ifindex))
    refused(errno.ENOMEM, lambda: old(Brctl.GET_BRIDGES, VALUE, 2048))
    refused(errno.EOPNOTSUPP, lambda: old(Brctl.GET_PORT_LIST, VALUE, 1))
    memory = Memory()
    memory.write(VALUE, name_of("br1"))
    assert ask(machine, Sioc.SIFBR, struct.pack("=3Q", Brctl.ADD_BRIDGE, VALUE, 0), memory) == 0
    assert ask(machine, Sioc.SIFBR, struct.pack("=3Q", Brctl.DEL_BRIDGE, VALUE, 0), memory) == 0


def test_what_a_bridge_tells(machine: Machine, br: Bridge, port: Device) -> None:
    _, memory = brctl(br, machine, Brctl.GET_BRIDGE_INFO, VALUE)
    told = BRIDGE_INFO.unpack(memory.read(VALUE, BRIDGE_INFO.size))
    assert told[1] == b"\x80\0\2\0\0\0\0\xb0"
    assert told[3:9] == (2000, 200, 15000, 20000, 2000, 1500)
    count, memory = brctl(br, machine, Brctl.GET_PORT_LIST, VALUE, 8)
    assert (count, memory.read(VALUE, 8)) == (8, struct.pack("=2i", 0, port.ifindex))
    assert brctl(br, machine, Brctl.GET_PORT_LIST, VALUE, 0)[0] == 256
    refused(errno.EINVAL, lambda: brctl(br, machine, Brctl.GET_PORT_LIST, VALUE, 0xFFFFFFFF))
    _, memory = brctl(br, machine, Brctl.GET_PORT_INFO, VALUE, 1)
    assert PORT_INFO.unpack(memory.read(VALUE, PORT_INFO.size))[2:5] == (0x8001, 0x8001, 100)
    refused(errno.EINVAL, lambda: brctl(br, machine, Brctl.GET_PORT_INFO, VALUE, 2))
    count, memory = brctl(br, machine, Brctl.GET_FDB_ENTRIES, VALUE, 100, 1)
    assert (count, memory.read(VALUE, 8)) == (1, MAC + b"\1\1")


@pytest.mark.parametrize(
    ("command", "value", "field", "kept"),
    [
        (Brctl.SET_BRIDGE_FORWARD_DELAY, 400, "forward_delay", 400),
        (Brctl.SET_BRIDGE_HELLO_TIME, 300, "hello_time", 300),
        (Brctl.SET_BRIDGE_MAX_AGE, 700, "max_age", 700), (Brctl.SET_AGEING_TIME, 9, "ageing_time", 9),
        (Brctl.SET_BRIDGE_STP_STATE, 1, "stp", 1), (Brctl.SET_BRIDGE_PRIORITY, 0x10001, "id", b"\0\1\2\0\0\0\0\xb0"),
    ],
)
def test_what_is_set(machine: Machine, br: Bridge, command: Brctl, value: int, field: str, kept: object) -> None:
    refused(errno.EPERM, lambda: brctl(br, machine, command, value, admin=False))
    assert brctl(br, machine, command, value)[0] == 0
    assert getattr(br, field) == kept


def test_what_is_set_of_ports(machine: Machine, br: Bridge, port: Device) -> None:
    assert brctl(br, machine, Brctl.SET_PORT_PRIORITY, 1, 5)[0] == 0
    assert brctl(br, machine, Brctl.SET_PATH_COST, 1, 50)[0] == 0
    assert (br.ports[0].priority, br.ports[0].cost) == (5, 50)
    refused(errno.ERANGE, lambda: brctl(br, machine, Brctl.SET_PATH_COST, 1, 0))
    refused(errno.EINVAL, lambda: brctl(br, machine, Brctl.SET_PATH_COST, 2, 5))
    refused(errno.EOPNOTSUPP, lambda: brctl(br, machine, Brctl.SET_GC_INTERVAL, 2))


def test_brctl() -> None:
    nobody.need("brctl")
    script = """
    brctl addbr b; ip link add d0 address 02:00:00:00:00:01 type dummy; brctl addif b d0; brctl setbridgeprio b 100
    brctl setpathcost b d0 7; brctl stp b on; brctl hairpin b d0 on; brctl show; brctl showmacs b
    cat /sys/class/net/b/brif/d0/path_cost /sys/class/net/d0/brport/hairpin_mode; brctl delif b d0; brctl delbr b
    """
    assert nobody.shell(script).splitlines() == [
        "bridge name\tbridge id\t\tSTP enabled\tinterfaces", "b\t\t0064.020000000001\tyes\t\td0",
        "port no\tmac addr\t\tis local?\tageing timer", *["  1\t02:00:00:00:00:01\tyes\t\t   0.00"] * 2, "7", "1",
    ]


def test_a_bond_by_ioctls(machine: Machine) -> None:
    net = machine.init_net
    bond: Bond = links.new_link(net, BOND, LinkParams(name="bond")).priv
    options_ = {"mode": 1, "miimon": 100}
    for name, value in options_.items():
        setattr(bond.params, name, value)
    for name in ("a", "b"):
        links.new_link(net, DUMMY, LinkParams(name=name))
    request = name_of("bond")
    assert ask(machine, Sioc.BONDENSLAVE, request + name_of("a")) == 0
    assert ask(machine, Sioc.DEVPRIVATE, request + name_of("b")) == 0
    refused(errno.ENODEV, lambda: ask(machine, Sioc.BONDENSLAVE, request + name_of("nobody")))
    refused(errno.EOPNOTSUPP, lambda: ask(machine, Sioc.BONDENSLAVE, name_of("lo") + name_of("a")))
    refused(errno.EOPNOTSUPP, lambda: ask(machine, Sioc.DEVPRIVATE + 5, request))
    pointer = request + struct.pack("=Q", VALUE)
    memory = Memory()
    ask(machine, Sioc.BONDINFOQUERY, pointer, memory)
    assert struct.unpack("=3i", memory.read(VALUE, 12)) == (1, 2, 100)
    memory.write(VALUE, struct.pack("=i", 1))
    ask(machine, Sioc.DEVPRIVATE + 11, pointer, memory)
    assert memory.read(VALUE + 4, 2) == b"b\0" and memory.read(VALUE + 20, 2) == b"\0\1"
    memory.write(VALUE, struct.pack("=i", 2))
    refused(errno.ENODEV, lambda: ask(machine, Sioc.BONDSLAVEINFOQUERY, pointer, memory))
    assert ask(machine, Sioc.BONDCHANGEACTIVE, request + name_of("b")) == 0
    assert bond.curr_active is not None and bond.curr_active.dev.name == "b"
    assert ask(machine, Sioc.BONDSETHWADDR, request + name_of("b")) == 0
    ask(machine, Sioc.GMIIREG, request + struct.pack("=4H", 1, 1, 0, 0), memory)
    assert struct.unpack("=4H", memory.read(16, 8)) == (1, 1, 0, 4)
    assert ask(machine, Sioc.BONDRELEASE, request + name_of("b")) == 0
    assert [one.dev.name for one in bond.slaves] == ["a"]
