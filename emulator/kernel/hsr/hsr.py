"""What a device of the kind hsr keeps: struct hsr_priv, its ports, and the nodes that it has heard of.

A node of a ring (HSR) or of two networks (PRP) sends each frame by both of its ports, with a number, and takes the
first of two that come in. So a device remembers of each node which numbers went out where: in blocks of 128, for
400 ms. A node is known by the address of its first port; until it has said which that is (a supervision frame), its
second port is a node of its own. Who has not been heard of for a minute is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from nlemu.protocol.uapi.if_link import HsrProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device

KEY = "hsr"
HSR_HLEN = 6
"""Of the tag of HSR, and of the trailer of PRP."""
SEQNR_START = 65535 - 1024
SUP_SEQNR_START = SEQNR_START // 2
U16 = 0xFFFF
NSEC_PER_MSEC = 1_000_000
ENTRY_FORGET_TIME = 400 * NSEC_PER_MSEC
BLOCK_SHIFT = 7
MAX_BLOCKS = 64
SUPERVISION = bytes.fromhex("01154e000100")
"""def_multicast_addr; its last byte is chosen."""


class Version(IntEnum):
    """enum hsr_version."""

    HSR_V0 = 0
    HSR_V1 = 1
    PRP_V1 = 2


class PortType(IntEnum):
    """enum hsr_port_type."""

    NONE = 0
    SLAVE_A = 1
    SLAVE_B = 2
    INTERLINK = 3
    MASTER = 4


SLAVES = (PortType.SLAVE_A, PortType.SLAVE_B)


@dataclass(slots=True, eq=False)
class Port:
    """struct hsr_port. address: what the device had before it became one; given, groups_given: the addresses and groups
    that it lets in for the master."""

    hsr: Hsr
    dev: Device
    type: PortType
    address: bytes
    given: set[bytes] = field(default_factory=set)
    groups_given: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Block:
    """struct hsr_seq_block: the numbers of one block that went out, by port (the type less one), as bits."""

    index: int
    time: int
    seen: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Node:
    """struct hsr_node. address_b: of its second port, once it is known, and addr_b_port where that was heard; time_in:
    when it was heard last, by port, in nanoseconds since boot; slots: the blocks, of which the oldest is replaced."""

    address_a: bytes
    time_in: dict[PortType, int]
    address_b: bytes = b""
    addr_b_port: PortType = PortType.NONE
    blocks: dict[int, Block] = field(default_factory=dict)
    slots: list[Block | None] = field(default_factory=lambda: [None] * MAX_BLOCKS)
    next_slot: int = 0

    def block(self, index: int, now: int) -> Block:
        """hsr_get_seq_block(): the block of that index, a new one if there is none, or it is old."""
        found = self.blocks.get(index)
        if found is not None and now <= found.time + ENTRY_FORGET_TIME:
            return found
        replaced = self.slots[self.next_slot]
        if replaced is not None and self.blocks.get(replaced.index) is replaced:
            del self.blocks[replaced.index]
        made = self.blocks[index] = self.slots[self.next_slot] = Block(index, now)
        self.next_slot = (self.next_slot + 1) % MAX_BLOCKS
        return made

    def is_duplicate(self, number: int, port: int, now: int) -> bool:
        """hsr_check_duplicate(): whether that number has gone out there; from now on it has."""
        block = self.block(number >> BLOCK_SHIFT, now)
        bit, seen = 1 << (number & (1 << BLOCK_SHIFT) - 1), block.seen.get(port, 0)
        block.seen[port] = seen | bit
        return bool(seen & bit)

    def last_number(self, port: PortType) -> int:
        """fill_last_seq_nrs(): the greatest number of the newest block that went out there; 0 for none."""
        block = self.slots[self.next_slot - 1]
        seen = 0 if block is None else block.seen.get(port - 1, 0)
        return 0 if block is None or not seen else block.index << BLOCK_SHIFT | seen.bit_length() - 1


@dataclass(slots=True, eq=False)
class Hsr:
    """struct hsr_priv. self_addresses: those of its own frames; redbox: the address of the port to which nodes without
    the protocol are connected, None without one; jobs: its timers, by name, those that run."""

    dev: Device
    version: Version = Version.HSR_V0
    supervision: bytes = SUPERVISION
    sequence_nr: int = SEQNR_START
    sup_sequence_nr: int = SUP_SEQNR_START
    announce_count: int = 0
    self_addresses: tuple[bytes, ...] = ()
    redbox: bytes | None = None
    ports: list[Port] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    proxy_nodes: list[Node] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)

    @property
    def protocol(self) -> HsrProtocol:
        """What it speaks."""
        return HsrProtocol.PRP if self.version == Version.PRP_V1 else HsrProtocol.HSR

    def port(self, kind: PortType) -> Port | None:
        """hsr_port_get_hsr()."""
        return next((port for port in self.ports if port.type == kind), None)

    @property
    def slaves(self) -> list[Port]:
        """All ports but the device itself."""
        return [port for port in self.ports if port.type != PortType.MASTER]

    def take_number(self) -> int:
        """The next number of a frame."""
        number = self.sequence_nr
        self.sequence_nr = number + 1 & U16
        self.dev.changed()
        return number


def state_of(dev: Device) -> Hsr:
    """netdev_priv() of such a device."""
    state: Hsr = dev.priv
    return state


def port_of(dev: Device) -> Port | None:
    """hsr_port_get_rtnl(): of a device that is the slave of one."""
    port: Port | None = dev.attached.get(KEY)
    return port


def find(nodes: list[Node], address: bytes) -> Node | None:
    """find_node_by_addr_A()."""
    return next((node for node in nodes if node.address_a == address), None)


def add_node(hsr: Hsr, nodes: list[Node], address: bytes) -> Node:
    """hsr_add_node(): the node of that address, by either port; a new one where there is none."""
    for node in nodes:
        if address in (node.address_a, node.address_b):
            return node
    now = hsr.dev.kernel.clock.now
    node = Node(address, {port: now for port in PortType if port})
    nodes.append(node)
    return node


def sender_of(hsr: Hsr, nodes: list[Node], address: bytes, *, introduced: bool) -> Node | None:
    """hsr_get_node(): who sent a frame of that address. introduced: the frame makes a node known that was not; else
    there is None."""
    for node in nodes:
        if address in (node.address_a, node.address_b):
            return node
    found = find(hsr.proxy_nodes, address)
    return found if found is not None or not introduced else add_node(hsr, nodes, address)
