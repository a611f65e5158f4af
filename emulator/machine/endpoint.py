"""The endpoint: one netlink socket without its I/O (net/netlink/af_netlink.c).

What a program sends goes in by `send()`, what it would receive comes out by `receive()`; nothing here waits. Everything
that a request causes, on this socket and on others, has been queued when `send()` returns. A dump is the exception, as
in the kernel: it goes on when the reader takes a datagram.

An ack is due for every request that asks for one or fails; a bug of ours is neither: it is logged with the message,
the client gets EIO, and the machine lives on.
"""

from __future__ import annotations

import errno
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.kernel.devices import qdisc
from nlemu.emulator.machine.tally import Tally
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.descriptors import Descriptors
from nlemu.emulator.netlink.dump import LARGEST, Dump
from nlemu.emulator.netlink.truesize import SMALL, SMALL_SIZE, truesize
from nlemu.protocol.frame import NLMSGHDR
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkOpt, NetlinkProtocol
from nlemu.protocol.wire.acks import ack

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.machine import Machine

log = logging.getLogger(__name__)

REQUEST = int(NLM_F.REQUEST)
ACK = int(NLM_F.ACK)
MIN_TYPE = 16  # NLMSG_MIN_TYPE: below are control messages, which are acked and nothing else
RCVBUF = 212992  # net.core.rmem_default of the recorded machine
MIN_RCVBUF = 2304  # SOCK_MIN_RCVBUF (include/net/sock.h): the least that SO_RCVBUF makes of it
SNDBUF = RCVBUF  # net.core.wmem_default
SEND_OVERHEAD = 32
"""What of the send buffer a datagram cannot have (netlink_sendmsg(): EMSGSIZE beyond)."""
LONGEST = SNDBUF - SEND_OVERHEAD
"""The longest datagram that can be sent, unless the send buffer is made another."""
DEFAULT_READ = 32768
TAPPED = frozenset({
    NetlinkProtocol.ROUTE, NetlinkProtocol.USERSOCK, NetlinkProtocol.SOCK_DIAG, NetlinkProtocol.NFLOG,
    NetlinkProtocol.XFRM, NetlinkProtocol.FIB_LOOKUP, NetlinkProtocol.NETFILTER, NetlinkProtocol.GENERIC,
})
"""netlink_filter_tap(): what is said by other protocols, nobody may listen to."""
BUG = "nlemu: a bug in the emulator, see its log"


class Credentials(NamedTuple):
    """Who sends: uid; whether it has CAP_NET_ADMIN in the first user namespace, and in that of its namespace."""

    uid: int = 0
    admin: bool = True
    net_admin: bool = True
    elsewhere: Callable[[Net], bool] | None = None
    """Whether it has it in the user namespace of another network namespace; None: as in the first one."""

    @classmethod
    def of(cls, uid: int) -> Credentials:
        """uid 0 has all capabilities, every other none."""
        return cls(uid, uid == 0, uid == 0)


ROOT = Credentials()


class Datagram(NamedTuple):
    """What waits to be received: the bytes, and what ancillary data would tell: the group and the namespace's id.

    cost: for how many bytes it counts in the receive buffer. portid: who sent it; 0 is the kernel. dumped: it is part
    of a dump.
    """

    data: bytes
    group: int = 0
    nsid: int | None = None
    cost: int = 0
    portid: int = 0
    dumped: bool = False


