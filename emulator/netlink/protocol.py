"""What a netlink protocol is to the socket layer: struct netlink_table and struct netlink_kernel_cfg.

A protocol is two declarations. What can be said of it before anybody uses it is a line of the table in
emulator/machine/protocols.py: which number socket() takes, which option of the kernel makes it exist, to whom it is
free. What the kernel does with it, its groups and what receives for it, stands in a module of its own, which is
imported when the first socket of that protocol is opened, as Linux loads the module of a protocol then
(netlink_create()). So a program pays for what it uses: the declarations of IPsec cost a program nothing that asks for
links.

Most receivers take a message at a time, and the endpoint does the rest as netlink_rcv_skb() does: it goes from message
to message, and acks. Some take the datagram as it is, because their kernel code does; they ack, or do not, themselves.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.machine.machine import Machine
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


class KernelSocket(NamedTuple):
    """What the kernel does with a protocol (struct netlink_kernel_cfg).

    groups: how many it asks for. may_join: who may join which group beyond what the protocol says. receive: takes one
    request; receive_datagram: takes all that one sendmsg() sent instead, and may hand it to the former with
    `Endpoint.process()`; with neither, nothing in the kernel listens, and sending to it is refused with ECONNREFUSED.
    start: told of a machine when its first socket of the protocol opens, so that from then on what happens in the model
    is told to those who listen; nobody can have listened before.
    """

    groups: int = 0
    may_join: GroupRule | None = None
    receive: Receiver | None = None
    receive_datagram: DatagramReceiver | None = None
    start: Callable[[Machine], None] | None = None


NOBODY = KernelSocket()


def want_admin(endpoint: Endpoint, group: int) -> None:
    """The rule of a group that only they may join who have CAP_NET_ADMIN. OSError EPERM."""
    if not endpoint.credentials.net_admin:
        raise OSError(errno.EPERM, f"listening to group {group} wants CAP_NET_ADMIN")


class Protocol:
    """One netlink protocol.

    number: the third argument of socket(). option: the option of Kconfig, without ``CONFIG_``, that a kernel with this
    protocol has on; None where every kernel has it. module: where its KernelSocket is, under the name ``KERNEL``; None
    where the kernel only passes on what programs send each other. nonroot_recv, nonroot_send: whether joining a group,
    and sending to other programs, is free to those without CAP_NET_ADMIN (NL_CFG_F_NONROOT_RECV,
    NL_CFG_F_NONROOT_SEND). first_namespace_only: nothing in the kernel listens in the other namespaces.
    """

    def __init__(
        self, number: NetlinkProtocol, *, option: str | None = None, module: str | None = None,
        nonroot_recv: bool = False, nonroot_send: bool = False, first_namespace_only: bool = False,
    ) -> None:
        self.number = number
        self.option = option
        self.module = module
        self.nonroot_recv = nonroot_recv
        self.nonroot_send = nonroot_send
        self.first_namespace_only = first_namespace_only

    @property
    def name(self) -> str:
        """As it is called where people read: "sock_diag"."""
        return self.number.name.lower()

    @cached_property
    def kernel(self) -> KernelSocket:
        """The kernel's side of it; imports its module."""
        if self.module is None:
            return NOBODY
        kernel: KernelSocket = import_module(self.module).KERNEL
        return kernel

    def listens(self, first: bool) -> bool:
        """Whether something in the kernel receives for it, in the first namespace or in another."""
        return self.module is not None and (first or not self.first_namespace_only)

    @cached_property
    def group_count(self) -> int:
        """How many groups a socket of it can be a member of (nlk->ngroups)."""
        return max(self.kernel.groups, LEAST_GROUPS)
