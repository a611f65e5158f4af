"""Families and operations: what can be asked, and what is answered.

A generic netlink family is declared as its specification tells it:

    netdev = Family("netdev", version=1, groups=("mgmt", "page-pool"))

    QUEUE_CREATE = netdev.operation(
        Cmd.QUEUE_CREATE,
        do=Half(Policy(Queue.ifindex, Queue.type, Queue.lease), requires=(...), flags=ADMIN_PERM),
        replies=Layout(Queue.id),
    )

The declaration is all there is: the validator, nlctrl's listings, the encoder, the printer and the command-line client
walk it. Who answers is said elsewhere (emulator/handlers), and a test holds that every half has someone.

rtnetlink's messages are declared by the same classes, in a family whose "commands" are message types and whose
requests start with a structure of their own instead of struct genlmsghdr. Who answers one depends on the protocol
family that the request names in its first byte, so an operation there has a registration for each:

    GETADDR = route.operation(
        RTM.GETADDR, Ifa, fixed=HEADER, replies=..., reply_cmd=RTM.NEWADDR,
        registered={
            AF_INET: Registered(dump=Half(IPV4, level=LIBERAL, unless_strict=Unread.IGNORED, strict=Strict(...))),
            AF_INET6: Registered(do=..., dump=...),
            AF_UNSPEC: Registered(dump=Half(None, every=(AF_INET, AF_INET6))),
        },
    )
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

from nlemu.protocol.frame import GENERIC
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout, Values
from nlemu.protocol.schema.kinds import Structure
from nlemu.protocol.schema.policy import STRICT, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag

# genl_policy_reject_all: an operation declared without a policy takes no attribute at all. One object, because
# CTRL_CMD_GETPOLICY counts it once.
REJECT_ALL = Policy()


class Unread(Enum):
    """What becomes of an rtnetlink request of a socket that does not want strict checking (NETLINK_GET_STRICT_CHK), and
    of whatever is wrong with it."""

    NO = "it is read, and refused"
    IGNORED = "nothing but its family is looked at"
    FORGIVEN = "it is read; where it cannot be, the request counts as empty, and the fault is told in the ack"


@dataclass(frozen=True)
class Strict:
    """How an rtnetlink request is read of a socket that wants strict checking: the header, then the attributes.

    cut: the text for a header that is not whole; zero: fields of the header that must be 0, and nonzero the text if
    one is not; flags: bits that may stand in its field ``flags``, and bad_flags the text for others; bare: the text
    for anything that stands behind the header, where no attributes may; check: what else is asked of the header, as
    a function that returns the text of the refusal, or None; filters: a field that makes the dump a filtered one if
    it is not 0; allowed: the attributes that may stand there, and unsupported the text for others (None: the
    handler looks at them one by one); always: every socket's request is read so. All refuse with EINVAL, in this
    order; attributes are validated between ``filters`` and ``allowed``.
    """

    cut: str | None = None
    zero: tuple[str, ...] = ()
    nonzero: str | None = None
    flags: int | None = None
    bad_flags: str | None = None
    bare: str | None = None
    check: Callable[[Any], str | None] | None = None
    filters: str | None = None
    allowed: tuple[Attr[Any], ...] | None = None
    unsupported: str | None = None
    always: bool = False


@dataclass(frozen=True, eq=False)
class Half:
    """One way to ask: do or dump (struct genl_split_ops).

    ``accepts``: the policy (None: no attribute is looked at); ``requires``: what must be there, in the order the
    kernel checks; ``flags``: GENL_ADMIN_PERM or GENL_UNS_ADMIN_PERM; ``level``: how strictly attributes are validated.

    Of rtnetlink alone: ``cut``: the text for a header that is not whole, and ``older`` the size of what old clients
    send in its place, if that is taken; ``late``: the handler has checks to make before it reads the request;
    ``unless_strict`` and ``strict``: how requests of sockets without and with strict checking are read; ``blur``:
    the one text for whatever is wrong with the attributes; ``every``: a dump of the protocol families named, one
    after the other, each of which reads the request for itself (rtnl_dump_all()).
    """

    accepts: Policy | None = REJECT_ALL
    requires: tuple[Attr[Any], ...] = ()
    flags: int = 0
    level: int = STRICT
    # A dump whose callback returns the length it wrote ends with a DONE in a datagram of its own; one that returns
    # 0 at its end has the DONE packed behind the last message (netlink_dump(), RTNL_FLAG_DUMP_SPLIT_NLM_DONE).
    done_apart: bool = False
    cut: str | None = "Invalid header length"
    older: int = 0
    late: bool = False
    unless_strict: Unread = Unread.NO
    strict: Strict | None = None
    blur: str | None = None
    every: tuple[int, ...] = ()
    plain: bool = field(init=False)
    """Whether a request that is whole and not to be read strictly is just validated, and refused for what is wrong."""

    def __post_init__(self) -> None:
        plain = self.accepts is not None and self.unless_strict is Unread.NO and self.blur is None
        object.__setattr__(self, "plain", plain)


@dataclass(frozen=True, eq=False)
class Registered:
    """How one protocol family answers a message type of rtnetlink (struct rtnl_link). bulk: a request may delete
    many at once (RTNL_FLAG_BULK_DEL_SUPPORTED); option: what the kernel must be built with for the family to answer."""

    do: Half | None = None
    dump: Half | None = None
    bulk: bool = False
    option: str | None = None


@dataclass(frozen=True, eq=False)
class Operation:
    """A command: its number, its halves, its reply or notification.

    ``set`` is the attribute set the operation's top level belongs to; ``reply_cmd`` the command that its replies
    carry; ``group`` the multicast group of a notification; ``numbered``: its replies carry the number of their family
    where the command stands.
    """

    family: Family
    cmd: int
    name: str
    set: type[AttrSet]
    do: Half | None = None
    dump: Half | None = None
    replies: Layout | None = None
    reply_cmd: int = 0
    group: str | None = None
    fixed: Structure | None = None  # the structure before the attributes of an rtnetlink message
    head: bytes = b""  # what stands before the attributes of a generic netlink message: struct genlmsghdr
    numbered: bool = False
    registered: Mapping[int, Registered] = field(default_factory=dict)
    """Who answers, by protocol family; of rtnetlink alone, whose ``do`` and ``dump`` are just the first of these."""

    def __repr__(self) -> str:
        return f"{self.family.name}.{self.name}"

    def body(self, values: Values, fixed: bytes = b"") -> bytes:
        """The body of a reply or notification; ``fixed`` is the structure that an rtnetlink message begins with."""
        assert self.replies is not None, f"{self!r} has no reply"
        return (fixed or self.head) + self.replies.encode(values)

    @property
    def flags(self) -> int:
        """As CTRL_CMD_GETFAMILY tells them (genl_op_iter_next(), ctrl_fill_info())."""
        flags = 0
        for half, capability in ((self.do, GenlFlag.CMD_CAP_DO), (self.dump, GenlFlag.CMD_CAP_DUMP)):
            if half is not None:
                flags |= half.flags | capability | (GenlFlag.CMD_CAP_HASPOL if half.accepts is not None else 0)
        return flags


class Family:
    """A family of operations and multicast groups (struct genl_family).

    ``privileged`` are the groups that want CAP_NET_ADMIN of who listens (GENL_MCAST_CAP_NET_ADMIN).
    ``strict_from``: commands below it tolerate reserved header fields (resv_start_op). ``attributes`` is the family's
    own greatest attribute number, for families that have one policy for all commands. ``listed`` are the flags of
    commands that the family has on the recorded machine and that are not declared (yet): nlctrl tells of them, and
    who asks for one is refused. ``dump_flags`` stand in every message of a dump: the old families say NLM_F_MULTI,
    those that use genlmsg_iput() do not. ``header_size``: how long the structure before the attributes is that the
    family's messages begin with; ``option``: a kernel without it does not have the family.
    """

    def __init__(
        self,
        name: str,
        *,
        version: int = 1,
        groups: tuple[str, ...] = (),
        privileged: tuple[str, ...] = (),
        strict_from: int = 0,
        attributes: int = 0,
        netns: bool = True,
        listed: Mapping[int, int] | None = None,
        dump_flags: int = 0,
        header_size: int = 0,
        option: str = "",
    ) -> None:
        self.name, self.version, self.groups, self.attributes = name, version, groups, attributes
        self.privileged, self.strict_from, self.netns = privileged, strict_from, netns
        self.listed = dict(listed or {})
        self.dump_flags = int(dump_flags)
        self.header_size, self.option = header_size, option
        self.operations: dict[int, Operation] = {}  # what can be asked, in the order of the kernel's table
        self.events: dict[int, Operation] = {}

    def __repr__(self) -> str:
        return self.name

    def commands(self) -> dict[int, int]:
        """Every command and its flags, in the order of the kernel's table."""
        return self.listed | {cmd: op.flags for cmd, op in self.operations.items()}

    def head(self, cmd: int) -> bytes:
        """struct genlmsghdr of a message of this family."""
        return GENERIC.pack(cmd, self.version, 0)

    def operation(
        self,
        cmd: IntEnum,
        attributes: type[AttrSet],
        *,
        do: Half | None = None,
        dump: Half | None = None,
        replies: Layout | None = None,
        reply_cmd: IntEnum | None = None,
        fixed: Structure | None = None,
        name: str | None = None,
        registered: Mapping[int, Registered] | None = None,
        numbered: bool = False,
    ) -> Operation:
        """Declares a command that can be asked."""
        name = name or cmd.name.lower().replace("_", "-")
        registered = registered or {}
        do = do or next((one.do for one in registered.values() if one.do is not None), None)
        dump = dump or next((one.dump for one in registered.values() if one.dump is not None), None)
        answer = int(cmd if reply_cmd is None else reply_cmd)
        made = Operation(
            self, int(cmd), name, attributes, do, dump, replies, answer, fixed=fixed, head=self.head(answer),
            registered=registered, numbered=numbered,
        )
        self.operations[made.cmd] = made
        return made

    def event(
        self, cmd: IntEnum, group: str, like: Operation | None = None, *, attributes: type[AttrSet] | None = None,
        layout: Layout | None = None, fixed: Structure | None = None, name: str | None = None,
    ) -> Operation:
        """Declares a notification to ``group``: laid out ``like`` the reply of an operation, or by its own layout."""
        chosen = attributes or (like.set if like else None)
        assert chosen is not None and group in self.groups
        made = Operation(
            self, int(cmd), name or cmd.name.lower().replace("_", "-"), chosen,
            replies=layout or (like.replies if like else None), reply_cmd=int(cmd), group=group,
            fixed=fixed or (like.fixed if like else None), head=self.head(int(cmd)),
        )
        self.events[made.cmd] = made
        return made