class Endpoint:
    """One netlink socket.

    Takes its machine, its namespace and its protocol; the port id wanted (0: ``pid``, the process id, or the next free
    one); the credentials. ``bound=False`` leaves it without a port until `bind()`, or until it sends. ``private``: it
    is ours, of whoever looks at the machine from within: nobody hears it, and no fault strikes it.
    Raises OSError(EADDRINUSE, EPROTONOSUPPORT).
    """

    def __init__(
        self,
        machine: Machine,
        net: Net,
        protocol: int,
        *,
        portid: int = 0,
        pid: int = 0,
        options: Iterable[tuple[int, int]] = (),
        groups: int = 0,
        credentials: Credentials = ROOT,
        rcvbuf: int = RCVBUF,
        bound: bool = True,
        private: bool = False,
    ) -> None:
        spec = machine.start(protocol)
        self.machine, self.net, self.protocol, self.credentials = machine, net, protocol, credentials
        self.spec = spec
        self.cap_ack = self.ext_ack = self.strict = self.all_nsid = self.pktinfo = self.no_enobufs = False
        self.broadcast_error = False
        self.groups: set[int] = set()
        self._has_groups = False  # the bitmap is made when it is first asked about (netlink_realloc_groups())
        self.rcvbuf = rcvbuf
        self.sndbuf = SNDBUF
        self.inode = 0
        """The number of the file that a program has of it; 0: nobody has said."""
        self.on_readable: Callable[[], None] | None = None
        self.on_datagram: Callable[[Datagram], bool] | None = None
        """Hands a datagram to the reader at once, before which nothing waits; False: it is to be queued."""
        self.closed = False
        self.descriptors: Descriptors = {}  # what an integer in a message means as a descriptor of the sender
        kernel = spec.kernel
        self._receiver = kernel.receive
        self._receive_datagram = kernel.receive_datagram
        if not spec.listens(net is machine.init_net):
            self._receiver = self._receive_datagram = None
        self._whole = self._receiver is None or self._receive_datagram is not None
        self.private = private
        self._tapped = protocol in TAPPED and not private
        self._queue: deque[Datagram] = deque()
        self._queued = 0  # bytes, as sk_rmem_alloc counts them
        self._overrun = False  # the next receive says ENOBUFS (sk_err)
        self._congested = False  # nothing more is taken until all has been read (NETLINK_S_CONGESTED)
        self._ahead = 0  # how many of the datagrams that count lie with the transport, unread
        self.drops = 0
        """How many datagrams were lost (sk_drops)."""
        self.on_full: Callable[[], None] | None = None
        """Asks whoever keeps datagrams ready for the reader which of them it has read by now (`gone()`)."""
        self._losing = 0  # how many datagrams a fault takes yet
        self._mute = False  # a fault has it closed: nothing more is said
        self.on_hang_up: Callable[[], None] | None = None
        """Closes what stands for the socket with whoever has it."""
        self._read = 0  # the greatest room a reader has shown (max_recvmsg_len)
        self._dump: Dump | None = None
        self.pid = pid
        self.portid = 0
        self._refused = 0  # a port that was taken: it is not the socket's, but its name (netlink_insert())
        self.peer: int | None = None
        """Who it is connected to, by port id; None for nobody."""
        if bound:
            self.bind(portid)
        try:
            self.set_groups(groups)
            for name, value in options:
                self.setsockopt(name, value)
        except OSError:
            self.close()
            raise
        if not private:
            if machine.tallies is not None:
                machine.tallies.setdefault(protocol, Tally()).follow(self)
            machine.endpoints.add(self)
            if machine.tap is not None:
                machine.tap.follow(self)

    def __repr__(self) -> str:
        return f"<Endpoint {self.portid} of {self.spec.name} in {self.net.name}>"

    def bind(self, portid: int = 0) -> None:
        """Takes a port id; 0: the process id, or a free one (netlink_insert(), netlink_autobind()).

        Raises OSError: EADDRINUSE, EINVAL when it has another one already.
        """
        if self.portid:
            if portid != self.portid:
                raise OSError(errno.EINVAL, f"the socket has port {self.portid}")
            return
        try:
            self.portid = self.machine.ports.bind(self, portid, self.pid)
        except OSError:
            self._refused = portid
            raise

    def set_groups(self, mask: int) -> None:
        """Joins those of the first 32 groups that the mask names, and leaves the others (netlink_bind()).

        Groups that the protocol does not have are passed over. Raises OSError(EPERM), and has changed nothing then.
        """
        if mask:
            self._check_may_listen()
        count = min(32, self.spec.group_count)
        wanted = {group for group in range(1, count + 1) if mask >> group - 1 & 1}
        self._has_groups = self._has_groups or bool(mask)
        for group in wanted:
            self._check_may_join(group)
        for group in wanted - self.groups:
            self.setsockopt(NetlinkOpt.ADD_MEMBERSHIP, group)
        for group in {group for group in self.groups if group <= 32} - wanted:
            self.setsockopt(NetlinkOpt.DROP_MEMBERSHIP, group)

    def set_rcvbuf(self, size: int) -> None:
        """__sock_set_rcvbuf(): so many bytes of room, or the least that there can be."""
        self.rcvbuf = max(size, MIN_RCVBUF)

    def name(self) -> tuple[int, int]:
        """Port id, and the first 32 groups as a mask (netlink_getname())."""
        return self.portid or self._refused, sum(1 << group - 1 for group in self.groups if group <= 32)

    # -- in -----------------------------------------------------------------------------------

    def send(self, datagram: bytes) -> None:
        """netlink_sendmsg() to the kernel: every whole message of the datagram is processed (netlink_rcv_skb()).

        Raises OSError: ENODATA for an empty one, EMSGSIZE for one that the send buffer has no room for, ECONNREFUSED
        where nothing in the kernel listens to the protocol.
        """
        end = len(datagram)
        if not end:
            raise OSError(errno.ENODATA, "an empty netlink message")
        if not self.portid:
            self.bind()
        if end > self.longest:
            raise OSError(errno.EMSGSIZE, f"a netlink message longer than {self.longest} bytes")
        if self._tapped and self.net.taps and not (self._whole and self._receive_datagram is None):
            self._tap(end)
        if self._whole:
            self._send_whole(datagram)
        elif end >= 16 and (header := NLMSGHDR.unpack_from(datagram))[0] == end:  # one message, as most datagrams are
            _, kind, flags, seq, _ = header
            self._process(datagram, kind, flags, seq)
        else:
            self.process(datagram)

    @property
    def longest(self) -> int:
        """The longest datagram that can be sent, in bytes."""
        return self.sndbuf - SEND_OVERHEAD

    def process(self, datagram: bytes) -> None:
        """netlink_rcv_skb(): every whole message of the datagram."""
        at, end = 0, len(datagram)
        while end - at >= 16:
            length, kind, flags, seq, _ = NLMSGHDR.unpack_from(datagram, at)
            if length < 16 or length > end - at:
                return
            whole = datagram if not at and length == end else datagram[at : at + length]
            self._process(whole, kind, flags, seq)
            at += length + 3 & ~3

    def _send_whole(self, datagram: bytes) -> None:
        """To a receiver that takes datagrams (netlink_unicast_kernel()), or to nothing at all."""
        if self._receive_datagram is None:
            raise OSError(errno.ECONNREFUSED, f"nothing in the kernel listens to {self.spec.name} here")
        try:
            self._receive_datagram(self, datagram)
        except Exception:
            log.exception("a bug in the emulator; the datagram was %s", datagram.hex())
            self.machine.bugs += 1

    def _process(self, message: bytes, kind: int, flags: int, seq: int) -> None:
        assert self._receiver is not None
        call = Call(self, message, kind, flags, seq)
        failed = 0
        if flags & REQUEST and kind >= MIN_TYPE:
            try:
                dump = self._receiver(call)
                if dump is not None:
                    self.begin(dump)
                    return  # a dump that began is not acked
            except Refusal as refusal:
                call.extack.merge(refusal)
                failed = refusal.errno
                if self.machine.refused is not None and not self.private:
                    self.machine.refused(call, refusal)
            except Exception:
                log.exception("a bug in the emulator; the message was %s", message.hex())
                self.machine.bugs += 1
                call.extack.text = BUG
                failed = errno.EIO
        if failed or flags & ACK:
            self.acknowledge(call, failed)

    def acknowledge(self, call: Call, failed: int = 0) -> None:
        """netlink_ack(): queues the ack, or the error of that number."""
        self.deliver(
            ack(
                call.message, call.seq, self.portid, failed, call.extack, capped=self.cap_ack, extended=self.ext_ack
            )
        )

    def send_to(self, datagram: bytes, portid: int, groups: int) -> None:
        """netlink_sendmsg() to another program's socket (a port id), to the members of a group (the lowest that the
        mask names), or to both; to the kernel as well where no port is named.

        Raises OSError: EPERM, ECONNREFUSED where that port is not taken, and what `send()` raises.
        """
        if (portid or groups) and not (self.spec.nonroot_send or self.credentials.net_admin):
            raise OSError(errno.EPERM, "sending to other programs wants CAP_NET_ADMIN")
        if not portid and not groups:
            self.send(datagram)
            return
        if not datagram:
            raise OSError(errno.ENODATA, "an empty netlink message")
        if not self.portid:
            self.bind()
        if len(datagram) > self.longest:
            raise OSError(errno.EMSGSIZE, f"a netlink message longer than {self.longest} bytes")
        if groups:
            group = (groups & -groups).bit_length()
            self.machine.multicast.broadcast(self, group, datagram, skip=portid)
        if not portid:
            self.send(datagram)
            return
        other = self.machine.ports.find(self.net, self.protocol, portid)
        if other is None:
            raise OSError(errno.ECONNREFUSED, f"port {portid} is not taken")
        if other.peer not in (None, self.portid):  # netlink_getsockbyportid()
            raise OSError(errno.ECONNREFUSED, f"port {portid} listens to port {other.peer} alone")
        other.deliver(datagram, portid=self.portid)

    # -- out ----------------------------------------------------------------------------------

    def deliver(self, data: bytes, group: int = 0, nsid: int | None = None, portid: int = 0) -> None:
        """Queues one datagram (netlink_attachskb(), netlink_broadcast_deliver()). portid: of another program's socket
        that it comes from.

        One that finds the queue full is lost, and so is all that comes until the queue has been read empty; the next
        receive says ENOBUFS, once.
        """
        size = len(data)
        cost = SMALL if size <= SMALL_SIZE else truesize(size)
        if (self._congested or self._queued + cost > self.rcvbuf) and self._is_full(cost):
            self.drops += 1
            if not self.no_enobufs and not self._congested:
                self._overrun = self._congested = True
                if self.on_readable is not None and not self._queue:
                    self.on_readable()  # sk_error_report(): whoever waits is told
            return
        self.queue(Datagram(data, group, nsid, cost, portid))

    def _is_full(self, cost: int) -> bool:
        """Whether there is no room for so many bytes more, as far as the reader has read by now."""
        if self.on_full is not None:
            self.on_full()
        return self._congested or bool(self._queued and self._queued + cost > self.rcvbuf)

    def queue(self, datagram: Datagram) -> None:
        """Puts a datagram where the reader finds it."""
        if self.closed or self._mute:
            return
        if self._losing:
            self._losing -= 1
            self.drops += 1
            self._overrun = self._overrun or not self.no_enobufs
            return
        if self._tapped and self.net.taps:
            self._tap(len(datagram.data))
        self._queued += datagram.cost
        if self._queue:
            self._queue.append(datagram)
            return
        if self.on_datagram is not None and self._dump is None:
            self._ahead += 1
            if self.on_datagram(datagram):
                return
            self._ahead -= 1
        self._queue.append(datagram)
        if self.on_readable is not None:
            self.on_readable()

    def _tap(self, size: int) -> None:
        """netlink_deliver_tap(): a datagram of that many bytes goes out through the devices that listen here."""
        for dev in self.net.taps:
            qdisc.transmit(dev, size)

    def lose(self, count: int = 1) -> None:
        """A fault: that many datagrams to come are lost, as if the queue were full."""
        self._losing = count

    def mute(self) -> None:
        """A fault: nothing that is said from now on reaches the reader."""
        self._mute = True

    def hang_up(self) -> None:
        """A fault: the socket is closed from this side, when the request at hand is over."""
        self.mute()
        self.machine.defer(self.on_hang_up or self.close)

    def pending(self) -> bool:
        """Whether `receive()` has something to say."""
        return bool(self._queue) or self._overrun

    def receive(self, size: int = DEFAULT_READ) -> bytes | None:
        """The next datagram, whole, for a reader with ``size`` bytes of room; None if nothing waits.

        Raises OSError(ENOBUFS), once, after datagrams were lost, or when a running dump found no room. Taking one
        continues a running dump.
        """
        datagram = self.receive_datagram(size)
        return None if datagram is None else datagram.data

    def receive_datagram(self, size: int = DEFAULT_READ) -> Datagram | None:
        """Like `receive()`, with what ancillary data would tell (netlink_recvmsg())."""
        if self._overrun:
            self._overrun = False
            raise OSError(errno.ENOBUFS, "datagrams were lost")
        datagram = self.take()
        if datagram is not None:
            self.read(size)
        return datagram

    def take(self) -> Datagram | None:
        """The next datagram, which is read thereby."""
        datagram = self.take_ahead()
        if datagram is not None:
            self.gone(datagram)
        return datagram

    def take_ahead(self) -> Datagram | None:
        """The same, for whoever keeps it ready for the reader: it counts until `gone()`."""
        if not self._queue:
            return None
        self._ahead += 1
        return self._queue.popleft()

    def gone(self, datagram: Datagram) -> None:
        """The reader has it."""
        self._ahead -= 1
        self._queued -= datagram.cost
        if self._congested and not self._queue and not self._ahead:
            self._congested = False  # netlink_rcv_wake()

    def uncount(self, datagram: Datagram) -> Datagram:
        """The same datagram, taken ahead, which does not count from now on."""
        self._queued -= datagram.cost
        return datagram._replace(cost=0)

    def put_back(self, datagram: Datagram) -> None:
        """`take_ahead()` was too early."""
        self._ahead -= 1
        self._queue.appendleft(datagram)

    def read(self, size: int) -> None:
        """A reader with ``size`` bytes of room has looked at a datagram: a running dump goes on."""
        if size > self._read:
            self._read = min(size, LARGEST)
        if self._dump is not None and self._queued <= self.rcvbuf // 2 and not self._continue(self._dump):
            self._overrun = True

    @property
    def dumping(self) -> bool:
        """Whether a dump is running."""
        return self._dump is not None

    def overrun(self) -> bool:
        """Whether datagrams were lost since this was last asked."""
        lost, self._overrun = self._overrun, False
        return lost

    def fail_next(self) -> None:
        """What `overrun()` told was told to nobody: the next receive says it (recvmmsg())."""
        self._overrun = True

    @property
    def queued(self) -> int:
        """How many bytes of the receive buffer are taken (sk_rmem_alloc)."""
        return self._queued

    def discard(self) -> None:
        """What waits to be received is thrown away, and a dump that is under way with it: the machine is another now
        (machine/snapshot.py). What a transport has taken ahead goes on to count until it is read."""
        self._dump = None
        while self._queue:
            self._queued -= self._queue.popleft().cost
        self._overrun = False
        self._congested = self._congested and bool(self._ahead)
        self._losing = 0

    # -- dumps --------------------------------------------------------------------------------

    def check_no_dump(self) -> None:
        """One socket has one dump at a time (__netlink_dump_start()): Refusal EBUSY."""
        if self._dump is not None:
            raise Refusal(errno.EBUSY)

    def begin(self, dump: Dump) -> None:
        """netlink_dump_start(). Refusal ENOBUFS when there is no room to begin: the dump is under way all the same, as
        in the kernel."""
        self._dump = dump
        if not self._continue(dump):
            if not self._queue and self.on_readable is not None:
                self.on_readable()  # it goes on with what the reader reads, which is with the transport already
            raise Refusal(errno.ENOBUFS)

    def _continue(self, dump: Dump) -> bool:
        """netlink_dump(): queues the next datagram; False when there was no room for what it might have become."""
        size = dump.room(self._read)
        cost = truesize(size)
        if self._queued and self._queued + cost >= self.rcvbuf:
            if self.on_full is not None:
                self.on_full()
            if self._queued and self._queued + cost >= self.rcvbuf:
                return False
        try:
            data, over = dump.fill(size)
        except Exception:
            log.exception("a bug in the emulator; the dump was asked for by %s", dump.call.message.hex())
            self.machine.bugs += 1
            self._dump = None
            call = dump.call
            call.extack.text = BUG
            self.deliver(ack(call.message, call.seq, self.portid, errno.EIO, call.extack, capped=True, extended=True))
            return True
        if over:
            self._dump = None
        self.queue(Datagram(data, cost=cost, dumped=True))
        return True

    # -- options ------------------------------------------------------------------------------

    def setsockopt(self, name: int, value: int) -> None:
        """netlink_setsockopt(). Raises OSError(EINVAL, EPERM, ENOPROTOOPT)."""
        match name:
            case NetlinkOpt.ADD_MEMBERSHIP:
                self._check_group(value)
                self._check_may_join(value)
                self.groups.add(value)
                self.machine.multicast.join(self, value)
            case NetlinkOpt.DROP_MEMBERSHIP:
                self._check_group(value)
                self.groups.discard(value)
                self.machine.multicast.leave(self, value)
            case NetlinkOpt.PKTINFO:
                self.pktinfo = bool(value)
            case NetlinkOpt.BROADCAST_ERROR:
                self.broadcast_error = bool(value)
            case NetlinkOpt.NO_ENOBUFS:
                self.no_enobufs = bool(value)
                if value:
                    self._congested = False
            case NetlinkOpt.LISTEN_ALL_NSID:
                if not self.credentials.net_admin:  # CAP_NET_BROADCAST, really; who has one has the other here
                    raise OSError(errno.EPERM, "listening to all namespaces wants CAP_NET_BROADCAST")
                self.all_nsid = bool(value)
            case NetlinkOpt.CAP_ACK:
                self.cap_ack = bool(value)
            case NetlinkOpt.EXT_ACK:
                self.ext_ack = bool(value)
            case NetlinkOpt.GET_STRICT_CHK:
                self.strict = bool(value)
            case _:
                raise OSError(errno.ENOPROTOOPT, f"no such option: {name}")

    def _check_may_listen(self) -> None:
        """netlink_allowed(NL_CFG_F_NONROOT_RECV)."""
        if not self.spec.nonroot_recv and not self.credentials.net_admin:
            raise OSError(errno.EPERM, f"listening to {self.spec.name} wants CAP_NET_ADMIN")

    def _check_group(self, group: int) -> None:
        self._check_may_listen()
        self._has_groups = True
        if not 0 < group <= self.spec.group_count:
            raise OSError(errno.EINVAL, f"no such group: {group}")

    def _check_may_join(self, group: int) -> None:
        """netlink_bind of the protocol."""
        if (may_join := self.spec.kernel.may_join) is not None:
            may_join(self, group)

    def options(self) -> dict[int, int]:
        """The options that are on or off, by their numbers."""
        flags = {
            NetlinkOpt.PKTINFO: self.pktinfo,
            NetlinkOpt.BROADCAST_ERROR: self.broadcast_error,
            NetlinkOpt.NO_ENOBUFS: self.no_enobufs,
            NetlinkOpt.LISTEN_ALL_NSID: self.all_nsid,
            NetlinkOpt.CAP_ACK: self.cap_ack,
            NetlinkOpt.EXT_ACK: self.ext_ack,
            NetlinkOpt.GET_STRICT_CHK: self.strict,
        }
        return {int(name): int(flag) for name, flag in flags.items()}

    def getsockopt(self, name: int) -> int:
        """netlink_getsockopt() of those. Raises OSError(ENOPROTOOPT)."""
        value = self.options().get(name)
        if value is None:
            raise OSError(errno.ENOPROTOOPT, f"no such option: {name}")
        return value

    def memberships(self) -> bytes:
        """All groups as a bitmap, in whole words (netlink_getsockopt(NETLINK_LIST_MEMBERSHIPS)).

        A socket that never had to do with a group has none.
        """
        if not self._has_groups:
            return b""
        groups = bytearray(-(-self.spec.group_count // 32) * 4)
        for group in self.groups:
            groups[group - 1 >> 3] |= 1 << (group - 1 & 7)
        return bytes(groups)

    def close(self) -> None:
        """netlink_release(): the port is free, the groups are left, what the socket owned ends."""
        if self.closed:
            return
        self.closed = True
        self._dump = None
        self._queue.clear()
        self._queued = 0
        self.on_full = None
        for group in self.groups:
            self.machine.multicast.leave(self, group)
        self.groups.clear()
        self.machine.ports.free(self)
        self.machine.released(self)
