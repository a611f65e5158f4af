"""/proc/net/fib_trie: the routes of IPv4 as the kernel's tree has them (net/ipv4/fib_trie.c).

The tree is a trie whose nodes look at several bits at once: a node is doubled while the result would be well filled,
and halved when it is nearly empty. The model has no such tree, so it is built here, route after route, in the order of
the addresses. (A tree that has shrunk may have kept a node that this one does not have: the thresholds differ.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.fib import LOCAL, MAIN
from nlemu.protocol.uapi.rtnetlink import RTN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.ipv4.fib import Route4, Table4

KEYLENGTH = 32
HALVE, INFLATE = 25, 50
HALVE_ROOT, INFLATE_ROOT = 15, 30
"""halve_threshold, inflate_threshold: in per cent."""
MAX_WORK = 10
SCOPES = {0: "universe", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
"""rtn_scope()"""


class Leaf:
    """One address, and the routes that begin with it."""

    def __init__(self, key: int) -> None:
        self.key = key
        self.routes: list[Route4] = []
        self.parent: Node | None = None


class Node:
    """struct key_vector with children: it looks at `bits` bits, of which the lowest is number `pos`."""

    def __init__(self, key: int, pos: int, bits: int) -> None:
        self.key = key >> pos + bits << pos + bits
        self.pos, self.bits = pos, bits
        self.children: list[Node | Leaf | None] = [None] * (1 << bits)
        self.parent: Node | None = None

    def index(self, key: int) -> int:
        """get_index(): 1 << bits or more where the key belongs elsewhere."""
        return (key ^ self.key) >> self.pos

    def put(self, place: int, child: Node | Leaf | None) -> None:
        """put_child()."""
        self.children[place] = child
        if child is not None:
            child.parent = self

    def full(self, child: Node | Leaf | None) -> bool:
        """tnode_full(): no bits are skipped between the two."""
        return isinstance(child, Node) and child.pos + child.bits == self.pos

    @property
    def empty_children(self) -> int:
        """How many places are free."""
        return self.children.count(None)

    @property
    def full_children(self) -> int:
        """How many children are full."""
        return sum(self.full(child) for child in self.children)


class Trie:
    """struct trie."""

    def __init__(self) -> None:
        self.root: Node | Leaf | None = None

    def add(self, route: Route4) -> None:
        """fib_insert_alias(): to its leaf, which is made if need be."""
        key, parent, child = route.dst, None, self.root
        while isinstance(child, Node) and child.index(key) < 1 << child.bits:
            parent, child = child, child.children[child.index(key)]
        if isinstance(child, Leaf) and child.key == key:
            child.routes.append(route)
            return
        if child is not None:
            node = Node(key, (key ^ child.key).bit_length() - 1, 1)
            self._replace(parent, key, node)
            node.put(node.index(child.key), child)
            parent = node
        leaf = Leaf(key)
        leaf.routes.append(route)
        self._replace(parent, key, leaf)
        while parent is not None:
            parent = self._resize(parent)

    def _replace(self, parent: Node | None, key: int, child: Node | Leaf | None) -> None:
        """put_child_root()."""
        if parent is not None:
            parent.put(parent.index(key), child)
            return
        self.root = child
        if child is not None:
            child.parent = None

    def _resize(self, node: Node) -> Node | None:
        """resize(): the parent, which is to be looked at next."""
        parent, work = node.parent, MAX_WORK
        inflate, halve = (INFLATE_ROOT, HALVE_ROOT) if parent is None else (INFLATE, HALVE)
        while work and self._filled(node, inflate):
            node = self._swap(node, self._inflated(node))
            work -= 1
        if work != MAX_WORK:
            return node.parent
        while work and self._sparse(node, halve):
            node = self._swap(node, self._halved(node))
            work -= 1
        if len(node.children) - node.empty_children < 2:
            only = next((child for child in node.children if child is not None), None)
            self._replace(node.parent, node.key, only)
        return node.parent

    @staticmethod
    def _filled(node: Node, threshold: int) -> bool:
        """should_inflate()."""
        used = len(node.children) - node.empty_children + node.full_children
        return used > 1 and node.pos > 0 and 50 * used >= threshold * len(node.children)

    @staticmethod
    def _sparse(node: Node, threshold: int) -> bool:
        """should_halve()."""
        used = len(node.children) - node.empty_children
        return used > 1 and node.bits > 1 and 100 * used < threshold * len(node.children)

    def _swap(self, old: Node, new: Node) -> Node:
        """replace(): the new node stands where the old one stood, and its full children are looked at."""
        self._replace(old.parent, new.key, new)
        for child in reversed(list(new.children)):
            if isinstance(child, Node) and new.full(child):
                self._resize(child)
        return new

    @staticmethod
    def _inflated(old: Node) -> Node:
        """inflate(): one bit more."""
        new = Node(old.key, old.pos - 1, old.bits + 1)
        for place, child in enumerate(old.children):
            if child is None:
                continue
            if not isinstance(child, Node) or not old.full(child):
                new.put(new.index(child.key), child)
            elif child.bits == 1:
                new.put(2 * place, child.children[0])
                new.put(2 * place + 1, child.children[1])
            else:
                half = len(child.children) // 2
                for side in (0, 1):
                    part = Node(child.key | side << new.pos, child.pos, child.bits - 1)
                    for at, grandchild in enumerate(child.children[side * half : (side + 1) * half]):
                        part.put(at, grandchild)
                    new.put(2 * place + side, part)
        return new

    @staticmethod
    def _halved(old: Node) -> Node:
        """halve(): one bit less."""
        new = Node(old.key, old.pos + 1, old.bits - 1)
        for place in range(len(new.children)):
            first, second = old.children[2 * place], old.children[2 * place + 1]
            if first is None or second is None:
                new.put(place, first or second)
                continue
            both = Node(first.key, old.pos, 1)
            both.put(0, first)
            both.put(1, second)
            new.put(place, both)
        return new


def _lines(node: Node | Leaf, depth: int) -> Iterator[str]:
    """fib_trie_seq_show(): a node, and all below it. depth: how many nodes are above."""
    address = ".".join(str(byte) for byte in node.key.to_bytes(4, "big"))
    indent = "   " * depth
    if isinstance(node, Node):
        yield (
            f"{indent}  +-- {address}/{KEYLENGTH - node.pos - node.bits} {node.bits} {node.full_children} "
            f"{node.empty_children}\n"
        )
        for child in node.children:
            if child is not None:
                yield from _lines(child, depth + 1)
        return
    yield f"{indent}  |-- {address}\n"
    for route in node.routes:
        scope = SCOPES.get(route.info.scope) or f"scope={route.info.scope}"
        kind = RTN(route.type).name if route.type in RTN._value2member_map_ else f"type {route.type}"
        tos = f" tos={route.tos}" if route.tos else ""
        yield f"{indent}     /{route.length} {scope} {kind}{tos}\n"


def _name(table: Table4) -> str:
    """fib_table_print()."""
    return {LOCAL: "Local:\n", MAIN: "Main:\n"}.get(table.id, f"Id {table.id}:\n")


def fib_trie(net: Net) -> str:
    """All tables. Until rules are changed, those of local addresses and the main one are one tree."""
    fib = ip4.of(net).fib
    text = ""
    for table in fib.in_order():
        together = fib.searched(table.id) if table.id in (LOCAL, MAIN) else [table]
        trie = Trie()
        for route in sorted((route for one in together for route in one), key=lambda one: one.key):
            trie.add(route)
        if trie.root is not None:
            text += _name(table) + "".join(_lines(trie.root, 0))
    return text
