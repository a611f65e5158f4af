"""A network namespace: struct net, as far as devices, their names and namespace ids go.

Devices are found by index, by name and by alternative name. A dump walks them in the order of their indexes and may
be continued long after it began, so that walk is by index ("the next one after 7"), never by position. The kernel has
another walk, in the order in which the devices came into the namespace (the list), for what it does to all of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from errno import EBUSY, EEXIST, EINVAL, ENFILE
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.names import REMEMBERED_PATTERNS, Numbers, split_pattern, valid_name
from nlemu.emulator.kernel.core.netns_id import NetnsIds
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFNAMSIZ

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet import nexthop_chain
    from nlemu.emulator.kernel.inet.fib_chain import FibListener
    from nlemu.emulator.kernel.inet.neighbour import Neighbours
    from nlemu.emulator.kernel.inet.nexthop import Nexthops
    from nlemu.emulator.kernel.ipv4.netns import Ip4Net
    from nlemu.emulator.kernel.ipv6.netns import Ip6Net
    from nlemu.emulator.kernel.kernel import Kernel

INT_MAX = 0x7FFFFFFF


class Net:
    """One namespace. Made by Kernel.new_net().

    name: ours, not the kernel's: "init", or what the namespace was called when it was made. cookie: net->net_cookie.
    inum: its inode number in nsfs. dev_base_seq: changes with every device that comes and goes, for
    NLM_F_DUMP_INTR; never 0. dying: the last reference is gone, and it is found no more. ip4, ip6,
    neighbours, nexthops: what other modules keep for it; fib_listeners, nexthop_listeners: who hears of its routes
    and next hop objects."""

    __slots__ = (
        "_by_index", "_by_name", "_ids", "_indexes", "_list", "_next_index", "_patterns", "_references", "_reserved",
        "cookie", "dev_base_seq", "dying", "fib_listeners", "generic", "inum", "ip4", "ip6", "kernel",
        "leads_to_domains", "loopback", "name", "neighbours", "nexthop_listeners", "nexthops", "sysctls", "taps",
    )

    loopback: Device

    def __init__(self, kernel: Kernel, name: str, cookie: int, inum: int) -> None:
        self.kernel = kernel
        self.name = name
        self.cookie = cookie
        self.inum = inum
        self.dying = False
        self.dev_base_seq = 1
        self.ip4: Ip4Net | None = None
        self.ip6: Ip6Net | None = None
        self.neighbours: Neighbours | None = None
        self.nexthops: Nexthops | None = None
        self.fib_listeners: list[FibListener] = []
        self.nexthop_listeners: list[nexthop_chain.Listener] = []
        self.generic: dict[str, Any] = {}
        """What kinds of links keep for the namespace, by a key of theirs (net_generic())."""
        self.leads_to_domains = False
        """There has been a VRF, and so there are rules for its like."""
        self.sysctls: dict[str, str] = {}
        """Settings that were written, by their names below /proc/sys/net (sysctl.py)."""
        self.taps: tuple[Device, ...] = ()
        """Devices through which all that netlink says here goes out as well, the newest first (links/nlmon.py)."""
        self._references = 1
        self._list: dict[Device, None] = {}
        self._by_index: dict[int, Device] = {}
        self._indexes: list[int] = []
        self._reserved: set[int] = set()
        self._next_index = 1
        self._by_name: dict[str, Device] = {}
        self._patterns: dict[tuple[str, str], Numbers] = {}
        self._ids = NetnsIds()

    def __repr__(self) -> str:
        return f"<Net {self.name!r}>"

    # References: whoever uses a namespace holds it, and it goes when the last lets go.

    def hold(self) -> None:
        """get_net()."""
        self._references += 1

    def release(self) -> None:
        """put_net(): with the last reference it begins to die."""
        self._references -= 1
        if self._references == 0:
            self.dying = True
            self.kernel.queue_cleanup(self)

    # Looking up

    def device(self, ifindex: int) -> Device | None:
        """__dev_get_by_index()."""
        return self._by_index.get(ifindex)

    def by_name(self, name: str) -> Device | None:
        """__dev_get_by_name(): by name or by alternative name."""
        return self._by_name.get(name)

    def after(self, ifindex: int) -> Device | None:
        """The device with the lowest index above that (for_each_netdev_dump()); from 0 on, all of them."""
        at = bisect_right(self._indexes, ifindex)
        return self._by_index[self._indexes[at]] if at < len(self._indexes) else None

    def __iter__(self) -> Iterator[Device]:
        """for_each_netdev_safe(): in the order in which they came, as of when the walk began."""
        return iter(list(self._list))

    def __len__(self) -> int:
        return len(self._list)

    # Indexes

    def reserve_index(self, wanted: int = 0) -> int:
        """dev_index_reserve(): that index, or with 0 the next one that is free, going round. EBUSY when it is taken,
        EINVAL when it is negative."""
        if wanted < 0:
            raise Refusal(EINVAL)
        if wanted:
            if wanted in self._by_index or wanted in self._reserved:
                raise Refusal(EBUSY)
            index = wanted
        else:
            index = self._next_index
            while index in self._by_index or index in self._reserved:
                index = index + 1 if index < INT_MAX else 1
            self._next_index = index + 1 if index < INT_MAX else 1
        self._reserved.add(index)
        return index

    def begin_at(self, index: int) -> None:
        """The next device that asks for no index gets this one, or the next that is free: what the devices that came
        before on an older machine leave behind (net->ifindex)."""
        self._next_index = index

    def release_index(self, index: int) -> None:
        """dev_index_release(): a reserved index was not needed."""
        self._reserved.discard(index)

    # Names

    def prepare_name(self, wanted: str, taken: int = EEXIST) -> str:
        """dev_prep_valid_name(): the name itself, or with "%d" one with the lowest free number. EINVAL when it is no
        name, `taken` when somebody has it, ENFILE when all numbers are given."""
        if not valid_name(wanted):
            raise Refusal(EINVAL)
        if "%" not in wanted:
            if wanted in self._by_name:
                raise Refusal(taken)
            return wanted
        pattern = split_pattern(wanted)
        if pattern is None:
            raise Refusal(EINVAL)
        number = self._numbers(pattern).lowest()
        if number is None:
            raise Refusal(ENFILE)
        name = f"{pattern[0]}{number}{pattern[1]}"
        # The kernel cuts the result to size without a look at who has that name; we do look.
        short = name.encode("utf-8", "surrogateescape")[: IFNAMSIZ - 1].decode("utf-8", "surrogateescape")
        if short in self._by_name:
            raise Refusal(ENFILE)
        return short

    def add_name(self, name: str, dev: Device) -> None:
        """netdev_name_node_add()."""
        self._by_name[name] = dev
        for numbers in self._patterns.values():
            numbers.add(name)

    def drop_name(self, name: str) -> None:
        """netdev_name_node_del()."""
        del self._by_name[name]
        for numbers in self._patterns.values():
            numbers.drop(name)

    def _numbers(self, pattern: tuple[str, str]) -> Numbers:
        numbers = self._patterns.pop(pattern, None)
        if numbers is None:
            numbers = Numbers(*pattern)
            for name in self._by_name:
                numbers.add(name)
            if len(self._patterns) >= REMEMBERED_PATTERNS:
                del self._patterns[next(iter(self._patterns))]
        self._patterns[pattern] = numbers
        return numbers

    # Coming and going

    def list_device(self, dev: Device) -> None:
        """list_netdevice(): from now on the device, whose index is reserved, is found here."""
        self.kernel.device_count += 1
        self._reserved.discard(dev.ifindex)
        self._list[dev] = None
        self._by_index[dev.ifindex] = dev
        insort(self._indexes, dev.ifindex)
        for name in dict.fromkeys((dev.name, *dev.altnames)):  # a move may give it an alternative name as its own
            self.add_name(name, dev)
        self._count_change()

    def unlist_device(self, dev: Device) -> None:
        """unlist_netdevice(): from now on it is not."""
        self.kernel.device_count -= 1
        del self._by_index[dev.ifindex]
        del self._indexes[bisect_left(self._indexes, dev.ifindex)]
        for name in dict.fromkeys((*dev.altnames, dev.name)):
            self.drop_name(name)
        del self._list[dev]
        self._count_change()

    def _count_change(self) -> None:
        self.dev_base_seq = (self.dev_base_seq + 1) & 0xFFFFFFFF or 1

    # Namespace ids

    @property
    def ids(self) -> NetnsIds:
        """net->netns_ids."""
        return self._ids

    def id_of(self, peer: Net) -> int | None:
        """peernet2id(): the id by which this namespace knows peer."""
        return self._ids.id_of(peer)

    def id_alloc(self, peer: Net) -> int | None:
        """peernet2id_alloc(): the id of peer; one is given and announced if it has none. None
        (NETNSA_NSID_NOT_ASSIGNED) when either is going away."""
        if self.dying:
            return None
        nsid = self._ids.id_of(peer)
        if nsid is None and not peer.dying:
            nsid = self._ids.assign(peer)
            self.kernel.announcer.nsid_new(self, nsid)
        return nsid

    def by_id(self, nsid: int) -> Net | None:
        """get_net_ns_by_id()."""
        peer = self._ids.by_id(nsid)
        return None if peer is None or peer.dying else peer

    def set_id(self, peer: Net, nsid: int, origin: Origin | None = None) -> None:
        """What rtnl_net_newid() does once it knows the peer: a negative id leaves the choice to us. EEXIST, at "peer"
        or at "nsid"."""
        if self._ids.id_of(peer) is not None:
            raise Refusal(EEXIST, "Peer netns already has a nsid assigned", at="peer")
        nsid = self._ids.assign(peer, nsid)
        self.kernel.announcer.nsid_new(self, nsid, origin=origin)
