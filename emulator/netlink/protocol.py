"""What a netlink protocol is to the socket layer: struct netlink_kernel_cfg and struct netlink_table.

A protocol is one declaration: which number socket() takes, which option of the kernel makes it exist, how many groups a
socket of it may join and who may, and what receives that which is sent to the kernel. emulator/machine/protocols.py
lists those that there are, and everything that opens, describes or lists sockets walks that table.

Most receivers take a message at a time, and the endpoint does the rest as netlink_rcv_skb() does: it goes from message
to message, and acks. Some take the datagram as it is, because their kernel code does; they ack, or do not, themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump

Receiver = Callable[["Call"], "Dump | None"]
"""Processes one request: replies are queued, a dump is returned. Raises Refusal."""
DatagramReceiver = Callable[["Endpoint", bytes], None]
"""Processes one datagram, which is not empty, with all that this entails (netlink_kernel_cfg.input)."""
GroupRule = Callable[["Endpoint", int], None]
"""Asked before a socket joins a group (netlink_kernel_cfg.bind). Raises OSError(EPERM)."""

LEAST_GROUPS = 32
"""__netlink_kernel_create(): a protocol has no fewer, whatever it asks for."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One netlink protocol.

    number: the third argument of socket(). option: the option of Kconfig, without ``CONFIG_``, that a kernel with this
    protocol has on; None where every kernel has it. groups: how many it asks for. nonroot_recv, nonroot_send: whether
    joining a group, and sending to other programs, is free to those without CAP_NET_ADMIN (NL_CFG_F_NONROOT_RECV,
    NL_CFG_F_NONROOT_SEND). may_join: who may join which group beyond that. receive: takes one request;
    receive_datagram: takes all that one sendmsg() sent instead, and may hand it to the former with
    `Endpoint.process()`; with neither, nothing in the kernel listens, and sending to it is refused with
    ECONNREFUSED. first_namespace_only: so it is in all namespaces but the first.
    """

    number: NetlinkProtocol
    option: str | None = None
    groups: int = 0
    nonroot_recv: bool = False
    nonroot_send: bool = False
    may_join: GroupRule | None = None
    receive: Receiver | None = None
    receive_datagram: DatagramReceiver | None = None
    first_namespace_only: bool = False

    @property
    def name(self) -> str:
        """As it is called where people read: "sock_diag"."""
        return self.number.name.lower()

    def listens(self, first: bool) -> bool:
        """Whether something in the kernel receives for it, in the first namespace or in another."""
        return (self.receive or self.receive_datagram) is not None and (first or not self.first_namespace_only)

    @property
    def group_count(self) -> int:
        """How many groups a socket of it can be a member of (nlk->ngroups)."""
        return max(self.groups, LEAST_GROUPS)
